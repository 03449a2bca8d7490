//! The webhooks of an OpenAPI document, read as event types.
//!
//! Where a body looks like our envelope, having `type` and `data`, its schema describes what `data`
//! is; any other schema describes `data` itself.

use serde_json::{Value, json};
use tidings_contract::event_type::IMPORTED_EVENT_TYPES_MAX;
use tidings_domain::webhook::DESCRIPTION_CHARACTERS_MAX;

use super::bundle::bundle;
use crate::error::ApiError;

/// References that are followed one after the other: a chain may be a circle.
const HOPS_MAX: usize = 8;
/// Parts of a body's schema that are looked at for `type` and `data`.
const PARTS_MAX: usize = 64;
/// Bytes of all schemas with what they refer to: a document may refer to the same from everywhere.
const SCHEMAS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What sends an event; `post` is what nearly all documents say.
const METHODS: [&str; 3] = ["post", "put", "patch"];

/// What a document says of one event type.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Described {
    pub(super) group: Option<String>,
    pub(super) description: Option<String>,
    /// JSON text.
    pub(super) example: Option<String>,
    /// JSON text.
    pub(super) schema: Option<String>,
}

/// A webhook's name, and what is said of it or why that cannot be taken.
pub(super) type Webhook = (String, Result<Described, String>);

/// All webhooks of the document, in its order.
pub(super) fn read(document: &Value) -> Result<Vec<Webhook>, ApiError> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if version != "3.1" && !version.starts_with("3.1.") {
        let message = "must be 3.1 or 3.1.x: this is about the webhooks that OpenAPI 3.1 describes";
        return Err(ApiError::field("document.openapi", "invalid", message));
    }
    let field = "document.webhooks";
    let webhooks = match document.get("webhooks") {
        Some(Value::Object(webhooks)) if !webhooks.is_empty() => webhooks,
        Some(Value::Object(_)) | None => {
            return Err(ApiError::field(field, "missing", "the document describes no webhooks"));
        }
        Some(_) => return Err(ApiError::field(field, "invalid", "must be an object: webhooks by name")),
    };
    if webhooks.len() > IMPORTED_EVENT_TYPES_MAX {
        let message = format!("has more than {IMPORTED_EVENT_TYPES_MAX} webhooks: import them in parts");
        return Err(ApiError::field(field, "too_many", message));
    }
    let mut bytes = 0;
    let mut bounded = |found: Described| {
        bytes += found.schema.as_ref().map_or(0, String::len);
        let message = "schema: the document's schemas are too large together: import its webhooks in parts";
        if bytes > SCHEMAS_BYTES_MAX { Err(message.to_owned()) } else { Ok(found) }
    };
    let each = |(name, item): (&String, &Value)| (name.clone(), describe(document, item).and_then(&mut bounded));
    Ok(webhooks.iter().map(each).collect())
}

fn describe(document: &Value, item: &Value) -> Result<Described, String> {
    let item = follow(document, item)?;
    let operation = METHODS.iter().find_map(|method| item.get(method)).filter(|operation| operation.is_object());
    let operation = operation.ok_or("describes no POST request")?;
    let texts = [operation, item].into_iter().flat_map(|place| [place.get("summary"), place.get("description")]);
    let description = texts.flatten().filter_map(Value::as_str).map(plain).find(|text| !text.is_empty());
    let tag = operation.get("tags").and_then(|tags| tags.get(0)?.as_str());
    let mut described = Described { group: tag.map(str::to_owned), description, ..Described::default() };
    let Some(body) = operation.get("requestBody") else { return Ok(described) };
    let content = follow(document, body)?.get("content").and_then(Value::as_object);
    let Some((_, media)) = content.and_then(|content| content.iter().find(|(kind, _)| is_json(kind))) else {
        return Ok(described);
    };
    let data = media.get("schema").and_then(|schema| enveloped(document, schema));
    let schema = data.as_ref().or(media.get("schema"));
    described.schema = schema.map(|schema| bundle(document, schema)).transpose()?;
    let example = example(document, media)?;
    let example = if data.is_some() { example.and_then(|body| body.get("data")) } else { example };
    described.example = example.map(Value::to_string);
    Ok(described)
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// One line of text: documents describe with Markdown of any length.
fn plain(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(DESCRIPTION_CHARACTERS_MAX) {
        None => line,
        Some(_) => line.chars().take(DESCRIPTION_CHARACTERS_MAX - 1).chain(['…']).collect(),
    }
}

fn example<'a>(document: &'a Value, media: &'a Value) -> Result<Option<&'a Value>, String> {
    let first = media.get("examples").and_then(Value::as_object).and_then(|examples| examples.values().next());
    match (media.get("example"), first) {
        (Some(example), _) => Ok(Some(example)),
        (None, Some(first)) => Ok(follow(document, first)?.get("value")),
        (None, None) => Ok(None),
    }
}

/// The value, or what it refers to in the document.
fn follow<'a>(document: &'a Value, mut value: &'a Value) -> Result<&'a Value, String> {
    for _ in 0..HOPS_MAX {
        let Some(to) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
        value = local(document, to).ok_or_else(|| {
            let to: String = to.chars().take(100).collect();
            format!("refers to {to:?}, which is not a place in the document")
        })?;
    }
    Err(format!("refers on more than {HOPS_MAX} times, or in a circle"))
}

fn local<'a>(document: &'a Value, to: &str) -> Option<&'a Value> {
    to.strip_prefix('#').and_then(|pointer| document.pointer(pointer))
}

