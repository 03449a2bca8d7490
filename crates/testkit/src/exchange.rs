//! A small HTTP/1.1 client that keeps connections, follows a server from start to start, and
//! repeats nothing: what an exchange came to is for the test to judge.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{net::TcpStream, sync::watch, time::Instant};

use crate::rights::setting;

/// How long one exchange may take: longer than any time-out of the server.
const EXCHANGE_BOUND: Duration = Duration::from_secs(60);
/// With this variable, requests that take so many milliseconds are named.
const SLOW: &str = "TIDINGS_TEST_SLOW_MS";

/// An HTTP client of one server.
#[derive(Debug)]
pub struct HttpClient {
    address: watch::Receiver<Option<SocketAddr>>,
    idle: Mutex<Vec<(SocketAddr, SendRequest<Full<Bytes>>)>>,
}

/// Why there is no answer; whether the server acted on the request is not known.
#[derive(Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl HttpClient {
    /// A client of whoever listens at this address; `None`: nobody at the moment.
    pub fn new(address: watch::Receiver<Option<SocketAddr>>) -> Self {
        Self { address, idle: Mutex::default() }
    }

    /// Sends one request and reads the whole answer.
    pub async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Broken> {
        let (what, begun) = (format!("{} {}", request.method(), request.uri()), Instant::now());
        let exchange = self.exchange_unbounded(request);
        match tokio::time::timeout(EXCHANGE_BOUND, exchange).await {
            Ok(result) => {
                let took_ms = begun.elapsed().as_millis();
                if setting(SLOW).is_some_and(|slow_ms| took_ms >= u128::from(slow_ms)) {
                    println!("SLOW: {took_ms} ms for {what}");
                }
                result
            }
            Err(_) => panic!("the server left {what} without an answer for {} s", EXCHANGE_BOUND.as_secs()),
        }
    }

    async fn exchange_unbounded(&self, request: Request<Full<Bytes>>) -> Result<Answer, Broken> {
        let broken = |step: &str, error: &dyn fmt::Display| Broken(format!("{step}: {error}"));
        let address = (*self.address.borrow()).ok_or_else(|| Broken("the server does not run".to_owned()))?;
        let mut connection = match self.take_idle(address) {
            Some(kept) => kept,
            None => connect(address).await.map_err(|error| broken("connecting failed", &error))?,
        };
        let answer = connection.send_request(request).await.map_err(|error| broken("sending failed", &error))?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| broken("the answer broke off", &error))?.to_bytes();
        if !connection.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((address, connection));
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// A kept connection to this address that is still open. Those to former addresses go.
    fn take_idle(&self, address: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(kept, connection)| *kept == address && connection.is_ready());
        idle.pop().map(|(_, connection)| connection)
    }

    /// Waits until the server listens somewhere.
    pub async fn wait_for_server(&self) {
        // The server's handle may be gone while a test unwinds; then nobody waits any more.
        let _ = self.address.clone().wait_for(Option::is_some).await;
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // A connection that breaks shows in the exchange that uses it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// It is none.
    pub fn json(&self) -> Value {
        self.read()
    }

    /// The body as a value of the contract.
    ///
    /// # Panics
    ///
    /// It is none.
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// A header's value as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON, of an answer with this status; `null` if it has no body.
    ///
    /// # Panics
    ///
    /// It has another status; the message shows the whole answer.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
