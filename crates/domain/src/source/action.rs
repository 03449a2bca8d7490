//! What a source does with a receipt, one thing after the other.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::template::Template;
use crate::{command::CommandName, event_type::EventTypeName, target::TargetUrl};

/// Actions of one source.
pub const ACTIONS_MAX: usize = 16;
/// Members that one action sets or counts.
const MEMBERS_MAX: usize = 64;
/// Characters of a record's kind.
const RECORD_KIND_CHARACTERS_MAX: usize = 64;
/// Characters of a record's key.
pub const RECORD_KEY_CHARACTERS_MAX: usize = 256;
/// Types that one action may name.
const TYPES_MAX: usize = 64;

/// One thing that is done with each receipt of the types it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Publishes an event in the source's project.
    Emit {
        /// For receipts of these types only: exact, or a beginning followed by `*`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<String>,
        /// The event's type, with places.
        #[serde(rename = "type")]
        event_type: Template,
        /// The event's data, with places.
        data: Template,
    },
    /// Changes a record, and makes it if there is none.
    Record {
        /// See `emit`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<String>,
        /// The record's kind, such as `subscriber`.
        record: String,
        /// The record's key, with places.
        key: Template,
        /// Members of its data that get a value; values have places.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        set: Map<String, Value>,
        /// Members of its data that are numbers and grow by so much.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        increment: Map<String, Value>,
    },
    /// Sends the receipt on as it came: its body, its content type, and its provider's headers.
    Forward {
        /// See `emit`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<String>,
        /// To where; the same addresses are allowed as for webhooks.
        url: String,
    },
    /// Runs a command of the source's project with the receipt: its body is `content`.
    Command {
        /// See `emit`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<String>,
        /// The command's name, such as `/onPush`.
        #[schemars(with = "String")]
        command: CommandName,
        /// For which user, with places; without one, or where the receipt says none, there is no current user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<Template>,
    },
    /// Sets the plans of organizations by what Stripe reports about their subscriptions. Only for the
    /// instance's own source.
    Plan {
        /// See `emit`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<String>,
    },
}

/// A change to one record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordChange {
    /// The record's kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Members that get these values.
    pub set: Map<String, Value>,
    /// Members that grow by so much.
    pub increment: Vec<(String, i64)>,
}

impl Action {
    /// The action's name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Emit { .. } => "emit",
            Self::Record { .. } => "record",
            Self::Forward { .. } => "forward",
            Self::Command { .. } => "command",
            Self::Plan { .. } => "plan",
        }
    }

    fn on(&self) -> &[String] {
        match self {
            Self::Emit { on, .. } | Self::Record { on, .. } | Self::Forward { on, .. } => on,
            Self::Command { on, .. } | Self::Plan { on } => on,
        }
    }

    /// Whether it is for receipts of this type.
    pub fn is_for(&self, event_type: Option<&str>) -> bool {
        let selects = |pattern: &String| match (pattern.strip_suffix('*'), event_type) {
            (Some(""), _) => true,
            (Some(beginning), Some(given)) => given.starts_with(beginning),
            (None, Some(given)) => pattern == given,
            (_, None) => false,
        };
        self.on().is_empty() || self.on().iter().any(selects)
    }

    /// What is wrong with it: member and reason.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self.on().len() > TYPES_MAX || self.on().iter().any(|one| one.is_empty() || one.len() > 128) {
            return Err(("on", format!("it lists up to {TYPES_MAX} types of 1 to 128 characters")));
        }
        match self {
            Self::Emit { event_type, data, .. } => {
                event_type.check().map_err(|reason| ("type", reason))?;
                match &event_type.0 {
                    Value::String(text) if text.contains("{{") => {}
                    Value::String(text) => {
                        text.parse::<EventTypeName>().map_err(|error| ("type", error.to_string()))?;
                    }
                    _ => return Err(("type", "it is a text, such as \"subscriber.updated\"".to_owned())),
                }
                data.check().map_err(|reason| ("data", reason))
            }
            Self::Record { record, key, set, increment, .. } => {
                check_record_kind(record).map_err(|reason| ("record", reason))?;
                key.check().map_err(|reason| ("key", reason))?;
                if !key.0.is_string() {
                    return Err(("key", "it is a text, such as \"{{/body/data/id}}\"".to_owned()));
                }
                if set.len() + increment.len() > MEMBERS_MAX || set.is_empty() && increment.is_empty() {
                    return Err(("set", format!("`set` and `increment` have 1 to {MEMBERS_MAX} members together")));
                }
                Template(Value::Object(set.clone())).check().map_err(|reason| ("set", reason))?;
                match increment.values().all(|by| by.as_i64().is_some_and(|by| by.unsigned_abs() <= 1_000_000)) {
                    true => Ok(()),
                    false => Err(("increment", "its values are whole numbers up to 1000000".to_owned())),
                }
            }
            Self::Forward { url, .. } => {
                TargetUrl::parse(url).map(drop).map_err(|refusal| ("url", refusal.to_string()))
            }
            Self::Command { user_id: Some(user_id), .. } => {
                user_id.check().map_err(|reason| ("user_id", reason))?;
                match user_id.0.is_string() {
                    true => Ok(()),
                    false => Err(("user_id", "it is a text, such as \"{{/body/user_id}}\"".to_owned())),
                }
            }
            Self::Command { user_id: None, .. } | Self::Plan { .. } => Ok(()),
        }
    }

    /// The change that a `record` makes out of a receipt; the reason if the receipt has no key for it.
    pub fn record_change(&self, receipt: &Value) -> Option<Result<RecordChange, String>> {
        let Self::Record { record, key, set, increment, .. } = self else { return None };
        Some(key.fill_text(receipt).and_then(|filled| {
            let key = filled.ok_or_else(|| format!("the receipt has no key for the record at {}", key.0))?;
            check_record_key(&key)?;
            let set = match Template(Value::Object(set.clone())).fill(receipt)? {
                Value::Object(set) => set,
                _ => Map::new(),
            };
            let by = |(name, by): (&String, &Value)| Some((name.clone(), by.as_i64()?));
            let increment = increment.iter().filter_map(by).collect();
            Ok(RecordChange { kind: record.clone(), key, set, increment })
        }))
    }
}

