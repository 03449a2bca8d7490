//! `/p/{project}/sources/{src}`

use axum::extract::Path;
use maud::{Markup, html};
use tidings_contract::{
    list::ListBody,
    source::{ReceiptBody, SourceBody},
};
use tidings_domain::{source::Via, tenancy::Scope};

use super::{actions::in_words, gap, kinds, list::state_badge, page_of, url_of};
use crate::{
    ask::{Shown, part, with_query},
    form::Form,
    parts::{
        ago, button_link, command_line, copy_box, copy_id, empty_line, exact, icon, number, pager, table_head,
        total_words, who_may,
    },
    shell::{Head, Nav, csrf},
    visit::Visit,
};

/// `GET …/sources/{src}`
pub(crate) async fn show(visit: Visit, Path((_, id)): Path<(String, String)>) -> Shown {
    let source: SourceBody = visit.need(&format!("/sources/{}", part(&id))).await?;
    let query = visit.query();
    let operation = with_query(
        &format!("/receipts?limit=50&source_id={}", source.id),
        &[("type", query.text("type")), ("cursor", query.text("cursor"))],
    );
    let receipts: ListBody<ReceiptBody> = visit.need(&operation).await?;
    let body = html! {
        (address(&visit, &source))
        (figures(&visit, &source, &receipts))
        div .cols.main-side {
            (receipts_panel(&visit, &source, &query, &receipts))
            div .stack {
                (actions(&source))
                @if let Some(fill) = &source.gap_fill { (gap::panel(&visit, &source, fill)) }
                (facts(&visit, &source))
            }
        }
    };
    let crumbs = [("Sources", visit.link("/sources"))];
    let head = Head {
        title: &source.name,
        nav: Some(Nav::Sources),
        crumbs: &crumbs,
        beside: Some(state_badge(&source)),
        lead: Some(html! { (kinds::told(source.kind).name) " · " (copy_id(&source.id.to_string())) }),
        actions: Some(buttons(&visit, &source)),
        ..Head::default()
    };
    visit.page(&head, body)
}

fn buttons(visit: &Visit, source: &SourceBody) -> Markup {
    let page = page_of(visit, source);
    let may = visit.may(Scope::SourcesManage);
    let (verb, to) = if source.enabled { ("Disable", "off") } else { ("Enable", "on") };
    html! {
        (button_link(visit, Scope::SourcesManage, "plain", &format!("{page}/delete"), "trash", "Delete…"))
        form .inline method="post" action={ (page) "/switch" } {
            (csrf(visit))
            button .button name="to" value=(to) disabled[!may] title=[(!may).then(|| who_may(visit, Scope::SourcesManage))] {
                (icon(if source.enabled { "stop" } else { "check" })) (verb)
            }
        }
        (button_link(visit, Scope::SourcesManage, "primary", &format!("{page}/edit"), "edit", "Edit source"))
    }
}

fn address(visit: &Visit, source: &SourceBody) -> Markup {
    let (kind, event) = kinds::told(source.kind).sample;
    let secret = if source.secret_count > 0 { " --secret @secret.txt" } else { "" };
    let line = format!("tidings trigger {kind} {event} --source {}{secret}", source.id);
    html! {
        section .panel {
            header .panel-head { h2 { "Where the provider sends to" } p { "Whoever knows the address can try" } }
            div .panel-body.stack.tight {
                (copy_box("the URL", &url_of(visit, source)))
                @if source.secret_count == 0 && !kinds::told(source.kind).secret.is_empty() {
                    p .wrong-text { (icon("alert")) span { "It has no secret yet, so it cannot be enabled. Edit it and enter " (kinds::told(source.kind).secret) "." } }
                }
                details .as-table.flush {
                    summary { "What to do at the provider" }
                    div .stack.tight {
                        (kinds::steps(source.kind))
                        (command_line("Without waiting for it: a sample, signed as it signs", &line))
                    }
                }
            }
        }
    }
}

fn figures(visit: &Visit, source: &SourceBody, receipts: &ListBody<ReceiptBody>) -> Markup {
    let narrowed = visit.query().given("type").is_some();
    let last = receipts.data.first().filter(|_| !narrowed && visit.query().text("cursor").is_empty());
    html! {
        dl .figures {
            div .figure {
                dt { @if narrowed { "Receipts of this type" } @else { "Receipts" } }
                dd { (total_words(receipts.total, receipts.total_at_least)) }
                dd .note { @if source.secret_count > 0 { "verified and kept" } @else { "kept; nothing is verified" } }
            }
            div .figure {
                dt { "Last receipt" }
                dd { @match last { Some(last) => (ago(visit, last.received_at)), None => "None" } }
                dd .note { @if let Some(kind) = last.and_then(|last| last.event_type.as_deref()) { bdi .mono { (kind) } } }
            }
            div .figure { dt { "Repeats" } dd { (number(source.duplicates)) } dd .note { "came again, answered as the first" } }
            div .figure {
                dt { "Refused" }
                dd { (number(source.rejected)) }
                dd .note { "not genuine: counted, not kept" }
            }
        }
    }
}

