//! A schema of an OpenAPI document, made to stand by itself.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};

/// Where a document keeps its schemas, and where a schema keeps those it refers to.
const COMPONENTS: &str = "#/components/schemas/";
const SHELF: &str = "$defs";
/// Values copied at most: twice of what a schema may have, so that this ends soon for any document.
const VALUES_MAX: usize = 10_000;
/// Keywords that hold schemas by name, and keywords that hold values in which `$ref` means nothing.
const MAPS: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];
const LITERALS: [&str; 5] = ["const", "enum", "default", "example", "examples"];

/// What a value is, as the walk comes upon it.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A schema, or a list of them.
    Schema,
    /// Schemas by name.
    Map,
    /// Anything.
    Literal,
}

/// The schema as JSON text, with the components it refers to under `$defs`.
pub(super) fn bundle(document: &Value, schema: &Value) -> Result<String, String> {
    let mut copier = Copier { left: VALUES_MAX, wanted: VecDeque::new(), known: HashSet::new() };
    let mut root = copier.copy(schema, Kind::Schema)?;
    let mut shelf = Map::new();
    while let Some(name) = copier.wanted.pop_front() {
        let part = document.get("components").and_then(|components| components.get("schemas")?.get(&name));
        let part = part.ok_or_else(|| format!("schema: {COMPONENTS}{name} leads nowhere"))?;
        let part = copier.copy(part, Kind::Schema)?;
        shelf.insert(name, part);
    }
    if let Value::Object(root) = &mut root
        && !shelf.is_empty()
    {
        match root.get_mut(SHELF) {
            Some(Value::Object(own)) => own.extend(shelf),
            _ => drop(root.insert(SHELF.to_owned(), Value::Object(shelf))),
        }
    }
    Ok(root.to_string())
}

struct Copier {
    left: usize,
    /// Names of components that are still to be copied.
    wanted: VecDeque<String>,
    known: HashSet<String>,
}

impl Copier {
    fn copy(&mut self, value: &Value, kind: Kind) -> Result<Value, String> {
        let more = || format!("schema: has more than {VALUES_MAX} values, with what it refers to");
        self.left = self.left.checked_sub(1).ok_or_else(more)?;
        match value {
            Value::Array(elements) => elements.iter().map(|element| self.copy(element, kind)).collect(),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let value = match (kind, value) {
                        (Kind::Schema, Value::String(to)) if name == "$ref" => Value::String(self.target(to)?),
                        _ => self.copy(value, inner(kind, name))?,
                    };
                    Ok((name.clone(), value))
                };
                members.iter().map(member).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            _ => Ok(value.clone()),
        }
    }

    /// What a reference becomes; the component it leads to will be copied.
    fn target(&mut self, to: &str) -> Result<String, String> {
        let place = to.strip_prefix(COMPONENTS).filter(|place| !place.contains('%'));
        let place = place.ok_or_else(|| {
            let to: String = to.chars().take(100).collect();
            format!("schema: refers to {to:?}; only references to {COMPONENTS}NAME in the document are followed")
        })?;
        let name = place.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        if self.known.insert(name.clone()) {
            self.wanted.push_back(name);
        }
        Ok(format!("#/{SHELF}/{place}"))
    }
}

fn inner(kind: Kind, name: &str) -> Kind {
    match kind {
        Kind::Schema if LITERALS.contains(&name) => Kind::Literal,
        Kind::Schema if MAPS.contains(&name) => Kind::Map,
        Kind::Schema | Kind::Map => Kind::Schema,
        Kind::Literal => Kind::Literal,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_schema_refers_to_comes_along_and_nothing_else() {
        let document = json!({"components": {"schemas": {
            "Order": {"properties": {"buyer": {"$ref": "#/components/schemas/a~1b"}, "$ref": {"type": "string"}}},
            "a/b": {"type": "object", "const": {"$ref": "#/components/schemas/Order"}},
            "Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            "Other": true,
        }}});
        let order = &document["components"]["schemas"]["Order"];
        let people = &document["components"]["schemas"]["a/b"];
        let bundled = json!({"properties": {"buyer": {"$ref": "#/$defs/a~1b"}, "$ref": {"type": "string"}}});
        let refers = |to: &str| json!({"$ref": to});
        for (schema, expected) in [
            (json!(true), json!(true)),
            (json!({"type": "string"}), json!({"type": "string"})),
            (json!({"properties": {"default": order}}), {
                json!({"properties": {"default": bundled}, "$defs": {"a/b": people}})
            }),
            (json!({"items": refers("#/components/schemas/Order"), "$defs": {"own": {}}}), {
                json!({"items": refers("#/$defs/Order"), "$defs": {"own": {}, "Order": bundled, "a/b": people}})
            }),
            (refers("#/components/schemas/Order/properties/buyer"), {
                let shelf = json!({"Order": bundled, "a/b": people});
                json!({"$ref": "#/$defs/Order/properties/buyer", "$defs": shelf})
            }),
            (refers("#/components/schemas/Node"), {
                json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"properties": {"next": refers("#/$defs/Node")}}}})
            }),
        ] {
            let text = bundle(&document, &schema).expect("a schema");
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), expected, "{schema}");
        }
        for to in ["https://example.com/a.json", "other.json#/A", "#/paths/x", "#/components/schemas/%41", "#"] {
            let reason = bundle(&document, &json!({"not": refers(to)})).expect_err(to);
            assert!(reason.starts_with(&format!("schema: refers to {to:?}; only")), "{reason}");
        }
        let reason = bundle(&document, &refers("#/components/schemas/No")).expect_err("nowhere");
        assert_eq!(reason, "schema: #/components/schemas/No leads nowhere");
        assert!(bundle(&document, &json!({"enum": vec![0; VALUES_MAX]})).expect_err("too much").contains("more than"));
    }
}
