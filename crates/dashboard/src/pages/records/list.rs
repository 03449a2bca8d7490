//! `/p/{project}/records/{kind}`: the records of a kind, and making one.

use axum::extract::Path;
use http::Method;
use maud::{Markup, html};
use serde_json::{Value, json};
use tidings_contract::{
    problem::Problem,
    record::{RecordBody, RecordListBody},
};
use tidings_domain::tenancy::Scope;

use super::{Kind, data_of, page_of, total};
use crate::{
    ask::{Shown, Stop, part, refused, with_query, wrong},
    form::Form,
    parts::{Fields, ago, empty_line, number, submit, summary, table_head},
    shell::{Head, Nav, csrf, with_status},
    visit::Visit,
};

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
