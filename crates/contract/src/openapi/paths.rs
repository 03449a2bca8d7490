//! One operation as OpenAPI describes it.

use serde_json::{Map, Value, json};

use super::{Schemas, components};
use crate::{
    operations::{Access, OPERATIONS, Operation, Takes},
    parameters::{Kind, Parameter},
    sample,
};

/// Operations on one kind of thing, which their paths begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The first segment of the paths.
    pub segment: &'static str,
    /// What readers call them.
    pub name: &'static str,
    /// What they are.
    pub about: &'static str,
    /// What `{id}` or `{name}` in the paths is.
    pub id: &'static str,
    /// An example of it.
    pub example: &'static str,
}

const fn group(
    segment: &'static str,
    name: &'static str,
    about: &'static str,
    id: &'static str,
    example: &'static str,
) -> Group {
    Group { segment, name, about, id, example }
}

/// All groups, in the order readers meet them.
pub const GROUPS: &[Group] = &[
    group("events", "Events", "What happened, published once and kept.", "The event's id", sample::EVENT),
    group("webhooks", "Webhooks", "Where events go, and how.", "The webhook's id", sample::WEBHOOK),
    group("deliveries", "Deliveries", "One event on its way to one webhook.", "The delivery's id", sample::DELIVERY),
    group("jobs", "Jobs", "Long work in small steps.", "The job's id", sample::JOB),
    group("event-types", "Event types", "The catalogue of what may happen.", "The type's name", sample::TYPE),
    group("refused-types", "Refused types", "Types of events that the catalogue does not know.", "", ""),
    group("sources", "Sources", "Where providers' webhooks come in.", "The source's id", sample::SOURCE),
    group("receipts", "Receipts", "Providers' webhooks, taken in.", "The receipt's id", sample::RECEIPT),
    group("records", "Records", "Documents that actions keep.", "The record's kind", "subscriber"),
    group("commands", "Commands", "Small scripts with a name.", "The command's name", "/onPayment"),
    group("bot", "Bots", "Bots of Bots.Business that were imported.", "", ""),
    group("hook-urls", "Hook URLs", "URLs that run a command.", "", ""),
    group("command-settings", "Command settings", "How often hook URLs may be called.", "", ""),
    group("runs", "Runs", "Executions of commands.", "The run's id", sample::RUN),
    group("portal", "Portal", "What a project shows its customer.", "", ""),
    group(
        "portal-sessions",
        "Portal sessions",
        "Links to a portal.",
        "The session's id",
        "pts_01ls2bhxf0f008pa4s70l9w39q",
    ),
    group("stream", "Stream", "What happens to deliveries, while it happens.", "", ""),
    group("stats", "Statistics", "Figures of a whole project.", "", ""),
    group("organizations", "Organizations", "Customers.", "The organization's id", sample::ORGANIZATION),
    group("projects", "Projects", "Nothing crosses from one to another.", "The project's id", sample::PROJECT),
    group("plans", "Plans", "What organizations may have.", "", ""),
    group("presets", "Presets", "What can fill a new project.", "The preset's name", "subscribeflow"),
    group("api-keys", "API keys", "Who may do what.", "The key's public id", sample::API_KEY),
    group("members", "Members", "Who signs in, and as what.", "The account's id", sample::ACCOUNT),
    group("invites", "Invites", "Links that make somebody a member.", "The invite's id", sample::INVITE),
    group("start-links", "Start links", "Links that make somebody an operator.", "", ""),
    group("audit-log", "Audit log", "What was done, by whom and from where.", "", ""),
    group("instance", "Instance", "The server itself.", "", ""),
];

/// The group of an operation.
///
/// # Panics
///
/// The table has no such group. A test finds this before anybody else does.
pub fn group_of(operation: &Operation) -> &'static Group {
    let segment = operation.path.split('/').nth(1).unwrap_or_default();
    let found = GROUPS.iter().find(|group| group.segment == segment);
    found.unwrap_or_else(|| panic!("{} {}: give {segment:?} a line in GROUPS", operation.method, operation.path))
}

/// The scopes of which a key needs one; empty: any key will do; `operator`: the operator's only.
pub fn needed_scopes(access: Access) -> Vec<&'static str> {
    match access {
        Access::AnyKey => Vec::new(),
        Access::Scope(scope) => vec![scope.as_str()],
        Access::AnyOf(scopes) => scopes.iter().map(|scope| scope.as_str()).collect(),
        Access::Operator => vec!["operator"],
    }
}

