//! Where providers' webhooks come in: `POST /in/{token}`; some providers first ask with a `GET`.
//!
//! In order: is there such a source, is there room for one more, the body (bounded while it streams
//! in), the signature over the bytes as they came, and then the commit. Only then the answer.

mod rates;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::any,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tidings_contract::codes::ErrorCode;
use tidings_domain::{
    billing::BILLING_SOURCE,
    source::{Identity, Incoming, Rejection, SourceKind, Via, accept, token_hash},
};
use tidings_engine::{HOPS, LiveSource, PublishError, Receipt, Received, SourceAddress};

pub(crate) use rates::Rates;

use crate::{answer::json, client_address::ClientAddress, error::ApiError, request::read_any, state::Api};

/// Bytes of a request's headers that a receipt keeps.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How often a request may have been sent on by servers like this one.
const HOPS_MAX: u32 = 5;
/// Headers whose values are keys to something else and are not kept.
pub(crate) const NOT_KEPT: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

pub(crate) fn routes() -> Router<Api> {
    let router = Router::new().route("/in/{token}", any(at_token));
    router.route("/webhooks/resend", any(at_resend)).route("/webhooks/stripe", any(at_stripe))
}

async fn at_token(
    State(api): State<Api>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    // What is no text is nobody's token, like any other that does not exist.
    let token = token.map(|Path(token)| token).unwrap_or_default();
    receive(&api, SourceAddress::Token(token_hash(&token)), request).await
}

/// A fixed address, for whoever gave it to Resend before sources had addresses of their own.
async fn at_resend(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    receive(&api, SourceAddress::Named(api.parts().resend_project, "resend"), request).await
}

/// The instance's billing: one address for all organizations.
async fn at_stripe(State(api): State<Api>, request: Request) -> Result<Response, ApiError> {
    match api.engine().operations_project() {
        Some(project_id) => receive(&api, SourceAddress::Named(project_id, BILLING_SOURCE), request).await,
        None => Err(ApiError::unavailable("the server is still starting; send it again in a moment")),
    }
}

fn missing() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "there is no such source")
}

/// The source at an address, if it takes anything in there.
async fn find(api: &Api, address: SourceAddress) -> Result<Option<Arc<LiveSource>>, ApiError> {
    let named = matches!(address, SourceAddress::Named(..));
    let live = api.engine().source_at(address).await?;
    Ok(live.filter(|live| {
        // The address that everybody knows is for requests that are signed.
        let signed = matches!(live.source.kind, SourceKind::Resend | SourceKind::Standard | SourceKind::Stripe);
        !live.source.disabled && (signed || !named)
    }))
}

async fn receive(api: &Api, address: SourceAddress, request: Request) -> Result<Response, ApiError> {
    let live = find(api, address).await?;
    let handshake = live.as_ref().and_then(|live| live.source.settings.handshake.as_ref());
    match *request.method() {
        Method::POST => {}
        Method::GET if handshake.is_some() => {}
        _ => return Ok(other_methods(handshake.is_some())),
    }
    let live = live.ok_or_else(missing)?;
    let hops = request.headers().get(HOPS).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if hops.is_some_and(|hops: u32| hops >= HOPS_MAX) {
        let detail = format!("the request was sent on {HOPS_MAX} times already; it goes in a circle");
        return Err(ApiError::new(ErrorCode::MalformedRequest, detail));
    }
    let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
    let (rates, now) = (api.rates(), api.engine().now());
    rates.shared_by(api.engine().standing().alive());
    rates.take_of_address(&live.source, address, now).map_err(|wait_s| slow_down(&live, wait_s))?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers = kept(request.headers());
    if let Some(answer) = shake(api, &live, request.method(), &Incoming::new(&headers, &query, b"")) {
        return answer;
    }
    let content_type = sendable_type(request.headers());
    let body = read_any(request).await?;
    let identity = check(api, &live, &Incoming::new(&headers, &query, &body))?;
    if let Some(text) = identity.handshake {
        return Ok(plain(StatusCode::OK, text));
    }
    rates.take_of_source(&live.source, address, now).map_err(|wait_s| slow_down(&live, wait_s))?;
    let receipt = Receipt {
        identity,
        address: address.map(|address| address.to_string()).unwrap_or_default(),
        headers: headers_text(&live, &headers),
        content_type,
        body,
        via: Via::Webhook,
    };
    match api.engine().receive(&live.source, receipt).await {
        // A repetition is answered like the first.
        Ok(Received::Stored(_) | Received::Duplicate) => Ok(answer(&live)),
        Err(PublishError::NoProject) => Err(missing()),
        Err(PublishError::BacklogFull) => {
            Err(ApiError::unavailable("too much is waiting to be written; send it again in a moment"))
        }
        Err(PublishError::Store(error)) => Err(error.into()),
        Err(error) => Err(ApiError::new(ErrorCode::Internal, error.to_string())),
    }
}

