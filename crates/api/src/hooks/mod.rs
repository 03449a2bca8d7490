//! URLs that run a command: `GET` and `POST /hook/{project}?…&sig=…`, for whoever has one.
//!
//! In order: the method, the URL's signature (before anything is looked up, so that nobody learns what exists),
//! whether there is room for one more call, the body (bounded while it streams in), the run, and then the answer.
//! What a command answers is never a page of this server's origin.

mod rates;

use axum::{
    Router,
    extract::{OriginalUri, Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::any,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};
use tidings_contract::codes::ErrorCode;
use tidings_domain::{
    command::{
        Run, RunAnswer, RunEnd, RunInput,
        hook_url::{CalledUrl, HookUrl},
    },
    ids::ProjectId,
};
use tidings_engine::{Call, CalledUrlError, RunError};
use url::form_urlencoded;

use crate::{
    client_address::ClientAddress,
    compat::BOTS_BUSINESS,
    error::ApiError,
    ingest::NOT_KEPT,
    native::runs::{CRASHED, SUPERSEDED, TIMED_OUT, refusal},
    request::read_any,
    state::Api,
};

pub(crate) use rates::{HookRates, take_place};

/// Scripts and forms of a page may work, but not as part of this server's origin: they reach nothing of it.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox allow-scripts allow-forms");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Whoever has the URL can run the command, so no page passes it on.
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What a URL is signed with.
const SECRETS: [&str; 1] = ["sig"];

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/hook/{project}", any(call))
}

/// Whether a path is one of URLs that run commands. Whoever calls one changes something, by whatever method.
pub(crate) fn is_hook(path: &str) -> bool {
    path.starts_with("/hook/") || path.starts_with(BOTS_BUSINESS)
}

/// Whether such a URL runs its command when it is called like this.
pub(crate) fn runs_on(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::POST)
}

/// The same for a URL that was altered, has expired or was taken back, and for a project that does not exist.
pub(crate) fn refused() -> ApiError {
    ApiError::new(ErrorCode::InvalidHookUrl, "the URL is not valid")
}

pub(crate) fn not_good(error: CalledUrlError) -> ApiError {
    match error {
        CalledUrlError::Refused(_) => refused(),
        CalledUrlError::Store(error) => error.into(),
    }
}

/// A URL that was called and is good.
pub(crate) struct Calling {
    pub(crate) project_id: ProjectId,
    pub(crate) url: HookUrl,
    /// What of it whoever calls cannot change: its calls are counted under this.
    pub(crate) known_by: HookUrl,
    /// The caller's own parameters.
    pub(crate) params: Vec<(String, String)>,
    /// Parameters that are kept from the command.
    pub(crate) secrets: &'static [&'static str],
}

async fn call(
    State(api): State<Api>,
    project: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    if !runs_on(request.method()) {
        return Ok(other_methods());
    }
    let project_id: ProjectId = project.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(refused)?;
    let query = request.uri().query().unwrap_or_default();
    let CalledUrl { url, params, .. } = api.engine().read_hook_url(project_id, query).await.map_err(not_good)?;
    let known_by = url.clone();
    carry_out(&api, request, Calling { project_id, url, known_by, params, secrets: &SECRETS }).await
}

/// Runs the command of a URL that is good, and answers.
pub(crate) async fn carry_out(api: &Api, request: Request, calling: Calling) -> Result<Response, ApiError> {
    let Calling { project_id, url, known_by, params, secrets } = calling;
    let address = request.extensions().get::<ClientAddress>().map(|client| client.0);
    take_place(api, project_id, &known_by, address).await?;
    let not_run = |error| match error {
        RunError::NoProject => refused(),
        error => refusal(api, error),
    };
    if !api.engine().has_command(project_id, &url.command).await.map_err(not_run)? {
        return Err(ApiError::not_found("command"));
    }
    // A nested route no longer sees what its path began with.
    let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
    let query = without(uri.query().unwrap_or_default(), secrets);
    let options = json!({
        "url": format!("{}{}?{query}", api.engine().base_url(), uri.path()),
        "method": request.method().as_str(),
        "params": params.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>(),
        "headers": headers(request.headers()),
        "ip": address.map(|address| address.to_string()),
    });
    let body = read_any(request).await?;
    let content = match body.is_empty() {
        true => url.content.unwrap_or_default(),
        false => String::from_utf8_lossy(&body).into_owned(),
    };
    let input = RunInput { content, options, ..RunInput::default() };
    let call = Call::new(url.command, url.user_id, input);
    let run = api.engine().run_command(project_id, call).await.map_err(not_run)?;
    answer(run, url.redirect_to)
}

/// The server writes the body of this answer.
pub(crate) fn other_methods() -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

/// What a command is told about the URL: enough to know it again, and not what makes it valid.
fn without(query: &str, secrets: &[&str]) -> String {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let shown = |name: &str| !secrets.contains(&name);
    for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| shown(name)) {
        kept.append_pair(&name, &value);
    }
    kept.finish()
}

/// Names in lower case, without what would give somebody access to something else.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let kept = headers.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()));
    kept.filter_map(|(name, value)| Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))).collect()
}

/// The first that applies: what went wrong, where the URL leads, the page, the last message, nothing.
fn answer(run: Run, redirect_to: Option<String>) -> Result<Response, ApiError> {
    let failed = |message: &str| Err(ApiError::new(ErrorCode::CommandFailed, message));
    match &run.end {
        RunEnd::Succeeded => {}
        RunEnd::Failed(error) => return failed(&error.message),
        RunEnd::TimedOut => return failed(TIMED_OUT),
        RunEnd::Crashed { reason } => {
            tracing::warn!(run.id = %run.id, reason, "a command's process ended");
            return failed(CRASHED);
        }
        RunEnd::Superseded => return Err(ApiError::unavailable(SUPERSEDED)),
    }
    if let Some(location) = redirect_to.and_then(|address| location(&address)) {
        let mut response = written(String::new(), None);
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(header::LOCATION, location);
        return Ok(response);
    }
    Ok(match run.answer {
        Some(RunAnswer::Page { content, mime_type }) => written(content, Some(&with_charset(mime_type))),
        Some(RunAnswer::Message { text }) => written(json!({ "answer": text }).to_string(), Some("application/json")),
        None => written(String::new(), None),
    })
}

/// Addresses were checked when the URL was made; as they are parsed they are plain ASCII.
fn location(address: &str) -> Option<HeaderValue> {
    url::Url::parse(address).ok().and_then(|url| HeaderValue::from_str(url.as_str()).ok())
}

fn with_charset(mime_type: String) -> String {
    match mime_type.starts_with("text/") && !mime_type.contains("charset") {
        true => format!("{mime_type}; charset=utf-8"),
        false => mime_type,
    }
}

fn written(content: String, mime_type: Option<&str>) -> Response {
    let mut response = Response::new(axum::body::Body::from(content));
    let headers = response.headers_mut();
    if let Some(Ok(mime_type)) = mime_type.map(HeaderValue::from_str) {
        headers.insert(header::CONTENT_TYPE, mime_type);
    }
    let always: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
        (header::X_CONTENT_TYPE_OPTIONS, NOSNIFF),
        (header::REFERRER_POLICY, NO_REFERRER),
        (header::CACHE_CONTROL, NO_STORE),
    ];
    headers.extend(always);
    response
}
