//! The client: one exchange from the address to the kept answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use rustls::pki_types::CertificateDer;
use tidings_domain::target::{Host, Refusal, TargetPolicy, TargetUrl};
use tidings_ports::Sender;
use tidings_ports::sender::{Answer, Exchange, OutgoingRequest, SendFailure};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::connection::Connection;
use crate::dial::{Dialler, TcpDialler, dial_checked};
use crate::pool::{Pool, PoolLimits};
use crate::resolve::{ResolveError, Resolver, SystemResolver};
use crate::response::{self, Rest};
use crate::timing::{Phase, Progress};
use crate::tls::{self, TlsSetupError};
use crate::{failure, guard, request};

/// How long a look-up may take that only serves to warn early.
const CHECK_MAX: Duration = Duration::from_secs(2);

/// How long the rest of an overlong answer is worth waiting for, to keep its connection.
const DRAIN_MAX: Duration = Duration::from_millis(200);

/// What a client is made of.
pub struct SenderParts {
    /// What may be dialled. Never changes during the client's life: kept connections rely on it.
    pub policy: TargetPolicy,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolver>,
    /// How addresses become connections.
    pub dialler: Arc<dyn Dialler>,
    /// How many connections are kept.
    pub pool: PoolLimits,
    /// Trusted besides the system's roots.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

impl SenderParts {
    /// The system's resolver, TCP, the default limits and the system's roots.
    pub fn system(policy: TargetPolicy) -> SenderParts {
        SenderParts {
            policy,
            resolver: Arc::new(SystemResolver::new()),
            dialler: Arc::new(TcpDialler),
            pool: PoolLimits::default(),
            extra_roots: Vec::new(),
        }
    }
}

/// The outgoing HTTP client. Dropping a [`send`](Sender::send) half-way closes its connection.
pub struct HttpSender {
    policy: TargetPolicy,
    resolver: Arc<dyn Resolver>,
    dialler: Arc<dyn Dialler>,
    pool: Arc<Pool>,
    tls: TlsConnector,
}

/// An answer whose connection may still be of use.
struct Answered {
    answer: Answer,
    connection: Box<Connection>,
    rest: Option<Rest>,
}

impl HttpSender {
    /// Makes a client. Loads the system's root certificates, which takes some milliseconds.
    ///
    /// # Errors
    ///
    /// A root certificate among the extra ones that cannot be used.
    pub fn new(parts: SenderParts) -> Result<HttpSender, TlsSetupError> {
        Ok(HttpSender {
            tls: tls::connector(&parts.extra_roots)?,
            pool: Pool::new(parts.pool),
            policy: parts.policy,
            resolver: parts.resolver,
            dialler: parts.dialler,
        })
    }

    async fn exchange(&self, request: OutgoingRequest, progress: &mut Progress) -> Result<Answered, SendFailure> {
        let OutgoingRequest { method, url, headers, body, answer_bytes_max, .. } = request;
        let request = request::build(method, &url, headers, body).map_err(|error| failure::unsendable(&url, &error))?;
        let Some(mut connection) = self.pool.take(url.origin(), progress.started()) else {
            // Boxed, so that the common way does not carry the room for the rare one.
            return Box::pin(self.exchange_anew(&url, request, answer_bytes_max, progress)).await;
        };
        progress.set_reused(true);
        let received_before = connection.bytes_received();
        match connection.send(request.clone()).await {
            Ok(response) => read_answer(connection, response, answer_bytes_max, progress).await,
            // The receiver closed the connection as the request was on its way. It was free to,
            // and has answered nothing, so the request is sent once more.
            Err(_) if connection.bytes_received() == received_before => {
                progress.set_reused(false);
                Box::pin(self.exchange_anew(&url, request, answer_bytes_max, progress)).await
            }
            Err(error) => Err(failure::no_head(&error)),
        }
    }

