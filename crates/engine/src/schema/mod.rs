//! JSON Schemas of event types, compiled and bounded.
//!
//! A schema is a program that somebody else wrote and that runs on every publish. So it may refer
//! to nothing outside itself and not to itself in a circle, its patterns run in linear time, and
//! what it can cost on one payload has a maximum.

mod cache;
mod cost;
mod pattern;
mod versions;

use jsonschema::{Draft, PatternOptions, Validator, error::ValidationErrorKind};
use serde_json::Value;

pub(crate) use cache::SchemaCache;
pub(crate) use versions::{Checked, TypeSchemas};

use cost::{Cost, Steps};
use pattern::PATTERN_BYTES_MAX;

/// Bytes of a schema as JSON text.
pub const SCHEMA_BYTES_MAX: usize = 65_536;
/// Bytes that a byte of a schema's text becomes, its patterns left out.
const COMPILED_PER_TEXT: u64 = 16;
/// Violations named at most: more are seldom read, and the answer stays short.
const VIOLATIONS_MAX: usize = 20;
/// Characters of what is said about a violation: schemas may list long values.
const MESSAGE_CHARACTERS_MAX: usize = 300;
/// Steps that checking one event takes at most. Patterns and payloads made for it take 2 to 5 ns a
/// step on one core, so that this is about a second; everybody else's take far fewer steps.
const STEPS_MAX: u64 = 200_000_000;

/// Why a text is no schema that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schema{place}: {message}")]
pub struct InvalidSchema {
    /// A JSON pointer into the schema.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// A place in a payload that its schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where: `data/plan`.
    pub field: String,
    /// The schema's keyword, such as `type` or `required`, or `unreadable` or `too_large`.
    pub code: String,
    /// What is wrong there.
    pub message: String,
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    cost: Cost,
    bytes: u64,
}

impl Schema {
    /// Compiles a JSON Schema (2020-12). Formats are annotations, as the specification has it.
    pub fn compile(text: &str) -> Result<Self, InvalidSchema> {
        let invalid = |place: String, message: String| InvalidSchema { place, message: shortened(message) };
        if text.len() > SCHEMA_BYTES_MAX {
            return Err(invalid(String::new(), format!("has more than {SCHEMA_BYTES_MAX} bytes")));
        }
        let schema: Value = serde_json::from_str(text).map_err(|error| invalid(String::new(), error.to_string()))?;
        let (cost, patterns_bytes) = cost::weigh(&schema)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .build(&schema)
            .map_err(|error| invalid(error.instance_path().as_str().to_owned(), error.masked().to_string()))?;
        Ok(Self { validator, cost, bytes: patterns_bytes + text.len() as u64 * COMPILED_PER_TEXT })
    }

    /// About what it takes in memory.
    const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the payload is not as the schema wants it; empty if it is.
    pub fn violations(&self, data: &Value) -> Vec<Violation> {
        let size = Size::of(data);
        if size.steps(self.cost.tell) > STEPS_MAX {
            return vec![too_large()];
        }
        self.tell(data)
    }

    /// Whether the payload is as the schema wants it.
    fn accepts(&self, data: &Value) -> bool {
        self.validator.is_valid(data)
    }

    fn tell(&self, data: &Value) -> Vec<Violation> {
        let errors = self.validator.iter_errors(data).take(VIOLATIONS_MAX);
        let violation = |error: jsonschema::ValidationError<'_>| {
            let mut field = format!("data{}", error.instance_path().as_str());
            if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
                field = format!("{field}/{}", name.replace('~', "~0").replace('/', "~1"));
            }
            let message = shortened(error.masked().to_string());
            Violation { field: shortened(field), code: error.kind().keyword().to_owned(), message }
        };
        errors.map(violation).collect()
    }
}

/// What a check can have to look at.
#[derive(Debug, Clone, Copy)]
struct Size {
    values: u64,
    bytes: u64,
}

impl Size {
    fn of(data: &Value) -> Self {
        let (values, bytes) = cost::size(data);
        Self { values, bytes }
    }

