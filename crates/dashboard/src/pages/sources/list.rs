//! `/p/{project}/sources`

use maud::{Markup, html};
use tidings_contract::{
    list::ListBody,
    source::{ReceiptBody, SourceBody},
};
use tidings_domain::tenancy::Scope;

use super::{kinds, page_of};
use crate::{
    ask::{Shown, with_query},
    parts::{ago, badge, button_link, command_line, icon, number, pager, table_head, teach, total_words},
    shell::{Head, Nav},
    visit::Visit,
};

pub(crate) async fn show(visit: Visit) -> Shown {
    let cursor = visit.query().text("cursor").to_owned();
    let list: ListBody<SourceBody> = visit.need(&with_query("/sources?limit=50", &[("cursor", &cursor)])).await?;
    let mut rows = Vec::new();
    for source in &list.data {
        let receipts = format!("/receipts?limit=1&source_id={}", source.id);
        let last = visit.get::<ListBody<ReceiptBody>>(&receipts).await.ok();
        rows.push((source, last));
    }
    let body = html! {
        @if list.data.is_empty() && cursor.is_empty() { (nothing_yet(&visit)) }
        @else {
            section .panel aria-label="Sources" {
                table .list role="table" data-rows {
                    caption .sr { "Sources, newest first" }
                    (table_head(&[("Name", ""), ("Last receipt", ""), ("Receipts", "right"), ("Repeats", "right"), ("Refused", "right"), ("Status", "")]))
                    tbody role="rowgroup" { @for (source, last) in &rows { (row(&visit, source, last.as_ref())) } }
                }
                (pager(&visit, &total_words(list.total, list.total_at_least), list.data.len(), list.cursor.as_deref(), cursor.is_empty()))
            }
        }
    };
    let actions = html! {
        a .button.plain href=(visit.link("/records")) { (icon("code")) "Records" }
        (button_link(&visit, Scope::SourcesManage, "primary", &visit.link("/sources/new"), "plus", "Create source"))
    };
    visit.page(&Head { title: "Sources", nav: Some(Nav::Sources), actions: Some(actions), ..Head::default() }, body)
}

fn row(visit: &Visit, source: &SourceBody, receipts: Option<&ListBody<ReceiptBody>>) -> Markup {
    let last = receipts.and_then(|list| list.data.first());
    html! {
        tr .go role="row" id=(source.id) {
            td .on-1 role="cell" {
                a .row href=(page_of(visit, source)) { bdi { (source.name) } }
                span .sub { (kinds::told(source.kind).name) }
            }
            td .half role="cell" {
                @match last {
                    Some(last) => {
                        (ago(visit, last.received_at))
                        @if let Some(kind) = &last.event_type { span .sub.mono { bdi { (kind) } } }
                    }
                    None => span .faint { "None yet" },
                }
            }
            td .right.num.away role="cell" { (receipts.map_or_else(String::new, |list| total_words(list.total, list.total_at_least))) }
            td .right.num.away role="cell" { (number(source.duplicates)) }
            td .right.num.away role="cell" { @if source.rejected > 0 { span .down { (number(source.rejected)) } } @else { "0" } }
            td .on-2 role="cell" { (state_badge(source)) }
        }
    }
}

/// Whether it takes anything in.
pub(crate) fn state_badge(source: &SourceBody) -> Markup {
    if source.enabled { badge("delivered", "check", "Enabled") } else { badge("cancelled", "stop", "Disabled") }
}

fn nothing_yet(visit: &Visit) -> Markup {
    html! {
        section .panel {
            (teach(
                "Nobody sends you anything yet",
                "A source is an address for a provider's webhooks: checked to be genuine, kept once, then acted upon.",
                [
                    ("Choose the provider", "It decides how requests are checked."),
                    ("Paste the URL there", "And its secret here."),
                    ("Say what is done", "Publish an event, keep a record, run a command, send it on."),
                ],
                &html! {},
                &html! {
                    (command_line("The same by the command line", "tidings source create mailings --kind resend --secret @secret.txt"))
                    (command_line("Without waiting for the provider", "tidings trigger resend email.bounced --secret @secret.txt"))
                },
            ))
        }
        section .panel {
            header .panel-head { h2 { "Create a source" } p { "Choose who sends" } }
            div .panel-body { (kinds::tiles(visit)) }
        }
    }
}
