//! Errors as they go over the wire (RFC 9457), with the same words once more under `error`,
//! because clients of SubscribeFlow read that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The content type of a problem.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// An error body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A URI reference that names the kind of problem: `/docs/errors#CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This problem: the thing, the reason, the way out.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// Stable; see [`crate::codes::ErrorCode`].
    pub code: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// Further members of some codes, such as `max_bytes`.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// For asking the operator about it.
    pub request_id: String,
    /// The same once more.
    pub error: ErrorSummary,
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// Which, as in `retry.schedule_s[2]`.
    pub field: String,
    /// Stable: `unknown_field`, `missing`, `invalid`, `too_long`, `url_not_allowed`, …
    pub code: String,
    /// What is wrong with it.
    pub message: String,
}

/// The short form under `error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorSummary {
    /// The code.
    pub code: String,
    /// The detail.
    pub message: String,
    /// The fields.
    pub details: Vec<FieldError>,
}
