//! Deliveries and attempts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidings_domain::{
    ids::{DeliveryId, WebhookId},
    time::Timestamp,
};

/// A delivery as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryBody {
    /// What lists show.
    #[serde(flatten)]
    pub summary: DeliverySummary,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptBody>,
}

/// One HTTP request of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestBody {
    /// The webhook's address, credentials masked.
    pub url: String,
    /// The headers; signatures and the values of custom headers are masked.
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    pub body: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseBody {
    /// The status.
    pub status: u16,
    /// The headers, in order, as they came.
    pub headers: Vec<(String, String)>,
    /// The body as far as it is kept; bytes that are no text become replacement characters.
    pub body: String,
    /// Whether the body went on.
    pub truncated: bool,
}

/// `POST /deliveries/{id}/retry`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryDelivery {
    /// Also if the webhook is disabled.
    #[serde(default)]
    pub force: bool,
}
