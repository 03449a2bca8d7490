//! Sources and receipts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{DeliveryId, ReceiptId, SourceId},
    source::{Action, CustomResponse, SourceKind, Via},
    time::Timestamp,
};

use crate::{
    gap_fill::{self, GapFillBody, GapFillRequest},
    sample,
    wire::Wire,
};

/// `POST /sources` and `PUT /sources/{id}`. A `PUT` replaces everything; secrets stay unless they are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRequest {
    /// What it is called; unique in its project.
    pub name: String,
    /// Whose webhooks it takes. It cannot be changed later.
    pub kind: SourceKind,
    /// What the provider signs with; several while one is exchanged for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<String>>,
    /// Whether it takes anything in; true, or as it is, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds that a request's time may be off; the provider's, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_s: Option<u32>,
    /// The signature's form; kind `hmac` needs it, no other has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<VerifyBody>,
    /// The header with the secret, for kind `token`; `Authorization`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_header: Option<String>,
    /// Where a receipt's own id stands: a JSON pointer into the body, or `header:NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe: Option<String>,
    /// What a provider gets back that first asks whether the address is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeBody>,
    /// What is done with each receipt, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// What is answered; 200 and `{"received":true}`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<CustomResponse>,
    /// Addresses, or blocks of them, that no limit applies to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Requests per minute in all; no limit, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u32>,
    /// Requests per minute from one address; no limit, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_rate_limit: Option<u32>,
    /// How the provider is asked for what did not come by itself; it is not, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_fill: Option<GapFillRequest>,
}

/// The form of a signature that a source checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyBody {
    /// The header's name.
    pub header: String,
    /// The header's value, with the places `{signature}` and, if it has one, `{timestamp}`.
    pub layout: String,
    /// `{body}`, `{timestamp}.{body}` or `{id}.{timestamp}.{body}`.
    pub signed: String,
    /// `sha256`, `sha512` or, for providers that offer nothing better, `sha1`; `sha256`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// `hex` or `base64`.
    pub encoding: String,
    /// The header with the time, where the layout has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
}

/// How a provider asks whether an address is right: with a text of its own, which it wants back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandshakeBody {
    /// The parameter of the address whose value is given back as text.
    pub challenge: String,
    /// The parameter that has to carry the token, if any has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_parameter: Option<String>,
    /// The token, with `token_parameter`. Never shown; it stays if it is left out of a `PUT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceBody {
    /// Its id.
    pub id: SourceId,
    /// What it is called.
    pub name: String,
    /// Whose webhooks it takes.
    pub kind: SourceKind,
    /// Where the provider sends them: whoever knows it can try. Below the address this was asked at.
    pub url: String,
    /// Whether it takes anything in.
    pub enabled: bool,
    /// How many secrets are valid.
    pub secret_count: u32,
    /// See the request.
    pub tolerance_s: Option<u32>,
    /// See the request.
    pub verify: Option<VerifyBody>,
    /// See the request.
    pub token_header: Option<String>,
    /// See the request.
    pub dedupe: Option<String>,
    /// See the request; without the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<HandshakeBody>,
    /// See the request.
    pub actions: Vec<Action>,
    /// See the request.
    pub response: Option<CustomResponse>,
    /// See the request.
    pub allow: Vec<String>,
    /// See the request.
    pub rate_limit: Option<u32>,
    /// See the request.
    pub address_rate_limit: Option<u32>,
    /// How the provider is asked for what did not come by itself, and what came of it.
    pub gap_fill: Option<GapFillBody>,
    /// Requests with a bad signature, all time; nothing else is kept of them.
    pub rejected: u64,
    /// Requests that brought what was there already, all time.
    pub duplicates: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A receipt: something that a provider sent, and what was done about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptBody {
    /// Its id.
    pub id: ReceiptId,
    /// Through which source it came.
    pub source_id: SourceId,
    /// The provider's id; the same thing sent again is the same receipt.
    pub provider_id: Option<String>,
    /// What the provider calls it, such as `email.bounced`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// When it was taken in.
    pub received_at: Timestamp,
    /// From which address; of `gap_fill`, the API that was asked.
    pub address: String,
    /// How it came: `webhook`, or `gap_fill` if its provider was asked for it.
    pub via: Via,
    /// Its headers, without those that carry secrets; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<HeaderBody>>,
    /// The body, if it is JSON; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The body as it came, in base 64; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// What was done, and is to be done; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<ReceiptActionBody>>,
}

