//! What a schema can cost, found out before it is compiled.
//!
//! A schema without circles looks at each value of a payload at most once for each way that leads
//! to one of its own values, and at each byte of a text once for each pattern on the way there. Two
//! keywords make it look again: `unevaluatedProperties` and `unevaluatedItems` ask once more what
//! stands beside them, and an `anyOf` or `oneOf` that fails is asked once more to say why. All of
//! that is counted here, so that values and bytes of a payload tell what its check takes at most.

use std::{
    collections::{HashMap, HashSet},
    ops::AddAssign,
};

use serde_json::Value;

use super::{InvalidSchema, pattern};

/// Steps per value of a payload: values in a schema, with what it refers to counted each time.
const VALUE_STEPS_MAX: u64 = 5_000;
/// Steps per byte of a payload: with the most that a check may take, 10 kB can always be checked.
const BYTE_STEPS_MAX: u64 = 20_000;
/// Levels of schemas in schemas, references included: validation recurses.
const DEPTH_MAX: usize = 96;
/// Patterns in one schema: each takes memory for as long as its project is in use.
const PATTERNS_MAX: usize = 64;
/// Bytes of all of them together, compiled.
const PATTERNS_BYTES_MAX: u64 = 1024 * 1024;

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

/// Keywords whose schemas look at the same value as the one they stand in.
const IN_PLACE: [&str; 9] = ["$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];
/// Keywords that ask what stands beside them once more.
const UNEVALUATED: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];
/// Keywords of which at most one schema looks at a part of a value.
const APART: [&str; 2] = ["prefixItems", "properties"];
/// Keywords that look at every byte of a text.
const READING: [&str; 5] = ["const", "enum", "maxLength", "minLength", "uniqueItems"];

/// Steps at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// For each value of a payload.
    pub(super) per_value: u64,
    /// For each byte of its texts and names.
    pub(super) per_byte: u64,
}

impl AddAssign for Steps {
    fn add_assign(&mut self, other: Self) {
        self.per_value = self.per_value.saturating_add(other.per_value);
        self.per_byte = self.per_byte.saturating_add(other.per_byte);
    }
}

/// What a schema costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Finding out whether a payload is as it is to be.
    pub(super) look: Steps,
    /// Saying why it is not.
    pub(super) tell: Steps,
    /// Finding out which parts have been looked at.
    mark: Steps,
    /// Levels of schemas in it.
    height: usize,
}

/// What a schema costs, and how many bytes its patterns take, if it is one that can be used.
pub(super) fn weigh(root: &Value) -> Result<(Cost, u64), InvalidSchema> {
    let mut walk = Walk { root, costs: HashMap::new(), open: HashSet::new(), patterns: 0, patterns_bytes: 0 };
    let cost = walk.schema(root, "", 0)?;
    Ok((cost, walk.patterns_bytes))
}

/// How many values there are, the value itself included, and how many bytes in texts and names.
pub(super) fn size(value: &Value) -> (u64, u64) {
    let add = |(values, bytes): (u64, u64), (more_values, more_bytes)| (values + more_values, bytes + more_bytes);
    match value {
        Value::Array(elements) => elements.iter().map(size).fold((1, 0), add),
        Value::Object(members) => {
            members.iter().fold((1, 0), |sum, (name, value)| add(add(sum, (0, name.len() as u64)), size(value)))
        }
        Value::String(text) => (1, text.len() as u64),
        _ => (1, 0),
    }
}

fn invalid(place: &str, message: impl Into<String>) -> InvalidSchema {
    InvalidSchema { place: place.to_owned(), message: message.into() }
}

