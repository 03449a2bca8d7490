//! From the JSON form to a checked filter; every wrong place is named at once.

use serde_json::{Map, Value};

use super::{
    Comparison, FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_NODES_MAX, FILTER_VALUES_MAX, Filter, Node, Path, Test,
};

const OPERATORS: [&str; 11] = ["eq", "ne", "in", "prefix", "suffix", "contains", "gt", "gte", "lt", "lte", "exists"];
const FORMS: &str = "must be one of {\"all\": […]}, {\"any\": […]}, {\"not\": {…}}, {\"path\", \"op\", \"value\"}";

/// One thing that is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidFilter {
    /// Where: `filter.all[2].op`.
    pub field: String,
    /// Stable: `invalid`, `missing`, `unknown_field` or `too_long`.
    pub code: &'static str,
    /// What is wrong there.
    pub message: String,
}

pub(super) fn read(value: &Value, field: &str) -> Result<Filter, Vec<InvalidFilter>> {
    let bytes = value.to_string().len();
    if bytes > FILTER_BYTES_MAX {
        let message = format!("has {bytes} bytes as JSON; at most {FILTER_BYTES_MAX} are taken");
        return Err(vec![InvalidFilter { field: field.to_owned(), code: "too_long", message }]);
    }
    let mut reader = Reader { errors: Vec::new(), nodes: 0 };
    let root = reader.node(value, field, 1);
    if reader.nodes > FILTER_NODES_MAX {
        let message = format!("has more than {FILTER_NODES_MAX} tests and groups");
        return Err(vec![InvalidFilter { field: field.to_owned(), code: "too_long", message }]);
    }
    match root {
        Some(root) if reader.errors.is_empty() => Ok(Filter::new(root)),
        _ => Err(reader.errors),
    }
}

struct Reader {
    errors: Vec<InvalidFilter>,
    nodes: usize,
}

impl Reader {
    fn wrong<T>(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Option<T> {
        self.errors.push(InvalidFilter { field: field.into(), code, message: message.into() });
        None
    }

    fn node(&mut self, value: &Value, field: &str, depth: usize) -> Option<Node> {
        self.nodes += 1;
        if self.nodes > FILTER_NODES_MAX {
            return None;
        }
        if depth > FILTER_DEPTH_MAX {
            return self.wrong(field, "invalid", format!("nests more than {FILTER_DEPTH_MAX} levels"));
        }
        let Some(members) = value.as_object() else { return self.wrong(field, "invalid", FORMS) };
        let group = ["all", "any", "not"].into_iter().find_map(|name| Some((name, members.get(name)?)));
        let known: &[&str] = match group {
            Some((name, _)) => &[name],
            None => &["path", "op", "value"],
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("unknown field `{name}`: a filter {FORMS}");
            self.wrong::<()>(format!("{field}.{name}"), "unknown_field", message);
        }
        match group {
            Some(("not", inner)) => {
                self.node(inner, &format!("{field}.not"), depth + 1).map(|node| Node::Not(Box::new(node)))
            }
            Some((name, inner)) => {
                let nodes = self.nodes(inner, &format!("{field}.{name}"), depth + 1)?;
                Some(if name == "all" { Node::All(nodes) } else { Node::Any(nodes) })
            }
            None => self.test(members, field),
        }
    }

    /// An empty group is a mistake more often than it is meant: `all` of nothing is everything.
    fn nodes(&mut self, value: &Value, field: &str, depth: usize) -> Option<Vec<Node>> {
        let list = match value.as_array() {
            Some(list) if !list.is_empty() => list,
            _ => return self.wrong(field, "invalid", "must be a list of at least one filter"),
        };
        let nodes: Vec<_> =
            list.iter().enumerate().map(|(place, one)| self.node(one, &format!("{field}[{place}]"), depth)).collect();
        nodes.into_iter().collect()
    }

    fn test(&mut self, members: &Map<String, Value>, field: &str) -> Option<Node> {
        if !members.contains_key("path") && !members.contains_key("op") {
            return self.wrong(field, "invalid", FORMS);
        }
        let path = self.text(members, field, "path").and_then(|text| match Path::parse(text) {
            Ok(path) => Some(path),
            Err(message) => self.wrong(format!("{field}.path"), "invalid", message),
        });
        let op = self.text(members, field, "op")?;
        let test = self.operator(op, members.get("value"), field);
        Some(Node::Test(path?, test?))
    }

    fn text<'a>(&mut self, members: &'a Map<String, Value>, field: &str, name: &str) -> Option<&'a str> {
        match members.get(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) => self.wrong(format!("{field}.{name}"), "invalid", "must be a text"),
            None => self.wrong(format!("{field}.{name}"), "missing", format!("missing field `{name}`")),
        }
    }

    fn operator(&mut self, op: &str, value: Option<&Value>, field: &str) -> Option<Test> {
        let place = format!("{field}.value");
        if op == "exists" {
            return match value {
                None => Some(Test::Exists(true)),
                Some(Value::Bool(wanted)) => Some(Test::Exists(*wanted)),
                Some(_) => self.wrong(place, "invalid", "must be true or false for \"exists\"; left out, it is true"),
            };
        }
        if !OPERATORS.contains(&op) {
            let known = OPERATORS.join(", ");
            return self.wrong(format!("{field}.op"), "invalid", format!("must be one of {known}"));
        }
        let Some(value) = value else {
            return self.wrong(place, "missing", format!("missing field `value`, which {op:?} compares with"));
        };
        let test = match op {
            "ne" => Ok(Test::Differs(value.clone())),
            "in" => choice(value).map(Test::OneOf),
            "prefix" => part(value).map(Test::StartsWith),
            "suffix" => part(value).map(Test::EndsWith),
            "contains" => Ok(Test::Contains(value.clone())),
            "gt" => ordered(value).map(|value| Test::Compares(Comparison::Greater, value)),
            "gte" => ordered(value).map(|value| Test::Compares(Comparison::GreaterOrEqual, value)),
            "lt" => ordered(value).map(|value| Test::Compares(Comparison::Less, value)),
            "lte" => ordered(value).map(|value| Test::Compares(Comparison::LessOrEqual, value)),
            _ => Ok(Test::Equals(value.clone())),
        };
        match test {
            Ok(test) => Some(test),
            Err(message) => self.wrong(place, "invalid", format!("{message} for {op:?}")),
        }
    }
}

fn choice(value: &Value) -> Result<Vec<Value>, &'static str> {
    const { assert!(FILTER_VALUES_MAX == 256, "the message below says so") };
    match value.as_array() {
        Some(values) if !values.is_empty() && values.len() <= FILTER_VALUES_MAX => Ok(values.clone()),
        _ => Err("must be a list of 1 to 256 values"),
    }
}

fn part(value: &Value) -> Result<String, &'static str> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("must be a text that is not empty"),
    }
}

fn ordered(value: &Value) -> Result<Value, &'static str> {
    if value.is_number() || value.is_string() { Ok(value.clone()) } else { Err("must be a number or a text") }
}
