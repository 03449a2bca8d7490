//! What a script wants done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CommandName, is_user_id};
use crate::{
    event_type::EventTypeName,
    json::{JSON_DEPTH_MAX, is_too_deep},
    source::{check_record_key, check_record_kind},
    time::Timestamp,
};

/// Things that one run may want.
const EFFECTS_MAX: usize = 256;
/// Requests among them.
const HTTP_MAX: usize = 16;
/// Runs that it may ask for.
const RUNS_MAX: usize = 64;
/// Bytes of a message, a property, a request's body, or an event's data.
const VALUE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a property's value as JSON.
const PROPERTY_BYTES_MAX: usize = 64 * 1024;
/// Characters of a property's name, a label, a MIME type.
const NAME_CHARACTERS_MAX: usize = 128;
/// How far ahead a run may be put off, in seconds: a year.
const RUN_AFTER_S_MAX: u64 = 366 * 86_400;
/// Headers of one request.
const HEADERS_MAX: usize = 64;
/// Characters of a message or an address that are kept of what a run did.
const SHORT_CHARACTERS_MAX: usize = 200;

/// Whose property it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The project's as a whole.
    Bot,
    /// That of the user for whom the run is.
    User,
}

/// What a property is: as it is shown and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyKind {
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// Yes or no.
    Boolean,
    /// A short text.
    String,
    /// A long text.
    Text,
    /// Anything that JSON can be.
    Json,
    /// A point in time, as text.
    Datetime,
}

/// The verbs that a request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "these are HTTP's own names")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Delete,
    Options,
}

impl HttpMethod {
    /// As it is written.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// One thing that a script wants done, in the order it asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A message to the user.
    Message {
        /// What it says.
        text: String,
        /// Whatever else was given with it.
        #[serde(default)]
        options: Value,
    },
    /// A property gets a value, or goes with `null`.
    SetProperty {
        /// Whose.
        owner: Owner,
        /// Its name.
        name: String,
        /// What it is.
        kind: PropertyKind,
        /// Its value.
        value: Value,
    },
    /// Another run.
    Run {
        /// Of which command.
        command: CommandName,
        /// For which user; the same, if left out.
        #[serde(default)]
        user_id: Option<String>,
        /// What is handed to it as `options`.
        #[serde(default)]
        options: Value,
        /// How much later, in seconds.
        #[serde(default)]
        run_after: Option<f64>,
        /// What it can be called off by.
        #[serde(default)]
        label: Option<String>,
    },
    /// Calls off runs that are still to come.
    ClearRunAfter {
        /// Those of this label; all of the user's, if left out.
        #[serde(default)]
        label: Option<String>,
    },
    /// A request to somebody else.
    Http {
        /// Its verb.
        method: HttpMethod,
        /// Its address.
        url: String,
        /// Its headers.
        #[serde(default)]
        headers: Map<String, Value>,
        /// Its body.
        #[serde(default)]
        body: Option<String>,
        /// The command that is run with what was answered.
        #[serde(default)]
        success: Option<CommandName>,
        /// The command that is run if nothing good was answered.
        #[serde(default)]
        error: Option<CommandName>,
    },
    /// An event.
    Emit {
        /// Its type.
        #[serde(rename = "type")]
        event_type: EventTypeName,
        /// Its data.
        data: Value,
    },
    /// Members of a record get values.
    Record {
        /// The record's kind.
        kind: String,
        /// Its key.
        key: String,
        /// Members and values.
        set: Map<String, Value>,
    },
    /// The answer to whoever called.
    Render {
        /// What it says.
        content: String,
        /// What it is.
        mime_type: String,
    },
}

impl Effect {
    /// What kind of thing it is, and of what; addresses without what may be secret in them.
    pub(super) fn in_short(&self) -> (&'static str, String) {
        match self {
            Self::Message { text, .. } => ("message", text.chars().take(SHORT_CHARACTERS_MAX).collect()),
            Self::SetProperty { owner: Owner::Bot, name, .. } => ("property", format!("Bot {name}")),
            Self::SetProperty { owner: Owner::User, name, .. } => ("property", format!("User {name}")),
            Self::Run { command, .. } => ("run", command.to_string()),
            Self::ClearRunAfter { label } => ("call_off", label.clone().unwrap_or_default()),
            Self::Http { method, url, .. } => ("http", format!("{} {}", method.as_str(), host_of(url))),
            Self::Emit { event_type, .. } => ("event", event_type.to_string()),
            Self::Record { kind, key, .. } => ("record", format!("{kind}/{key}")),
            Self::Render { mime_type, .. } => ("page", mime_type.clone()),
        }
    }
}

/// Scheme, host and port of an address: tokens stand in its path, its query, or before the host.
fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "no address".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}").chars().take(SHORT_CHARACTERS_MAX).collect()
}

