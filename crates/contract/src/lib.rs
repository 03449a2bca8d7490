//! The HTTP API as data: wire types, error codes, operations.
//!
//! Deliberately absent: a server, a client, and any check that needs more than the text itself.
//! Requests refuse unknown fields; a released answer may only grow.

pub mod audit;
pub mod batch;
pub mod billing;
pub mod bot;
pub mod codes;
pub mod command;
pub mod delivery;
pub mod event;
pub mod event_type;
pub mod gap_fill;
pub mod instance;
pub mod job;
pub mod list;
pub mod member;
pub mod openapi;
pub mod operation;
pub mod operations;
pub mod parameters;
pub mod plan;
pub mod portal;
pub mod preset;
pub mod problem;
pub mod record;
pub mod sample;
pub mod secret;
pub mod source;
pub mod statistics;
pub mod stream;
pub mod tenancy;
pub mod transform;
pub mod webhook;
pub mod wire;

use serde::{Deserialize, Deserializer};

/// The base path of the native API.
pub const BASE_PATH: &str = "/api/v1";

/// Tells a field that was left out (`None`) from one that is `null` (`Some(None)`); to be used
/// together with `#[serde(default)]`.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// One or several, as `"a"` or `["a", "b"]`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"a"`
    One(String),
    /// `["a", "b"]`
    Many(Vec<String>),
}

impl OneOrMany {
    /// As a list.
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}
