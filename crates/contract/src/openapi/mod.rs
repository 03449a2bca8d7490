//! The OpenAPI 3.1 document, made from the operations, the wire types and the error codes.
//!
//! Nothing in it is written twice: what the server checks is what the document says.

mod components;
mod paths;
mod webhooks;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

pub use self::components::example_problem;
pub use self::paths::{GROUPS, Group, group_of, needed_scopes};
use crate::operations::OPERATIONS;

/// The version of OpenAPI that the document follows.
pub const OPENAPI_VERSION: &str = "3.1.0";
/// Where the document is served, below [`crate::BASE_PATH`]; asked for without a key.
pub const OPENAPI_PATH: &str = "/openapi.json";

const DESCRIPTION: &str = "\
Takes events and carries each to the webhooks that want it, signed, at least once, with every attempt on record.\n\n\
Send the key as `X-API-Key: KEY` or `Authorization: Bearer KEY`, and `X-Project-ID` if the key reaches several projects \
and another than the default one is meant. What belongs to another organization or project \
answers exactly like what does not exist: 404. Unknown fields and unknown query parameters are errors that name them. \
Lists come in pages, newest first. Errors are problem bodies (RFC 9457) with a stable `code`.";

/// Collects schemas while operations refer to them. What a request may leave out, an answer always
/// has, so each direction has a generator of its own.
pub(crate) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let (requests, answers) = (settings.clone().for_deserialize(), settings.for_serialize());
        Self { requests: requests.into_generator(), answers: answers.into_generator() }
    }

    /// All schemas by name.
    ///
    /// # Panics
    ///
    /// A type looks different in requests and in answers, and has one name for both. A test finds
    /// this before anybody else does.
    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        for (name, schema) in self.answers.take_definitions(true) {
            if let Some(known) = all.get(&name) {
                assert_eq!(*known, schema, "{name} is not the same in requests and in answers: make two types");
            }
            all.insert(name, schema);
        }
        all.sort_keys();
        all
    }
}

/// The document, for a server of this version.
pub fn document(version: &str) -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answers.subschema_for::<crate::problem::Problem>();
    debug_assert!(problem.get("$ref").is_some(), "problems are referred to by name");
    let mut responses = Map::new();
    let mut all_paths = Map::new();
    for operation in OPERATIONS {
        let path = all_paths.entry(format!("{}{}", crate::BASE_PATH, operation.path)).or_insert_with(|| json!({}));
        let described = paths::describe(operation, &mut schemas, &mut responses);
        path[operation.method.to_ascii_lowercase()] = described;
    }
    responses.sort_keys();
    let tags: Vec<_> = GROUPS.iter().map(|group| json!({"name": group.name, "description": group.about})).collect();
    let receivers = webhooks::describe();
    json!({
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Tidings",
            "summary": "Webhooks, reliably",
            "description": DESCRIPTION,
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from"}],
        "tags": tags,
        "paths": all_paths,
        "webhooks": receivers,
        "components": {
            "securitySchemes": components::security_schemes(),
            "parameters": components::parameters(),
            "headers": components::headers(),
            "responses": responses,
            "schemas": schemas.finish(),
        },
    })
}

/// The document as it is kept in the repository: readable, and with a line end.
pub fn text(version: &str) -> String {
    format!("{:#}\n", document(version))
}