    async fn exchange_anew(
        &self,
        url: &TargetUrl,
        request: Request<Full<Bytes>>,
        answer_bytes_max: usize,
        progress: &mut Progress,
    ) -> Result<Answered, SendFailure> {
        let mut connection = self.connect(url, progress).await?;
        progress.enter(Phase::AwaitingHead);
        match connection.send(request).await {
            Ok(response) => read_answer(connection, response, answer_bytes_max, progress).await,
            Err(error) => Err(failure::no_head(&error)),
        }
    }

    /// Resolve, check, dial what was checked, secure.
    async fn connect(&self, url: &TargetUrl, progress: &mut Progress) -> Result<Box<Connection>, SendFailure> {
        self.policy.check_target(url).map_err(failure::refused)?;
        let addresses = match url.host() {
            Host::Ip(address) => vec![address],
            Host::Name(name) => {
                progress.enter(Phase::Resolving);
                self.resolve(name).await.map_err(|error| failure::unresolved(name, &error))?
            }
        };
        let checked = guard::check(&self.policy, url, &addresses).map_err(failure::refused)?;
        progress.enter(Phase::Connecting);
        let mut stream =
            dial_checked(&*self.dialler, &checked).await.map_err(|error| failure::not_connected(&error))?;
        if url.is_https() {
            progress.enter(Phase::Handshaking);
            stream = tls::handshake(&self.tls, url, stream).await?;
        }
        Connection::open(stream).await.map_err(|error| failure::no_head(&error))
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let addresses = self.resolver.resolve(name).await?;
        if addresses.is_empty() { Err(ResolveError::NotFound) } else { Ok(addresses) }
    }

    /// Reads an overlong answer to its end, if that comes in time, and keeps the connection then.
    async fn reclaim(&self, origin: &str, mut connection: Box<Connection>, rest: Rest, until: Instant) {
        let draining = connection.run_with(response::drain(rest));
        if let Ok(true) = timeout_at(until, draining).await {
            self.pool.keep(origin, connection, Instant::now());
        }
    }
}

async fn read_answer(
    mut connection: Box<Connection>,
    response: Response<Incoming>,
    answer_bytes_max: usize,
    progress: &mut Progress,
) -> Result<Answered, SendFailure> {
    progress.enter(Phase::ReadingBody);
    let (head, body) = response.into_parts();
    let headers = response::detach(head.headers);
    let kept =
        connection.run_with(response::read(body, answer_bytes_max)).await.map_err(|error| failure::no_body(&error))?;
    let answer = Answer { status: head.status, headers, body: kept.body, truncated: kept.rest.is_some() };
    Ok(Answered { answer, connection, rest: kept.rest })
}

#[async_trait]
impl Sender for HttpSender {
    async fn send(&self, request: OutgoingRequest) -> Exchange {
        let mut progress = Progress::start();
        let timeout_ms = request.timeout_ms;
        let url = Arc::clone(&request.url);
        let deadline = progress.started() + Duration::from_millis(timeout_ms.into());
        let outcome = timeout_at(deadline, self.exchange(request, &mut progress)).await;
        let now = Instant::now();
        let result = match outcome {
            Ok(Ok(Answered { answer, connection, rest: None })) => {
                self.pool.keep(url.origin(), connection, now);
                Ok(answer)
            }
            Ok(Ok(Answered { answer, connection, rest: Some(rest) })) => {
                let until = deadline.min(now + DRAIN_MAX);
                Box::pin(self.reclaim(url.origin(), connection, rest, until)).await;
                Ok(answer)
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(progress.timeout(timeout_ms)),
        };
        Exchange { result, timing: progress.finish(now) }
    }

    async fn check(&self, url: &TargetUrl) -> Result<(), Refusal> {
        self.policy.check_target(url)?;
        let Host::Name(name) = url.host() else {
            return Ok(());
        };
        match timeout(CHECK_MAX, self.resolve(name)).await {
            Ok(Ok(addresses)) => guard::check(&self.policy, url, &addresses).map(drop),
            // It does not resolve, or not in time: the dial will look again.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}
