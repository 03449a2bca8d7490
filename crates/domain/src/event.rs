//! One thing that happened.

use bytes::Bytes;

use crate::{
    event_type::EventTypeName,
    ids::{EventKey, ProjectId},
    time::Timestamp,
};

/// Characters of an id that a publisher chooses itself.
pub const EVENT_ID_CHARACTERS_MAX: usize = 128;
/// Scopes one event may name.
pub const EVENT_SCOPES_MAX: usize = 16;
/// Characters of a scope.
pub const SCOPE_CHARACTERS_MAX: usize = 128;
/// How far ahead an event may be scheduled, in milliseconds: 90 days. Nothing is deleted earlier,
/// and what waits longer is better kept by whoever knows why it waits.
pub const DELIVER_AHEAD_MS_MAX: u64 = 90 * 86_400_000;
/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// An event as it is stored: the publisher's bytes are kept exactly as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its key inside Tidings; also says when it was accepted.
    pub key: EventKey,
    /// The id its publisher chose, if any; otherwise the key is the id.
    pub custom_id: Option<String>,
    /// Whose it is.
    pub project_id: ProjectId,
    /// Its type.
    pub event_type: EventTypeName,
    /// Named parts of the project it concerns; empty: none.
    pub scopes: Vec<String>,
    /// `None`: `payload` is the JSON of `data`, to be put into the profile's envelope.
    /// `Some`: `payload` is sent as it is, with this content type.
    pub content_type: Option<String>,
    /// The type's name for people at the time of publishing, frozen because bodies quote it.
    pub label: Option<String>,
    /// The version of its type's schema that it satisfied, if it was held to one. Nobody needs it
    /// for delivering, so it is read only where the event itself is asked for.
    pub schema_version: Option<u32>,
    /// The bytes.
    pub payload: Bytes,
}

impl Event {
    /// The id that receivers and the API see.
    pub fn id(&self) -> String {
        self.custom_id.clone().unwrap_or_else(|| self.key.to_string())
    }

    /// When it was accepted.
    pub fn created_at(&self) -> Timestamp {
        self.key.timestamp()
    }
}

/// Whether a publisher may use this text as an event's id.
pub fn is_event_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= EVENT_ID_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        // Clients resolve these away in a path, and the event could never be asked for.
        && text != "."
        && text != ".."
}

/// Whether a text may name a scope: printable ASCII or other letters, no control characters.
pub fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= SCOPE_CHARACTERS_MAX && !text.chars().any(char::is_control)
}

/// Whether a text may be an idempotency key: visible ASCII, as HTTP header values allow.
pub fn is_idempotency_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= IDEMPOTENCY_KEY_BYTES_MAX && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
