//! Webhooks.

mod examples;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{
    ids::{DeliveryId, ProjectId, WebhookId},
    time::Timestamp,
};

use crate::given;

/// `POST /webhooks`, and `PUT` or `PATCH /webhooks/{id}`, where what is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Where to: an address with http or https, or `command:` and the name of a command of the project, which is run
    /// with the body as its content. Required when a webhook is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Which event types: names, `prefix.*` or `*`. Left out or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// A name to recognise it by.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub name: Option<Option<String>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// The signing secret. Left out: the profile decides. `null`: none, nothing is signed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub secret: Option<Option<String>>,
    /// Only events with one of these scopes. Left out or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Only events that pass this filter; `null`: all.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub filter: Option<Option<Value>>,
    /// `standard`, `botsubscription`, `subscribeflow`, `serveravatar` or `botdog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether it gets requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Custom headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Overrides the profile's signature; `null` goes back to it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub signature: Option<Option<SignatureBody>>,
    /// Overrides the profile's retries; `null` goes back to them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub retry: Option<Option<RetryBody>>,
    /// Deadline of one exchange in milliseconds, 1,000 to 30,000; `null` goes back to the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub timeout_ms: Option<Option<u32>>,
    /// Requests at the same time at most, 1 to 64; `null` leaves it to the engine.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub max_in_flight: Option<Option<u32>>,
    /// Whether `X-Tidings-…` headers are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tidings_headers: Option<bool>,
    /// JavaScript that defines `function handler(webhook)`, which changes each body before it is signed; at most
    /// 65,536 bytes; `null`: none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub transform: Option<Option<String>>,
}

/// How requests are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureBody {
    /// `standard` or `hmac`.
    pub scheme: String,
    /// For `hmac`: the header's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// For `hmac`: the header's value with the places `{timestamp}` and `{signature}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// For `hmac`: `{timestamp}.{body}`, `{body}` or `{id}.{timestamp}.{body}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// For `hmac`: `sha256`. For `standard`: `sha256`, which is left out in answers, or `ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// For `hmac`: `hex` or `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// When and whether to try again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryBody {
    /// The wait before each attempt, in seconds; fractions are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_s: Option<Vec<f64>>,
    /// A formula in place of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<FormulaBody>,
    /// Each wait is lengthened at random by up to this share, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
    /// Stand before the profile's rules; the first that covers an outcome decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<RuleBody>>,
    /// `keep` or `deactivate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_exhausted: Option<String>,
}

/// `base * factor^(n-2)`, capped, before attempt n ≥ 2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormulaBody {
    /// Wait before the second attempt, in seconds.
    pub base_s: f64,
    /// Growth per attempt.
    pub factor: f64,
    /// Longest wait, in seconds.
    pub cap_s: f64,
    /// Attempts in all.
    pub attempts: u32,
}

/// What an outcome means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// `404`, `4xx`, `timeout`, `network` or `tls`.
    pub outcome: String,
    /// `retry`, `drop` or `success`.
    pub action: String,
}

/// A webhook, everything resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookBody {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub project_id: ProjectId,
    /// Where to, credentials masked; or `command:` and a command.
    pub url: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Which event types; `["*"]`: all.
    pub events: Vec<String>,
    /// Which scopes; empty: all.
    pub scopes: Vec<String>,
    /// Which events by what stands in them.
    pub filter: Option<Value>,
    /// Where its defaults come from.
    pub profile: String,
    /// Whether it gets requests.
    pub enabled: bool,
    /// `active`, `paused` or `disabled`.
    pub status: String,
    /// `manual`, `gone`, `exhausted`, `failing` or `plan_limit`.
    pub disabled_reason: Option<String>,
    /// Whether its requests are signed.
    pub signed: bool,
    /// Custom headers, values masked.
    pub headers: BTreeMap<String, String>,
    /// How its requests are signed.
    pub signature: SignatureBody,
    /// When and whether it is tried again.
    pub retry: RetryBody,
    /// Deadline of one exchange, in milliseconds.
    pub timeout_ms: u32,
    /// Requests at the same time at most, if its owner set that.
    pub max_in_flight: Option<u32>,
    /// Whether `X-Tidings-…` headers are sent.
    pub tidings_headers: bool,
    /// JavaScript that changes each body before it is signed; `null`: none.
    pub transform: Option<String>,
    /// Failed attempts since the last success or enabling.
    pub failure_count: u32,
    /// The event attempted last.
    pub last_event: Option<LastEventBody>,
    /// When the last attempt began.
    pub last_triggered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The key to verify with, if it signs with a private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Until when the secret before the present one signs, or signed.
    pub previous_valid_until: Option<Timestamp>,
    /// The signing secret: only in the answer that makes the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// The event attempted last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastEventBody {
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was attempted.
    pub at: Timestamp,
}

/// `POST /webhooks/{id}/test`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestWebhook {
    /// The type of the event to send; `test.webhook` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// `POST /webhooks/test-filter`: a webhook's selection, tried on what was published lately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestFilter {
    /// The filter.
    pub filter: Value,
    /// Which event types, as in a webhook. Left out or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Which scopes, as in a webhook. Left out or empty: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Only events accepted at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Events to try it on, newest first: 1 to 100; 100 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a selection would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestFilterBody {
    /// The events it was tried on, newest first.
    pub data: Vec<TestedEventBody>,
    /// How many it would have selected.
    pub matched: u32,
    /// How many it was tried on.
    pub tested: u32,
}

/// What a selection would have done with one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestedEventBody {
    /// The event.
    pub event_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Whether it would have been selected.
    pub matched: bool,
    /// Why not: `event_type`, `scope` or `filter`.
    pub reason: Option<String>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestResultBody {
    /// Whether the receiver answered with success.
    pub success: bool,
    /// The answer's status.
    pub status_code: Option<u16>,
    /// How long the exchange took, in milliseconds.
    pub response_time_ms: u32,
    /// Why there was no usable answer.
    pub error: Option<String>,
    /// The delivery in the history.
    pub delivery_id: DeliveryId,
}
