//! What happens to deliveries, while it happens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{DeliveryId, WebhookId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// `Content-Type` of a stream (WHATWG HTML, server-sent events).
pub const STREAM_CONTENT_TYPE: &str = "text/event-stream";
/// The name of events that say what has happened to a delivery; their data is a [`DeliveryNews`].
pub const STREAM_DELIVERY: &str = "delivery";
/// The name of the event that says that some were missed.
pub const STREAM_RESET: &str = "reset";

/// `GET /stream`: the data of each event `delivery`. An event `reset` has no data: some were missed, so that whoever
/// shows lists reads them anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryNews {
    /// When.
    pub at: Timestamp,
    /// `accepted` with its event; `attempted`, and to be tried again; or `ended`.
    pub change: String,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Its event.
    pub event_id: String,
    /// Its event's type.
    pub event_type: String,
    /// `pending`, `retrying`, `delivered`, `failed` or `dropped`.
    pub status: String,
    /// Attempts made.
    pub attempt_count: u32,
    /// The attempt's answer's status.
    pub response_status_code: Option<u16>,
    /// How long the attempt took, in milliseconds.
    pub response_time_ms: Option<u32>,
    /// Why the attempt had no usable answer.
    pub error_message: Option<String>,
}

impl Wire for DeliveryNews {
    fn example() -> Value {
        json!({
            "at": "2026-05-25T10:00:00.048Z",
            "change": "ended",
            "delivery_id": sample::DELIVERY,
            "webhook_id": sample::WEBHOOK,
            "event_id": sample::EVENT,
            "event_type": sample::TYPE,
            "status": "delivered",
            "attempt_count": 1,
            "response_status_code": 204,
            "response_time_ms": 48,
            "error_message": null,
        })
    }
}
