//! The strip of attempts: what was tried, and what is planned.

use maud::{Markup, html};
use tidings_contract::{
    delivery::{AttemptBody, DeliveryBody},
    webhook::{RetryBody, WebhookBody},
};
use tidings_domain::time::Timestamp;

use super::rows::attempts_of;
use crate::{
    parts::{badge, chip, duration, exact, icon, outcome_word},
    visit::Visit,
};

/// The chip of an attempt: status code, or a word for why there is none.
pub(crate) fn attempt_chip(attempt: &AttemptBody) -> Markup {
    match (&attempt.response, &attempt.error) {
        (Some(response), _) => chip(response.status),
        (None, Some(error)) => html! { span .code-chip.c0 title=(error) { (outcome_word(error)) } },
        (None, None) => html! { span .code-chip { "none" } },
    }
}

/// Whether an attempt is the one that delivered.
pub(crate) fn delivered(delivery: &DeliveryBody, attempt: &AttemptBody) -> bool {
    delivery.summary.status == "delivered" && attempt.number == delivery.summary.attempt_count
}

/// The strip; each attempt is a link that chooses it below.
pub(super) fn strip(visit: &Visit, delivery: &DeliveryBody, webhook: Option<&WebhookBody>, chosen: u32) -> Markup {
    let planned =
        delivery.summary.waiting_until.filter(|_| delivery.summary.waiting_for.as_deref() == Some("schedule"));
    let last = delivery.attempts.len();
    html! {
        ol .schedule data-attempts aria-label="Attempts" {
            @for (place, attempt) in delivery.attempts.iter().enumerate() {
                @let good = delivered(delivery, attempt);
                li class=(if place + 1 == last && planned.is_some() { "next" } else { "done" }) {
                    a href={ "?attempt=" (attempt.number) } aria-current=[(attempt.number == chosen).then_some("true")] {
                        i class={ "node " (if good { "delivered" } else { "failed" }) } {
                            (icon(if good { "check" } else { "x" }))
                        }
                        b { span .sr { "Attempt " } (attempt.number) " " (attempt_chip(attempt)) }
                        span { (exact(visit, attempt.started_at)) }
                        span { (waited(delivery, place)) }
                    }
                }
            }
            @if let Some(at) = planned { (plan(visit, delivery, webhook, at)) }
        }
    }
}

fn plan(visit: &Visit, delivery: &DeliveryBody, webhook: Option<&WebhookBody>, at: Timestamp) -> Markup {
    let number = delivery.summary.attempt_count + 1;
    #[expect(clippy::cast_precision_loss, reason = "waits are far below 2^52 ms")]
    let since_last = |last: &AttemptBody| (at.as_millis() - last.started_at.as_millis()) as f64 - last.duration_ms;
    // The endpoint may have asked for more time than the schedule has.
    let wait = match delivery.attempts.last() {
        Some(last) => Some(since_last(last)),
        None => webhook.and_then(|webhook| wait_before_ms(&webhook.retry, number)),
    };
    html! {
        li {
            div {
                i .node.next { (icon("clock")) }
                b { span .sr { "Attempt " } (number) " " (badge("word", "clock", "Planned")) }
                span { (exact(visit, at)) }
                span {
                    @match wait {
                        Some(wait) if wait > 0.0 => { "after " (duration(wait)) },
                        _ => "scheduled",
                    }
                }
            }
        }
    }
}

/// How long it was waited for an attempt: since the one before it ended.
fn waited(delivery: &DeliveryBody, place: usize) -> String {
    let attempt = &delivery.attempts[place];
    let (before, first) = match place.checked_sub(1).map(|place| &delivery.attempts[place]) {
        Some(before) => (before.started_at.as_millis(), false),
        None => (delivery.summary.created_at.as_millis(), true),
    };
    #[expect(clippy::cast_possible_truncation, reason = "an exchange takes seconds")]
    let took = place.checked_sub(1).map_or(0, |place| delivery.attempts[place].duration_ms as i64);
    let wait = attempt.started_at.as_millis() - before - took;
    if first && wait < 1_000 {
        return "at once".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "waits are far below 2^52 ms")]
    let wait = wait.max(0) as f64;
    format!("after {}", duration(wait))
}

/// The wait that the schedule has before an attempt, in milliseconds.
fn wait_before_ms(retry: &RetryBody, number: u32) -> Option<f64> {
    if number == 0 || number > attempts_of(retry)? {
        return None;
    }
    match (&retry.schedule_s, &retry.formula) {
        (Some(waits), _) => waits.get(number as usize - 1).map(|wait| wait * 1_000.0),
        (None, Some(_)) if number == 1 => Some(0.0),
        (None, Some(formula)) => {
            let exponent = i32::try_from(number - 2).unwrap_or(i32::MAX);
            Some((formula.base_s * formula.factor.powi(exponent)).min(formula.cap_s) * 1_000.0)
        }
        (None, None) => None,
    }
}

/// What will happen if the planned attempt fails, or why there is none.
pub(super) fn rule(delivery: &DeliveryBody, webhook: Option<&WebhookBody>) -> Option<String> {
    let webhook = webhook?;
    let all = attempts_of(&webhook.retry)?;
    let next = delivery.summary.attempt_count + 1;
    delivery.summary.waiting_for.as_ref()?;
    let end = match webhook.retry.on_exhausted.as_deref() {
        Some("deactivate") => "the delivery fails and the webhook is disabled",
        _ => "the delivery fails; the webhook stays enabled",
    };
    Some(match next {
        next if next >= all => format!("If attempt {next} fails, {end}."),
        next => format!("If attempt {next} fails, it is tried again, {all} times in all. After the last, {end}."),
    })
}

#[cfg(test)]
mod tests {
    use tidings_contract::webhook::FormulaBody;

    use super::*;

    #[test]
    fn waits_are_those_of_the_schedule() {
        let list = RetryBody { schedule_s: Some(vec![0.0, 300.0]), ..RetryBody::default() };
        assert_eq!([0, 1, 2, 3].map(|number| wait_before_ms(&list, number)), [None, Some(0.0), Some(300_000.0), None]);
        let formula = FormulaBody { base_s: 30.0, factor: 2.0, cap_s: 100.0, attempts: 4 };
        let formula = RetryBody { formula: Some(formula), ..RetryBody::default() };
        let waits = [1, 2, 3, 4, 5].map(|number| wait_before_ms(&formula, number));
        assert_eq!(waits, [Some(0.0), Some(30_000.0), Some(60_000.0), Some(100_000.0), None]);
    }
}
