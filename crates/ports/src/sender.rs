//! The one way out of the process: an HTTP request to somebody else's address.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tidings_domain::target::{Refusal, TargetUrl};

/// Sends one request and reads one bounded answer.
///
/// An implementation dials only addresses that its guard has checked (INV-DIAL), follows no
/// redirects, decompresses nothing, and ends at the deadline whatever the other side does.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Sends the request. Never fails as a call: what went wrong is part of the exchange.
    async fn send(&self, request: OutgoingRequest) -> Exchange;

    /// Resolves the name in the address and says whether it may be dialled now. A name that
    /// does not resolve is no refusal: it may exist tomorrow, and the dial checks again.
    async fn check(&self, url: &TargetUrl) -> Result<(), Refusal>;
}

/// A request to a checked address.
#[derive(Debug, Clone)]
pub struct OutgoingRequest {
    /// POST for what is delivered, GET for what a provider is asked.
    pub method: Method,
    /// Where to.
    pub url: Arc<TargetUrl>,
    /// Everything but `Host`, `Content-Length` and `Authorization` from the address's credentials,
    /// which the sender adds.
    pub headers: HeaderMap,
    /// The exact bytes to send.
    pub body: Bytes,
    /// One deadline over name look-up, connecting, TLS, sending, waiting and reading.
    pub timeout_ms: u32,
    /// Bytes of the answer's body that are kept.
    pub answer_bytes_max: usize,
}

impl OutgoingRequest {
    /// A POST, of whose answer so much is kept as history keeps.
    pub fn post(url: Arc<TargetUrl>, headers: HeaderMap, body: Bytes, timeout_ms: u32) -> Self {
        Self { method: Method::POST, url, headers, body, timeout_ms, answer_bytes_max: ANSWER_BODY_BYTES_MAX }
    }

    /// A GET, of whose answer so many bytes are kept.
    pub fn get(url: Arc<TargetUrl>, headers: HeaderMap, timeout_ms: u32, answer_bytes_max: usize) -> Self {
        Self { method: Method::GET, url, headers, body: Bytes::new(), timeout_ms, answer_bytes_max }
    }
}

/// What came of one request.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The answer, or why there is none.
    pub result: Result<Answer, SendFailure>,
    /// Where the time went.
    pub timing: Timing,
}

/// An answer, cut to what its request wants of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status line's code.
    pub status: StatusCode,
    /// Response headers as they came.
    pub headers: HeaderMap,
    /// At most [`OutgoingRequest::answer_bytes_max`] bytes of the body.
    pub body: Bytes,
    /// Whether the body went on beyond that.
    pub truncated: bool,
}

/// What history keeps of an answer's body, in bytes.
pub const ANSWER_BODY_BYTES_MAX: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// The class that retry rules speak of.
    pub kind: FailureKind,
    /// What happened, for a person: names the thing and the reason.
    pub message: String,
}

/// Classes of failures without a usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The deadline passed.
    Timeout,
    /// The name did not resolve, the connection was refused or broke, or the answer was not HTTP.
    Network,
    /// The TLS handshake failed or the certificate is not trusted.
    Tls,
    /// The guard refused every address the name resolved to.
    Refused,
}

/// Durations of the phases of one exchange, in microseconds; zero where a phase did not happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Name look-up.
    pub dns_us: u32,
    /// TCP connect.
    pub connect_us: u32,
    /// TLS handshake.
    pub tls_us: u32,
    /// From the request being handed over to the response head.
    pub first_byte_us: u32,
    /// The whole exchange.
    pub total_us: u32,
    /// Whether a kept connection was used.
    pub reused: bool,
}
