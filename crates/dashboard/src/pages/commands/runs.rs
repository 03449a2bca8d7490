//! Runs: of one command, of all, and one by itself.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use tidings_contract::{
    command::{CommandBody, RunBody, RunSummary},
    list::ListBody,
};
use tidings_domain::tenancy::Scope;

use super::{
    address,
    editor::place,
    look::{asked_by, duration_of, outcome, run_badge},
};
use crate::{
    ask::{Shown, part, refusal, with_query},
    parts::{ago, empty_line, exact, json, pager, segments, submit, total_words},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// The ways in which runs end, as views of a list.
const VIEWS: [(&str, &str); 6] = [
    ("All", ""),
    ("Done", "succeeded"),
    ("Threw", "failed"),
    ("Out of time", "timed_out"),
    ("Crashed", "crashed"),
    ("Superseded", "superseded"),
];

pub(crate) async fn all(visit: Visit) -> Shown {
    list(&visit, None).await
}

pub(crate) async fn of_command(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    list(&visit, Some(&name)).await
}

async fn list(visit: &Visit, command: Option<&str>) -> Shown {
    let query = visit.query();
    let (status, cursor) = (query.text("status"), query.text("cursor"));
    let parameters = [("command", command.unwrap_or_default()), ("status", status), ("cursor", cursor)];
    let runs: ListBody<RunSummary> = visit.need(&with_query("/runs?limit=50", &parameters)).await?;
    let here = match command {
        Some(name) => format!("{}/runs", address(visit, name)),
        None => visit.link("/runs"),
    };
    let views = VIEWS.map(|(words, word)| (words, with_query(&here, &[("status", word)]), word == status, None));
    let total = total_words(runs.total, runs.total_at_least);
    let body = html! {
        section .panel {
            div .filters { (segments("How they ended", &views)) }
            (runs_table(visit, &runs.data, command.is_none()))
            (pager(visit, &total, runs.data.len(), runs.cursor.as_deref(), cursor.is_empty()))
        }
    };
    let mut crumbs = vec![("Commands", visit.link("/commands"))];
    crumbs.extend(command.map(|name| (name, address(visit, name))));
    let lead = html! { "Each with what it was given, what it wrote, and what it answered." };
    let head = Head { title: "Runs", nav: Some(Nav::Commands), crumbs: &crumbs, lead: Some(lead), ..Head::default() };
    visit.page(&head, body)
}

/// A table of runs. `named`: each says its command.
pub(super) fn runs_table(visit: &Visit, runs: &[RunSummary], named: bool) -> Markup {
    if runs.is_empty() {
        return empty_line("No runs. Run it here, call one of its hook URLs, or give it a schedule.");
    }
    html! {
        table .list role="table" aria-label="Runs" data-rows {
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" { "When" }
                    @if named { th role="columnheader" { "Command" } }
                    th role="columnheader" { "Asked for by" }
                    th role="columnheader" { "Result" }
                    th role="columnheader" { "User" }
                    th role="columnheader" .right { "Took" }
                    th role="columnheader" { span .sr { "Actions" } }
                }
            }
            tbody role="rowgroup" {
                @for run in runs {
                    tr .go role="row" {
                        td role="cell" .on-1 {
                            a .row href=(visit.link(&format!("/runs/{}", run.id))) { (ago(visit, run.began_at)) }
                        }
                        @if named {
                            td role="cell" .half {
                                a .mono href=(address(visit, &run.command)) { bdi { (run.command) } }
                            }
                        }
                        td role="cell" .quiet.half { (asked_by(visit, run)) }
                        td role="cell" .on-2 { (run_badge(run)) }
                        td role="cell" .quiet.away {
                            @match &run.user_id { Some(id) => bdi .mono { (id) }, None => "None" }
                        }
                        td role="cell" .right.num.away { (duration_of(run)) }
                        td role="cell" .right.half-2 { (again_form(visit, run, "small plain")) }
                    }
                }
            }
        }
    }
}

