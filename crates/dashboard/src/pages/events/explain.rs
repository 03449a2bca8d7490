//! Who got an event, and why the others did not: ticks in the order in which it is decided, and
//! the reason in words.

use maud::{Markup, html};
use tidings_contract::{
    delivery::DeliverySummary,
    event::{EventBody, ExplanationBody},
    webhook::WebhookBody,
};

use crate::{
    pages::deliveries::rows::{Webhooks, state_badge, waits},
    parts::{disabled_words, duration, exact, icon, number, outcome_chip, table_head, types},
    visit::Visit,
};

/// Webhooks that are told apart from the start; the rest stands behind a link.
const SHOWN_MAX: usize = 20;
/// What is decided stands in the order in which it is: the first ✕ ends it.
const COLUMNS: [(&str, &str); 6] = [
    ("Webhook", ""),
    ("Enabled", "tick"),
    ("Type", "tick"),
    ("Scope", "tick"),
    ("Filter", "tick"),
    ("What happened", ""),
];

/// An answer to one of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tick {
    Yes,
    No,
    NotAsked,
}

/// The ticks for a reason.
fn ticks(explanation: &ExplanationBody) -> [Tick; 4] {
    use Tick::{No, NotAsked, Yes};
    if explanation.matched {
        return [Yes; 4];
    }
    match explanation.reason.as_deref() {
        Some("disabled") => [No, NotAsked, NotAsked, NotAsked],
        Some("event_type") => [Yes, No, NotAsked, NotAsked],
        Some("scope") => [Yes, Yes, No, NotAsked],
        Some("filter") => [Yes, Yes, Yes, No],
        _ => [NotAsked; 4],
    }
}

/// How near a webhook was to getting it: matched ones first.
fn nearness(explanation: &ExplanationBody) -> u8 {
    match explanation.reason.as_deref() {
        _ if explanation.matched => 0,
        Some("changed_later") => 1,
        Some("disabled") => 2,
        Some("filter") => 3,
        Some("scope") => 4,
        Some("event_type") => 5,
        _ => 6,
    }
}

/// Matched first, then those that came nearest.
pub(super) fn in_order(event: &EventBody) -> Vec<&ExplanationBody> {
    let mut rows: Vec<_> = event.explanation.iter().flatten().collect();
    rows.sort_by_key(|row| nearness(row));
    rows
}

/// The panel; `all`: also those that a first look does not need.
pub(super) fn panel(
    visit: &Visit,
    event: &EventBody,
    deliveries: &[DeliverySummary],
    webhooks: &Webhooks,
    all: bool,
) -> Markup {
    let rows = in_order(event);
    let matched = rows.iter().filter(|row| row.matched).count();
    let shown = if all { rows.len() } else { SHOWN_MAX.max(matched).min(rows.len()) };
    html! {
        section .panel {
            header .panel-head {
                h2 { "Who got it, and why" }
                p .push { (number(matched as i128)) " of " (number(rows.len() as i128)) " webhooks matched" }
            }
            @if rows.is_empty() { p .panel-body.quiet { "The project has no webhook yet." } }
            @else {
                table .list.verdicts role="table" {
                    caption .sr { "Webhooks and why each got the event or did not" }
                    (table_head(&COLUMNS))
                    tbody role="rowgroup" {
                        @for row in rows.iter().take(shown) { (verdict(visit, event, row, deliveries, webhooks)) }
                    }
                }
            }
            div .panel-foot {
                @if shown < rows.len() {
                    a href="?all=1" { (number((rows.len() - shown) as i128)) " more that did not match" }
                }
                span .push.faint { "By the settings of now; where they changed after the event, it is said." }
            }
        }
    }
}

fn verdict(
    visit: &Visit,
    event: &EventBody,
    row: &ExplanationBody,
    deliveries: &[DeliverySummary],
    webhooks: &Webhooks,
) -> Markup {
    let webhook = webhooks.get(row.webhook_id);
    html! {
        tr role="row" class=[(!row.matched).then_some("out")] {
            td .on-1 role="cell" {
                @match webhook {
                    Some(_) => a .row href=(visit.link(&format!("/webhooks/{}", row.webhook_id))) { bdi { (webhooks.name(row.webhook_id)) } },
                    None => span .faint { "Deleted " span .mono { (row.webhook_id) } },
                }
            }
            @for tick in ticks(row) { (tick_cell(tick)) }
            td .what role="cell" {
                @if row.matched {
                    @for delivery in deliveries.iter().filter(|delivery| delivery.webhook_id == row.webhook_id) {
                        (happened(visit, delivery))
                    }
                } @else {
                    (reason(event, row, webhook))
                    @if let (Some(at), true) = (row.changed_at, row.reason.as_deref() != Some("changed_later")) {
                        span .sub { "Changed after the event, " (exact(visit, at)) ": it may have been another reason then" }
                    }
                }
            }
        }
    }
}

