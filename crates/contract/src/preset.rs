//! Presets: what can fill a new project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::wire::Wire;

/// A preset as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresetSummary {
    /// Its name, as `POST /projects` takes it.
    pub name: String,
    /// The system's name, for people.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The profile of the project's new webhooks.
    pub profile: String,
    /// Names of the event types in its catalogue.
    pub event_types: Vec<String>,
    /// Names of the plans it knows.
    pub plans: Vec<String>,
    /// Names of the sources that it makes; they take nothing in until they are given their secrets.
    pub sources: Vec<String>,
}

/// A preset with its catalogue.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PresetBody {
    /// Its name, as `POST /projects` takes it.
    pub name: String,
    /// The system's name, for people.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The profile of the project's new webhooks.
    pub profile: String,
    /// Its catalogue.
    pub event_types: Vec<PresetEventTypeBody>,
    /// Names of the plans it knows.
    pub plans: Vec<String>,
    /// Names of the sources that it makes; they take nothing in until they are given their secrets.
    pub sources: Vec<String>,
}

/// An event type of a preset.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PresetEventTypeBody {
    /// Its name.
    pub name: String,
    /// The group it is listed under.
    pub group: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// An example of its `data`.
    pub example: Option<Box<RawValue>>,
    /// The JSON Schema of its `data`.
    pub schema: Option<Box<RawValue>>,
}

impl Wire for PresetSummary {
    fn example() -> Value {
        json!({
            "name": "subscribeflow",
            "title": "SubscribeFlow",
            "description": "Newsletters: subscribers, tags, preferences",
            "profile": "subscribeflow",
            "event_types": ["tag.subscribed", "tag.unsubscribed"],
            "plans": ["free", "starter"],
            "sources": ["resend"],
        })
    }
}

impl Wire for PresetBody {
    fn example() -> Value {
        let mut example = PresetSummary::example();
        example["event_types"] = json!([{
            "name": "tag.subscribed",
            "group": "Tags",
            "description": "A subscriber got a tag",
            "example": {"subscriber_id": "4711", "tag": "customer"},
            "schema": {"type": "object", "required": ["subscriber_id", "tag"]},
        }]);
        example
    }
}
