//! The catalogue of event types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tidings_domain::time::Timestamp;

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
    /// The JSON Schema (2020-12) of its `data`. One that differs from the one in force becomes a
    /// new version; left out or `null`, there is none from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Box<RawValue>>,
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
    /// The JSON Schema of its `data` that is in force.
    pub schema: Option<Box<RawValue>>,
    /// The version of that schema.
    pub schema_version: Option<u32>,
    /// All versions, oldest first, when one type is asked for and has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<SchemaVersionBody>,
    /// Whether it accepts no new events.
    pub archived: bool,
}

/// A version of an event type's schema.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SchemaVersionBody {
    /// 1 is the first.
    pub version: u32,
    /// The JSON Schema.
    pub schema: Box<RawValue>,
    /// When it was given.
    pub created_at: Timestamp,
    /// Whether it takes no new events.
    pub retired: bool,
}

impl Wire for EventTypeRequest {
    fn example() -> Value {
        json!({
            "name": sample::TYPE,
            "group": "Tags",
            "description": "A subscriber got a tag",
            "example": {"subscriber": {"id": 4711, "email": "ada@example.com"}, "tag": "customer"},
            "schema": {"type": "object", "required": ["tag"], "properties": {"tag": {"type": "string"}}},
        })
    }
}

impl Wire for EventTypeBody {
    fn example() -> Value {
        let mut example = EventTypeRequest::example();
        example["archived"] = json!(false);
        example["schema_version"] = json!(1);
        example
    }
}
