//! A JSON Schema as a table of fields.

use serde_json::{Map, Value};

use super::html::Html;

/// Fields inside fields are shown down to here.
const DEPTH_MAX: usize = 5;

/// The schemas of the document, and how deep the reader is in them.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    all: &'a Value,
    depth: usize,
}

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        Self { all: &document["components"]["schemas"], depth: 0 }
    }

    /// The fields of a schema, if it is an object or a list of objects.
    pub(super) fn fields(self, html: &mut Html, schema: &'a Value) {
        let Some(schema) = self.object_in(schema) else { return };
        let Some(properties) = schema["properties"].as_object() else { return };
        let required = required(schema);
        html.raw("<table class=\"fields\"><tbody>");
        for (name, field) in properties {
            html.raw("<tr><th scope=\"row\">").code(name);
            if required.contains(&name.as_str()) {
                html.raw("<span class=\"required\">required</span>");
            }
            html.raw("</th><td><span class=\"type\">").text(&self.type_text(field)).raw("</span>");
            self.describe(html, field);
            html.raw("</td></tr>");
        }
        html.raw("</tbody></table>");
    }

    /// What the field means, which values it takes, and the fields inside it.
    fn describe(self, html: &mut Html, field: &'a Value) {
        if let Some(text) = field["description"].as_str() {
            html.raw("<p>").prose(text).raw("</p>");
        }
        let limits = limits(field);
        if !limits.is_empty() {
            html.raw("<p class=\"limits\">").text(&limits).raw("</p>");
        }
        if let Some(words) = self.resolve(field)["enum"].as_array().or_else(|| field["items"]["enum"].as_array()) {
            html.raw("<p class=\"words\">");
            for word in words.iter().filter_map(Value::as_str) {
                html.code(word).raw(" ");
            }
            html.raw("</p>");
        }
        let inner = Self { depth: self.depth + 1, ..self };
        let object = self.object_in(field).filter(|object| object["properties"].is_object());
        if object.is_some() && self.depth < DEPTH_MAX {
            html.raw("<details><summary>its fields</summary>");
            inner.fields(html, field);
            html.raw("</details>");
        }
    }

    fn resolve(self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        name.map_or(schema, |name| &self.all[name])
    }

    /// The object that a schema speaks of, be it behind a name, in a list, or one of several.
    fn object_in(self, schema: &'a Value) -> Option<&'a Value> {
        let schema = self.resolve(schema);
        if schema["properties"].is_object() {
            return Some(schema);
        }
        if schema["items"].is_object() {
            return self.object_in(&schema["items"]);
        }
        let several = ["anyOf", "oneOf", "allOf"].into_iter().find_map(|kind| schema[kind].as_array());
        several?.iter().find_map(|one| self.object_in(one))
    }

    /// `string or null`, `list of objects`
    fn type_text(self, schema: &'a Value) -> String {
        if let Some(words) = schema["type"].as_array() {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| self.word(word, schema)).collect();
            return words.join(" or ");
        }
        if let Some(word) = schema["type"].as_str() {
            return self.word(word, schema);
        }
        if schema["$ref"].is_string() {
            return self.type_text(self.resolve(schema));
        }
        if let Some(several) = ["anyOf", "oneOf"].into_iter().find_map(|kind| schema[kind].as_array()) {
            let words: Vec<_> = several.iter().map(|one| self.type_text(one)).collect();
            return words.join(" or ");
        }
        match schema["const"].as_str() {
            Some(word) => format!("\"{word}\""),
            None => "any JSON".to_owned(),
        }
    }

    fn word(self, word: &str, schema: &'a Value) -> String {
        match word {
            "array" if schema["items"].is_object() => format!("list of {}", plural(&self.type_text(&schema["items"]))),
            "array" => "list".to_owned(),
            "string" if schema["format"] == "date-time" => "time".to_owned(),
            other => other.to_owned(),
        }
    }
}

fn plural(word: &str) -> String {
    if word.contains(' ') { format!("({word})") } else { format!("{word}s") }
}

fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `1 to 128 characters`
fn limits(schema: &Value) -> String {
    let number = |name: &str| schema[name].as_f64();
    let spans = [
        (number("minLength"), number("maxLength"), "characters"),
        (number("minItems"), number("maxItems"), "entries"),
        (None, number("maxProperties"), "entries"),
        // 0 and the sizes of machine words are no limits that a reader has to know.
        (
            number("minimum").filter(|least| *least != 0.0),
            number("maximum").filter(|most| *most < 4e9 && *most != 65_535.0),
            "",
        ),
    ];
    let texts = spans.iter().filter_map(|(least, most, what)| {
        let text = match (least, most) {
            (None, None) => return None,
            (Some(least), Some(most)) => format!("{least} to {most} {what}"),
            (Some(least), None) => format!("at least {least} {what}"),
            (None, Some(most)) => format!("at most {most} {what}"),
        };
        Some(text.trim_end().to_owned())
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// The members of an object, none of anything else.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