/// The operation's description; its problem answers are added to `responses` and referred to.
pub(super) fn describe(operation: &Operation, schemas: &mut Schemas, responses: &mut Map<String, Value>) -> Value {
    let mut described = json!({
        "tags": [group_of(operation).name],
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "description": access_text(operation.access),
        "security": security(operation.access),
        "parameters": parameters(operation),
    });
    if let Some(shape) = operation.body() {
        let schema = (shape.schema)(&mut schemas.requests);
        described["requestBody"] = json!({
            "required": matches!(operation.takes, Takes::Body(_)),
            "content": {"application/json": {"schema": schema, "example": (shape.example)()}},
        });
    }
    let mut answers = Map::new();
    answers.insert(operation.status.to_string(), success(operation, schemas));
    for (status, codes) in components::by_status(operation.codes()) {
        let name = components::response_name(status, &codes);
        answers.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
        responses.entry(name).or_insert_with(|| components::problem_response(&codes));
    }
    described["responses"] = Value::Object(answers);
    described
}

/// `post_webhooks_id_test`
fn operation_id(operation: &Operation) -> String {
    let path = operation.path.replace(['{', '}'], "").replace(['/', '-', '.'], "_");
    format!("{}{path}", operation.method.to_ascii_lowercase())
}

fn access_text(access: Access) -> String {
    match needed_scopes(access).as_slice() {
        [] => "Any valid key may do this.".to_owned(),
        ["operator"] => "Only the operator's keys may do this.".to_owned(),
        scopes => format!("Needs a key with the scope `{}`.", scopes.join("` or `")),
    }
}

/// Either header will do, with any of the scopes; OpenAPI 3.1 takes the names of roles here.
fn security(access: Access) -> Vec<Value> {
    let scopes = needed_scopes(access);
    let roles: Vec<Vec<&str>> =
        if scopes.is_empty() { vec![Vec::new()] } else { scopes.into_iter().map(|scope| vec![scope]).collect() };
    components::SECURITY_SCHEMES
        .iter()
        .flat_map(|scheme| roles.iter().map(move |roles| json!({(*scheme): roles})))
        .collect()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let group = group_of(operation);
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = in_path
        .map(|name| {
            let (meaning, example) = match name {
                "version" => ("The version's number", "1"),
                "key" => ("The record's key", "ann@example.com"),
                _ => (group.id, group.example),
            };
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": meaning,
                "schema": {"type": "string", "minLength": 1},
                "example": example,
            })
        })
        .collect();
    all.extend(operation.query.iter().map(query_parameter));
    let headers = components::header_parameters(operation);
    all.extend(headers.map(|name| json!({"$ref": format!("#/components/parameters/{name}")})));
    all
}

fn query_parameter(parameter: &Parameter) -> Value {
    let (schema, example) = match parameter.kind {
        Kind::Text => (json!({"type": "string"}), json!(parameter.example)),
        Kind::Time => (json!({"type": "string", "format": "date-time"}), json!(parameter.example)),
        Kind::Number(from, to) => (
            json!({"type": "integer", "minimum": from, "maximum": to}),
            parameter.example.parse::<u64>().map_or(Value::Null, Value::from),
        ),
        Kind::Flag => (json!({"type": "boolean"}), json!(parameter.example == "true")),
        Kind::Word(words) => (json!({"type": "string", "enum": words}), json!(parameter.example)),
        Kind::Pattern(pattern) => (json!({"type": "string", "pattern": pattern}), json!(parameter.example)),
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.meaning,
        "schema": schema,
        "example": example,
    })
}

fn success(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut headers = json!({"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}});
    if operation.is_repeatable() {
        headers["Idempotent-Replay"] = json!({"$ref": "#/components/headers/Idempotent-Replay"});
    }
    // What can be changed under a condition says under which.
    let is_tagged = |other: &&Operation| other.path == operation.path && other.is_conditional();
    if operation.method != "DELETE" && OPERATIONS.iter().any(|other| is_tagged(&other)) {
        headers["ETag"] = json!({"$ref": "#/components/headers/ETag"});
    }
    let text = if operation.is_stream { STREAM_TEXT } else { success_text(operation.status) };
    let mut answer = json!({"description": text, "headers": headers});
    if let Some(shape) = operation.answers {
        let schema = (shape.schema)(&mut schemas.answers);
        let content_type = operation.content_type();
        answer["content"] = json!({content_type: {"schema": schema, "example": (shape.example)()}});
    }
    answer
}

const STREAM_TEXT: &str = "Server-sent events without an end. The schema is that of the data of each event `delivery`; \
                           an event `reset` says that some were missed.";

fn success_text(status: u16) -> &'static str {
    match status {
        201 => "Made",
        202 => "Accepted, and safely on disk",
        204 => "Done; there is no body",
        _ => "As asked",
    }
}
