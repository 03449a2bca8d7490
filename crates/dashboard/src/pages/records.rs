//! `/p/{project}/records`: small documents that actions keep, with what became of them.

mod list;
mod record;

pub(crate) use list::{create, list};
pub(crate) use record::{delete, delete_question, save, show};

use std::collections::BTreeSet;

use axum::extract::Path;
use maud::html;
use serde_json::{Map, Value};
use tidings_contract::{list::ListBody, problem::Problem, record::RecordListBody, source::SourceBody};
use tidings_domain::source::Action;

use crate::{
    ask::{Shown, Stop, part, refused, wrong},
    form::Form,
    parts::{command_line, empty_line, number, table_head},
    shell::{Head, Nav},
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

fn data_of(form: &Form) -> Result<Map<String, Value>, Box<Problem>> {
    serde_json::from_str(form.text("data"))
        .map_err(|error| Box::new(refused(vec![wrong("data", format!("is no JSON object: {error}"))])))
}
