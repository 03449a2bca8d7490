//! `tidings dev`: an inbox that takes whatever is sent to it and shows it.
//!
//! Point a webhook at `http://ADDRESS/dev/inbox/ANYTHING` and look at `/dev/inbox`.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

/// Requests that are kept; older ones make room.
const KEPT_MAX: usize = 100;
/// Bytes of a body that is taken.
const BODY_BYTES_MAX: usize = 512 * 1024;

/// A request as it arrived.
#[derive(Debug, Clone, Serialize)]
struct Arrived {
    number: u64,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    requests: VecDeque<Arrived>,
}

type Inbox = Arc<Mutex<Kept>>;

/// The routes of the inbox.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/dev/inbox", get(show).post(take_unnamed).delete(empty))
        .route("/dev/inbox/{*name}", post(take))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Inbox::default())
}

async fn take_unnamed(inbox: State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    take(inbox, Path(String::new()), headers, body).await
}

async fn take(State(inbox): State<Inbox>, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    let mut kept = inbox.lock().unwrap_or_else(PoisonError::into_inner);
    kept.count += 1;
    let arrived = Arrived { number: kept.count, path: format!("/dev/inbox/{name}"), headers, body: text(&body) };
    if kept.requests.len() == KEPT_MAX {
        kept.requests.pop_back();
    }
    kept.requests.push_front(arrived);
    StatusCode::NO_CONTENT
}

async fn empty(State(inbox): State<Inbox>) -> StatusCode {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).requests.clear();
    StatusCode::NO_CONTENT
}

/// JSON for programs that ask for it, otherwise plain text: what arrived is shown, never obeyed.
async fn show(State(inbox): State<Inbox>, headers: HeaderMap) -> Response {
    let requests = inbox.lock().unwrap_or_else(PoisonError::into_inner).requests.clone();
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") {
        return Json(requests).into_response();
    }
    let mut page = format!("{} requests, newest first. POST to /dev/inbox/ANYTHING adds one.\n", requests.len());
    for arrived in &requests {
        // Writing into a string cannot fail.
        let _ = write!(page, "\n#{} POST {}\n", arrived.number, arrived.path);
        for (name, value) in &arrived.headers {
            let _ = writeln!(page, "  {name}: {value}");
        }
        let _ = writeln!(page, "\n  {}", arrived.body);
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], page).into_response()
}
