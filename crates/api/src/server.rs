//! The accept loop: bounded connections, time-outs for heads and bodies, a graceful end.
//!
//! `axum::serve` has no time-out for request heads, so connections are served here.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tidings_contract::{codes::ErrorCode, problem::PROBLEM_CONTENT_TYPE};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};
use tower::Service as _;

use crate::{
    answer::json_bytes,
    audit::{self, Audit},
    client_address::{ClientAddress, client_address},
    compat::{self, Asked},
    error::ApiError,
    hooks::is_hook,
    native, patience,
    state::Api,
};

/// Its consequences are drawn by the engine's own tasks, so it needs no task of its own.
const PUBLISH_PATH: &str = "/api/v1/events";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request id that is taken over from the client.
const REQUEST_ID_CHARACTERS_MAX: usize = 64;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Pause after accepting failed, for example because no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the server allows its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at the same time.
    pub connections_max: usize,
    /// How long a request's head may take, and how long a kept connection may be silent.
    pub head_timeout: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self { connections_max: 4_096, head_timeout: Duration::from_secs(15) }
    }
}

/// Ends a connection from outside, for answers whose reader takes nothing.
#[derive(Debug, Clone, Default)]
pub struct Cut(Arc<Notify>);

impl Cut {
    /// Ends it, with everything that is under way on it.
    pub(crate) fn connection(&self) {
        self.0.notify_one();
    }
}

/// Serves the API.
pub struct Server {
    api: Api,
    router: Router,
    limits: ServerLimits,
}

impl Server {
    /// A server of the native API, with further routes beside it.
    pub fn new(api: Api, beside: Router, limits: ServerLimits) -> Self {
        let router = native::routes(api.clone()).merge(beside);
        Self { api, router, limits }
    }

    /// Accepts connections until `stop` completes, then lets running requests end within `grace`.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>, grace: Duration) {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(256)
            .keep_alive_interval(Some(ACCEPT_PAUSE * 400));
        let graceful = GracefulShutdown::new();
        let slots = Arc::new(Semaphore::new(self.limits.connections_max));
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = accept(&listener, &slots) => accepted,
            };
            let Some((stream, peer, slot)) = accepted else { continue };
            let (api, router) = (self.api.clone(), self.router.clone());
            let asked = Arc::new(AtomicBool::new(false));
            let asks = Arc::clone(&asked);
            let cut = Cut::default();
            let cuts = cut.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                asks.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(cuts.clone());
                serve(api.clone(), router.clone(), request, peer)
            });
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
            let connection = graceful.watch(connection);
            let head_timeout = self.limits.head_timeout;
            tokio::spawn(async move {
                let _slot = slot;
                let ended = tokio::select! {
                    biased;
                    ended = unless_silent(connection, &asked, head_timeout) => ended,
                    () = cut.0.notified() => Ok(()),
                };
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended early");
                }
            });
        }
        drop(listener);
        // Streams have no end of their own.
        self.api.engine().feed().close();
        if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end within the grace period");
        }
    }
}

/// Ends a connection that has not asked for anything in time. The HTTP library takes no time while
/// it finds out which version a client speaks, so whoever says nothing at all would stay for ever.
async fn unless_silent<E>(
    connection: impl Future<Output = Result<(), E>>,
    asked: &AtomicBool,
    bound: Duration,
) -> Result<(), E> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        biased;
        ended = &mut connection => return ended,
        () = tokio::time::sleep(bound) => {}
    }
    if asked.load(Ordering::Relaxed) { connection.await } else { Ok(()) }
}

