//! The receiving side: answers like a customer's server and hands each request over.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::mpsc};

/// The address that fails at first.
pub(super) const FLAKY_PATH: &str = "/flaky";
/// How often it fails.
pub(super) const FLAKY_FAILURES: u32 = 2;
/// Requests that may wait to be shown.
const WAITING_MAX: usize = 64;
/// Bytes of a body that the receiver takes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long the demo waits for a request before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
    /// What it was answered.
    pub(super) answer: StatusCode,
}

/// A receiver on loopback.
pub(super) struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<Received>,
}

impl Receiver {
    /// Starts on a free port.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot start the demo's receiver")?;
        let address = listener.local_addr()?;
        let (hand_over, requests) = mpsc::channel(WAITING_MAX);
        let failures = Arc::new(AtomicU32::new(0));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (hand_over, failures) = (hand_over.clone(), Arc::clone(&failures));
                let service = service_fn(move |request| answer(request, hand_over.clone(), Arc::clone(&failures)));
                // A connection that breaks is the sender's to notice and retry.
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Ok(Self { address, requests })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> anyhow::Result<Received> {
        tokio::time::timeout(PATIENCE, self.requests.recv())
            .await
            .context("no request arrived within 30 s")?
            .context("the demo's receiver has ended")
    }
}

async fn answer(
    request: Request<Incoming>,
    hand_over: mpsc::Sender<Received>,
    failures: Arc<AtomicU32>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let fails = path == FLAKY_PATH && failures.fetch_add(1, Ordering::SeqCst) < FLAKY_FAILURES;
    let answer = if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    // If nobody looks any more the answer is the same.
    let _ = hand_over.send(Received { path, headers, body, answer }).await;
    let text = if fails { "not yet" } else { "thank you" };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = answer;
    Ok(response)
}