fn again_form(visit: &Visit, run: &RunSummary, class: &str) -> Markup {
    html! {
        form .inline method="post" action=(visit.link(&format!("/runs/{}/again", run.id))) {
            (csrf(visit))
            (submit(visit, Scope::CommandsManage, class, "Run again"))
        }
    }
}

pub(crate) async fn one(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let run: RunBody = visit.need(&format!("/runs/{}", part(&id))).await?;
    let command = visit.get::<CommandBody>(&place(&run.summary.command)).await.ok();
    // The code of another day has other lines.
    let code = command.as_ref().filter(|command| command.updated_at <= run.summary.began_at);
    let name = &run.summary.command;
    let actions = html! {
        (again_form(&visit, &run.summary, "primary"))
        @if command.is_some() {
            a .button href=(format!("{}?run={}", address(&visit, name), run.summary.id)) { "Open beside the code" }
        }
    };
    let body = html! {
        div .cols.main-side {
            div .stack {
                section .panel {
                    header .panel-head { h2 { "What came of it" } }
                    (outcome(&visit, &run, code.map(|command| command.code.as_str())))
                    @if let Some(changed) = command.as_ref().filter(|_| code.is_none()) {
                        p .block.faint.small {
                            "The command was changed " (ago(&visit, changed.updated_at)) ": its lines are others now."
                        }
                    }
                }
                (input(&run))
            }
            (facts(&visit, &run, command.is_some()))
        }
    };
    let head = Head {
        title: &id,
        mono: true,
        nav: Some(Nav::Commands),
        crumbs: &[("Commands", visit.link("/commands")), (name, address(&visit, name))],
        beside: Some(run_badge(&run.summary)),
        lead: Some(lead(&visit, &run)),
        actions: Some(actions),
        ..Head::default()
    };
    visit.page(&head, body)
}

/// The sentence its reader came for.
fn lead(visit: &Visit, run: &RunBody) -> Markup {
    let summary = &run.summary;
    html! {
        span .mono { bdi { (summary.command) } } " ran " (ago(visit, summary.began_at)) " for " (duration_of(summary))
        @match &summary.error {
            None => ".",
            Some(error) => { ": " bdi { (error.message) } }
        }
    }
}

fn input(run: &RunBody) -> Markup {
    let input = &run.input;
    html! {
        section .panel {
            header .panel-head { h2 { "What it was given" } }
            div .panel-body.stack.tight {
                @if input.content.is_empty() {
                    p .faint { "content is empty." }
                } @else {
                    (json("content", &input.content))
                }
                @if !input.options.is_null() { (json("options", &input.options.to_string())) }
                @if !input.params.is_null() { (json("params", &input.params.to_string())) }
                @if input.completed_commands_count > 0 {
                    p .quiet {
                        (input.completed_commands_count) " runs came before it, each asked for by the one before."
                    }
                }
            }
        }
    }
}

fn facts(visit: &Visit, run: &RunBody, exists: bool) -> Markup {
    let summary = &run.summary;
    html! {
        section .panel {
            header .panel-head { h2 { "Information" } }
            dl .facts.panel-body {
                dt { "Command" }
                dd .mono {
                    @if exists { a href=(address(visit, &summary.command)) { bdi { (summary.command) } } }
                    @else { bdi { (summary.command) } " (deleted)" }
                }
                dt { "Began" } dd { (exact(visit, summary.began_at)) }
                dt { "Asked for by" } dd { (asked_by(visit, summary)) }
                dt { "User" } dd { @match &summary.user_id { Some(id) => bdi .mono { (id) }, None => "None" } }
                dt { "Run" } dd .mono { (summary.id) }
            }
        }
    }
}

pub(crate) async fn again(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let answer = visit.call(tidings_api::Ask::new(Method::POST, format!("/runs/{}/rerun", part(&id)))).await;
    match refusal(&answer) {
        Some(problem) => Err(visit.stop(&problem)),
        None => {
            let run: RunBody = serde_json::from_slice(&answer.body).expect("the API answers as the contract says");
            visit.go(&visit.link(&format!("/runs/{}", run.summary.id)), "run-again")
        }
    }
}
