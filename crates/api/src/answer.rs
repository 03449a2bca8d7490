//! Writing answers.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use tidings_contract::list::ListBody;
use tidings_domain::page::{Page, Total};

use crate::request::cursor;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Marks the repetition of an earlier answer.
pub(crate) const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");

/// A body as JSON text.
pub(crate) fn json_bytes(body: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("the contract's types always become JSON"))
}

/// An answer with a body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    raw_json(status, json_bytes(body))
}

/// An answer whose body is JSON text already.
pub(crate) fn raw_json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(axum::body::Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// An earlier answer once more.
pub(crate) fn replayed(status: u16, body: Bytes) -> Response {
    let mut response = raw_json(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body);
    response.headers_mut().insert(REPLAY, HeaderValue::from_static("true"));
    response
}

/// 204.
pub(crate) fn empty() -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A page of a list.
pub(crate) fn list<T>(page: Page<T>) -> ListBody<T> {
    let (total, total_at_least) = match page.total {
        Total::Exact(total) => (Some(total), None),
        Total::AtLeast(total) => (None, Some(total)),
    };
    ListBody { data: page.rows, total, total_at_least, cursor: page.next_before.map(cursor) }
}
