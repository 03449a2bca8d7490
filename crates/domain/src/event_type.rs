//! Names in the catalogue of event types, and the patterns that select them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::time::Timestamp;

/// Characters of an event type's name at most.
pub const EVENT_TYPE_CHARACTERS_MAX: usize = 128;

/// The type of the event that `test` sends; part of every catalogue.
pub const TEST_EVENT_TYPE: &str = "test.webhook";

/// A name such as `tag.subscribed` or `LEAD_MESSAGE_SENT`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventTypeName(std::sync::Arc<str>);

impl EventTypeName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not an event type's name or pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an event type: names have 1 to {EVENT_TYPE_CHARACTERS_MAX} characters out of letters, digits, '_', '-' and '.'"
)]
pub struct InvalidEventType {
    text: String,
}

impl FromStr for EventTypeName {
    type Err = InvalidEventType;

    fn from_str(text: &str) -> Result<Self, InvalidEventType> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if text.is_empty() || text.len() > EVENT_TYPE_CHARACTERS_MAX || !text.bytes().all(legal) {
            let text = text.chars().take(EVENT_TYPE_CHARACTERS_MAX).collect();
            return Err(InvalidEventType { text });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for EventTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for EventTypeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventTypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What a webhook subscribes to: one name, a prefix (`tag.*`) or everything (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventPattern {
    /// `*`
    All,
    /// `tag.*`: every name that starts with `tag.`.
    Prefix(String),
    /// Exactly this name.
    Exact(EventTypeName),
}

impl EventPattern {
    /// Whether an event of this type is selected.
    pub fn selects(&self, name: &EventTypeName) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => name.as_str().starts_with(prefix.as_str()),
            Self::Exact(exact) => exact == name,
        }
    }
}

impl FromStr for EventPattern {
    type Err = InvalidEventType;

    fn from_str(text: &str) -> Result<Self, InvalidEventType> {
        if text == "*" {
            return Ok(Self::All);
        }
        match text.strip_suffix(".*") {
            Some(prefix) => {
                let prefix: EventTypeName = prefix.parse()?;
                Ok(Self::Prefix(format!("{prefix}.")))
            }
            None => text.parse().map(Self::Exact),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Exact(name) => fmt::Display::fmt(name, f),
        }
    }
}

impl Serialize for EventPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// Its name, unique in its catalogue.
    pub name: EventTypeName,
    /// The group it is listed under.
    pub group: Option<String>,
    /// What it means, for people; also `humanReadableEventName` in `botdog` bodies.
    pub description: Option<String>,
    /// An example of its `data`, as JSON text.
    pub example: Option<String>,
    /// Archived types accept no new events.
    pub archived: bool,
    /// The versions of its schema, oldest first; none: any data is taken.
    pub versions: Vec<SchemaVersion>,
}

/// The last segment of a path of its own (`POST /event-types/import`): an event type of this name
/// could not be looked at.
pub const RESERVED_EVENT_TYPE: &str = "import";
/// Event types of one catalogue, an organization's or the instance's: all of them are in memory for
/// each project in use.
pub const EVENT_TYPES_MAX: u32 = 2_000;
/// Versions of a schema that take events at a time: an event may have to be held against each.
pub const SCHEMA_VERSIONS_ACTIVE_MAX: usize = 8;
/// Versions that are kept; retired ones beyond are forgotten.
pub const SCHEMA_VERSIONS_KEPT: u32 = 100;

/// One version of the JSON Schema of an event type's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// 1 is the first.
    pub version: u32,
    /// JSON text.
    pub schema: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// Retired versions take no new events.
    pub retired: bool,
}

/// What giving a schema means for an event type that has these versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaChange {
    /// It is the one in force already.
    Keep,
    /// There is none from now on.
    RetireAll,
    /// It becomes this version; older ones stay.
    Add(u32),
    /// It cannot: [`SCHEMA_VERSIONS_ACTIVE_MAX`] versions take events already.
    TooMany,
}

/// The version in force: the newest that is not retired.
pub fn current_version(versions: &[SchemaVersion]) -> Option<&SchemaVersion> {
    versions.iter().rev().find(|version| !version.retired)
}

/// Decides what a schema, or none, means; two texts of the same JSON are the same schema.
pub fn schema_change(versions: &[SchemaVersion], schema: Option<&str>) -> SchemaChange {
    let active = versions.iter().filter(|version| !version.retired).count();
    let Some(schema) = schema else { return if active == 0 { SchemaChange::Keep } else { SchemaChange::RetireAll } };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    if current_version(versions).is_some_and(|current| json(&current.schema) == json(schema)) {
        return SchemaChange::Keep;
    }
    if active >= SCHEMA_VERSIONS_ACTIVE_MAX {
        return SchemaChange::TooMany;
    }
    SchemaChange::Add(versions.last().map_or(1, |last| last.version + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_what_they_say() {
        let name: EventTypeName = "tag.subscribed".parse().expect("a name");
        for (pattern, selects) in [
            ("*", true),
            ("tag.*", true),
            ("tag.subscribed", true),
            ("tag.unsubscribed", false),
            ("ta.*", false),
            ("tag.subscribed.*", false),
        ] {
            let parsed: EventPattern = pattern.parse().expect("a pattern");
            assert_eq!(parsed.selects(&name), selects, "{pattern}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn a_schema_is_kept_added_refused_or_taken_off() {
        let version = |version: u32, schema: &str, retired: bool| SchemaVersion {
            version,
            schema: schema.to_owned(),
            created_at: Timestamp::default(),
            retired,
        };
        let two = [version(1, "{}", false), version(2, r#"{"type":"object"}"#, false)];
        let retired = [version(1, "{}", true)];
        let full: Vec<_> = (1..=8).map(|number| version(number, "{}", false)).collect();
        for (versions, schema, expected) in [
            (&[][..], None, SchemaChange::Keep),
            (&[], Some("{}"), SchemaChange::Add(1)),
            (&two, Some(r#"{ "type": "object" }"#), SchemaChange::Keep),
            (&two, Some("{}"), SchemaChange::Add(3)),
            (&two, None, SchemaChange::RetireAll),
            (&retired, None, SchemaChange::Keep),
            (&retired, Some("{}"), SchemaChange::Add(2)),
            (&full, Some("true"), SchemaChange::TooMany),
            (&full, Some("{}"), SchemaChange::Keep),
        ] {
            assert_eq!(schema_change(versions, schema), expected, "{versions:?} {schema:?}");
        }
        assert_eq!(current_version(&two).map(|current| current.version), Some(2));
        assert_eq!(current_version(&retired), None);
    }

    #[test]
    fn names_are_strict() {
        for bad in ["", "a b", "a\n", "ä", "*", "tag.*", ".*x", &"x".repeat(129)] {
            assert!(bad.parse::<EventTypeName>().is_err(), "{bad:?}");
        }
        for bad in ["**", "*.tag", "t*", ".*"] {
            assert!(bad.parse::<EventPattern>().is_err(), "{bad:?}");
        }
        assert!("payment-request.completed".parse::<EventTypeName>().is_ok());
    }
}
