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

/// Webhooks of a document that an import takes at a time: a catalogue is read by people.
pub const IMPORTED_EVENT_TYPES_MAX: usize = 500;

/// `POST /event-types/import`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportEventTypes {
    /// An OpenAPI 3.1 document; its `webhooks` are read, 500 at most.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub document: Box<RawValue>,
    /// Whether to change nothing and only say what would become of each.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of the webhooks of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedEventTypesBody {
    /// One for each webhook, in the document's order.
    pub data: Vec<ImportedEventTypeBody>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// What became of one webhook of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportedEventTypeBody {
    /// Its name in the document.
    pub name: String,
    /// What was done with it.
    pub result: ImportResult,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an import does with a webhook of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportResult {
    /// The catalogue has another event type.
    Created,
    /// An event type of the catalogue was changed.
    Updated,
    /// The catalogue had it like this already.
    Unchanged,
    /// It cannot be taken; nothing of it was kept.
    Refused,
}

impl ImportResult {
    /// The word that stands for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// A type that the catalogue does not know, and whose events were refused therefore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RefusedType")]
pub struct RefusedTypeBody {
    /// The type, as the publisher wrote it.
    #[serde(rename = "type")]
    pub event_type: String,
    /// How many events of it were refused since the server started.
    pub count: u64,
    /// When the last of them was.
    pub last_at: Timestamp,
}

impl Wire for RefusedTypeBody {
    fn example() -> Value {
        json!({"type": "order.payed", "count": 3, "last_at": "2026-05-25T10:00:00.000Z"})
    }
}

impl Wire for ImportEventTypes {
    fn example() -> Value {
        let schema = json!({"type": "object", "required": ["tag"], "properties": {"tag": {"type": "string"}}});
        let operation = json!({
            "summary": "A subscriber got a tag",
            "tags": ["Tags"],
            "requestBody": {"content": {"application/json": {"schema": schema, "example": {"tag": "customer"}}}},
        });
        json!({
            "document": {
                "openapi": "3.1.0",
                "info": {"title": "Shop", "version": "1.0.0"},
                "webhooks": {sample::TYPE: {"post": operation}},
            },
            "dry_run": true,
        })
    }
}

impl Wire for ImportedEventTypesBody {
    fn example() -> Value {
        let reason = "name: \"tag added\" is not an event type: names have 1 to 128 characters out of letters, \
                      digits, '_', '-' and '.'";
        json!({
            "data": [
                {"name": sample::TYPE, "result": "created"},
                {"name": "tag added", "result": "refused", "reason": reason},
            ],
            "dry_run": true,
        })
    }
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
