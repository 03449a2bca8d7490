//! Refusals as the SDK reads them (RFC 7807), with the guide's `error` beside.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tidings_contract::{
    codes::ErrorCode,
    problem::{PROBLEM_CONTENT_TYPE, Problem},
};

use crate::answer::json_bytes;

/// What the types of problems start with.
const TYPES: &str = "https://subscribeflow.net/errors/";

/// Status, content type and body. The limit is 402: that is what the SDK looks for, while the
/// guide says 403.
pub(in crate::compat) fn refusal(problem: &Problem) -> (StatusCode, &'static str, Bytes) {
    let is_limit = problem.code == ErrorCode::LimitExceeded.as_str();
    let status = if is_limit { StatusCode::PAYMENT_REQUIRED.as_u16() } else { problem.status };
    let fields = problem.errors.iter();
    let errors: Vec<_> =
        fields.map(|error| json!({"loc": ["body", error.field], "msg": error.message, "type": error.code})).collect();
    let details: Vec<_> =
        problem.errors.iter().map(|error| json!({"field": error.field, "message": error.message})).collect();
    let mut body = Map::from_iter([
        ("type".to_owned(), json!(format!("{TYPES}{}", problem.code))),
        ("title".to_owned(), json!(problem.title)),
        ("status".to_owned(), json!(status)),
        ("detail".to_owned(), json!(problem.detail)),
        ("instance".to_owned(), json!(problem.instance)),
        ("errors".to_owned(), json!(errors)),
        ("error".to_owned(), json!({"code": problem.code, "message": problem.detail, "details": details})),
    ]);
    for (member, value) in &problem.extra {
        // The SDK takes the address for a text.
        let value = if value.is_null() { Value::from("") } else { value.clone() };
        body.insert(member.clone(), value);
    }
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), PROBLEM_CONTENT_TYPE, json_bytes(&body))
}
