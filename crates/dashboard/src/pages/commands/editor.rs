//! `/p/{project}/commands/{name}`: a command's code, and its run beside it.

use axum::extract::Path;
use maud::{Markup, html};
use tidings_contract::{
    command::{CommandBody, RunBody, RunSummary},
    list::ListBody,
    problem::Problem,
};
use tidings_domain::{ids::RunId, tenancy::Scope};

use super::{EXAMPLE, address, fields, look::outcome, runs::runs_table, schedule::settings};
use crate::{
    ask::{Shown, part},
    form::Form,
    parts::{Fields, ago, button_link, hidden, icon, summary, text_block, who_may},
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// How many runs stand below the editor.
const RUNS: usize = 10;

pub(super) const KEY: &str = "idempotency_key";

pub(super) const ETAG: &str = "etag";

/// Where a command is in the API.
pub(super) fn place(name: &str) -> String {
    format!("/commands/{}", part(name))
}

/// What the page is drawn from.
#[derive(Default)]
pub(super) struct Sheet<'a> {
    /// The command as it is; `None`: it is to be made.
    pub(super) command: Option<&'a CommandBody>,
    /// The entity tag of what the form was drawn from.
    pub(super) etag: &'a str,
    pub(super) problem: Option<&'a Problem>,
    /// The run that stands beside the code.
    pub(super) run: Option<&'a RunBody>,
    /// Whether somebody else saved meanwhile.
    pub(super) stale: bool,
}

