//! JSON with places that are filled from a receipt.
//!
//! A text that is nothing but `{{/body/data/id}}` becomes the value that lies there, of whatever
//! type; a place inside a longer text becomes text. `| lower` after the pointer writes it in lower
//! case. What is not there is `null`, or nothing in a longer text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes of a template as JSON.
pub const TEMPLATE_BYTES_MAX: usize = 16_384;
/// Bytes that a filled template may have as JSON, about as many as an event: each place may stand
/// for a whole body, and there may be hundreds of places.
pub const FILLED_BYTES_MAX: usize = 256 * 1024;
/// Levels of a template: it is filled by recursion.
const DEPTH_MAX: usize = 32;
/// What can be asked of a receipt.
const ROOTS: [&str; 5] = ["body", "headers", "id", "type", "received_at"];
const FORM: &str = "places look like {{/body/data/id}} or {{/headers/x-topic | lower}}, and begin with /body, \
                    /headers, /id, /type or /received_at";

/// A template whose places were checked, if it went through [`Template::check`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Template(pub Value);

struct Place<'a> {
    pointer: &'a str,
    lower: bool,
}

impl Template {
    /// What is wrong with it, if anything.
    pub fn check(&self) -> Result<(), String> {
        if serde_json::to_vec(&self.0).map_or(usize::MAX, |text| text.len()) > TEMPLATE_BYTES_MAX {
            return Err(format!("it has more than {TEMPLATE_BYTES_MAX} bytes"));
        }
        check(&self.0, DEPTH_MAX)
    }

    /// Fills it; the reason if it would become too large.
    pub fn fill(&self, receipt: &Value) -> Result<Value, String> {
        let mut budget = Budget(FILLED_BYTES_MAX);
        fill(&self.0, receipt, &mut budget)
            .map_err(|TooLarge| format!("what is filled in has more than {FILLED_BYTES_MAX} bytes"))
    }

    /// Fills it as text, for names and keys; `None` if there is nothing, or something without a text.
    pub fn fill_text(&self, receipt: &Value) -> Result<Option<String>, String> {
        Ok(match self.fill(receipt)? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }
}

/// What may still be filled in. It is taken before anything is copied.
struct Budget(usize);

struct TooLarge;

impl Budget {
    fn take(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.0 = self.0.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }

    /// About as many bytes as the value has as JSON.
    fn take_value(&mut self, value: &Value) -> Result<(), TooLarge> {
        match value {
            Value::String(text) => self.take(text.len() + 2),
            Value::Array(values) => {
                self.take(2 + values.len())?;
                values.iter().try_for_each(|value| self.take_value(value))
            }
            Value::Object(members) => {
                self.take(2)?;
                members.iter().try_for_each(|(name, value)| {
                    self.take(name.len() + 4)?;
                    self.take_value(value)
                })
            }
            _ => self.take(4),
        }
    }
}

fn check(value: &Value, depth_left: usize) -> Result<(), String> {
    if depth_left == 0 {
        return Err(format!("it is nested more than {DEPTH_MAX} levels deep"));
    }
    match value {
        Value::String(text) => pieces(text).map(drop),
        Value::Array(values) => values.iter().try_for_each(|value| check(value, depth_left - 1)),
        Value::Object(members) => members.values().try_for_each(|value| check(value, depth_left - 1)),
        _ => Ok(()),
    }
}

fn fill(value: &Value, receipt: &Value, budget: &mut Budget) -> Result<Value, TooLarge> {
    match value {
        Value::String(text) => fill_string(text, receipt, budget),
        Value::Array(values) => values.iter().map(|value| fill(value, receipt, budget)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Ok((name.clone(), fill(value, receipt, budget)?)));
            Ok(Value::Object(members.collect::<Result<Map<_, _>, TooLarge>>()?))
        }
        other => Ok(other.clone()),
    }
}