/// The reason why something that a script wants cannot be done.
pub fn check_effects(effects: &[Effect]) -> Result<(), String> {
    let count = |is: fn(&Effect) -> bool| effects.iter().filter(|effect| is(effect)).count();
    if effects.len() > EFFECTS_MAX {
        return Err(format!("a run may do up to {EFFECTS_MAX} things, this one wants {}", effects.len()));
    }
    if count(|effect| matches!(effect, Effect::Http { .. })) > HTTP_MAX {
        return Err(format!("a run may make up to {HTTP_MAX} requests"));
    }
    if count(|effect| matches!(effect, Effect::Run { .. })) > RUNS_MAX {
        return Err(format!("a run may ask for up to {RUNS_MAX} others"));
    }
    // What is stored has to be read again, with some levels around it.
    let deep = |effect: &Effect| serde_json::to_vec(effect).is_ok_and(|bytes| is_too_deep(&bytes));
    if effects.iter().any(deep) {
        return Err(format!("something that the run wants nests deeper than {JSON_DEPTH_MAX} levels"));
    }
    effects.iter().try_for_each(check)
}

fn check(effect: &Effect) -> Result<(), String> {
    let large = |value: &Value| value.to_string().len() > VALUE_BYTES_MAX;
    let too_large = |what: &str| Err(format!("{what} has more than {VALUE_BYTES_MAX} bytes"));
    let named = |what: &str, text: &str| match is_short(text) {
        true => Ok(()),
        false => Err(format!("{what} has 1 to {NAME_CHARACTERS_MAX} characters, none of them a control character")),
    };
    match effect {
        Effect::Message { text, options } if text.len() > VALUE_BYTES_MAX || large(options) => too_large("a message"),
        Effect::Message { .. } => Ok(()),
        Effect::SetProperty { name, kind, value, .. } => {
            named("a property's name", name)?;
            if !value.is_null() && !kind.fits(value) {
                return Err(format!("the property {name} is to be of the type {kind:?}, and its value is not"));
            }
            match value.to_string().len() > PROPERTY_BYTES_MAX {
                true => Err(format!("the property {name} has more than {PROPERTY_BYTES_MAX} bytes")),
                false => Ok(()),
            }
        }
        Effect::Run { user_id, options, run_after, label, .. } => {
            if user_id.as_deref().is_some_and(|id| !is_user_id(id)) {
                return Err("a user's id has 1 to 128 characters, none of them a control character".to_owned());
            }
            #[expect(clippy::cast_precision_loss, reason = "a year in seconds is exact")]
            let in_time = |after: f64| (0.0..=RUN_AFTER_S_MAX as f64).contains(&after);
            if !run_after.is_none_or(in_time) {
                return Err(format!("run_after is 0 to {RUN_AFTER_S_MAX} seconds"));
            }
            label.as_deref().map_or(Ok(()), |label| named("a label", label))?;
            if large(options) { too_large("what is handed to a run") } else { Ok(()) }
        }
        Effect::ClearRunAfter { label } => label.as_deref().map_or(Ok(()), |label| named("a label", label)),
        Effect::Http { headers, body, url, .. } => {
            if headers.len() > HEADERS_MAX || large(&Value::Object(headers.clone())) || url.len() > 8_192 {
                return Err(format!("a request has up to {HEADERS_MAX} headers and an address of up to 8192 bytes"));
            }
            match body.as_ref().is_some_and(|body| body.len() > VALUE_BYTES_MAX) {
                true => too_large("a request's body"),
                false => Ok(()),
            }
        }
        Effect::Emit { data, .. } => {
            if large(data) {
                too_large("an event's data")
            } else {
                Ok(())
            }
        }
        Effect::Record { kind, key, set } => {
            check_record_kind(kind)?;
            check_record_key(key)?;
            match set.is_empty() || large(&Value::Object(set.clone())) {
                true => Err(format!(
                    "what is set of the record {kind}/{key} has 1 member or more, and up to {VALUE_BYTES_MAX} bytes"
                )),
                false => Ok(()),
            }
        }
        Effect::Render { content, mime_type } => {
            if !is_short(mime_type) || !is_mime_type(mime_type) {
                return Err(format!("{mime_type:?} is not a MIME type"));
            }
            if content.len() > VALUE_BYTES_MAX { too_large("a page") } else { Ok(()) }
        }
    }
}

impl PropertyKind {
    /// Whether a value is one of these.
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Float => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::String | Self::Text => value.is_string(),
            Self::Json => true,
            Self::Datetime => value.as_str().is_some_and(|text| Timestamp::parse(text).is_some()),
        }
    }
}

/// A type, a subtype, and parameters without quotes.
fn is_mime_type(text: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let pair = |text: &str, mark| text.split_once(mark).is_some_and(|(one, other)| is_token(one) && is_token(other));
    let mut parts = text.split(';').map(|part| part.trim_matches(' '));
    parts.next().is_some_and(|essence| pair(essence, '/')) && parts.all(|parameter| pair(parameter, '='))
}

fn is_short(text: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