pub(crate) async fn new(visit: Visit) -> Shown {
    let given = [
        (KEY, visit.fresh_key(&Form::default()).as_str()),
        ("code", EXAMPLE),
        ("timeout_ms", "5000"),
        ("when", "never"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    draw(&visit, &given.into_iter().collect(), &Sheet::default()).await
}

pub(crate) async fn show(visit: Visit, Path((_, name)): Path<(String, String)>) -> Shown {
    let (command, etag): (CommandBody, _) = visit.need_tagged(&place(&name)).await?;
    let query = visit.query();
    let run = match query.text("run").parse::<RunId>() {
        Ok(id) => visit.get::<RunBody>(&format!("/runs/{id}")).await.ok().filter(|run| run.summary.command == name),
        Err(_) => None,
    };
    let values = fields::of(&command, run.as_ref());
    let sheet = Sheet { command: Some(&command), etag: &etag, run: run.as_ref(), ..Sheet::default() };
    draw(&visit, &values, &sheet).await
}

pub(super) async fn draw(visit: &Visit, values: &Form, sheet: &Sheet<'_>) -> Shown {
    let name = sheet.command.map_or("", |command| command.name.as_str());
    let action = if name.is_empty() { visit.link("/new/command") } else { address(visit, name) };
    let form_fields = Fields { values, problem: sheet.problem };
    let runs: Vec<RunSummary> = match name {
        "" => Vec::new(),
        name => {
            let place = format!("/runs?limit={RUNS}&command={}", part(name));
            visit.get::<ListBody<RunSummary>>(&place).await.map(|list| list.data).unwrap_or_default()
        }
    };
    let body = html! {
        @if sheet.stale { (both(visit, sheet)) } @else { (summary(sheet.problem)) }
        form #command-form .stack method="post" action=(action) data-form data-in-place[sheet.command.is_some()] {
            (csrf(visit))
            (carried(values, sheet))
            @if sheet.command.is_none() {
                section .panel { div .panel-body {
                    (form_fields.mono("text", "name", "Name", "Such as /onPayment; it cannot be changed later. @, \
                    @@, * and ! \
                        stand before, after, in place of and behind all others.", "/onPayment"))
                } }
            }
            div .panel.editor {
                (code(visit, &form_fields, sheet))
                (beside(visit, &form_fields, sheet))
            }
            (settings(visit, &form_fields, sheet))
        }
        @if sheet.command.is_some() {
            section .panel {
                header .panel-head {
                    h2 { "Runs" } p { "the latest" }
                    a .push.small href={ (action) "/runs" } { "All runs of this command" }
                }
                (runs_table(visit, &runs, false))
            }
        }
    };
    let head = Head {
        title: if name.is_empty() { "Create command" } else { name },
        mono: !name.is_empty(),
        nav: Some(Nav::Commands),
        crumbs: &[("Commands", visit.link("/commands"))],
        lead: Some(html! { "Runs behind a hook URL, by an event, by a source, by a schedule or here." }),
        actions: Some(actions(visit, name)),
        ..Head::default()
    };
    visit.form_page(&head, body, sheet.problem)
}

/// What the form brings back unseen.
fn carried(values: &Form, sheet: &Sheet<'_>) -> Markup {
    html! {
        @if sheet.command.is_none() { (hidden(KEY, values.raw(KEY))) } @else { (hidden(ETAG, sheet.etag)) }
    }
}

fn actions(visit: &Visit, name: &str) -> Markup {
    let may = visit.may(Scope::CommandsManage);
    let no = (!may).then(|| who_may(visit, Scope::CommandsManage));
    html! {
        @if !name.is_empty() {
            a .button href=(visit.link(&format!("/hook-url?command={}", part(name)))) {
                (icon("globe")) "Make a hook URL…"
            }
            (button_link(
                visit,
                Scope::CommandsManage,
                "",
                &format!("{}/delete", address(visit, name)),
                "trash",
                "Delete…",
            ))
        }
        button .button form="command-form" name="do" value="save" disabled[!may] title=[no] data-save { "Save " kbd { "Ctrl S" } }
        button .button.primary form="command-form" name="do" value="run" disabled[!may] data-run
            title=(no.unwrap_or("Saves what was changed, then runs")) { (icon("play")) "Run" }
    }
}

/// The line to mark: the one that threw, or the one that is no JavaScript.
fn marked(sheet: &Sheet<'_>) -> Option<usize> {
    let refused = sheet.problem.and_then(|problem| problem.extra.get("line")?.as_u64());
    let threw = sheet.run.zip(sheet.command).and_then(|(run, command)| {
        let error = run.summary.error.as_ref()?;
        let is_here = error.command.as_deref().is_none_or(|name| name == command.name);
        let is_now = run.summary.began_at >= command.updated_at;
        error.line.filter(|_| is_here && is_now).map(u64::from)
    });
    usize::try_from(refused.or(threw)?).ok()
}

fn code(visit: &Visit, fields: &Fields<'_>, sheet: &Sheet<'_>) -> Markup {
    let text = fields.values.raw("code");
    let lines = text.split('\n').count();
    let mark = marked(sheet).filter(|line| (1..=lines).contains(line));
    let wrong = fields.wrong("code");
    let saved = sheet.command.map(|command| ago(visit, command.updated_at));
    html! {
        section aria-label="Code" data-editor {
            div .bar {
                label .strong for="f-code" { "Code" }
                span .push.faint.small data-saved {
                    @match saved.filter(|_| sheet.problem.is_none()) {
                        Some(saved) => { "saved " (saved) }
                        None => "not saved",
                    }
                }
            }
            @if let Some(wrong) = &wrong { p #f-code-wrong .wrong-text.block { (icon("alert")) span { (wrong) } } }
            div .lines {
                pre .gutter aria-hidden="true" {
                    @for line in 1..=lines { @if Some(line) == mark { b { (line) } "\n" } @else { (line) "\n" } }
                }
                div .sheet {
                    @if let Some(line) = mark {
                        pre .marks aria-hidden="true" {
                            // A browser drops the first line break.
                            @for _ in 0..line { "\n" }
                            mark { " " }
                        }
                    }
                    textarea #f-code .text name="code" rows=(lines.max(20)) wrap="off" spellcheck="false" autocapitalize="off"
                        autocomplete="off" aria-describedby=(if wrong.is_some() { "f-code-wrong" } else { "code-keys" })
                        aria-invalid=[wrong.is_some().then_some("true")] { "\n" (text) }
                }
            }
            div .status-line {
                span data-caret { @if let Some(line) = mark { "Line " (line) } }
                span { (limit_words(sheet.command)) }
                span #code-keys .push data-keys hidden { "Tab indents · Esc, then Tab leaves" }
            }
        }
    }
}

fn limit_words(command: Option<&CommandBody>) -> String {
    let ms = command.map_or(5_000, |command| command.timeout_ms);
    format!("Limit {}", crate::parts::duration(f64::from(ms)))
}

fn beside(visit: &Visit, fields: &Fields<'_>, sheet: &Sheet<'_>) -> Markup {
    let methods = [("", "none"), ("POST", "POST"), ("GET", "GET")];
    html! {
        section aria-label="Run" data-run-panel {
            div .bar { span .strong { "Run" } span .push {} kbd { "Ctrl Enter" } }
            div .block.stack.tight {
                (fields.area("content", "content", "", 3, "{\"order_id\": 7}"))
                div .pair {
                    (fields.choice("method", "options.method", "", &methods))
                    (fields.mono("text", "user_id", "user_id (optional)", "Empty: global.", ""))
                }
                (fields.area("params", "params (optional)", "JSON.", 1, ""))
            }
            @match sheet.run {
                Some(run) => {
                    (outcome(visit, run, sheet.command.map(|command| command.code.as_str())))
                    p .block.small { a href=(visit.link(&format!("/runs/{}", run.summary.id))) { "The run by itself" } }
                }
                None => p .block.faint.small { "Run saves what was changed, then runs it. What it does is real: \
                messages, \
                    events and records are kept." },
            }
        }
    }
}

/// Somebody else saved meanwhile: both, and a choice.
fn both(visit: &Visit, sheet: &Sheet<'_>) -> Markup {
    let Some(theirs) = sheet.command else { return html! {} };
    html! {
        div .notice.warn role="alert" tabindex="-1" data-focus {
            (icon("alert"))
            div {
                strong { "Somebody else saved this command " (ago(visit, theirs.updated_at)) "." }
                p { "Nothing of yours was saved. Below is yours as you typed it; here is theirs:" }
                (text_block("Theirs", &theirs.code))
                div .actions {
                    a .button href=(address(visit, &theirs.name)) { "Keep theirs" }
                    button .button form="command-form" name="do" value="save" { "Save mine over it" }
                }
            }
        }
    }
}