fn tick_cell(tick: Tick) -> Markup {
    html! {
        @match tick {
            Tick::Yes => td .tick.yes role="cell" { (icon("check")) span .sr { "yes" } },
            Tick::No => td .tick.no role="cell" { (icon("x")) span .sr { "no" } },
            Tick::NotAsked => td .tick.na role="cell" { "–" span .sr { "not needed" } },
        }
    }
}

fn happened(visit: &Visit, delivery: &DeliverySummary) -> Markup {
    html! {
        span .line-list {
            a href=(visit.link(&format!("/deliveries/{}", delivery.id))) { (state_badge(delivery)) }
            @if delivery.attempt_count > 0 { (outcome_chip(delivery)) }
            span .faint.small {
                @if let Some(ms) = delivery.response_time_ms { "in " (duration(f64::from(ms))) }
                @if delivery.attempt_count > 1 { ", attempt " (number(delivery.attempt_count)) }
                @if let Some(words) = waits(visit, delivery) { @if delivery.attempt_count > 0 { " · " } "next " (words) }
            }
        }
    }
}

/// Why not, in words, with what the webhook wants.
fn reason(event: &EventBody, row: &ExplanationBody, webhook: Option<&WebhookBody>) -> Markup {
    match (row.reason.as_deref(), webhook) {
        (Some("event_type"), Some(webhook)) => html! { "Wants " (types(&webhook.events)) },
        (Some("scope"), Some(webhook)) => html! {
            "Wants scope " span .mono { bdi { (webhook.scopes.join(", ")) } } "; the event has "
            @if event.scope.is_empty() { "none" } @else { span .mono { bdi { (event.scope.join(", ")) } } }
        },
        (Some("filter"), Some(webhook)) => html! {
            "Does not pass the filter"
            @if let Some(filter) = &webhook.filter { details .why { summary { "Show the filter" } (crate::parts::json("Filter", &filter.to_string())) } }
        },
        (Some("disabled"), Some(webhook)) => html! { (disabled_words(webhook.disabled_reason.as_deref())) },
        (Some("created_later"), _) => html! { "Was created after the event" },
        (Some("test"), _) => html! { "The event was a test, sent to one webhook alone" },
        (Some("changed_later"), _) => html! { "Would get it now, but was changed after it" },
        _ => html! { (row.detail.as_deref().unwrap_or("The reason is not known")) },
    }
}

/// What to change so that the nearest webhook gets such an event.
pub(super) fn way_out(event: &EventBody, webhooks: &Webhooks) -> Option<(tidings_domain::ids::WebhookId, String)> {
    let nearest = in_order(event).into_iter().find(|row| !row.matched && webhooks.get(row.webhook_id).is_some())?;
    let name = webhooks.name(nearest.webhook_id);
    let change = match nearest.reason.as_deref()? {
        "disabled" => "enable it".to_owned(),
        "event_type" => format!("add {} to its events", event.event_type),
        "scope" => "give it the event's scope, or let it take all scopes".to_owned(),
        "filter" => "let its filter pass such events".to_owned(),
        "changed_later" => "nothing: it would get such an event now. Replay this one".to_owned(),
        "created_later" => "nothing: it was created after this event. Replay it".to_owned(),
        _ => return None,
    };
    Some((nearest.webhook_id, format!("“{name}” came nearest: {change}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(matched: bool, reason: Option<&str>) -> ExplanationBody {
        let webhook_id = tidings_domain::ids::WebhookId::from_parts(1, 1);
        ExplanationBody { webhook_id, matched, reason: reason.map(str::to_owned), detail: None, changed_at: None }
    }

    #[test]
    fn the_first_no_decides_and_nothing_is_asked_after_it() {
        assert_eq!(ticks(&row(true, None)), [Tick::Yes; 4]);
        for (reason, place) in [("disabled", 0), ("event_type", 1), ("scope", 2), ("filter", 3)] {
            let ticks = ticks(&row(false, Some(reason)));
            assert_eq!(ticks.iter().position(|tick| *tick == Tick::No), Some(place), "{reason}");
            assert!(ticks[..place].iter().all(|tick| *tick == Tick::Yes), "{reason}");
            assert!(ticks[place + 1..].iter().all(|tick| *tick == Tick::NotAsked), "{reason}");
        }
        assert_eq!(ticks(&row(false, Some("created_later"))), [Tick::NotAsked; 4]);
    }
}
