//! What receivers get: rendered and signed by the same code that renders and signs real deliveries.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tidings_domain::{
    event::Event,
    head::TIDINGS_HEADERS,
    ids::DeliveryId,
    operational,
    outcome::{Action, OutcomePattern},
    profile::Profile,
    render::{Rendering, render},
    secret::Secret,
    signer::Signer,
};

use crate::sample;

/// What receivers' operations are listed under.
const RECEIVERS: &str = "Receivers";
/// … and those that are about Tidings itself.
const OPERATIONAL: &str = "Operational events";
/// The secret that examples are signed with.
const SECRET: &str = "whsec_dGlkaW5ncy1leGFtcGxlLXNlY3JldC0zMi1ieXRlcyE=";
const DATA: &str = r#"{"subscriber":{"id":4711,"email":"ada@example.com"},"tag":"customer"}"#;

pub(super) fn describe() -> Value {
    let mut all = Map::new();
    for profile in Profile::ALL {
        all.insert(profile.to_string(), delivery(profile));
    }
    for (name, meaning) in operational::TYPES {
        all.insert(name.to_owned(), operational_event(name, meaning));
    }
    Value::Object(all)
}

/// A delivery as a profile sends it.
fn delivery(profile: Profile) -> Value {
    let body = render(&event(), profile.rendering(), sample_id());
    json!({"post": {
        "tags": [RECEIVERS],
        "operationId": format!("receive_{profile}"),
        "summary": format!("An event, with the profile {profile}"),
        "description": description(profile),
        "security": [],
        "parameters": headers(profile, &body),
        "requestBody": {
            "required": true,
            "description": "The same bytes on every attempt",
            "content": {Rendering::CONTENT_TYPE: {"schema": body_schema(profile.rendering()), "example": read(&body)}},
        },
        "responses": responses(profile),
    }})
}

fn description(profile: Profile) -> String {
    let waits = profile.schedule().attempts();
    let deadline_s = profile.timeout_ms() / 1000;
    let signed = if profile.generated_secret().is_some() { "Signed" } else { "Signed if the webhook has a secret" };
    format!(
        "{signed}. The answer has to come within {deadline_s} s; up to {waits} attempts are made. \
         Events that were published with a content type of their own are sent as they came."
    )
}

/// What Tidings itself reports, to webhooks of the operator's own project.
fn operational_event(name: &str, meaning: &str) -> Value {
    let data = operational_data(name);
    let event = Event {
        event_type: name.parse().expect("operational types are types"),
        payload: Bytes::from(data.to_string()),
        ..event()
    };
    let body = render(&event, Rendering::Standard, sample_id());
    let mut schema = body_schema(Rendering::Standard);
    schema["properties"]["type"] = json!({"const": name});
    schema["properties"]["data"] = json!({"type": "object", "description": "Members may be added"});
    json!({"post": {
        "tags": [OPERATIONAL],
        "operationId": format!("receive_{}", name.replace('.', "_")),
        "summary": meaning,
        "description": "Published into the operator's own project; shown here with the profile `standard`.",
        "security": [],
        "parameters": headers(Profile::Standard, &body),
        "requestBody": {
            "required": true,
            "content": {Rendering::CONTENT_TYPE: {"schema": schema, "example": read(&body)}},
        },
        "responses": responses(Profile::Standard),
    }})
}

/// What an operational event says.
fn operational_data(name: &str) -> Value {
    match name {
        operational::WEBHOOK_DISABLED => json!({
            "webhook_id": sample::WEBHOOK,
            "project_id": sample::PROJECT,
            "reason": "gone",
            "disabled_at": sample::DELIVERED,
        }),
        operational::DELIVERY_EXHAUSTED => json!({
            "delivery_id": sample::DELIVERY,
            "webhook_id": sample::WEBHOOK,
            "project_id": sample::PROJECT,
            "event_id": sample::EVENT,
            "event_type": sample::TYPE,
            "attempts": 10,
            "error": "the connection was refused",
            "exhausted_at": "2026-05-28T13:35:05.310Z",
        }),
        operational::SOURCE_FILL_FAILED => json!({
            "source_id": sample::SOURCE,
            "project_id": sample::PROJECT,
            "name": "stripe",
            "kind": "stripe",
            "error": "the provider refuses the API key (401)",
        }),
        operational::ACTION_EXHAUSTED => json!({
            "delivery_id": sample::DELIVERY,
            "source_id": sample::SOURCE,
            "receipt_id": sample::RECEIPT,
            "attempts": 10,
            "error": "the connection was refused",
            "exhausted_at": "2026-05-28T13:35:05.310Z",
        }),
        operational::INSTANCE_OVERDUE => json!({
            "oldest_due_at": sample::ACCEPTED,
            "overdue_ms": 61_000,
            "pending_deliveries": 4_200,
        }),
        operational::INSTANCE_RECOVERED => json!({"oldest_due_at": null, "overdue_ms": 0, "pending_deliveries": 0}),
        operational::LEDGER_UNEVEN => json!({"born": 1_203, "unaccounted": 1}),
        operational::BILLING_PAYMENT_FAILED => json!({
            "organization_id": sample::ORGANIZATION,
            "customer": "cus_ExampleCustomer",
            "subscription": "sub_1ExampleSubscription",
            "invoice": "in_1ExampleInvoice",
            "grace_until": "2026-06-01T10:00:00.000Z",
        }),
        operational::BILLING_PLAN_CHANGED => json!({
            "organization_id": sample::ORGANIZATION,
            "before": "starter",
            "after": "free",
            "status": "canceled",
            "cause": sample::RECEIPT,
        }),
        operational::BILLING_UNKNOWN_PLAN => json!({
            "organization_id": sample::ORGANIZATION,
            "customer": "cus_ExampleCustomer",
            "subscription": "sub_1ExampleSubscription",
            "price": "price_1ExamplePrice",
            "lookup_key": null,
            "plan": null,
        }),
        operational::ITERATIONS_USED_UP => json!({
            "organization_id": sample::ORGANIZATION,
            "month": "2026-05",
            "used": 10_000,
            "max": 10_000,
        }),
        operational::BILLING_UNKNOWN_ORGANIZATION => json!({
            "organization": "customer-4711",
            "customer": "cus_ExampleCustomer",
            "event": "evt_1ExampleEvent",
        }),
        _ => json!({}),
    }
}

