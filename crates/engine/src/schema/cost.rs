//! What a schema can cost, found out before it is compiled.
//!
//! Its weight is the number of values in it, counted as often as references lead there: checking a
//! payload takes at most weight times values steps, because a schema without circles looks at each
//! value of the payload at most once for each of its own.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::InvalidSchema;

/// Values in a schema, with what it refers to counted each time.
const WEIGHT_MAX: u64 = 5_000;
/// Levels of schemas in schemas, references included: validation recurses.
const DEPTH_MAX: usize = 96;
/// Patterns in one schema: each takes memory for as long as its project is in use.
const PATTERNS_MAX: usize = 64;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Keywords that hold a schema, a list of schemas, or schemas by name.
const ONE: [&str; 11] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
];
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAPS: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
/// Keywords under which schemas lie until something refers to them.
const SHELVES: [&str; 2] = ["$defs", "definitions"];

/// The weight of a schema, if it is one that can be used.
pub(super) fn weigh(root: &Value) -> Result<u64, InvalidSchema> {
    let mut walk = Walk { root, weights: HashMap::new(), open: HashSet::new(), patterns: 0 };
    let weight = walk.schema(root, "", 0)?;
    if walk.patterns > PATTERNS_MAX {
        return Err(invalid("", format!("has more than {PATTERNS_MAX} patterns")));
    }
    Ok(weight)
}

/// The number of values in a value, itself included.
pub(super) fn count(value: &Value) -> u64 {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(count).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<u64>(),
        _ => 1,
    }
}

fn invalid(place: &str, message: impl Into<String>) -> InvalidSchema {
    InvalidSchema { place: place.to_owned(), message: message.into() }
}

struct Walk<'a> {
    root: &'a Value,
    /// Weights by the address of the schema, so that each is walked through once.
    weights: HashMap<*const Value, u64>,
    /// Schemas that are being walked through.
    open: HashSet<*const Value>,
    patterns: usize,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, place: &str, depth: usize) -> Result<u64, InvalidSchema> {
        let address: *const Value = schema;
        if let Some(&known) = self.weights.get(&address) {
            return Ok(known);
        }
        if depth > DEPTH_MAX {
            return Err(invalid(place, format!("nests more than {DEPTH_MAX} levels, references included")));
        }
        if !self.open.insert(address) {
            return Err(invalid(place, "refers to itself, directly or in a circle, which is not supported"));
        }
        let mut weight: u64 = 1;
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            weight = weight.saturating_add(self.keyword(keyword, value, place, depth)?);
        }
        if weight > WEIGHT_MAX {
            let message = format!("has more than {WEIGHT_MAX} values, with what it refers to counted each time");
            return Err(invalid(place, message));
        }
        self.open.remove(&address);
        self.weights.insert(address, weight);
        Ok(weight)
    }

    fn keyword(&mut self, name: &str, value: &'a Value, place: &str, depth: usize) -> Result<u64, InvalidSchema> {
        let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        match (name, value) {
            ("$ref", Value::String(to)) => {
                let target = self.target(to).map_err(|message| invalid(&place, message))?;
                self.schema(target, &place, depth + 1)
            }
            ("$dynamicRef" | "$recursiveRef", _) => Err(invalid(&place, "is not supported; use $ref")),
            ("$id", _) if depth > 0 => Err(invalid(&place, "is supported at the top only")),
            ("$schema", Value::String(draft)) if draft.trim_end_matches('#') != DRAFT => {
                Err(invalid(&place, format!("must be {DRAFT}")))
            }
            (name, _) if SHELVES.contains(&name) => Ok(0),
            (name, value) if ONE.contains(&name) => self.schema(value, &place, depth + 1),
            (name, Value::Array(list)) if LISTS.contains(&name) => {
                let parts = list.iter().enumerate().map(|(number, part)| (number.to_string(), part));
                self.parts(parts, &place, depth)
            }
            (name, Value::Object(map)) if MAPS.contains(&name) => {
                if name == "patternProperties" {
                    self.patterns += map.len();
                }
                self.parts(map.iter().map(|(name, part)| (name.clone(), part)), &place, depth)
            }
            (name, value) => {
                self.patterns += usize::from(name == "pattern");
                Ok(count(value))
            }
        }
    }

    fn parts(
        &mut self,
        parts: impl Iterator<Item = (String, &'a Value)>,
        place: &str,
        depth: usize,
    ) -> Result<u64, InvalidSchema> {
        let mut weight: u64 = 0;
        for (name, part) in parts {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            weight = weight.saturating_add(self.schema(part, &place, depth + 1)?);
        }
        Ok(weight)
    }

    fn target(&self, to: &str) -> Result<&'a Value, String> {
        let Some(fragment) = to.strip_prefix('#') else {
            return Err("leads out of the schema; only references that begin with # are followed".to_owned());
        };
        if fragment.contains('%') {
            return Err("is percent-encoded, which is not supported".to_owned());
        }
        let found = match fragment.is_empty() || fragment.starts_with('/') {
            true => self.root.pointer(fragment),
            false => anchored(self.root, fragment),
        };
        found.ok_or_else(|| "leads nowhere".to_owned())
    }
}

fn anchored<'a>(value: &'a Value, anchor: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) if members.get("$anchor").and_then(Value::as_str) == Some(anchor) => Some(value),
        Value::Object(members) => members.values().find_map(|member| anchored(member, anchor)),
        Value::Array(elements) => elements.iter().find_map(|element| anchored(element, anchor)),
        _ => None,
    }
}
