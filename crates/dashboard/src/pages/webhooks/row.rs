//! A row of the table of webhooks: how one is, and all that can be done to it. The page of one has the same switch and
//! the same menu.

use maud::{Markup, html};
use tidings_contract::webhook::WebhookBody;
use tidings_domain::tenancy::Scope;

use super::{host_and_path, name_of, page_of};
use crate::{
    parts::{Bar, ago, icon, plain_link, spark, switch, table_head, types, webhook_state, who_may},
    shell::csrf,
    visit::Visit,
};

/// What changing a webhook takes.
pub(super) const CHANGES: Scope = Scope::WebhooksManage;

const COLUMNS: [(&str, &str); 7] = [
    ("Name", "w-name"),
    ("URL", "w-url"),
    ("Events", "w-events"),
    ("Last event", "w-last"),
    ("24 hours", "w-day day"),
    ("Status", "w-on"),
    ("", "w-act"),
];

pub(super) fn columns() -> Markup {
    html! {
        caption .sr { "Webhooks" }
        (table_head(&COLUMNS))
    }
}

/// One webhook; its id is the row's.
pub(super) fn row(visit: &Visit, webhook: &WebhookBody, hours: Option<&Vec<Bar>>) -> Markup {
    let (host, path) = host_and_path(&webhook.url);
    let name = name_of(webhook);
    html! {
        tr role="row" .go id=(webhook.id) {
            td role="cell" .on-1 {
                a .row.cut href=(page_of(visit, webhook)) title=(name) { bdi { (name) } }
                span .sub {
                    @match webhook_state(webhook) {
                        Some(state) => (state),
                        None => { (webhook.profile) " · " (scopes_words(&webhook.scopes)) }
                    }
                }
            }
            td role="cell" .where {
                span .cut title=(webhook.url) { bdi { (host) } }
                span .sub.mono.cut { bdi { (path) } }
            }
            td role="cell" { div .types.one { (types(&webhook.events)) } }
            td role="cell" .half.last {
                @match &webhook.last_event {
                    Some(last) => { span .mono.cut { bdi { (last.event_type) } } span .sub { (ago(visit, last.at)) } }
                    None => span .faint { "None yet" },
                }
            }
            td role="cell" .day { @if let Some(hours) = hours { (spark(hours)) } }
            td role="cell" .on-2 { (toggle(visit, webhook)) }
            td role="cell" .half-2 { (row_actions(visit, webhook, name)) }
        }
    }
}

fn scopes_words(scopes: &[String]) -> String {
    match scopes {
        [] => "all scopes".to_owned(),
        [one] => format!("scope {one}"),
        more => format!("{} scopes", more.len()),
    }
}

/// The switch of a webhook. It posts, and comes back to this page.
pub(super) fn toggle(visit: &Visit, webhook: &WebhookBody) -> Markup {
    let verb = if webhook.enabled { "disable" } else { "enable" };
    let state = match webhook.status.as_str() {
        "paused" => "enabled, but paused",
        "disabled" => "disabled",
        _ => "enabled",
    };
    let label = format!("{}: {state}", name_of(webhook));
    if !visit.shows(CHANGES) {
        return html! { span .small.quiet { @if webhook.enabled { "Enabled" } @else { "Disabled" } } };
    }
    html! {
        form .inline method="post" action={ (page_of(visit, webhook)) "/" (verb) } data-optimistic=(verb) {
            (csrf(visit))
            input type="hidden" name="next" value=(visit.here);
            (switch(webhook.enabled, webhook.status == "paused", &label, why_not(visit)))
        }
    }
}

/// Why the visitor changes nothing here.
pub(super) fn why_not(visit: &Visit) -> Option<&'static str> {
    (!visit.may(CHANGES)).then(|| who_may(visit, CHANGES))
}

fn row_actions(visit: &Visit, webhook: &WebhookBody, name: &str) -> Markup {
    let page = page_of(visit, webhook);
    let no = why_not(visit);
    html! {
        div .row-actions {
            a .icon-button href={ (page) "#history" } title={ "History of " (name) } aria-label={ "History of " (name) } { (icon("history")) }
            @if visit.shows(CHANGES) {
                form .inline method="post" action={ (page) "/test" } data-test {
                    (csrf(visit))
                    button .icon-button aria-label={ "Send a test to " (name) } disabled[no.is_some()]
                        title=(no.map_or_else(|| format!("Send a test to {name}"), str::to_owned)) { (icon("plane")) }
                }
                @match no {
                    None => a .icon-button href={ (page) "/edit" } title={ "Edit " (name) } aria-label={ "Edit " (name) } { (icon("edit")) },
                    Some(reason) => button .icon-button type="button" disabled title=(reason) aria-label={ "Edit " (name) } { (icon("edit")) },
                }
                (more(visit, webhook, name))
            }
        }
    }
}

/// The menu with all that can be done to a webhook, in words.
pub(super) fn more(visit: &Visit, webhook: &WebhookBody, name: &str) -> Markup {
    let page = page_of(visit, webhook);
    let (verb, words, picture) =
        if webhook.status == "paused" { ("resume", "Resume", "play") } else { ("pause", "Pause", "pause") };
    let no = why_not(visit);
    let entry = |class: &str, place: &str, asks: bool, words: Markup| {
        plain_link(visit, CHANGES, class, &format!("{page}{place}"), asks, &words)
    };
    html! {
        details .menu {
            summary .icon-button aria-label={ "More for " (name) } title="More" { (icon("more")) }
            div .menu-list {
                (entry("", "/edit", false, html! { (icon("edit")) "Edit" }))
                a href={ (page) "#history" } { (icon("history")) "History" }
                form .inline method="post" action={ (page) "/test" } data-test {
                    (csrf(visit))
                    button disabled[no.is_some()] title=[no] { (icon("plane")) "Send test" }
                }
                @if webhook.enabled {
                    form .inline method="post" action={ (page) "/" (verb) } data-optimistic=(verb) {
                        (csrf(visit))
                        input type="hidden" name="next" value=(visit.here);
                        button disabled[no.is_some()] title=[no] { (icon(picture)) (words) }
                    }
                }
                (entry("", "/rotate", true, html! { (icon("key")) "Rotate secret…" }))
                (entry("", "/recover", false, html! { (icon("retry")) "Recover…" }))
                hr;
                (entry("risky", "/delete", true, html! { (icon("trash")) "Delete…" }))
            }
        }
    }
}
