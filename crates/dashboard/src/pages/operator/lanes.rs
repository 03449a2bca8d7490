//! Lanes on the page of health: which webhooks fail, and where most waits.

use maud::{Markup, html};
use tidings_contract::instance::{LaneBody, LanesBody};

use crate::{
    parts::{ago, badge, empty_line, number, table_head, until},
    visit::Visit,
};

pub(super) fn panel(visit: &Visit, lanes: &LanesBody) -> Markup {
    html! {
        section .panel {
            header .panel-head {
                h2 { "Lanes" }
                p { "each webhook and each source has one, so that none waits for another" }
            }
            p .panel-body.quiet { (words(lanes)) }
            @if lanes.lanes.is_empty() { (empty_line("Nothing waits, and nothing fails.")) } @else {
                table .list role="table" aria-label="Lanes with an open breaker, then those with most waiting" {
                    (table_head(&[
                        ("Webhook or source", ""), ("State", ""), ("Waiting", "right"), ("In flight", "right"), ("Next", ""),
                    ]))
                    tbody role="rowgroup" { @for lane in &lanes.lanes { (row(visit, lane)) } }
                }
            }
        }
    }
}

fn words(lanes: &LanesBody) -> Markup {
    let count =
        |count: u64, one: &str, many: &str| format!("{} {}", number(count), if count == 1 { one } else { many });
    html! {
        (count(lanes.breakers_open, "breaker is open", "breakers are open")) ", "
        (count(lanes.held, "lane is held: its webhook is paused or disabled", "lanes are held: their webhooks are paused or \
         disabled")) ". "
        (count(lanes.in_flight, "request is in flight", "requests are in flight")) ", "
        (count(lanes.waiting_in_memory, "delivery waits", "deliveries wait")) " in memory for a turn."
    }
}

fn row(visit: &Visit, lane: &LaneBody) -> Markup {
    let place = match lane.source_id {
        Some(source) => format!("/p/{}/sources/{source}", lane.project_id),
        None => format!("/p/{}/webhooks/{}", lane.project_id, lane.webhook_id),
    };
    let id = lane.source_id.map_or_else(|| lane.webhook_id.to_string(), |source| source.to_string());
    html! {
        tr .go role="row" {
            td role="cell" .on-1 {
                a .row href=(place) { bdi { (lane.name.as_deref().unwrap_or(&id)) } }
                span .sub.mono { (id) }
            }
            td role="cell" .on-2 { (state(lane)) }
            td role="cell" .right.num.half { (waiting(lane)) }
            td role="cell" .right.num.away { (number(lane.in_flight)) " " span .faint { "of " (number(lane.limit)) } }
            td role="cell" .quiet.half-2 { (next(visit, lane)) }
        }
    }
}

fn state(lane: &LaneBody) -> Markup {
    match (lane.status.as_str(), lane.breaker.as_str()) {
        ("paused", _) => badge("held", "pause", "Paused"),
        ("disabled", _) => badge("cancelled", "minus", "Disabled"),
        (_, "open") => badge("failed", "alert", "Breaker open"),
        _ => badge("delivered", "check", "Sending"),
    }
}

/// On disk no more than a thousand are counted.
fn waiting(lane: &LaneBody) -> String {
    match lane.waiting {
        waiting @ 1_000.. => format!("{} or more", number(waiting)),
        waiting => number(waiting),
    }
}

fn next(visit: &Visit, lane: &LaneBody) -> Markup {
    match lane.status.as_str() {
        "paused" => return html! { "when it is resumed" },
        "disabled" => return html! { "when it is enabled" },
        _ => {}
    }
    match (lane.next_probe_at, lane.next_due_at) {
        (Some(at), _) if at > visit.now => html! { "tried again " (until(visit, at)) },
        (_, Some(at)) if at > visit.now => html! { "due " (until(visit, at)) },
        (_, Some(at)) => html! { "due " (ago(visit, at)) },
        (Some(_), None) => html! { "with the next event" },
        (None, None) => html! { "now" },
    }
}
