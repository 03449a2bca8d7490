//! The envelope around every answer. It repeats request id, method and path, which the server
//! knows, so a handler says only what is inside.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tidings_contract::problem::Problem;

use crate::{answer::json_bytes, compat::Asked};

const JSON: &str = "application/json";

/// What a handler answers; becomes a body in [`complete`].
#[derive(Clone)]
struct Inside {
    message: &'static str,
    data: Value,
}

/// An answer on its way into its envelope. Its status is always 200, also for what was made.
pub(super) fn answer(message: &'static str, data: &impl Serialize) -> Response {
    let data = serde_json::to_value(data).expect("the shapes always become JSON");
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Inside { message, data });
    response
}

/// Puts an answer into its envelope.
pub(in crate::compat) fn complete(response: &mut Response, asked: &Asked<'_>) {
    let Some(Inside { message, data }) = response.extensions_mut().remove::<Inside>() else { return };
    let body = json_bytes(&json!({
        "ok": true,
        "request_id": asked.request_id,
        "method": asked.method,
        "path": path(asked),
        "code": response.status().as_u16(),
        "message": message,
        "data": data,
    }));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}

/// A refusal in its envelope.
pub(in crate::compat) fn refusal(problem: &Problem, asked: &Asked<'_>) -> (StatusCode, &'static str, Bytes) {
    let body = json_bytes(&json!({
        "ok": false,
        "request_id": asked.request_id,
        "method": asked.method,
        "path": path(asked),
        "code": problem.status,
        "error": {"message": problem.detail, "code": problem.code.to_ascii_uppercase()},
    }));
    (StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), JSON, body)
}

/// The path as the system's clients know it.
fn path<'a>(asked: &Asked<'a>) -> &'a str {
    asked.path.strip_prefix(super::BASE_PATH).unwrap_or(asked.path)
}