/// Whether a text can be a record's key.
pub fn check_record_key(key: &str) -> Result<(), String> {
    let characters = key.chars().count();
    match (1..=RECORD_KEY_CHARACTERS_MAX).contains(&characters) && !key.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(format!(
            "a record's key has 1 to {RECORD_KEY_CHARACTERS_MAX} characters, none of them a control character"
        )),
    }
}

/// Whether a text can be a record's kind.
pub fn check_record_kind(kind: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !kind.is_empty() && kind.len() <= RECORD_KIND_CHARACTERS_MAX && kind.bytes().all(legal) {
        true => Ok(()),
        false => Err(format!(
            "{kind:?} is not a record's kind: these have 1 to {RECORD_KIND_CHARACTERS_MAX} characters out of letters, \
             digits, '_' and '-'"
        )),
    }
}

impl RecordChange {
    /// Changes the record's data; the reason if something in it does not count.
    pub fn apply(&self, data: &mut Map<String, Value>) -> Result<(), String> {
        for (name, value) in &self.set {
            data.insert(name.clone(), value.clone());
        }
        for (name, by) in &self.increment {
            let before = match data.get(name) {
                None | Some(Value::Null) => 0,
                Some(value) => value.as_i64().ok_or_else(|| format!("{name} is {value}, which is no whole number"))?,
            };
            data.insert(name.clone(), before.saturating_add(*by).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(value: Value) -> Action {
        serde_json::from_value(value).expect("an action")
    }

    #[test]
    fn actions_name_what_is_wrong_with_them() {
        let rows = [
            (json!({"kind": "emit", "type": "a b", "data": {}}), "type"),
            (json!({"kind": "emit", "type": "a.b", "data": "{{/nope}}"}), "data"),
            (json!({"kind": "record", "record": "s p", "key": "{{/id}}", "set": {"a": 1}}), "record"),
            (json!({"kind": "record", "record": "s", "key": "{{/id}}"}), "set"),
            (json!({"kind": "record", "record": "s", "key": "{{/id}}", "increment": {"a": 1.5}}), "increment"),
            (json!({"kind": "forward", "url": "example.com"}), "url"),
            (json!({"kind": "forward", "url": "https://example.com", "on": [""]}), "on"),
        ];
        for (value, member) in rows {
            assert_eq!(action(value).check().expect_err("refused").0, member);
        }
        assert!(serde_json::from_value::<Action>(json!({"kind": "emit", "type": "a", "data": 1, "more": 1})).is_err());
    }

    #[test]
    fn types_select_actions() {
        let on = |on: Value| action(json!({"kind": "forward", "url": "https://example.com", "on": on}));
        assert!(on(json!([])).is_for(None) && on(json!(["*"])).is_for(None));
        assert!(on(json!(["invoice.*"])).is_for(Some("invoice.paid")));
        assert!(!on(json!(["invoice.*", "charge"])).is_for(Some("charge.failed")));
        assert!(!on(json!(["charge"])).is_for(None));
    }

    #[test]
    fn records_are_set_and_counted() {
        let one = action(json!({
            "kind": "record", "record": "subscriber", "key": "{{/body/to | lower}}",
            "set": {"status": "bounced", "why": "{{/body/why}}"}, "increment": {"bounces": 1},
        }));
        let change = one.record_change(&json!({"body": {"to": "A@B.example", "why": "full"}})).expect("a record");
        let change = change.expect("a key");
        assert_eq!(change.key, "a@b.example");
        let mut data = Map::new();
        change.apply(&mut data).expect("it counts");
        change.apply(&mut data).expect("it counts");
        assert_eq!(Value::Object(data), json!({"status": "bounced", "why": "full", "bounces": 2}));
        let mut text = Map::from_iter([("bounces".to_owned(), json!("12"))]);
        assert!(change.apply(&mut text).is_err(), "what is no number is not lost");
        assert!(one.record_change(&json!({"body": {}})).expect("a record").is_err());
        assert!(one.record_change(&json!({"body": {"to": "a\nb"}})).expect("a record").is_err());
    }
}
