//! Events.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json, value::RawValue};
use tidings_domain::{ids::WebhookId, time::Timestamp};

use crate::{OneOrMany, delivery::DeliverySummary, problem::FieldError, sample, wire::Wire};

/// `POST /events`. Borrows from the request's bytes, because this is the hot path.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest<'a> {
    /// The event's type.
    #[serde(rename = "type", borrow)]
    pub event_type: Cow<'a, str>,
    /// Any JSON, `null` included.
    #[serde(borrow, default, deserialize_with = "any_json", skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a RawValue>,
    /// An id of the publisher's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Named parts of the project that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<OneOrMany>,
    /// Like the header `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// With `body_base64`, in place of `data`: the bytes are sent as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<Cow<'a, str>>,
    /// When to send it; past or left out: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_at: Option<Timestamp>,
    /// The version of its type's schema that `data` follows; any version in force, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
}

/// `"data": null` is data; only a field that is left out is `None`.
fn any_json<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The same for readers of answers.
fn any_owned_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// The answer to a publish, after the commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedBody {
    /// The event's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// To how many webhooks it goes.
    pub deliveries: u32,
    /// Where the payload breaks its type's schema, if the organization only wants to be warned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<FieldError>,
}

/// An event; with `payload` and `delivery_list` when one is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EventBody {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Its scopes.
    pub scope: Vec<String>,
    /// Its own content type, if it was published with one.
    pub content_type: Option<String>,
    /// The version of its type's schema that it satisfied, if it was held to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
    /// The published JSON, `null` included.
    #[serde(default, deserialize_with = "any_owned_json", skip_serializing_if = "Option::is_none")]
    pub payload: Option<Box<RawValue>>,
    /// The published bytes, where they are no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// When its payload was deleted, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expunged_at: Option<Timestamp>,
    /// Until when its deliveries wait, if they do and the event is asked for by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_at: Option<Timestamp>,
    /// Its deliveries: a number in lists, the deliveries themselves when one event is asked for.
    pub deliveries: EventDeliveries,
    /// How many of them arrived, in lists; left out if there are more than 1,000 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u32>,
    /// Which webhooks got it and why the others did not, when one event is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Vec<ExplanationBody>>,
}

/// Whether a webhook got an event, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplanationBody {
    /// Which webhook.
    pub webhook_id: WebhookId,
    /// Whether it has a delivery of the event.
    pub matched: bool,
    /// Why not: `created_later`, `disabled`, `event_type`, `scope`, `filter`, `changed_later` or `test`.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// When the webhook was last changed, if that was after the event: it may have been another then.
    pub changed_at: Option<Timestamp>,
}

/// How many, or which.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventDeliveries {
    /// How many.
    Count(u32),
    /// Which.
    List(Vec<DeliverySummary>),
}

impl Wire for PublishRequest<'_> {
    fn example() -> Value {
        json!({
            "type": sample::TYPE,
            "data": {"subscriber": {"id": 4711, "email": "ada@example.com"}, "tag": "customer"},
            "scope": "list_42",
            "idempotency_key": "subscription-4711-customer",
        })
    }
}

impl Wire for PublishedBody {
    fn example() -> Value {
        json!({"id": sample::EVENT, "type": sample::TYPE, "created_at": sample::ACCEPTED, "deliveries": 2})
    }
}

impl Wire for EventBody {
    fn example() -> Value {
        json!({
            "id": sample::EVENT,
            "type": sample::TYPE,
            "created_at": sample::ACCEPTED,
            "scope": ["list_42"],
            "content_type": null,
            "payload": {"subscriber": {"id": 4711, "email": "ada@example.com"}, "tag": "customer"},
            "deliveries": [DeliverySummary::example()],
            "explanation": [{
                "webhook_id": sample::WEBHOOK,
                "matched": true,
                "reason": null,
                "detail": null,
                "changed_at": null,
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_data_and_absence_is_not() {
        let read = |json| serde_json::from_str::<PublishRequest<'_>>(json).expect("valid").data.map(RawValue::get);
        assert_eq!(read(r#"{"type":"t","data":null}"#), Some("null"));
        assert_eq!(read(r#"{"type":"t","data":{"b":1.0, "a":[ ]}}"#), Some(r#"{"b":1.0, "a":[ ]}"#));
        assert_eq!(read(r#"{"type":"t"}"#), None);

        let answer = r#"{"id":"e","type":"t","created_at":"2026-05-25T10:00:00.000Z","scope":[],"content_type":null,"payload":null,"deliveries":0}"#;
        let event: EventBody = serde_json::from_str(answer).expect("valid");
        assert_eq!(serde_json::to_string(&event).expect("serialises"), answer);
    }
}