/// A header of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderBody {
    /// In lower case.
    pub name: String,
    /// As it came.
    pub value: String,
}

/// One action on a receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptActionBody {
    /// The id under which it is tried, and tried again.
    pub delivery_id: DeliveryId,
    /// Its place among the source's actions, from 0.
    pub place: u8,
    /// `emit`, `record` or `forward`; `null` if the source has no such action any more.
    pub kind: Option<String>,
    /// `pending`, `retrying`, `delivered` (done), `failed`, `dropped` or `cancelled`.
    pub status: String,
    /// Tries so far.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What came of the last try: of `emit` and `record` what they did, of `forward` the answer, or
    /// the reason why there is none.
    pub result: Option<Value>,
}

/// Everything about a receipt is done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptReplayedBody {
    /// The receipt.
    pub id: ReceiptId,
}

/// `POST /sources/{id}/preview`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The action to try; nothing comes of it.
    pub action: Action,
    /// The receipt to try it on; the source's latest, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<ReceiptId>,
}

/// What an action would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewBody {
    /// The receipt it was tried on.
    pub receipt_id: ReceiptId,
    /// Whether the action is for receipts of this type.
    pub applies: bool,
    /// What it would do: `{type, data}`, `{record, key, set, increment}` or `{url}`.
    pub result: Option<Value>,
    /// Why it could not be done.
    pub error: Option<String>,
}

fn actions() -> Value {
    json!([
        {
            "kind": "record", "on": ["email.bounced"], "record": "subscriber", "key": "{{/body/data/to/0 | lower}}",
            "set": {"status": "bounced"},
        },
        {"kind": "emit", "type": "subscriber.updated", "data": {"email": "{{/body/data/to/0}}", "status": "bounced"}},
    ])
}

impl Wire for SourceRequest {
    fn example() -> Value {
        json!({
            "name": "resend",
            "kind": "resend",
            "secrets": ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"],
            "actions": actions(),
        })
    }
}

impl Wire for SourceBody {
    fn example() -> Value {
        json!({
            "id": sample::SOURCE,
            "name": "resend",
            "kind": "resend",
            "url": "https://tidings.example.com/in/7yKp0fQm2sVxT9cW4bZrLhNjD8gA6eUoHiXqYtRwPkE",
            "enabled": true,
            "secret_count": 1,
            "tolerance_s": null,
            "verify": null,
            "token_header": null,
            "dedupe": null,
            "actions": actions(),
            "response": null,
            "allow": [],
            "rate_limit": null,
            "address_rate_limit": null,
            "gap_fill": gap_fill::example(),
            "rejected": 0,
            "duplicates": 2,
            "created_at": sample::CREATED,
            "updated_at": sample::CREATED,
        })
    }
}

impl Wire for ReceiptBody {
    fn example() -> Value {
        json!({
            "id": sample::RECEIPT,
            "source_id": sample::SOURCE,
            "provider_id": "msg_1",
            "type": "email.bounced",
            "received_at": sample::ACCEPTED,
            "address": "203.0.113.7",
            "via": "webhook",
            "headers": [{"name": "svix-id", "value": "msg_1"}],
            "body": {"type": "email.bounced", "data": {"to": ["ann@example.com"]}},
            "body_base64": "eyJ0eXBlIjoiZW1haWwuYm91bmNlZCIsImRhdGEiOnsidG8iOlsiYW5uQGV4YW1wbGUuY29tIl19fQ==",
            "actions": [{
                "delivery_id": sample::DELIVERY,
                "place": 0,
                "kind": "record",
                "status": "delivered",
                "attempts": 1,
                "next_attempt_at": null,
                "finished_at": sample::DELIVERED,
                "result": {"record": "subscriber", "key": "ann@example.com", "version": 3},
            }],
        })
    }
}

impl Wire for ReceiptReplayedBody {
    fn example() -> Value {
        json!({"id": sample::RECEIPT})
    }
}

impl Wire for PreviewRequest {
    fn example() -> Value {
        json!({"action": actions()[1].clone(), "receipt_id": sample::RECEIPT})
    }
}

impl Wire for PreviewBody {
    fn example() -> Value {
        json!({
            "receipt_id": sample::RECEIPT,
            "applies": true,
            "result": {"type": "subscriber.updated", "data": {"email": "ann@example.com", "status": "bounced"}},
            "error": null,
        })
    }
}