/// The answer to a provider that wants a text of its own back before it sends anything; `None` if it
/// does not ask for one.
fn shake(api: &Api, live: &LiveSource, method: &Method, incoming: &Incoming<'_>) -> Option<Result<Response, ApiError>> {
    let handshake = live.source.settings.handshake.as_ref()?;
    let asked = handshake.answer(incoming, live.secrets.handshake_token.as_deref());
    let asked = match (asked, method) {
        (None, &Method::GET) => Err("it carries no challenge"),
        (asked, _) => asked?,
    };
    Some(asked.map(|text| plain(StatusCode::OK, text)).map_err(|reason| {
        api.engine().note_rejected(live.source.id);
        tracing::debug!(source.id = %live.source.id, reason, "a handshake with a source was refused");
        ApiError::new(ErrorCode::HandshakeRefused, format!("the request gets nothing back: {reason}"))
    }))
}

/// The server writes the body of this answer.
fn other_methods(with_get: bool) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let allow = HeaderValue::from_static(if with_get { "GET, POST" } else { "POST" });
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// Whether the request is genuine. What is not is counted, and nothing else of it is kept.
fn check(api: &Api, live: &Arc<LiveSource>, incoming: &Incoming<'_>) -> Result<Identity, ApiError> {
    let source = &live.source;
    let accepted = accept(source.kind, &source.settings, &live.secrets.secrets, incoming, api.engine().now());
    accepted.map_err(|rejection: Rejection| {
        api.engine().note_rejected(source.id);
        tracing::debug!(source.id = %source.id, reason = %rejection, "a request to a source was refused");
        ApiError::new(ErrorCode::InvalidSignature, rejection.to_string())
    })
}

fn slow_down(live: &LiveSource, wait_s: u64) -> ApiError {
    let detail = format!("the source {} takes no more requests for {wait_s} s", live.source.name);
    ApiError::new(ErrorCode::RateLimited, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait_s))
}

fn answer(live: &LiveSource) -> Response {
    match &live.source.settings.response {
        None => json(StatusCode::OK, &serde_json::json!({"received": true})),
        Some(custom) => plain(StatusCode::from_u16(custom.status).unwrap_or(StatusCode::OK), custom.body.clone()),
    }
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(axum::body::Body::from(text));
    *response.status_mut() = status;
    // As text, whatever it says: an answer must not become a page of this server's.
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn sendable_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    (value.len() <= 256).then(|| value.to_owned())
}

/// One `name: value` a line, without what would give somebody access.
fn headers_text(live: &LiveSource, headers: &[(String, String)]) -> String {
    let own = live.source.settings.token_header.as_deref().map(str::to_ascii_lowercase);
    let mut text = String::new();
    for (name, value) in headers {
        if NOT_KEPT.contains(&name.as_str()) || own.as_ref() == Some(name) {
            continue;
        }
        if text.len() + name.len() + value.len() + 3 > HEADER_BYTES_MAX {
            break;
        }
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push('\n');
    }
    text
}
