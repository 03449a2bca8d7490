//! What a webhook's receiver gets, and what happens when it does not take it, in words.

use maud::{Markup, html};
use tidings_contract::webhook::WebhookBody;
use tidings_domain::{profile::Profile, retry::OnExhausted};

use super::read;
use crate::form::Form;

/// The headers that a profile signs in, but for those of an overlap.
pub(super) fn signature_headers(profile: Profile) -> Vec<String> {
    let names = profile.signature().header_names();
    names.into_iter().filter(|name| !name.ends_with("-previous")).collect()
}

/// When a webhook is tried again, in words.
pub(super) fn schedule_words(webhook: &WebhookBody) -> String {
    match (&webhook.retry.schedule_s, webhook.retry.formula) {
        (Some(waits), _) => {
            let words: Vec<_> = waits
                .iter()
                .map(|wait| if *wait == 0.0 { "at once".to_owned() } else { read::wait_words(*wait) })
                .collect();
            format!("{} attempts: {}", waits.len(), words.join(", "))
        }
        (None, Some(formula)) => format!(
            "{} attempts: {} times {} each, {} at most",
            formula.attempts,
            read::wait_words(formula.base_s),
            formula.factor,
            read::wait_words(formula.cap_s)
        ),
        (None, None) => "as the profile says".to_owned(),
    }
}

/// What will arrive, and what happens if it fails.
pub(super) fn aside(values: &Form) -> Markup {
    let profile = values.raw("profile").parse::<Profile>().unwrap_or_default();
    let headers = signature_headers(profile);
    let schedule = profile.schedule();
    html! {
        section .panel {
            header .panel-head { h2 { "What will arrive" } p { (profile.to_string()) } }
            div .code.bare {
                pre tabindex="0" {
                    span .k { "POST" } " your path\n"
                    span .k { "Content-Type" } ": application/json\n"
                    @for header in &headers { span .k { (header) } ": …\n" }
                    "\n" (envelope(profile))
                }
            }
        }
        section .panel {
            header .panel-head { h2 { "If it fails" } }
            div .panel-body.stack.tight {
                p { "It is tried " (schedule.attempts()) " times, each with the same id and the same bytes. Only 2xx is success." }
                p .quiet {
                    @match profile.on_exhausted() {
                        OnExhausted::Deactivate => "When one delivery has used up its attempts, the webhook is disabled.",
                        OnExhausted::Keep => "When a delivery has used up its attempts, the webhook stays enabled.",
                    }
                }
                p .quiet { "Save it, then send a test: it is one attempt, and counts against nothing." }
            }
        }
    }
}

/// The outline of a profile's body.
fn envelope(profile: Profile) -> &'static str {
    match profile.as_str() {
        "botsubscription" => {
            "{\"id\": …, \"event\": …, \"created_at\": …,\n \"schema_version\": \"v1\", \"data\": {…}}"
        }
        "botdog" => "{\"id\": …, \"timestamp\": …, \"eventType\": …,\n \"humanReadableEventName\": …, …data}",
        _ => "{\"id\": …, \"type\": …, \"created_at\": …,\n \"data\": {…}}",
    }
}
