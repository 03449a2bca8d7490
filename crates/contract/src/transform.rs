//! Transforms of webhooks, tried before they are saved.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    command::{ConsoleLineBody, RunErrorBody},
    sample,
    wire::Wire,
};

/// `POST /webhooks/{id}/test-transform`: a transform, tried on what was published lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestTransform {
    /// The JavaScript to try; the webhook's own, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// The event to try it on; the latest that the webhook selects, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// How many of the latest, 1 to 20; 5, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a transform would make of events. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestTransformBody {
    /// Newest first; none, if the webhook selects none of the latest 100 events.
    pub data: Vec<TransformedEventBody>,
}

/// What a transform would make of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransformedEventBody {
    /// The event.
    pub event_id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Whether the webhook selects it.
    pub selected: bool,
    /// `sent`, `cancelled` or `failed`.
    pub outcome: String,
    /// The body without the transform.
    pub before: String,
    /// The body that would be sent; `null`: none would.
    pub after: Option<String>,
    /// Headers that would be added.
    pub headers: BTreeMap<String, String>,
    /// Why it failed; `null` if it did not.
    pub error: Option<RunErrorBody>,
    /// What it wrote for its author, in order.
    pub console: Vec<ConsoleLineBody>,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}

const CODE: &str = "function handler(webhook) {\n  webhook.payload = {text: 'New tag: ' + webhook.payload.data.tag};\n  return webhook;\n}";

impl Wire for TestTransform {
    fn example() -> Value {
        json!({"transform": CODE, "limit": 1})
    }
}

impl Wire for TestTransformBody {
    fn example() -> Value {
        let before =
            json!({"id": sample::EVENT, "type": sample::TYPE, "created_at": sample::ACCEPTED, "data": {"tag": "vip"}});
        json!({"data": [{
            "event_id": sample::EVENT, "type": sample::TYPE, "selected": true, "outcome": "sent",
            "before": before.to_string(), "after": "{\"text\":\"New tag: vip\"}", "headers": {}, "error": null,
            "console": [], "duration_ms": 1.2,
        }]})
    }
}