    /// No JSON text of this length has more.
    fn of_text(bytes: usize) -> Self {
        Self { values: bytes as u64 / 2 + 1, bytes: bytes as u64 }
    }

    fn steps(self, steps: Steps) -> u64 {
        let values = self.values.saturating_mul(steps.per_value);
        values.saturating_add(self.bytes.saturating_mul(steps.per_byte))
    }
}

fn too_large() -> Violation {
    let message = "is more than can be checked against the schema, or its versions, of this type: publish less in one \
                   event, name one schema_version, or retire versions that nobody uses";
    Violation { field: "data".to_owned(), code: "too_large".to_owned(), message: message.to_owned() }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> String {
        Schema::compile(&schema.to_string()).expect_err("refused").place
    }

    #[test]
    fn violations_name_the_path_and_the_keyword() {
        let schema = json!({
            "type": "object",
            "required": ["plan"],
            "properties": {
                "plan": {"enum": ["free", "pro"]},
                "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1},
            },
            "additionalProperties": false,
            "$defs": {"item": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}},
        });
        let schema = Schema::compile(&schema.to_string()).expect("a schema");
        assert!(schema.accepts(&json!({"plan": "pro", "items": [{"n": 1}]})));
        for (data, field, code) in [
            (json!(5), "data", "type"),
            (json!({}), "data/plan", "required"),
            (json!({"plan": "max"}), "data/plan", "enum"),
            (json!({"plan": "pro", "items": []}), "data/items", "minItems"),
            (json!({"plan": "pro", "items": [{"n": 1}, {"n": 0}]}), "data/items/1/n", "minimum"),
            (json!({"plan": "pro", "x": 1}), "data", "additionalProperties"),
        ] {
            let violations = schema.violations(&data);
            assert_eq!(violations.len(), 1, "{data}: {violations:?}");
            assert_eq!((violations[0].field.as_str(), violations[0].code.as_str()), (field, code), "{data}");
            assert!(!schema.accepts(&data), "{data}");
        }
        let long = json!({"plan": "x".repeat(100_000)});
        assert!(schema.violations(&long)[0].message.len() < 2_000, "a message never repeats the payload");
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_place() {
        let deep = (0..200).fold(json!({}), |inner, _| json!({"not": inner}));
        let deep = json!({"$defs": {"d": deep}, "$ref": "#/$defs/d"});
        let mut doubling = json!({"type": "string"});
        let mut defs = serde_json::Map::new();
        for level in 0..30 {
            defs.insert(format!("d{level}"), doubling);
            let refers = json!({"$ref": format!("#/$defs/d{level}")});
            doubling = json!({"allOf": [refers, refers]});
        }
        let doubling = json!({"$defs": defs, "allOf": [doubling]});
        let patterns: Vec<_> = (0..65).map(|number| json!({"pattern": format!("^{number}$")})).collect();
        for (schema, place) in [
            (json!({"type": "strin"}), "/type"),
            (json!({"properties": {"a": {"minLength": -1}}}), "/properties/a/minLength"),
            (json!({"$ref": "https://example.com/other.json"}), "/$ref"),
            (json!({"properties": {"a": {"$ref": "other.json"}}}), "/properties/a/$ref"),
            (json!({"$ref": "file:///etc/passwd"}), "/$ref"),
            (json!({"$ref": "#/$defs/nope"}), "/$ref"),
            (json!({"$ref": "#nope"}), "/$ref"),
            (json!({"$ref": "#"}), "/$ref"),
            (json!({"properties": {"next": {"$ref": "#"}}}), "/properties/next/$ref"),
            (json!({"$dynamicRef": "#x"}), "/$dynamicRef"),
            (json!({"properties": {"a": {"$id": "https://example.com/a"}}}), "/properties/a/$id"),
            (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "/$schema"),
            (json!({"anyOf": patterns}), ""),
        ] {
            assert_eq!(refused(&schema), place, "{schema}");
        }
        for schema in [deep, doubling, json!({"enum": vec![1; 20_000]}), json!({"pattern": "(?=x)"})] {
            refused(&schema);
        }
        assert_eq!(Schema::compile("{").expect_err("refused").place, "");
        assert_eq!(Schema::compile(&format!("\"{}\"", "x".repeat(SCHEMA_BYTES_MAX))).expect_err("refused").place, "");
    }

    #[test]
    fn anchors_booleans_and_shared_parts_are_fine() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.com/order",
            "properties": {"from": {"$ref": "#address"}, "to": {"$ref": "#address"}, "never": false, "any": true},
            "$defs": {"address": {"$anchor": "address", "type": "object", "required": ["city"]}},
        });
        let schema = Schema::compile(&schema.to_string()).expect("a schema");
        assert!(schema.accepts(&json!({"from": {"city": "x"}, "any": 1})));
        assert!(!schema.accepts(&json!({"to": {}})));
        assert!(!schema.accepts(&json!({"never": 1})));
    }

    #[test]
    fn what_would_take_too_long_is_not_checked() {
        let heavy = json!({"items": {"allOf": vec![json!({"type": ["integer"]}); 1_000]}});
        let schema = Schema::compile(&heavy.to_string()).expect("a schema");
        assert_eq!(schema.violations(&json!(vec![0; 1_000])), []);
        let many = json!(vec![0; 100_000]);
        assert_eq!(schema.violations(&many)[0].code, "too_large");

        // One value can be a lot to look at for a pattern that is in many states at once.
        let slow = json!({"properties": {"text": {"pattern": "a[ab]{1500}$"}}});
        let schema = Schema::compile(&slow.to_string()).expect("a schema");
        assert_eq!(schema.violations(&json!({"text": "a".repeat(2_000)})), []);
        assert_eq!(schema.violations(&json!({"text": "ab".repeat(100_000)}))[0].code, "too_large");
    }

    #[test]
    fn patterns_that_look_at_the_same_text_are_bounded_together() {
        let slow = |number: usize| json!({"pattern": format!("a[ab]{{1500}}{number}$")});
        let apart = |count: usize| {
            let each: serde_json::Map<_, _> = (0..count).map(|number| (number.to_string(), slow(number))).collect();
            json!({"properties": each})
        };
        Schema::compile(&apart(7).to_string()).expect("each looks at a text of its own");
        let error = Schema::compile(&apart(12).to_string()).expect_err("they take memory all the same");
        assert!(error.message.contains("bytes together"), "{error}");
        let together: Vec<_> = (0..7).map(slow).collect();
        assert_eq!(refused(&json!({"properties": {"text": {"allOf": together}}})), "/properties/text");
    }

    #[test]
    fn chains_of_references_are_bounded_wherever_they_are_walked_through_first() {
        let chain = |links: usize| {
            let defs: serde_json::Map<_, _> = (0..links)
                .map(|link| match link {
                    0 => ("d0".to_owned(), json!({"type": "string"})),
                    _ => (format!("d{link}"), json!({"$ref": format!("#/$defs/d{}", link - 1)})),
                })
                .collect();
            // Each is known before the next one leads there.
            let all: Vec<_> = (0..links).map(|link| json!({"$ref": format!("#/$defs/d{link}")})).collect();
            json!({"$defs": defs, "allOf": all})
        };
        let schema = Schema::compile(&chain(60).to_string()).expect("a schema");
        assert!(!schema.accepts(&json!(1)));
        let error = Schema::compile(&chain(120).to_string()).expect_err("refused");
        assert!(error.message.contains("nests more than"), "{error}");
    }

    #[test]
    fn what_looks_again_is_counted_again() {
        let nested = |levels: usize| {
            (0..levels).fold(
                json!({"properties": {"a": {"type": "integer"}}}),
                |inner, _| json!({"anyOf": [inner], "unevaluatedProperties": false}),
            )
        };
        let schema = Schema::compile(&nested(3).to_string()).expect("a schema");
        assert!(schema.accepts(&json!({"a": 1})));
        let error = Schema::compile(&nested(40).to_string()).expect_err("refused");
        assert!(error.message.contains("steps for each value"), "{error}");
    }
}