/// What `data` has to be, if this is the schema of a body with `type` and `data`. References that
/// lead nowhere are left to the bundling, which says so.
fn enveloped(document: &Value, schema: &Value) -> Option<Value> {
    let (mut typed, mut data) = (false, Vec::new());
    let mut parts = vec![schema];
    for _ in 0..PARTS_MAX {
        let Some(part) = parts.pop() else { break };
        let properties = part.get("properties");
        typed |= properties.is_some_and(|properties| properties.get("type").is_some());
        data.extend(properties.and_then(|properties| properties.get("data")));
        let base = part.get("$ref").and_then(Value::as_str);
        parts.extend(base.and_then(|to| local(document, to)));
        parts.extend(part.get("allOf").and_then(Value::as_array).into_iter().flatten());
    }
    match data.as_slice() {
        _ if !typed => None,
        [] => None,
        [one] => Some((*one).clone()),
        many => Some(json!({"allOf": many})),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn body(media: Value) -> Value {
        json!({"post": {"requestBody": {"content": {"application/json; charset=utf-8": media}}}})
    }

    /// What is read of a document with this webhook.
    fn one(item: Value) -> Result<Described, String> {
        let document = json!({
            "openapi": "3.1.1",
            "webhooks": {"it": item},
            "components": {
                "schemas": {
                    "Order": {"type": "object"},
                    "Base": {"type": "object", "properties": {"type": {"type": "string"}, "data": {"type": "object"}}},
                    "Circle": {"$ref": "#/components/schemas/Circle"},
                },
                "pathItems": {"Paid": {"post": {"summary": "Paid"}}, "Circle": {"$ref": "#/components/pathItems/Circle"}},
                "requestBodies": {"Order": {"content": {"application/json": {"example": 5}}}},
                "examples": {"Order": {"value": {"n": 1}}},
            },
        });
        read(&document).expect("webhooks").remove(0).1
    }

    fn described(schema: Option<Value>, example: Option<Value>) -> Result<Described, String> {
        let text = |value: Value| value.to_string();
        Ok(Described { schema: schema.map(text), example: example.map(text), ..Described::default() })
    }

    #[test]
    fn a_webhook_is_read_as_an_event_type() {
        let order = json!({"$ref": "#/components/schemas/Order"});
        let bundled = json!({"$ref": "#/$defs/Order", "$defs": {"Order": {"type": "object"}}});
        let envelope = json!({"properties": {"type": {"const": "it"}, "data": order}});
        let extended =
            json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"data": {"minProperties": 1}}}]});
        let text = |text: &str| Some(text.to_owned());
        let sentence = |description: &str| Ok(Described { description: text(description), ..Described::default() });
        for (item, expected) in [
            (json!({"post": {}}), Ok(Described::default())),
            (json!({"post": {"summary": "A", "description": "B"}, "summary": "C"}), sentence("A")),
            (json!({"post": {"summary": " ", "description": "B\n\nb\u{7}"}}), sentence("B b")),
            (json!({"put": {}, "description": "C"}), sentence("C")),
            (json!({"$ref": "#/components/pathItems/Paid"}), sentence("Paid")),
            (json!({"post": {"tags": ["X", "Y"]}}), Ok(Described { group: text("X"), ..Described::default() })),
            (json!({"post": {"requestBody": {"content": {"text/plain": {"schema": {}}}}}}), described(None, None)),
            (
                json!({"post": {"requestBody": {"$ref": "#/components/requestBodies/Order"}}}),
                described(None, Some(json!(5))),
            ),
            (
                body(json!({"schema": order, "example": {"n": 2}})),
                described(Some(bundled.clone()), Some(json!({"n": 2}))),
            ),
            (
                body(json!({"examples": {"a": {"$ref": "#/components/examples/Order"}}})),
                described(None, Some(json!({"n": 1}))),
            ),
            (body(json!({"examples": {"a": {"externalValue": "https://example.com"}}})), described(None, None)),
            (
                body(json!({"schema": envelope, "example": {"type": "it", "data": 7}})),
                described(Some(bundled), Some(json!(7))),
            ),
            (
                body(json!({"schema": envelope["properties"]})),
                described(
                    Some(json!({
                        "type": {"const": "it"}, "data": {"$ref": "#/$defs/Order"}, "$defs": {"Order": {"type": "object"}},
                    })),
                    None,
                ),
            ),
            (
                body(json!({"schema": extended})),
                described(Some(json!({"allOf": [{"minProperties": 1}, {"type": "object"}]})), None),
            ),
        ] {
            assert_eq!(one(item.clone()), expected, "{item}");
        }
        let long = one(json!({"post": {"summary": "x".repeat(5_000)}})).expect("read").description.expect("text");
        assert_eq!(long.chars().count(), DESCRIPTION_CHARACTERS_MAX);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (item, reason) in [
            (json!({}), "describes no POST request"),
            (json!(5), "describes no POST request"),
            (json!({"post": []}), "describes no POST request"),
            (json!({"$ref": "https://example.com/paid.json"}), "which is not a place in the document"),
            (json!({"$ref": "#/components/pathItems/No"}), "which is not a place in the document"),
            (json!({"$ref": "#/components/pathItems/Circle"}), "refers on more than 8 times, or in a circle"),
            (json!({"post": {"requestBody": {"$ref": "body.json"}}}), "which is not a place in the document"),
            (body(json!({"schema": {"$ref": "other.json"}})), "schema: refers to \"other.json\"; only references"),
        ] {
            let found = one(item.clone()).expect_err("refused");
            assert!(found.contains(reason), "{item}: {found}");
        }
        // A circle is bundled as it is; compiling refuses it.
        one(body(json!({"schema": {"$ref": "#/components/schemas/Circle"}}))).expect("bundled");
    }

    #[test]
    fn a_document_without_webhooks_is_refused_as_a_whole() {
        let many: Map<String, Value> =
            (0..=IMPORTED_EVENT_TYPES_MAX).map(|number| (number.to_string(), json!({"post": {}}))).collect();
        for (document, field, code) in [
            (json!({}), "document.openapi", "invalid"),
            (json!([]), "document.openapi", "invalid"),
            (json!({"swagger": "2.0", "webhooks": {"a": {"post": {}}}}), "document.openapi", "invalid"),
            (json!({"openapi": "3.0.3", "webhooks": {"a": {"post": {}}}}), "document.openapi", "invalid"),
            (json!({"openapi": "3.10.0", "webhooks": {"a": {"post": {}}}}), "document.openapi", "invalid"),
            (json!({"openapi": 3.1, "webhooks": {"a": {"post": {}}}}), "document.openapi", "invalid"),
            (json!({"openapi": "3.1.0"}), "document.webhooks", "missing"),
            (json!({"openapi": "3.1.0", "webhooks": {}}), "document.webhooks", "missing"),
            (json!({"openapi": "3.1.0", "webhooks": [1]}), "document.webhooks", "invalid"),
            (json!({"openapi": "3.1.0", "webhooks": many}), "document.webhooks", "too_many"),
        ] {
            let errors = read(&document).expect_err("refused").problem("/", "req").errors;
            assert_eq!((errors[0].field.as_str(), errors[0].code.as_str()), (field, code));
        }
    }

    #[test]
    fn schemas_that_all_refer_to_the_same_are_bounded_together() {
        let webhook = body(json!({"schema": {"$ref": "#/components/schemas/Big"}}));
        let webhooks: Map<String, Value> = (0..100).map(|number| (number.to_string(), webhook.clone())).collect();
        let big = json!({"const": "x".repeat(60_000)});
        let document = json!({"openapi": "3.1.0", "webhooks": webhooks, "components": {"schemas": {"Big": big}}});
        let taken = read(&document).expect("webhooks").iter().filter(|(_, found)| found.is_ok()).count();
        assert_eq!(taken, SCHEMAS_BYTES_MAX / 60_100);
    }
}
