//! Samples of what providers send: one file per kind of source, written for this purpose. Ids and
//! times in them are filled in when one is sent.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{secret::hex, source::SourceKind, time::Timestamp};

use crate::config::way_out;

/// Characters of the part of ids that is different each time.
const UNIQUE_CHARACTERS: usize = 24;

/// The samples of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    /// What the provider's own ids look like.
    id: String,
    /// Headers that it sends besides those that its signature needs.
    headers: BTreeMap<String, String>,
    events: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    about: String,
    /// Whether it is sent as an HTML form.
    #[serde(default)]
    form: bool,
    body: Option<Value>,
    /// In place of a body: another event of the kind, and what is different, by JSON pointers.
    like: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
}

/// What is chosen for one sending.
#[derive(Debug, Clone)]
pub(crate) struct Choices {
    /// The provider's id, in place of a new one.
    pub(crate) id: Option<String>,
    /// Makes new ids differ from each other.
    pub(crate) random: [u8; 16],
    /// Stands in the body for when it happened.
    pub(crate) now: Timestamp,
    /// What is different from the sample: JSON pointers and values.
    pub(crate) set: Vec<(String, Value)>,
    /// A body in place of the sample's.
    pub(crate) body: Option<Value>,
}

/// A sample that can be signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) id: String,
    pub(crate) event_type: String,
    /// In lower case, without those that the signature needs.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A line of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) kind: SourceKind,
    pub(crate) event: String,
    pub(crate) about: String,
}

fn book(kind: SourceKind) -> Book {
    let text = match kind {
        SourceKind::Stripe => include_str!("../../samples/stripe.json"),
        SourceKind::Resend => include_str!("../../samples/resend.json"),
        SourceKind::GitHub => include_str!("../../samples/github.json"),
        SourceKind::Shopify => include_str!("../../samples/shopify.json"),
        SourceKind::Slack => include_str!("../../samples/slack.json"),
        // These may send anything; what the standard recommends is as good as any.
        SourceKind::Standard | SourceKind::Hmac | SourceKind::Token | SourceKind::None => {
            include_str!("../../samples/standard.json")
        }
    };
    serde_json::from_str(text).expect("the samples are part of the program and tested")
}

/// The kind of this name, if there is one.
pub(crate) fn kind(name: &str) -> Option<SourceKind> {
    SourceKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
}

/// All samples of a kind.
pub(crate) fn list(kind: SourceKind) -> Vec<Listed> {
    let events = book(kind).events.into_iter();
    events.map(|(event, entry)| Listed { kind, event, about: entry.about }).collect()
}

/// A sample with everything filled in.
///
/// # Errors
///
/// There is no such event, or no such place in it.
pub(crate) fn make(kind: SourceKind, event: &str, choices: Choices) -> anyhow::Result<Sample> {
    let book = book(kind);
    let Some(entry) = book.events.get(event) else {
        let near = way_out(event, book.events.keys().map(String::as_str));
        let name = kind.as_str();
        bail!("there is no sample of {name}'s {event:?}: {near} (`tidings trigger {name} --list` tells about each)");
    };
    // Whoever chooses the id gets the same body each time, but for its times.
    let random = match &choices.id {
        Some(id) => hex(&digest(&SHA256, id.as_bytes()).as_ref()[..16]),
        None => hex(&choices.random),
    };
    let mut filling = Filling::new(&random, choices.now);
    let id = choices.id.unwrap_or_else(|| filling.text(&book.id));
    filling.id.clone_from(&id);
    let mut body = match choices.body {
        Some(body) => body,
        None => filling.value(body_of(&book, entry)),
    };
    for (pointer, value) in choices.set {
        put(&mut body, &pointer, value)?;
    }
    let (content_type, body) = match entry.form {
        true => (Some("application/x-www-form-urlencoded"), form(&body)),
        false => (None, body.to_string().into_bytes()),
    };
    let mut headers = book.headers;
    headers.extend(content_type.map(|value| ("content-type".to_owned(), value.to_owned())));
    let headers = headers.into_iter().map(|(name, value)| (name, filling.text(&value))).collect();
    Ok(Sample { id, event_type: event.to_owned(), headers, body })
}

fn body_of(book: &Book, entry: &Entry) -> Value {
    if let Some(body) = &entry.body {
        return body.clone();
    }
    let like = entry.like.as_deref().and_then(|other| book.events.get(other)?.body.clone());
    let mut body = like.expect("the samples are part of the program and tested");
    for (pointer, value) in &entry.set {
        put(&mut body, pointer, value.clone()).expect("the samples are part of the program and tested");
    }
    body
}

/// What the places in a sample stand for.
struct Filling {
    id: String,
    unique: String,
    uuid: String,
    now: String,
    now_s: i64,
}

impl Filling {
    fn new(random: &str, now: Timestamp) -> Self {
        let (a, b, c, d, e) = (&random[..8], &random[8..12], &random[12..16], &random[16..20], &random[20..]);
        Self {
            id: String::new(),
            unique: random[..UNIQUE_CHARACTERS].to_owned(),
            uuid: format!("{a}-{b}-{c}-{d}-{e}"),
            now: now.rfc3339_millis(),
            now_s: now.as_millis() / 1000,
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace("{{id}}", &self.id).replace("{{unique}}", &self.unique);
        let text = text.replace("{{uuid}}", &self.uuid).replace("{{now}}", &self.now);
        text.replace("{{now_s}}", &self.now_s.to_string())
    }

    fn value(&self, value: Value) -> Value {
        match value {
            // A time that stands alone is a number.
            Value::String(text) if text == "{{now_s}}" => self.now_s.into(),
            Value::String(text) => self.text(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, self.value(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other,
        }
    }
}

/// Puts a value where a JSON pointer leads; the last name may be a new one.
fn put(body: &mut Value, pointer: &str, value: Value) -> anyhow::Result<()> {
    let (parent, name) = pointer
        .rsplit_once('/')
        .with_context(|| format!("{pointer:?} is not a JSON pointer; write it like /data/object/status"))?;
    let name = name.replace("~1", "/").replace("~0", "~");
    let nowhere = || format!("the sample has no place {pointer}: there is nothing at {parent:?} to hold it");
    let place = match body.pointer_mut(parent).with_context(nowhere)? {
        Value::Object(members) => members.entry(name).or_insert(Value::Null),
        Value::Array(items) => {
            name.parse::<usize>().ok().and_then(|place| items.get_mut(place)).with_context(nowhere)?
        }
        _ => bail!(nowhere()),
    };
    *place = value;
    Ok(())
}

/// The texts of an object as an HTML form.
fn form(body: &Value) -> Vec<u8> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = body.as_object().into_iter().flatten().map(|(name, value)| (name, text(value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}
