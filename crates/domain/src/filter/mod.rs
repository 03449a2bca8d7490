//! Which events a webhook wants by what stands in them.
//!
//! A filter is a small tree of tests on values that JSON pointers (RFC 6901) lead to. It is checked
//! when it is saved, and evaluated on every event that its webhook's types and scopes select: so it
//! is bounded in depth, tests and size, and an event's data is parsed once for all filters.

mod compare;
mod path;
mod read;
mod subject;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value, json};

pub use path::Path;
pub use read::InvalidFilter;
pub use subject::Subject;

/// Levels of `all`, `any` and `not`: deeper ones are hard to read, and evaluation recurses.
pub const FILTER_DEPTH_MAX: usize = 8;
/// Tests, and groups of them, in one filter: each costs time on every event.
pub const FILTER_NODES_MAX: usize = 64;
/// Bytes of a filter as JSON text.
pub const FILTER_BYTES_MAX: usize = 8_192;
/// Values that `in` may list.
pub const FILTER_VALUES_MAX: usize = 256;
/// Bytes of a text that `contains` looks through, from its beginning: the time that one webhook's
/// filter takes must not grow with somebody's longest text.
pub const SEARCHED_BYTES_MAX: usize = 16_384;
/// Elements of an array that `contains` looks at, from its beginning, for the same reason.
pub const SEARCHED_ELEMENTS_MAX: usize = 1_024;

/// A checked filter. Its JSON form is what its owner wrote, defaults left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    root: Node,
    looks_into_data: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Path, Test),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equals(Value),
    Differs(Value),
    OneOf(Vec<Value>),
    StartsWith(String),
    EndsWith(String),
    Contains(Value),
    Compares(Comparison, Value),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Filter {
    /// Checks the JSON form. `field` is where it stood in the request; errors name places below it,
    /// such as `filter.all[2].op`.
    pub fn read(value: &Value, field: &str) -> Result<Self, Vec<InvalidFilter>> {
        read::read(value, field)
    }

    fn new(root: Node) -> Self {
        Self { looks_into_data: root.looks_into_data(), root }
    }

    /// Whether an event passes. A filter that asks for anything in `data` lets no event pass whose
    /// data cannot be looked into, whatever else it says.
    pub fn passes(&self, subject: &Subject<'_>) -> bool {
        if self.looks_into_data && subject.data().is_none() {
            return false;
        }
        self.root.holds(subject)
    }

    /// The JSON form.
    pub fn to_value(&self) -> Value {
        self.root.to_value()
    }
}

impl Node {
    fn looks_into_data(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::looks_into_data),
            Self::Not(node) => node.looks_into_data(),
            Self::Test(path, _) => path.leads_into_data(),
        }
    }

    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(subject)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(subject)),
            Self::Not(node) => !node.holds(subject),
            Self::Test(path, test) => test.holds(path.find(subject)),
        }
    }

    fn to_value(&self) -> Value {
        let list = |nodes: &[Self]| nodes.iter().map(Self::to_value).collect::<Vec<_>>();
        match self {
            Self::All(nodes) => json!({"all": list(nodes)}),
            Self::Any(nodes) => json!({"any": list(nodes)}),
            Self::Not(node) => json!({"not": node.to_value()}),
            Self::Test(path, test) => {
                let mut members = Map::new();
                members.insert("path".to_owned(), Value::from(path.to_string()));
                members.insert("op".to_owned(), Value::from(test.op()));
                members.insert("value".to_owned(), test.value());
                Value::Object(members)
            }
        }
    }
}

impl Test {
    /// What is missing passes `ne` and `"exists": false` alone.
    fn holds(&self, found: Option<&Value>) -> bool {
        let Some(found) = found else { return matches!(self, Self::Differs(_) | Self::Exists(false)) };
        match self {
            Self::Equals(value) => compare::equal(found, value),
            Self::Differs(value) => !compare::equal(found, value),
            Self::OneOf(values) => values.iter().any(|value| compare::equal(found, value)),
            Self::StartsWith(start) => found.as_str().is_some_and(|text| text.starts_with(start.as_str())),
            Self::EndsWith(end) => found.as_str().is_some_and(|text| text.ends_with(end.as_str())),
            Self::Contains(value) => compare::contains(found, value),
            Self::Compares(comparison, value) => {
                compare::order(found, value).is_some_and(|order| comparison.accepts(order))
            }
            Self::Exists(wanted) => *wanted,
        }
    }

    const fn op(&self) -> &'static str {
        match self {
            Self::Equals(_) => "eq",
            Self::Differs(_) => "ne",
            Self::OneOf(_) => "in",
            Self::StartsWith(_) => "prefix",
            Self::EndsWith(_) => "suffix",
            Self::Contains(_) => "contains",
            Self::Compares(Comparison::Greater, _) => "gt",
            Self::Compares(Comparison::GreaterOrEqual, _) => "gte",
            Self::Compares(Comparison::Less, _) => "lt",
            Self::Compares(Comparison::LessOrEqual, _) => "lte",
            Self::Exists(_) => "exists",
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Equals(value) | Self::Differs(value) | Self::Contains(value) | Self::Compares(_, value) => {
                value.clone()
            }
            Self::OneOf(values) => Value::Array(values.clone()),
            Self::StartsWith(text) | Self::EndsWith(text) => Value::from(text.as_str()),
            Self::Exists(wanted) => Value::from(*wanted),
        }
    }
}

impl Comparison {
    const fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value, "filter").map_err(|errors| {
            let first = errors.into_iter().next().map(|error| error.to_string());
            D::Error::custom(first.unwrap_or_else(|| "is not a filter".to_owned()))
        })
    }
}
