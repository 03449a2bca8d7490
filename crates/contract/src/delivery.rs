//! Deliveries and attempts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{DeliveryId, WebhookId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// A delivery as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverySummary {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Its event.
    pub event_id: String,
    /// Its event's type.
    pub event_type: String,
    /// `pending`, `retrying`, `delivered`, `failed`, `dropped` or `cancelled`.
    pub status: String,
    /// Attempts made.
    pub attempt_count: u32,
    /// The last answer's status.
    pub response_status_code: Option<u16>,
    /// How long the last attempt took, in milliseconds.
    pub response_time_ms: Option<u32>,
    /// Why the last attempt had no usable answer.
    pub error_message: Option<String>,
    /// When its event was accepted.
    pub created_at: Timestamp,
    /// When the last attempt began; `null` before the first.
    #[serde(default)]
    pub attempted_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_retry_at: Option<Timestamp>,
    /// Why it is not being sent right now: `schedule`, `slot`, `breaker` or `held`.
    pub waiting_for: Option<String>,
    /// Until when, where that is known: its time for `schedule`, the next try for `breaker`.
    pub waiting_until: Option<Timestamp>,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryBody {
    /// What lists show.
    #[serde(flatten)]
    pub summary: DeliverySummary,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptBody>,
}

/// One HTTP request of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptBody {
    /// 1 is the first.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// Where the time went.
    pub timing: TimingBody,
    /// What was sent.
    pub request: RequestBody,
    /// What came back.
    pub response: Option<ResponseBody>,
    /// Why there is no usable answer.
    pub error: Option<String>,
}

/// Durations of the phases, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimingBody {
    /// Name look-up.
    pub dns_ms: f64,
    /// TCP connect.
    pub connect_ms: f64,
    /// TLS handshake.
    pub tls_ms: f64,
    /// From the request to the response head.
    pub first_byte_ms: f64,
    /// Everything.
    pub total_ms: f64,
    /// Whether a kept connection was used.
    pub reused_connection: bool,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestBody {
    /// The webhook's address, credentials masked.
    pub url: String,
    /// The headers; signatures and the values of custom headers are masked.
    pub headers: BTreeMap<String, String>,
    /// The body, as text; bytes that are no text become replacement characters.
    pub body: String,
    /// The body's bytes, where they are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseBody {
    /// The status.
    pub status: u16,
    /// The headers, in order, as they came.
    pub headers: Vec<(String, String)>,
    /// The body as far as it is kept; bytes that are no text become replacement characters.
    pub body: String,
    /// The bytes of the body as far as it is kept, where they are no text, or one that is cut within a character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Whether the body went on.
    pub truncated: bool,
}

/// `POST /deliveries/{id}/retry`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryDelivery {
    /// Also if the webhook is disabled.
    #[serde(default)]
    pub force: bool,
}

impl Wire for DeliverySummary {
    fn example() -> Value {
        json!({
            "id": sample::DELIVERY,
            "webhook_id": sample::WEBHOOK,
            "event_id": sample::EVENT,
            "event_type": sample::TYPE,
            "status": "delivered",
            "attempt_count": 1,
            "response_status_code": 200,
            "response_time_ms": 19,
            "error_message": null,
            "created_at": sample::ACCEPTED,
            "attempted_at": sample::ACCEPTED,
            "delivered_at": sample::DELIVERED,
            "next_retry_at": null,
            "waiting_for": null,
            "waiting_until": null,
        })
    }
}

impl Wire for DeliveryBody {
    fn example() -> Value {
        let mut example = DeliverySummary::example();
        example["attempts"] = json!([AttemptBody::example()]);
        example
    }
}

impl Wire for AttemptBody {
    fn example() -> Value {
        json!({
            "number": 1,
            "started_at": sample::ACCEPTED,
            "duration_ms": 19.204,
            "timing": {
                "dns_ms": 0.8,
                "connect_ms": 4.1,
                "tls_ms": 6.3,
                "first_byte_ms": 7.6,
                "total_ms": 19.204,
                "reused_connection": false,
            },
            "request": {
                "url": "https://shop.example.com/hooks/tidings",
                "headers": {
                    "content-type": "application/json",
                    "webhook-id": sample::EVENT,
                    "webhook-signature": "v1,********",
                    "webhook-timestamp": "1779703200",
                },
                "body": format!("{{\"id\":\"{}\",\"type\":\"{}\",\"data\":{{}}}}", sample::EVENT, sample::TYPE),
            },
            "response": {
                "status": 200,
                "headers": [["content-type", "text/plain"]],
                "body": "thank you",
                "truncated": false,
            },
            "error": null,
        })
    }
}

impl Wire for RetryDelivery {
    fn example() -> Value {
        json!({"force": true})
    }
}

/// `GET /webhooks/{id}/logs`: deliveries that were attempted, in the brief form of SubscribeFlow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogBody {
    /// Newest first.
    pub data: Vec<LogEntry>,
    /// Pass it as `cursor` for the next page; `null` on the last.
    pub cursor: Option<String>,
}

/// A delivery in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The type of its event.
    pub event_type: String,
    /// `delivered`, or `failed` as long as it has not arrived.
    pub status: String,
    /// The last answer's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_code: Option<u16>,
    /// How long the last attempt took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u32>,
    /// Why it has not arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Attempts after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u32>,
    /// When its event was accepted.
    pub created_at: Timestamp,
}

impl Wire for LogBody {
    fn example() -> Value {
        json!({
            "data": [{
                "id": sample::DELIVERY,
                "event_type": sample::TYPE,
                "status": "failed",
                "response_code": 500,
                "duration_ms": 19,
                "error": "the receiver answered 500",
                "retry_count": 2,
                "created_at": sample::ACCEPTED,
            }],
            "cursor": null,
        })
    }
}
