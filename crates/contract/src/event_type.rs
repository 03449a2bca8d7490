//! The catalogue of event types.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `POST /event-types` and `PUT /event-types/{name}`
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
