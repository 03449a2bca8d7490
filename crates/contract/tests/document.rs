//! The OpenAPI document is whole, true to the types, and the one that the repository holds.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use tidings_contract::{
    codes::ErrorCode,
    openapi::{document, group_of, text},
    operations::{OPERATIONS, Operation, Takes},
};
use tidings_domain::operational;

fn name_of(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

fn described<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    let path = format!("{}{}", tidings_contract::BASE_PATH, operation.path);
    let described = &document["paths"][&path][operation.method.to_ascii_lowercase()];
    assert!(described.is_object(), "{} is not in the document", name_of(operation));
    described
}

/// A schema of the document as a document of its own, so that its references lead somewhere.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&whole).expect("a JSON Schema")
}

#[test]
fn the_repository_holds_the_document_of_this_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let held = fs::read_to_string(&path).unwrap_or_default();
    let made = text(env!("CARGO_PKG_VERSION"));
    assert!(held == made, "docs/openapi.json is not what the code says: run `cargo xtask openapi` and commit it");
}

#[test]
fn every_operation_says_what_it_takes_and_answers() {
    for operation in OPERATIONS {
        let name = name_of(operation);
        let takes_body = !matches!(operation.takes, Takes::Nothing);
        assert!(!takes_body || matches!(operation.method, "POST" | "PUT" | "PATCH"), "{name} has a body");
        assert_eq!(operation.answers.is_none(), operation.status == 204, "{name} answers {}", operation.status);
        assert!(operation.status != 201 || operation.is_repeatable(), "{name} creates without an idempotency key");
        assert!(!group_of(operation).name.is_empty(), "{name}");
        let codes: Vec<_> = operation.codes().collect();
        assert!(codes.contains(&ErrorCode::MissingCredentials), "{name}");
        let own: BTreeSet<_> = operation.refuses.iter().map(|code| code.as_str()).collect();
        assert_eq!(own.len(), operation.refuses.len(), "{name} lists an error twice");
    }
}

#[test]
fn every_example_is_one_of_its_type_and_of_its_schema() {
    let document = document("0.0.0");
    let mut checked = 0;
    for operation in OPERATIONS {
        let name = name_of(operation);
        let described = described(&document, operation);
        let answer = &described["responses"][operation.status.to_string()];
        for (shape, content) in [(operation.body(), &described["requestBody"]), (operation.answers, answer)] {
            let Some(shape) = shape else { continue };
            let example = (shape.example)();
            // Some types borrow from the text they are read from.
            let text: &'static str = example.to_string().leak();
            (shape.read)(text)
                .unwrap_or_else(|error| panic!("{name}: the example {text} is no {}: {error}", (shape.name)()));
            let content = &content["content"];
            let content = content.get("application/json").unwrap_or(&content[operation.content_type()]);
            let schema = &content["schema"];
            let wrong: Vec<_> =
                validator(&document, schema).iter_errors(&example).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{name}: the example {text} breaks its schema: {wrong:?}");
            checked += 1;
        }
    }
    assert!(checked > OPERATIONS.len(), "{checked} examples for {} operations", OPERATIONS.len());
}

#[test]
fn problems_and_what_receivers_get_are_of_their_schemas() {
    let document = document("0.0.0");
    let responses = document["components"]["responses"].as_object().expect("an object");
    for (name, response) in responses {
        let content = &response["content"]["application/problem+json"];
        let validator = validator(&document, &content["schema"]);
        for (code, example) in content["examples"].as_object().expect("an object") {
            assert!(validator.is_valid(&example["value"]), "{name}: {code}");
        }
        assert!(!validator.is_valid(&json!({"code": "made_up"})), "{name} takes anything");
    }
    for (name, webhook) in document["webhooks"].as_object().expect("an object") {
        let content = &webhook["post"]["requestBody"]["content"]["application/json"];
        assert!(validator(&document, &content["schema"]).is_valid(&content["example"]), "{name}");
    }
}

#[test]
fn names_are_unique_and_references_lead_somewhere() {
    let document = document("0.0.0");
    let mut ids = BTreeSet::new();
    for operation in OPERATIONS {
        let id = described(&document, operation)["operationId"].to_string();
        assert!(ids.insert(id), "{} has the id of another operation", name_of(operation));
    }
    let mut references = 0;
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("references stay inside");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            references += 1;
        }
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    assert!(references > 100);
}

#[test]
fn receivers_are_told_of_every_profile_and_every_operational_event() {
    let webhooks = document("0.0.0")["webhooks"].clone();
    for profile in tidings_domain::profile::Profile::ALL {
        let headers = webhooks[profile.as_str()]["post"]["parameters"].as_array().expect("a list").len();
        assert!(headers >= 5, "{profile} has {headers} headers");
    }
    // Nobody publishes the last one yet.
    let published = operational::TYPES.iter().filter(|(name, _)| *name != operational::JOB_FINISHED);
    for (name, _) in published {
        let content = &webhooks[*name]["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(content["example"]["type"], *name);
        assert_ne!(content["example"]["data"], json!({}), "give {name} an example in operational_data");
    }
}