struct Walk<'a> {
    root: &'a Value,
    /// Costs by the address of the schema, so that each is walked through once.
    costs: HashMap<*const Value, Cost>,
    /// Schemas that are being walked through.
    open: HashSet<*const Value>,
    patterns: usize,
    patterns_bytes: u64,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Value, place: &str, depth: usize) -> Result<Cost, InvalidSchema> {
        let address: *const Value = schema;
        let known = self.costs.get(&address).copied();
        // Where it was walked through first, it may have stood higher up.
        if depth + known.map_or(0, |known| known.height) > DEPTH_MAX {
            return Err(invalid(place, format!("nests more than {DEPTH_MAX} levels, references included")));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        if !self.open.insert(address) {
            return Err(invalid(place, "refers to itself, directly or in a circle, which is not supported"));
        }
        let mut cost = Cost { look: Steps { per_value: 1, per_byte: 0 }, ..Cost::default() };
        let keywords = schema.as_object();
        for (keyword, value) in keywords.into_iter().flatten() {
            self.keyword(keyword, value, place, depth, &mut cost)?;
        }
        // Whoever is to say why looks first.
        cost.tell += cost.look;
        if UNEVALUATED.iter().any(|keyword| keywords.is_some_and(|keywords| keywords.contains_key(*keyword))) {
            let mark = cost.mark;
            cost.look += mark;
            cost.tell += mark;
            cost.tell += mark;
        }
        self.open.remove(&address);
        self.costs.insert(address, within_bounds(cost, place)?);
        Ok(cost)
    }

    fn keyword(
        &mut self,
        name: &str,
        value: &'a Value,
        place: &str,
        depth: usize,
        cost: &mut Cost,
    ) -> Result<(), InvalidSchema> {
        let place = format!("{place}/{}", escaped(name));
        let mut inner = Vec::new();
        match (name, value) {
            ("$ref", Value::String(to)) => {
                let target = self.target(to).map_err(|message| invalid(&place, message))?;
                inner.push(self.schema(target, &place, depth + 1)?);
            }
            ("$dynamicRef" | "$recursiveRef", _) => return Err(invalid(&place, "is not supported; use $ref")),
            ("$id", _) if depth > 0 => return Err(invalid(&place, "is supported at the top only")),
            ("$schema", Value::String(draft)) if draft.trim_end_matches('#') != DRAFT => {
                return Err(invalid(&place, format!("must be {DRAFT}")));
            }
            (name, _) if SHELVES.contains(&name) => {}
            (name, value) if ONE.contains(&name) => inner.push(self.schema(value, &place, depth + 1)?),
            (name, Value::Array(list)) if LISTS.contains(&name) => {
                for (number, part) in list.iter().enumerate() {
                    inner.push(self.schema(part, &format!("{place}/{number}"), depth + 1)?);
                }
            }
            (name, Value::Object(map)) if MAPS.contains(&name) => {
                for (key, part) in map {
                    let place = format!("{place}/{}", escaped(key));
                    if name == "patternProperties" {
                        cost.look += self.pattern(key, &place)?;
                    }
                    inner.push(self.schema(part, &place, depth + 1)?);
                }
            }
            (name, value) => {
                if let ("pattern", Value::String(text)) = (name, value) {
                    cost.look += self.pattern(text, &place)?;
                }
                let per_byte = u64::from(READING.contains(&name));
                cost.look += Steps { per_value: size(value).0, per_byte };
            }
        }
        gather(name, &inner, cost);
        Ok(())
    }

    fn pattern(&mut self, text: &str, place: &str) -> Result<Steps, InvalidSchema> {
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(invalid("", format!("has more than {PATTERNS_MAX} patterns")));
        }
        let bytes = pattern::compiled_bytes(text).map_err(|message| invalid(place, message))?;
        self.patterns_bytes += bytes as u64;
        if self.patterns_bytes > PATTERNS_BYTES_MAX {
            let message = format!("has patterns that take more than {PATTERNS_BYTES_MAX} bytes together, compiled");
            return Err(invalid("", message));
        }
        let per_byte = pattern::steps_per_byte(bytes);
        Ok(Steps { per_value: 0, per_byte })
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

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Adds what the schemas under a keyword cost to what the schema costs in which it stands.
fn gather(keyword: &str, inner: &[Cost], cost: &mut Cost) {
    let mut widest = Steps::default();
    for part in inner {
        cost.height = cost.height.max(part.height + 1);
        if IN_PLACE.contains(&keyword) {
            cost.mark += part.look;
            cost.mark += part.mark;
        }
        if UNEVALUATED.contains(&keyword) {
            cost.mark += part.look;
        }
        if APART.contains(&keyword) {
            widest.per_byte = widest.per_byte.max(part.look.per_byte.max(part.tell.per_byte));
            cost.look += Steps { per_byte: 0, ..part.look };
            cost.tell += Steps { per_byte: 0, ..part.tell };
        } else {
            cost.look += part.look;
            cost.tell += part.tell;
        }
    }
    cost.look += widest;
}

fn within_bounds(cost: Cost, place: &str) -> Result<Cost, InvalidSchema> {
    if cost.look.per_value > VALUE_STEPS_MAX {
        let message = format!(
            "would take more than {VALUE_STEPS_MAX} steps for each value of a payload: it has too many values, with \
             what it refers to counted each time"
        );
        return Err(invalid(place, message));
    }
    if cost.look.per_byte > BYTE_STEPS_MAX {
        let message = format!(
            "would take more than {BYTE_STEPS_MAX} steps for each byte of a payload: its patterns are too large, or too \
             many of them look at the same text"
        );
        return Err(invalid(place, message));
    }
    Ok(cost)
}