fn fill_string(text: &str, receipt: &Value, budget: &mut Budget) -> Result<Value, TooLarge> {
    // Templates are checked when they are saved; one that is not stays as it is.
    let Ok(pieces) = pieces(text) else { return Ok(Value::String(text.to_owned())) };
    if let [Piece::Place(place)] = pieces.as_slice() {
        let Some(found) = receipt.pointer(place.pointer) else { return Ok(Value::Null) };
        budget.take_value(found)?;
        return Ok(match found {
            Value::String(text) if place.lower => Value::String(text.to_lowercase()),
            other => other.clone(),
        });
    }
    let mut out = String::with_capacity(text.len());
    for piece in &pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(place) => {
                if let Some(found) = receipt.pointer(place.pointer) {
                    budget.take_value(found)?;
                }
                out.push_str(&text_at(place, receipt));
            }
        }
    }
    Ok(Value::String(out))
}

fn text_at<'a>(place: &Place<'_>, receipt: &'a Value) -> Cow<'a, str> {
    let text = match receipt.pointer(place.pointer) {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Some(other) => Cow::Owned(other.to_string()),
    };
    if place.lower { Cow::Owned(text.to_lowercase()) } else { text }
}

enum Piece<'a> {
    Text(&'a str),
    Place(Place<'a>),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        if open > 0 {
            pieces.push(Piece::Text(&rest[..open]));
        }
        let inside = &rest[open + 2..];
        let Some(close) = inside.find("}}") else { return Err(format!("a place in {text:?} has no end; {FORM}")) };
        pieces.push(Piece::Place(
            place(inside[..close].trim())
                .ok_or_else(|| format!("{:?} is not a place; {FORM}", &rest[open..open + 2 + close + 2]))?,
        ));
        rest = &inside[close + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

fn place(inside: &str) -> Option<Place<'_>> {
    let (pointer, lower) = match inside.split_once('|') {
        Some((pointer, "lower" | " lower")) => (pointer.trim_end(), true),
        Some(_) => return None,
        None => (inside, false),
    };
    let root = pointer.strip_prefix('/')?.split('/').next()?;
    ROOTS.contains(&root).then_some(Place { pointer, lower })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_with_values_and_texts() {
        let receipt =
            json!({"type": "email.bounced", "body": {"data": {"to": ["Ann@Example.com"], "n": 3, "o": {"a": 1}}}});
        let rows = [
            (json!("{{/body/data/n}}"), json!(3)),
            (json!("{{/body/data/o}}"), json!({"a": 1})),
            (json!("n={{/body/data/n}}, {{ /type }}"), json!("n=3, email.bounced")),
            (json!("{{/body/data/to/0 | lower}}"), json!("ann@example.com")),
            (json!("{{/body/nowhere}}"), json!(null)),
            (json!("<{{/body/nowhere}}>"), json!("<>")),
            (json!({"a": ["{{/type}}", true]}), json!({"a": ["email.bounced", true]})),
        ];
        for (template, expected) in rows {
            let template = Template(template);
            assert_eq!(template.check(), Ok(()));
            assert_eq!(template.fill(&receipt), Ok(expected));
        }
    }

    #[test]
    fn inv_bounded_what_is_filled_in_has_a_maximum_however_often_it_stands_there() {
        let receipt = json!({"body": {"a": vec![1; 50_000], "t": "x".repeat(100_000)}});
        for place in ["{{/body/a}}", "{{/body/t}}", "<{{/body/t}}>"] {
            assert!(Template(json!([place])).fill(&receipt).is_ok(), "{place}");
            let error = Template(json!(vec![place; 400])).fill(&receipt).expect_err(place);
            assert!(error.contains("262144"), "{error}");
        }
    }

    #[test]
    fn wrong_places_are_named() {
        for (bad, named) in [
            ("{{/body", "{{/body"),
            ("{{nobody}}", "nobody"),
            ("{{/env/HOME}}", "/env/HOME"),
            ("{{/id | upper}}", "upper"),
        ] {
            let error = Template(json!({"a": [bad]})).check().expect_err(bad);
            assert!(error.contains(named) && error.contains("/headers"), "{error}");
        }
        let mut deep = json!(1);
        for _ in 0..40 {
            deep = json!([deep]);
        }
        assert!(Template(deep).check().is_err());
    }
}
