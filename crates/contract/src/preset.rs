//! Presets: what can fill a new project.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A preset as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A preset with its catalogue.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
}

/// An event type of a preset.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