fn receipts_panel(visit: &Visit, source: &SourceBody, query: &Form, list: &ListBody<ReceiptBody>) -> Markup {
    let page = page_of(visit, source);
    html! {
        section .panel aria-label="Receipts" {
            header .panel-head { h2 { "Receipts" } }
            form .filters role="search" method="get" action=(page) {
                input .mono type="text" name="type" value=(query.text("type")) placeholder="Every type" aria-label="Type" data-quiet data-slash;
                button .button { "Filter" }
                @if query.given("type").is_some() { a .button.plain href=(page) { "Show all" } }
            }
            @if list.data.is_empty() && query.given("type").is_some() { (empty_line("No receipt has this type, exactly as it is written.")) }
            @else if list.data.is_empty() {
                (empty_line("Nothing came in yet. The provider's own test button, or a sample from the command line, shows whether all is in place."))
            } @else {
                table .list role="table" data-rows {
                    caption .sr { "Receipts, newest first" }
                    (table_head(&[("Type", ""), ("Received", ""), ("Its own id", ""), ("Came by", ""), ("", "")]))
                    tbody role="rowgroup" { @for receipt in &list.data { (row(visit, receipt)) } }
                }
                (pager(visit, &total_words(list.total, list.total_at_least), list.data.len(), list.cursor.as_deref(), query.text("cursor").is_empty()))
            }
        }
    }
}

fn row(visit: &Visit, receipt: &ReceiptBody) -> Markup {
    let page = visit.link(&format!("/receipts/{}", receipt.id));
    let may = visit.may(Scope::SourcesManage);
    html! {
        tr .go role="row" id=(receipt.id) {
            td .on-1 role="cell" { a .row.mono href=(page) { bdi { (receipt.event_type.as_deref().unwrap_or("no type")) } } }
            td .half.nowrap role="cell" { (exact(visit, receipt.received_at)) " " span .sub.inline { (ago(visit, receipt.received_at)) } }
            td .away role="cell" { span .cut.named.mono { bdi { (receipt.provider_id.as_deref().unwrap_or("None")) } } }
            td .quiet.away role="cell" { (via_words(receipt.via)) }
            td .on-2 role="cell" {
                div .row-actions {
                    @if may {
                        a .icon-button href={ (page) "/replay" } data-dialog title="Do everything about it again…" aria-label="Replay this receipt…" { (icon("retry")) }
                    }
                }
            }
        }
    }
}

pub(super) fn via_words(via: Via) -> &'static str {
    match via {
        Via::Webhook => "Webhook",
        Via::GapFill => "Gap filling",
    }
}

fn actions(source: &SourceBody) -> Markup {
    html! {
        section .panel {
            header .panel-head { h2 { "What is done" } p .push { (number(source.actions.len() as i128)) @if source.actions.len() == 1 { " action" } @else { " actions" } } }
            @if source.actions.is_empty() { (empty_line("Receipts are kept, and nothing else is done. Edit the source to add an action.")) }
            @else {
                ol .plain-list {
                    @for (place, action) in source.actions.iter().enumerate() {
                        li .numbered { span .n-step { (place + 1) } span { (in_words(action)) } }
                    }
                }
            }
        }
    }
}

fn facts(visit: &Visit, source: &SourceBody) -> Markup {
    let told = kinds::told(source.kind);
    let limit =
        |limit: Option<u32>| limit.map_or_else(|| "None".to_owned(), |limit| format!("{} a minute", number(limit)));
    html! {
        section .panel {
            header .panel-head { h2 { "Settings" } }
            div .panel-body {
                dl .facts {
                    dt { "Kind" } dd { (told.name) }
                    @if !told.secret.is_empty() {
                        dt { "Secrets" }
                        dd { (number(source.secret_count)) @if source.secret_count == 1 { " is valid" } @else { " are valid" } ", never shown" }
                    }
                    @if let Some(verify) = &source.verify {
                        dt { "Signature" } dd .mono { (verify.header) ": " (verify.layout) }
                        dt { "Signs" } dd .mono { (verify.signed) }
                    }
                    @if told.timed { dt { "Tolerance" } dd { @match source.tolerance_s { Some(seconds) => { (number(seconds)) " s" }, None => "300 s" } } }
                    dt { "Own id" } dd .mono { (source.dedupe.as_deref().unwrap_or("As the kind has it")) }
                    dt { "Answer" }
                    dd { @match &source.response { Some(response) => { (response.status) " " span .mono { bdi { (response.body) } } }, None => span .mono { "200 {\"received\":true}" } } }
                    dt { "Limit" } dd { (limit(source.rate_limit)) }
                    dt { "Per address" } dd { (limit(source.address_rate_limit)) }
                    @if !source.allow.is_empty() { dt { "Never limited" } dd .mono { (source.allow.join(", ")) } }
                    dt { "Created" } dd { (ago(visit, source.created_at)) }
                    dt { "Changed" } dd { (ago(visit, source.updated_at)) }
                }
            }
        }
    }
}
