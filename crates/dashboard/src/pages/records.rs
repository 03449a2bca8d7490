//! `/p/{project}/records`: small documents that actions keep, with what became of them.

use std::collections::BTreeSet;

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use tidings_contract::{
    list::ListBody,
    problem::Problem,
    record::{RecordBody, RecordHistoryBody, RecordListBody},
    source::SourceBody,
};
use tidings_domain::{source::Action, tenancy::Scope};

use crate::{
    ask::{Shown, Stop, part, refused, with_query, wrong},
    form::Form,
    parts::{
        Confirm, Fields, ago, button_link, command_line, confirm, empty_line, exact, hidden, json as json_block,
        json_pretty, number, submit, summary, table_head,
    },
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

type Kind = Path<(String, String)>;
type One = Path<(String, String, String)>;

fn page_of(visit: &Visit, kind: &str, key: &str) -> String {
    visit.link(&format!("/records/{}/{}", part(kind), part(key)))
}

/// `GET …/records?kind=…`: the kinds that actions of sources keep, and a way to any other.
pub(crate) async fn kinds(visit: Visit) -> Shown {
    if let Some(kind) = visit.query().given("kind") {
        return Err(Stop::to(&visit.link(&format!("/records/{}", part(kind)))));
    }
    let sources =
        visit.get::<ListBody<SourceBody>>("/sources?limit=100").await.map(|list| list.data).unwrap_or_default();
    let mut kinds = BTreeSet::new();
    for action in sources.iter().flat_map(|source| &source.actions) {
        if let Action::Record { record, .. } = action {
            kinds.insert(record.clone());
        }
    }
    let mut rows = Vec::new();
    for kind in kinds {
        let list = visit.get::<RecordListBody>(&format!("/records/{}?limit=1", part(&kind))).await.ok();
        rows.push((kind, list));
    }
    let body = html! {
        section .panel aria-label="Kinds of records" {
            form .filters role="search" method="get" action=(visit.link("/records")) {
                label for="kind" { "Kind" }
                input #kind .mono type="text" name="kind" placeholder="subscriber" required data-quiet;
                button .button { "Open" }
            }
            @if rows.is_empty() {
                (empty_line("No source keeps records yet. An action of the kind “Keep a record” does; so does the API, under any kind."))
                div .panel-body { (command_line("By the command line", "tidings record put subscriber ann@example.com '{\"status\": \"active\"}'")) }
            } @else {
                table .list role="table" data-rows {
                    caption .sr { "Kinds of records that sources keep" }
                    (table_head(&[("Kind", ""), ("Records", "right")]))
                    tbody role="rowgroup" {
                        @for (kind, list) in &rows {
                            tr .go role="row" {
                                td .on-1 role="cell" { a .row.mono href=(visit.link(&format!("/records/{}", part(kind)))) { (kind) } }
                                td .right.num.on-2 role="cell" { (list.as_ref().map_or_else(String::new, total)) }
                            }
                        }
                    }
                }
            }
        }
    };
    let crumbs = [("Sources", visit.link("/sources"))];
    visit.page(&Head { title: "Records", nav: Some(Nav::Sources), crumbs: &crumbs, ..Head::default() }, body)
}

fn total(list: &RecordListBody) -> String {
    list.total.map_or_else(|| "more than 10,000".to_owned(), number)
}

/// `GET …/records/{kind}`
pub(crate) async fn list(visit: Visit, Path((_, kind)): Kind) -> Shown {
    draw_list(&visit, &kind, &Form::default(), None).await
}

async fn draw_list(visit: &Visit, kind: &str, typed: &Form, problem: Option<&Problem>) -> Shown {
    let query = visit.query();
    if let Some(key) = query.given("key") {
        return Err(Stop::to(&page_of(visit, kind, key)));
    }
    let path = with_query(&format!("/records/{}?limit=50", part(kind)), &[("after", query.text("after"))]);
    let list: RecordListBody = visit.need(&path).await?;
    let place = visit.link(&format!("/records/{}", part(kind)));
    let next = list.next.as_deref().map(|next| with_query(&place, &[("after", next)]));
    let body = html! {
        (summary(problem))
        section .panel aria-label="Records" {
            form .filters role="search" method="get" action=(place) {
                input .mono type="text" name="key" placeholder="A key, whole" aria-label="Key" data-quiet data-slash;
                button .button { "Open" }
            }
            @if list.data.is_empty() { (empty_line("There is no record of this kind here.")) }
            @else {
                table .list role="table" data-rows {
                    caption .sr { "Records in order of their keys" }
                    (table_head(&[("Key", ""), ("Data", ""), ("Version", "right"), ("Changed", "")]))
                    tbody role="rowgroup" { @for record in &list.data { (row(visit, record)) } }
                }
                div .panel-foot {
                    span { (list.data.len()) " of " (total(&list)) }
                    div .actions.push {
                        @if query.given("after").is_some() { a .button.small href=(place) { "First" } }
                        @if let Some(next) = next { a .button.small href=(next) rel="next" { "Next" } }
                    }
                }
            }
        }
        (new_record(visit, &place, &Fields { values: typed, problem }, problem.is_some()))
    };
    let crumbs = [("Sources", visit.link("/sources")), ("Records", visit.link("/records"))];
    visit.page(&Head { title: kind, nav: Some(Nav::Sources), crumbs: &crumbs, mono: true, ..Head::default() }, body)
}

fn row(visit: &Visit, record: &RecordBody) -> Markup {
    let data = Value::Object(record.data.clone()).to_string();
    html! {
        tr .go role="row" {
            td .on-1 role="cell" { a .row.mono href=(page_of(visit, &record.kind, &record.key)) { bdi { (record.key) } } }
            td role="cell" { span .cut.data.mono.faint { bdi { (data) } } }
            td .right.num.on-2 role="cell" { (number(record.version)) }
            td .away.nowrap role="cell" { (ago(visit, record.updated_at)) }
        }
    }
}

fn new_record(visit: &Visit, place: &str, fields: &Fields<'_>, opened: bool) -> Markup {
    html! {
        details .panel.advanced open[opened] {
            summary { (crate::parts::icon("right")) "New record" }
            form .panel-body.stack.tight method="post" action=(place) {
                (csrf(visit))
                (fields.mono("text", "key", "Key", "Unique among records of the kind.", "ann@example.com"))
                (fields.area("data", "Data", "A JSON object, at most 64 KiB.", 6, "{\"status\": \"active\"}"))
                div .actions { (submit(visit, Scope::SourcesManage, "primary", "Create record")) }
            }
        }
    }
}

fn data_of(form: &Form) -> Result<Map<String, Value>, Box<Problem>> {
    serde_json::from_str(form.text("data"))
        .map_err(|error| Box::new(refused(vec![wrong("data", format!("is no JSON object: {error}"))])))
}

/// `POST …/records/{kind}`: a record that is not there yet.
pub(crate) async fn create(visit: Visit, Path((_, kind)): Kind, form: Form) -> Shown {
    let key = form.text("key");
    let made = match (key.is_empty(), data_of(&form)) {
        (true, _) => Err(Box::new(refused(vec![wrong("key", "is needed")]))),
        (_, Err(problem)) => Err(problem),
        (_, Ok(data)) => {
            let path = format!("/records/{}/{}", part(&kind), part(key));
            visit.send::<RecordBody>(Method::PUT, &path, &json!({"data": data, "version": 0})).await
        }
    };
    match made {
        Ok(record) => visit.go(&page_of(&visit, &record.kind, &record.key), "record-saved"),
        Err(problem) => Ok(with_status(problem.status, draw_list(&visit, &kind, &form, Some(&problem)).await?)),
    }
}

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
