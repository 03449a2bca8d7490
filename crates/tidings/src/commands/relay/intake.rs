//! What a relay takes events from, and what it takes.

use std::time::Duration;

use serde_json::value::RawValue;
use tidings_domain::time::Timestamp;

/// Where events wait to be published. What was taken and not settled is taken again, whatever happens to this process:
/// that is what each source has to see to.
pub(super) trait Intake {
    /// What waits, in order, up to a batch of it; nothing, if nothing waits. What was taken before is settled by then,
    /// or given back.
    async fn take(&mut self) -> Result<Vec<Taken>, Trouble>;

    /// Says what became of the taken ones, by their numbers in what was taken: those that are on disk at Tidings are
    /// acknowledged, those that were refused for good are put aside with the reason. The others stay taken.
    async fn settle(&mut self, settled: &[(usize, Verdict)]) -> Result<(), Trouble>;

    /// Keeps what is taken from being given to somebody else; called now and then while it is published.
    async fn hold(&mut self);

    /// Waits before what was not settled is tried again. False: it was given back, and is to be taken again.
    async fn wait(&mut self, wait: Duration) -> bool;

    /// Waits until there may be something to take again.
    async fn rest(&mut self);

    /// Lets go of everything. What is not settled is somebody else's now.
    async fn leave(&mut self);
}

/// One thing that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    /// What it is called in messages: `row 17`.
    pub(super) name: String,
    /// The project it names; without one, the one that the relay publishes to.
    pub(super) project: Option<String>,
    /// The event; or why it is none.
    pub(super) event: Result<Event, Refusal>,
}

/// An event as it is published.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) event_type: String,
    pub(super) payload: Payload,
    pub(super) id: Option<String>,
    pub(super) scopes: Vec<String>,
    /// The same whenever the same thing is taken, so that it becomes one event however often it is published.
    pub(super) idempotency_key: String,
    pub(super) deliver_at: Option<Timestamp>,
    pub(super) schema_version: Option<u32>,
}

/// What an event says.
#[derive(Debug)]
pub(super) enum Payload {
    Json(Box<RawValue>),
    /// Bytes that are no JSON.
    Bytes {
        content_type: String,
        base64: String,
    },
}

impl Payload {
    /// Bytes of it in a request.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(json) => json.get().len(),
            Self::Bytes { base64, .. } => base64.len(),
        }
    }
}

/// What became of a taken thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is an event on disk at Tidings.
    Published,
    /// It never will be, as it is.
    Refused(Refusal),
    /// Nothing yet.
    Later(String),
}

/// Why something will not become an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// An error code of the API.
    pub(super) code: String,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(code: &str, reason: impl Into<String>) -> Self {
        Self { code: code.to_owned(), reason: reason.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

/// Why there is no going on at this moment.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may be over in a while.
    Passing(String),
    /// Somebody has to do something about it.
    Lasting(anyhow::Error),
}
