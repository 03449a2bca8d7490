//! What a receiver writes down.

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::Instant;

use crate::{
    hash::{Hash, hash},
    signature::Verifier,
};

/// A request as it came off the wire.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One line of the receivers' ledger.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it was whole.
    pub at: Instant,
    /// The path it came to, which stands for the webhook.
    pub path: String,
    /// The event's id, by the headers.
    pub event_id: String,
    /// The delivery's id, by the headers.
    pub delivery_id: String,
    /// The attempt's number, by the headers.
    pub attempt: u32,
    /// SHA-256 of the body.
    pub body_hash: Hash,
    /// SHA-256 of the published JSON inside the body.
    pub data_hash: Option<Hash>,
    /// Whether an independent verifier takes it; on paths without one it always is.
    pub signature: Result<(), String>,
    /// Requests in flight at this receiver, this one included.
    pub in_flight: usize,
    /// The status it was answered with, if it was.
    pub status: Option<u16>,
    /// When it ceased to be in flight: its answer was about to be sent, or its sender had left.
    pub left_at: Option<Instant>,
}

impl Arrival {
    /// Whether the receiver took it: answered with 2xx.
    pub fn was_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The most of these requests that were in flight at the same time.
pub fn most_at_once(arrivals: &[Arrival]) -> usize {
    let begun = arrivals.iter().map(|arrival| (arrival.at, 1));
    let left = arrivals.iter().filter_map(|arrival| Some((arrival.left_at?, -1)));
    // Of two things at one moment, the end comes first.
    let mut changes: Vec<_> = begun.chain(left).collect();
    changes.sort_unstable();
    let mut now = 0_isize;
    let most = changes.into_iter().map(|(_, change)| {
        now += change;
        now
    });
    most.max().unwrap_or(0).unsigned_abs()
}

/// A whole request, for tests that look closer.
#[derive(Debug, Clone)]
pub struct Received {
    /// When it was whole.
    pub at: Instant,
    /// `POST`
    pub method: String,
    /// The path.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Received {
    /// A header's value as text.
    ///
    /// # Panics
    ///
    /// It is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers));
        value.to_str().expect("the header is text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// It is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

impl Incoming {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    }

    /// Looks at everything that is written down.
    pub(crate) fn examine(self, verifier: Option<&Verifier>) -> (Arrival, Received) {
        let at = Instant::now();
        let path = self.path().to_owned();
        let signature = verifier.map_or(Ok(()), |verifier| verifier.check(&self.headers, &self.body));
        let arrival = Arrival {
            at,
            path: path.clone(),
            event_id: self.header("x-tidings-event-id"),
            delivery_id: self.header("x-tidings-delivery"),
            attempt: self.header("x-tidings-attempt").parse().unwrap_or_default(),
            body_hash: hash(&self.body),
            data_hash: verifier.and_then(|verifier| data_hash(verifier, &self)),
            signature: signature.and_then(|()| verifier.map_or(Ok(()), |verifier| check_id(verifier, &self))),
            in_flight: 0,
            status: None,
            left_at: None,
        };
        let received = Received { at, method: self.method, path, headers: self.headers, body: self.body };
        (arrival, received)
    }
}

fn data_hash(verifier: &Verifier, incoming: &Incoming) -> Option<Hash> {
    let text = std::str::from_utf8(&incoming.body).ok()?;
    verifier.signature.published_data(text).map(hash)
}

/// The body's `id` is the one the headers name: the event's, or the delivery's.
fn check_id(verifier: &Verifier, incoming: &Incoming) -> Result<(), String> {
    let body: serde_json::Value =
        serde_json::from_slice(&incoming.body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let header = if verifier.signature.names_delivery() { "x-tidings-delivery" } else { "x-tidings-event-id" };
    let named = incoming.header(header);
    if body["id"] == named { Ok(()) } else { Err(format!("the body's id is {}, {header} is {named}", body["id"])) }
}
