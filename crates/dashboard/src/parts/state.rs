//! State: a shape and a word, then colour; one badge everywhere.

use maud::{Markup, html};
use tidings_contract::{delivery::DeliverySummary, webhook::WebhookBody};

use super::icon;

/// A badge: its class says the colour.
pub(crate) fn badge(class: &str, picture: &'static str, words: &str) -> Markup {
    html! { span class={ "badge " (class) } { (icon(picture)) (words) } }
}

/// The badge of a state of a delivery.
pub(crate) fn badge_of(state: &str) -> Markup {
    match state {
        "delivered" => badge("delivered", "check", "Delivered"),
        "retrying" => badge("retrying", "retry", "Retrying"),
        "failed" => badge("failed", "x", "Failed"),
        "dropped" => badge("dropped", "stop", "Dropped"),
        "cancelled" => badge("cancelled", "minus", "Cancelled"),
        "held" => badge("held", "pause", "Held"),
        _ => badge("pending", "clock", "Pending"),
    }
}

/// A status code as a receiver answered it.
pub(crate) fn chip(status: u16) -> Markup {
    html! { span class={ "code-chip c" (status / 100) } { (status) } }
}

/// What came of the last attempt: its status code, or a word for why there was none.
pub(crate) fn outcome_chip(delivery: &DeliverySummary) -> Markup {
    match (delivery.response_status_code, &delivery.error_message) {
        (Some(status), _) => chip(status),
        (None, Some(error)) => html! { span .code-chip.c0 title=(error) { (outcome_word(error)) } },
        (None, None) => html! { span .faint { "–" } },
    }
}

/// The reason for which a request had no answer, in one word.
pub(crate) fn outcome_word(error: &str) -> &'static str {
    let error = error.to_ascii_lowercase();
    let words = [
        ("timeout", "timeout"),
        ("timed out", "timeout"),
        ("in time", "timeout"),
        ("deadline", "timeout"),
        ("resolve", "dns"),
        ("dns", "dns"),
        ("tls", "tls"),
        ("certificate", "tls"),
        ("refused", "refused"),
        ("reset", "reset"),
        ("not allowed", "blocked"),
        ("private", "blocked"),
        ("too large", "too large"),
    ];
    words.into_iter().find(|(part, _)| error.contains(part)).map_or("error", |(_, word)| word)
}

/// A type of events.
pub(crate) fn type_chip(name: &str) -> Markup {
    html! { span .type title=(name) { bdi { (name) } } }
}

/// What a webhook takes, in one line.
pub(crate) fn types(events: &[String]) -> Markup {
    html! {
        @match events {
            [] => (type_chip("All events")),
            [all] if all == "*" => (type_chip("All events")),
            [one] => (type_chip(one)),
            [first, rest @ ..] => {
                (type_chip(first))
                span .more-types title=(rest.join(", ")) { "+" (rest.len()) }
            }
        }
    }
}

/// What is to be said about a webhook's state; `None`: it is healthy.
pub(crate) fn webhook_state(webhook: &WebhookBody) -> Option<Markup> {
    match webhook.status.as_str() {
        "paused" => Some(badge("held", "pause", "Paused")),
        "disabled" => Some(badge("cancelled", "stop", &disabled_words(webhook.disabled_reason.as_deref()))),
        _ if webhook.failure_count > 0 => {
            let times = if webhook.failure_count == 1 { "Failed once" } else { "Failing" };
            Some(badge("failed", "x", times))
        }
        _ => None,
    }
}

/// Why a webhook is disabled.
pub(crate) fn disabled_words(reason: Option<&str>) -> String {
    match reason {
        None | Some("manual") => "Disabled".to_owned(),
        Some("exhausted") => "Disabled: attempts used up".to_owned(),
        Some("plan_limit") => "Disabled: plan limit".to_owned(),
        Some("failing") => "Disabled: failed for days".to_owned(),
        Some("gone") => "Disabled: answered 410 Gone".to_owned(),
        Some(reason) => format!("Disabled: {}", reason.replace('_', " ")),
    }
}
