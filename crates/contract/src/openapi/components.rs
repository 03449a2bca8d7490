//! What operations share: headers, security, problem answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    codes::ErrorCode,
    operations::Operation,
    problem::{ErrorSummary, FieldError, PROBLEM_CONTENT_TYPE, Problem},
    sample,
};

/// How a key may be sent.
pub(super) const SECURITY_SCHEMES: [&str; 2] = ["apiKey", "bearer"];

pub(super) fn security_schemes() -> Value {
    json!({
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key as it is"},
        "bearer": {"type": "http", "scheme": "bearer", "description": "The key as `Authorization: Bearer KEY`"},
    })
}

/// The names of the headers that an operation looks at.
pub(super) fn header_parameters(operation: &Operation) -> impl Iterator<Item = &'static str> {
    let own = [
        operation.is_repeatable().then_some("Idempotency-Key"),
        operation.is_conditional().then_some("If-Match"),
        operation.is_stream.then_some("Last-Event-ID"),
    ];
    ["X-Project-ID", "X-Organization-ID", "X-Request-ID"].into_iter().chain(own.into_iter().flatten())
}

pub(super) fn parameters() -> Value {
    let header = |name: &str, description: &str, pattern: &str, example: &str| {
        json!({
            "name": name,
            "in": "header",
            "description": description,
            "schema": {"type": "string", "pattern": pattern},
            "example": example,
        })
    };
    let project = "The project that is meant; the key's own, or the organization's default project, if left out";
    let organization = "The organization that an operator key acts for; other keys may name their own";
    let request = "Your name for this request; it is in the answer and in the log. One that does not fit is replaced";
    let if_match = "The `ETag` of what the change is to be made to: if it has another one now, nothing is changed";
    let last_event = "Where the stream is to go on: the `id` that was read last";
    let idempotency = "A repetition of the same request under the same key is answered as the first time was";
    json!({
        "X-Project-ID": header("X-Project-ID", project, "^prj_[0-9a-z]{26}$", sample::PROJECT),
        "X-Organization-ID":
            header("X-Organization-ID", organization, "^org_[0-9a-z]{26}$", sample::ORGANIZATION),
        "X-Request-ID": header("X-Request-ID", request, "^[A-Za-z0-9_.-]{1,64}$", "checkout-8f14e45f"),
        "If-Match": header("If-Match", if_match, "^(\\*|\"[!-~]*\")$", "\"3\""),
        "Last-Event-ID": header("Last-Event-ID", last_event, "^[!-~]{0,64}$", "19a1b2c3d4e.1-42"),
        "Idempotency-Key": header("Idempotency-Key", idempotency, "^[ -~]{1,255}$", "subscription-4711-customer"),
    })
}

pub(super) fn headers() -> Value {
    json!({
        "X-Request-ID": {"description": "The request's name, in the log as well", "schema": {"type": "string"}},
        "ETag": {
            "description": "What is shown, as one word: sent as `If-Match`, a change is made to exactly this",
            "schema": {"type": "string"},
        },
        "Idempotent-Replay": {
            "description": "`true`: this is the answer of an earlier request with the same idempotency key",
            "schema": {"type": "string", "enum": ["true"]},
        },
        "Retry-After": {
            "description": "Seconds to wait before the request is repeated",
            "schema": {"type": "integer", "minimum": 0},
        },
    })
}

pub(super) fn by_status(codes: impl Iterator<Item = ErrorCode>) -> BTreeMap<u16, Vec<ErrorCode>> {
    let mut groups: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        groups.entry(code.status()).or_default().push(code);
    }
    groups
}

/// `409.already_exists.idempotency_conflict`
pub(super) fn response_name(status: u16, codes: &[ErrorCode]) -> String {
    codes.iter().fold(status.to_string(), |name, code| name + "." + code.as_str())
}

/// The answer that is a problem with one of these codes, all of one status.
pub(super) fn problem_response(codes: &[ErrorCode]) -> Value {
    let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let lines: Vec<_> =
        codes.iter().map(|code| format!("`{}`: {}. {}", code.as_str(), code.title(), code.way_out())).collect();
    let examples: Map<_, _> = codes
        .iter()
        .map(|code| (code.as_str().to_owned(), json!({"summary": code.title(), "value": example_problem(*code)})))
        .collect();
    let mut headers = json!({"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}});
    if matches!(codes.first().map(|code| code.status()), Some(429 | 503 | 507)) {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"});
    }
    json!({
        "description": lines.join("\n\n"),
        "headers": headers,
        "content": {
            PROBLEM_CONTENT_TYPE: {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Problem"}],
                    "properties": {"code": {"enum": words}},
                },
                "examples": examples,
            },
        },
    })
}

/// What a problem with this code looks like.
pub fn example_problem(code: ErrorCode) -> Problem {
    let mut extra = Map::new();
    let (field, message) = match code {
        ErrorCode::PayloadTooLarge => {
            extra.insert("max_bytes".to_owned(), json!(262_144));
            (None, "the body is larger than 262144 bytes")
        }
        ErrorCode::UrlNotAllowed => {
            extra.insert("reason".to_owned(), json!("private_address"));
            (Some("url"), "the address 10.0.0.7 is private")
        }
        ErrorCode::LimitExceeded => {
            for (name, value) in [("limit", json!("webhooks")), ("current", json!(5)), ("max", json!(5))] {
                extra.insert(name.to_owned(), value);
            }
            extra.insert("upgrade_url".to_owned(), json!("https://example.com/plans"));
            (None, "the organization's plan allows 5 webhooks and it has 5, disabled ones included")
        }
        ErrorCode::UnknownEventType => (Some("type"), "\"tag.subscribd\" is not in the catalogue"),
        ErrorCode::ValidationFailed => (Some("timeout_ms"), "must lie between 1000 and 30000"),
        other => (None, other.title()),
    };
    let errors: Vec<_> = field
        .map(|field| {
            let code = if code == ErrorCode::ValidationFailed { "invalid" } else { code.as_str() };
            FieldError { field: field.to_owned(), code: code.to_owned(), message: message.to_owned() }
        })
        .into_iter()
        .collect();
    let detail = field.map_or_else(|| message.to_owned(), |field| format!("{field}: {message}"));
    Problem {
        kind: format!("/docs/errors#{}", code.as_str()),
        title: code.title().to_owned(),
        status: code.status(),
        detail: detail.clone(),
        instance: "/api/v1/…".to_owned(),
        code: code.as_str().to_owned(),
        errors: errors.clone(),
        extra,
        request_id: "req_06fdmt8n2c0e8r".to_owned(),
        error: ErrorSummary { code: code.as_str().to_owned(), message: detail, details: errors },
    }
}