fn event() -> Event {
    Event {
        key: sample::EVENT.parse().expect("the sample is an id"),
        custom_id: None,
        project_id: sample::PROJECT.parse().expect("the sample is an id"),
        event_type: sample::TYPE.parse().expect("the sample is a type"),
        scopes: Vec::new(),
        content_type: None,
        label: Some("Tag subscribed".to_owned()),
        schema_version: None,
        payload: Bytes::from_static(DATA.as_bytes()),
    }
}

fn sample_id() -> DeliveryId {
    sample::DELIVERY.parse().expect("the sample is an id")
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("renderings are JSON")
}

/// Every header that carries a meaning, with the value it has on the example.
fn headers(profile: Profile, body: &[u8]) -> Vec<Value> {
    let secret = Secret::parse(SECRET).expect("the example's secret is one");
    let signer = Signer::new(profile.signature(), Some(&secret)).expect("the secret fits every scheme");
    let at = event().created_at();
    let signed = signer.headers(sample::EVENT, at, body).into_iter().map(|(name, value)| {
        let what = format!("Signature, or what is signed with it; the example's secret is `{SECRET}`");
        (name, value, what)
    });
    let named = TIDINGS_HEADERS.iter().map(|&(name, place)| {
        let value = match place {
            "{event_type}" => sample::TYPE,
            "{event_id}" => sample::EVENT,
            "{delivery_id}" => sample::DELIVERY,
            _ => "1",
        };
        (name.to_owned(), value.to_owned(), "Left out if the webhook has `tidings_headers: false`".to_owned())
    });
    signed
        .chain(named)
        .map(|(name, value, what)| {
            json!({
                "name": name,
                "in": "header",
                "description": what,
                "schema": {"type": "string"},
                "example": value,
            })
        })
        .collect()
}

fn body_schema(rendering: Rendering) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let id = text("The event's id; the same on every attempt and for every webhook");
    let kind = text("The event's type");
    let at = json!({"type": "string", "format": "date-time", "description": "When the event was accepted"});
    let data = json!({"description": "What was published, byte for byte"});
    let properties = match rendering {
        Rendering::Standard | Rendering::SubscribeFlow => {
            json!({"id": id, "type": kind, "created_at": at, "data": data})
        }
        Rendering::BotSubscription => {
            json!({"id": id, "event": kind, "created_at": at, "schema_version": {"const": "v1"}, "data": data})
        }
        Rendering::Botdog => json!({
            "id": text("The delivery's id; the same on every attempt"),
            "timestamp": at,
            "eventType": kind,
            "humanReadableEventName": text("The type's description, or its name"),
        }),
        // Receipts are not sent in a form of ours.
        Rendering::Action(_) => json!({}),
    };
    let required: Vec<_> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let mut schema = json!({"type": "object", "properties": properties, "required": required});
    if rendering == Rendering::Botdog {
        schema["description"] = json!("The members of the published data stand beside these");
    }
    schema
}

/// What the profile makes of the receiver's answers.
fn responses(profile: Profile) -> Value {
    let mut all = Map::new();
    for rule in profile.rules() {
        let status = match rule.outcome {
            OutcomePattern::Status(status) => status.to_string(),
            OutcomePattern::Class(class) => format!("{class}XX"),
            OutcomePattern::Any => "default".to_owned(),
            OutcomePattern::Timeout | OutcomePattern::Network | OutcomePattern::Tls => continue,
        };
        let meaning = match rule.action {
            Action::Success => "Taken; the delivery is done",
            Action::Retry => "Tried again as the schedule says",
            Action::Drop => "Not tried again",
            Action::DropAndDisable => "Not tried again, and the webhook is disabled",
        };
        all.entry(status).or_insert_with(|| json!({"description": meaning}));
    }
    Value::Object(all)
}