/// The next connection, once there is room for one; `None` if accepting failed.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Small answers must not wait for more to send; if that cannot be had, they are only slower.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, slot))
        }
        Err(error) => {
            tracing::warn!(error = %error, "accepting a connection failed");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn serve(api: Api, router: Router, request: Request<Incoming>, peer: SocketAddr) -> Result<Response, Infallible> {
    let request_id = request_id(&api, &request);
    let client = client_address(peer.ip(), &api.parts().trusted_proxies, request.headers());
    if !is_framed_clearly(request.headers()) {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        return Ok(answered(refuse_framing(), &method, &path, &request_id, client));
    }
    Ok(respond(&api, router, request.map(Body::new), client, &request_id).await)
}

/// Answers one request, wherever it came from: see [`crate::Local`].
pub(crate) async fn respond(
    api: &Api,
    mut router: Router,
    mut request: Request<Body>,
    client: IpAddr,
    request_id: &str,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let api = api.clone();
    let is_publish = method == Method::POST && path == PUBLISH_PATH;
    let answering = async move {
        request.extensions_mut().insert(ClientAddress(client));
        if is_publish {
            return router.call(request).await.unwrap_or_else(|never| match never {});
        }
        let audit = Audit::from(client);
        request.extensions_mut().insert(audit.clone());
        let response = router.call(request).await.unwrap_or_else(|never| match never {});
        audit::finish(&api, &audit, response).await
    };
    let only_looks = (method == Method::GET || method == Method::HEAD) && !is_hook(&path);
    let response = if only_looks && is_of_api(&path) {
        patience::look(answering).await
    } else if is_publish || only_looks {
        answering.await
    } else {
        // A client that goes away drops what answers it. A change has consequences that follow its
        // commit (caches, lanes), so it is carried out to its end, whoever still listens.
        match tokio::spawn(answering).await {
            Ok(response) => response,
            Err(_) => ApiError::new(ErrorCode::Internal, "the request failed unexpectedly").into_response(),
        }
    };
    answered(response, &method, &path, request_id, client)
}

/// Pages say in their own words what did not come in time: what they ask from within the process is asked here as well.
fn is_of_api(path: &str) -> bool {
    path.starts_with(tidings_contract::BASE_PATH) || compat::has(path)
}

/// Whether everybody between the client and here agrees where the request ends (RFC 9112, section
/// 6.3): one transfer encoding, and no length beside it.
fn is_framed_clearly(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(encoding) = encodings.next() else { return true };
    encoding == "chunked" && encodings.next().is_none() && !headers.contains_key(header::CONTENT_LENGTH)
}

fn refuse_framing() -> Response {
    let detail = "the only transfer encoding is `chunked`, and without a Content-Length beside it";
    let close = HeaderValue::from_static("close");
    ApiError::new(ErrorCode::MalformedRequest, detail).with_header(header::CONNECTION, close).into_response()
}

/// Completes an answer, and notes it in the log.
fn answered(mut response: Response, method: &Method, path: &str, request_id: &str, client: IpAddr) -> Response {
    let in_log = response.extensions().get::<ApiError>().is_some_and(ApiError::is_in_log);
    explain(&mut response, &Asked { method: method.as_str(), path, request_id });
    let status = response.status();
    // What follows is all that some sources go by: it is a secret.
    let path = if path.starts_with("/in/") { "/in/…" } else { path };
    let path = if path.starts_with("/invite/") { "/invite/…" } else { path };
    let path = if path.starts_with("/portal/") { "/portal/…" } else { path };
    // A command that fails is its author's business, and stands among its runs.
    if status.is_server_error() && !is_hook(path) && !in_log {
        tracing::error!(request.id = request_id, %method, path, status = status.as_u16(), "request failed");
    } else {
        tracing::debug!(request.id = request_id, %method, path, status = status.as_u16(), %client, "request");
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The client's id if it is harmless, otherwise a new one.
fn request_id(api: &Api, request: &Request<Incoming>) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if !id.is_empty() && id.len() <= REQUEST_ID_CHARACTERS_MAX && id.bytes().all(harmless) => {
            id.to_owned()
        }
        _ => api.engine().ids().request_id(),
    }
}

/// Gives every error its problem body, the router's own ones included, and every answer of a
/// compatible API its envelope.
fn explain(response: &mut Response, asked: &Asked<'_>) {
    // Pages say in their own words what is wrong.
    if is_page(response.headers()) {
        return;
    }
    let Some(error) = refusal(response, asked.path) else {
        compat::complete(response, asked);
        return;
    };
    let problem = error.problem(asked.path, asked.request_id);
    let content_type = match compat::refusal(&problem, asked) {
        Some((status, content_type, body)) => {
            *response.status_mut() = status;
            *response.body_mut() = Body::from(body);
            content_type
        }
        None => {
            *response.body_mut() = Body::from(json_bytes(&problem));
            PROBLEM_CONTENT_TYPE
        }
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().remove(header::CONTENT_LENGTH);
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Why a request was refused, if it was.
fn refusal(response: &mut Response, path: &str) -> Option<ApiError> {
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        return Some(error);
    }
    match response.status() {
        StatusCode::NOT_FOUND => {
            Some(ApiError::new(ErrorCode::NotFound, format!("there is nothing at {path}; the API is under /api/v1")))
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or("");
            Some(ApiError::new(ErrorCode::MethodNotAllowed, format!("{path} knows these methods: {allowed}")))
        }
        StatusCode::BAD_REQUEST => {
            let detail = "the path cannot be read: it is not UTF-8 when decoded";
            Some(ApiError::new(ErrorCode::MalformedRequest, detail))
        }
        _ => None,
    }
}
