//! The catalogue of event types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::{sample, wire::Wire};

/// `POST /event-types` and `PUT /event-types/{name}`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTypeRequest {
    /// Its name; in a `PUT` it may be left out and must not differ from the path's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The group it is listed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An example of its `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Box<RawValue>>,
    /// Whether it accepts no new events.
    #[serde(default)]
    pub archived: bool,
}

/// An event type.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EventTypeBody {
    /// Its name.
    pub name: String,
    /// The group it is listed under.
    pub group: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// An example of its `data`.
    pub example: Option<Box<RawValue>>,
    /// Whether it accepts no new events.
    pub archived: bool,
}

impl Wire for EventTypeRequest {
    fn example() -> Value {
        json!({
            "name": sample::TYPE,
            "group": "Tags",
            "description": "A subscriber got a tag",
            "example": {"subscriber": {"id": 4711, "email": "ada@example.com"}, "tag": "customer"},
        })
    }
}

impl Wire for EventTypeBody {
    fn example() -> Value {
        let mut example = EventTypeRequest::example();
        example["archived"] = json!(false);
        example
    }
}
