//! `/p/{project}/records/{kind}/{key}`: one record with its history.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::{Value, json};
use tidings_contract::{
    problem::Problem,
    record::{RecordBody, RecordHistoryBody},
};
use tidings_domain::tenancy::Scope;

use super::{One, data_of, page_of};
use crate::{
    ask::{Shown, part, with_query},
    form::Form,
    parts::{
        Confirm, Fields, ago, button_link, confirm, empty_line, exact, hidden, json as json_block, json_pretty, number,
        submit, summary,
    },
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

/// `GET …/records/{kind}/{key}`
pub(crate) async fn show(visit: Visit, Path((_, kind, key)): One) -> Shown {
    let record: RecordBody = visit.need(&format!("/records/{}/{}", part(&kind), part(&key))).await?;
    let text = json_pretty(&Value::Object(record.data.clone()).to_string());
    let fields = [("data", text), ("version", record.version.to_string())];
    let values = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    draw(&visit, &record, &values, None).await
}

async fn draw(visit: &Visit, record: &RecordBody, values: &Form, problem: Option<&Problem>) -> Shown {
    let below = visit.query().text("below").to_owned();
    let path = format!("/records/{}/{}/history?limit=20", part(&record.kind), part(&record.key));
    let history = visit.get::<RecordHistoryBody>(&with_query(&path, &[("below", &below)])).await.ok();
    let page = page_of(visit, &record.kind, &record.key);
    let fields = Fields { values, problem };
    let moved = problem.is_some_and(|problem| problem.code == "changed_meanwhile");
    let body = html! {
        (summary(problem))
        div .cols {
            div .stack {
                @if moved {
                    section .panel {
                        header .panel-head { h2 { "As it stands now" } p { "version " (number(record.version)) } }
                        div .panel-body { (json_block("Data", &Value::Object(record.data.clone()).to_string())) }
                        div .panel-foot { a href=(page) { "Keep theirs" } span { "or save yours over it below." } }
                    }
                }
                form .panel method="post" action=(page) {
                    (csrf(visit))
                    (hidden("version", &(if moved { record.version.to_string() } else { values.text("version").to_owned() })))
                    header .panel-head { h2 { @if moved { "Yours" } @else { "Data" } } p .push { "version " (number(record.version)) ", changed " (ago(visit, record.updated_at)) } }
                    div .panel-body { (fields.area("data", "All of its data", "A JSON object, at most 64 KiB.", 14, "{}")) }
                    div .form-foot { (submit(visit, Scope::SourcesManage, "primary", "Save record")) }
                }
            }
            (history_panel(visit, &page, history.as_ref()))
        }
    };
    let crumbs = [
        ("Sources", visit.link("/sources")),
        ("Records", visit.link("/records")),
        (record.kind.as_str(), visit.link(&format!("/records/{}", part(&record.kind)))),
    ];
    let delete = button_link(visit, Scope::SourcesManage, "plain", &format!("{page}/delete"), "trash", "Delete…");
    let head = Head {
        title: &record.key,
        nav: Some(Nav::Sources),
        crumbs: &crumbs,
        actions: Some(delete),
        mono: true,
        ..Head::default()
    };
    visit.page(&head, body)
}

fn history_panel(visit: &Visit, page: &str, history: Option<&RecordHistoryBody>) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "History" } p { "newest first" } }
            @match history {
                None => (empty_line("The history could not be read. Load the page again.")),
                Some(history) => {
                    ol .plain-list {
                        @for version in &history.data {
                            li .stack.tight {
                                div .line-list {
                                    strong { "Version " (number(version.version)) }
                                    span .faint { (exact(visit, version.at)) " by " (cause(visit, &version.cause)) }
                                }
                                @match &version.data {
                                    Some(data) => (json_block("Data", &Value::Object(data.clone()).to_string())),
                                    None => p .quiet { "Deleted" },
                                }
                            }
                        }
                    }
                    @if let Some(next) = history.next {
                        div .panel-foot { a .button.small.push href={ (page) "?below=" (next) } rel="next" { "Older" } }
                    }
                }
            }
        }
    }
}

/// What changed it: a receipt has a page, a key has none.
fn cause(visit: &Visit, cause: &str) -> Markup {
    html! {
        @if cause.starts_with("rcp_") { a .mono href=(visit.link(&format!("/receipts/{}", part(cause)))) { (cause) } }
        @else { bdi .mono { (cause) } }
    }
}

/// `POST …/records/{kind}/{key}`
pub(crate) async fn save(visit: Visit, Path((_, kind, key)): One, form: Form) -> Shown {
    let path = format!("/records/{}/{}", part(&kind), part(&key));
    let saved = match data_of(&form) {
        Ok(data) => {
            let version: Option<u32> = form.text("version").parse().ok();
            visit.send::<RecordBody>(Method::PUT, &path, &json!({"data": data, "version": version})).await
        }
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(record) => visit.go(&page_of(&visit, &record.kind, &record.key), "record-saved"),
        Err(problem) => {
            let record: RecordBody = visit.need(&path).await?;
            Ok(with_status(problem.status, draw(&visit, &record, &form, Some(&problem)).await?))
        }
    }
}

/// `GET …/records/{kind}/{key}/delete`
pub(crate) async fn delete_question(visit: Visit, Path((_, kind, key)): One) -> Shown {
    let record: RecordBody = visit.need(&format!("/records/{}/{}", part(&kind), part(&key))).await?;
    let page = page_of(&visit, &record.kind, &record.key);
    let ask = Confirm {
        title: &format!("Delete the record “{}”?", record.key),
        text: html! { p { "Its data is gone from lists and look-ups, in version " (number(record.version)) ". Its history says what it held. An action that names its key makes it anew." } },
        action: &format!("{page}/delete"),
        verb: "Delete record",
        keep: "Keep it",
        back: &page,
        fields: html! {},
        danger: true,
    };
    let crumbs = [("Records", visit.link("/records")), (record.key.as_str(), page.clone())];
    let head = Head { title: "Delete record", nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() };
    visit.page(&head, confirm(&visit, &ask))
}

/// `POST …/records/{kind}/{key}/delete`
pub(crate) async fn delete(visit: Visit, Path((_, kind, key)): One) -> Shown {
    let path = format!("/records/{}/{}", part(&kind), part(&key));
    visit.act(Method::DELETE, &path).await.map_err(|problem| visit.stop(&problem))?;
    visit.go(&visit.link(&format!("/records/{}", part(&kind))), "record-deleted")
}
