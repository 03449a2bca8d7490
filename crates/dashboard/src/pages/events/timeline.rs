//! Everything that happened to an event, in order of time.

use maud::{Markup, html};
use tidings_contract::{
    delivery::{AttemptBody, DeliveryBody},
    event::EventBody,
};
use tidings_domain::{ids::DeliveryId, time::Timestamp};

use crate::{
    pages::deliveries::{
        rows::Webhooks,
        strip::{attempt_chip, delivered},
    },
    parts::{duration, exact, icon, number, precise, until},
    visit::Visit,
};

/// Attempts of one delivery that came one after the other with the same result.
struct Run<'a> {
    delivery: &'a DeliveryBody,
    attempts: Vec<&'a AttemptBody>,
    good: bool,
}

/// Runs out of all attempts, in order of time.
fn runs(deliveries: &[DeliveryBody]) -> Vec<Run<'_>> {
    let mut all: Vec<_> = deliveries
        .iter()
        .flat_map(|delivery| delivery.attempts.iter().map(move |attempt| (delivery, attempt)))
        .collect();
    all.sort_by_key(|(_, attempt)| attempt.started_at);
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (delivery, attempt) in all {
        let good = delivered(delivery, attempt);
        match runs.last_mut() {
            Some(run) if run.delivery.summary.id == delivery.summary.id && run.good == good => {
                run.attempts.push(attempt)
            }
            _ => runs.push(Run { delivery, attempts: vec![attempt], good }),
        }
    }
    runs
}

/// What is planned, soonest first.
fn planned(deliveries: &[DeliveryBody]) -> Vec<(Timestamp, DeliveryId, &DeliveryBody)> {
    let mut planned: Vec<_> = deliveries
        .iter()
        .filter_map(|delivery| Some((delivery.summary.waiting_until?, delivery.summary.id, delivery)))
        .collect();
    planned.sort_by_key(|(at, id, _)| (*at, *id));
    planned
}

/// The panel; `left_out`: deliveries whose attempts it does not show.
pub(super) fn panel(
    visit: &Visit,
    event: &EventBody,
    deliveries: &[DeliveryBody],
    webhooks: &Webhooks,
    left_out: usize,
) -> Markup {
    let count = deliveries.len() + left_out;
    html! {
        section .panel {
            header .panel-head { h2 { "Timeline" } p .push { "times are yours; hover for UTC" } }
            ol .line-time {
                li {
                    (precise(visit, event.created_at))
                    i .node.begin { (icon("bolt")) }
                    span { "Published and stored, " (number(count as i128)) @if count == 1 { " delivery" } @else { " deliveries" } }
                    span {}
                }
                @for run in runs(deliveries) { (run_line(visit, &run, webhooks)) }
                @if let Some(at) = event.expunged_at {
                    li { (exact(visit, at)) i .node { (icon("trash")) } span { "Payload expunged" } span {} }
                }
                @for (at, _, delivery) in planned(deliveries) {
                    li {
                        (exact(visit, at))
                        i .node.wait { (icon("clock")) }
                        span {
                            span {
                                a href=(link(visit, delivery)) { bdi { (webhooks.name(delivery.summary.webhook_id)) } }
                                ", attempt " (number(delivery.summary.attempt_count + 1))
                            }
                        }
                        span .faint.num { (until(visit, at)) }
                    }
                }
            }
            @if left_out > 0 {
                div .panel-foot.faint { "Attempts of " (number(left_out as i128)) " more deliveries stand on their own pages." }
            }
        }
    }
}

fn link(visit: &Visit, delivery: &DeliveryBody) -> String {
    visit.link(&format!("/deliveries/{}", delivery.summary.id))
}

fn run_line(visit: &Visit, run: &Run<'_>, webhooks: &Webhooks) -> Markup {
    let name = webhooks.name(run.delivery.summary.webhook_id);
    html! {
        @if let (Some(first), Some(last)) = (run.attempts.first(), run.attempts.last()) {
            li {
                (precise(visit, first.started_at))
                @if run.good { i .node.ok { (icon("check")) } } @else { i .node.bad { (icon("x")) } }
                span {
                    span {
                        a href={ (link(visit, run.delivery)) "?attempt=" (last.number) } { bdi { (name) } }
                        @if first.number == last.number { ", attempt " (first.number) }
                        @else { ", attempts " (first.number) " to " (last.number) }
                    }
                    @for attempt in run.attempts.iter().rev().take(4).rev() { " " (attempt_chip(attempt)) }
                }
                span .faint.num {
                    @if first.number == last.number { (duration(first.duration_ms)) } @else { "until " (exact(visit, last.started_at)) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_contract::wire::Wire as _;

    use super::*;

    fn delivery(id: i64, status: &str, starts: &[i64]) -> DeliveryBody {
        let mut body: DeliveryBody = serde_json::from_value(DeliveryBody::example()).expect("an example");
        let attempt = body.attempts[0].clone();
        body.summary.id = DeliveryId::from_parts(id, 1);
        body.summary.status = status.to_owned();
        body.summary.attempt_count = u32::try_from(starts.len()).expect("few");
        let made = |(place, at): (usize, &i64)| AttemptBody {
            number: u32::try_from(place).expect("few") + 1,
            started_at: Timestamp::from_millis(*at),
            ..attempt.clone()
        };
        body.attempts = starts.iter().enumerate().map(made).collect();
        body
    }

    #[test]
    fn attempts_of_the_same_result_are_one_line_as_long_as_nothing_came_between() {
        let deliveries = [delivery(1, "delivered", &[10, 20, 30, 60]), delivery(2, "retrying", &[25, 70, 80])];
        let lines: Vec<_> = runs(&deliveries)
            .iter()
            .map(|run| (run.delivery.summary.id.sequence(), run.attempts.len(), run.good))
            .collect();
        assert_eq!(lines, [(1, 2, false), (2, 1, false), (1, 1, false), (1, 1, true), (2, 2, false)]);
    }
}
