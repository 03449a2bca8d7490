//! Webhooks for people.

use tidings_client::contract::{
    secret::{RotatedSecretBody, SecretBody},
    webhook::{TestFilterBody, TestResultBody, WebhookBody},
};

use crate::output::{Fields, Table, or_dash};

/// A webhook in a list.
pub(super) fn row(webhook: &WebhookBody) -> [String; 7] {
    [
        webhook.id.to_string(),
        webhook.name.clone().unwrap_or_default(),
        webhook.url.clone(),
        webhook.events.join(" "),
        status(webhook),
        webhook.failure_count.to_string(),
        or_dash(webhook.last_event.as_ref().map(|last| format!("{} {}", last.event_type, last.at))),
    ]
}

fn status(webhook: &WebhookBody) -> String {
    match &webhook.disabled_reason {
        Some(reason) => format!("{} ({reason})", webhook.status),
        None => webhook.status.clone(),
    }
}

/// A webhook by itself.
pub(super) fn fields(webhook: &WebhookBody) -> String {
    let headers: Vec<_> = webhook.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let signature = if webhook.signed { json(&webhook.signature) } else { "none".to_owned() };
    let fields = Fields::default()
        .add("id", webhook.id)
        .add("project", webhook.project_id)
        .add("url", &webhook.url)
        .maybe("name", webhook.name.as_ref())
        .maybe("description", webhook.description.as_ref())
        .add("events", webhook.events.join(" "))
        .add("scopes", webhook.scopes.join(" "))
        .maybe("filter", webhook.filter.as_ref())
        .add("status", status(webhook))
        .add("profile", &webhook.profile)
        .add("signature", signature)
        .add("retry", json(&webhook.retry))
        .add("timeout", format!("{} ms", webhook.timeout_ms))
        .maybe("max in flight", webhook.max_in_flight)
        .add("headers", headers.join(", "))
        .add("tidings headers", webhook.tidings_headers)
        .maybe("transform", webhook.transform.as_ref().map(|code| format!("{} bytes, see --json", code.len())))
        .add("failures in a row", webhook.failure_count)
        .maybe("last event", webhook.last_event.as_ref().map(|last| &last.event_type))
        .maybe("last triggered", webhook.last_triggered_at)
        .add("created", webhook.created_at)
        .add("updated", webhook.updated_at);
    let fields = match &webhook.public_key {
        Some(public_key) => fields.add("public key", public_key),
        None => fields,
    };
    match &webhook.secret {
        Some(secret) => format!("{}\nThe secret is shown this once; keep it safe.\n", fields.add("secret", secret)),
        None => fields.to_string(),
    }
}

/// What a rotation made.
pub(super) fn rotated(rotated: &RotatedSecretBody) -> String {
    let fields = Fields::default().maybe("former secret signs until", rotated.previous_valid_until);
    match (&rotated.secret, &rotated.public_key) {
        (Some(secret), _) => {
            format!("{}\nThe secret is shown this once; keep it safe.\n", fields.add("secret", secret))
        }
        (None, public_key) => fields.maybe("public key", public_key.as_ref()).to_string(),
    }
}

/// A secret that is looked at again.
pub(super) fn revealed(revealed: &SecretBody) -> String {
    Fields::default()
        .maybe("secret", revealed.secret.as_ref())
        .maybe("former secret signs until", revealed.previous_valid_until)
        .to_string()
}

/// What came of a test.
pub(super) fn test_result(result: &TestResultBody) -> String {
    Fields::default()
        .add("success", result.success)
        .maybe("status code", result.status_code)
        .add("response time", format!("{} ms", result.response_time_ms))
        .maybe("error", result.error.as_ref())
        .add("delivery", result.delivery_id)
        .to_string()
}

/// What a selection would have done with recent events.
pub(super) fn tested_events(tested: &TestFilterBody) -> String {
    let mut table = Table::new(&["EVENT", "TYPE", "CREATED", "MATCHED", "REASON"]);
    for event in &tested.data {
        let matched = if event.matched { "yes" } else { "no" }.to_owned();
        let (id, event_type) = (event.event_id.clone(), event.event_type.clone());
        table.row([id, event_type, event.created_at.to_string(), matched, or_dash(event.reason.as_ref())]);
    }
    format!("{table}\n{} of {} events would have been sent.\n", tested.matched, tested.tested)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
