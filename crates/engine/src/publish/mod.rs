//! Publishing: match, give ids, append, and only then say yes.

mod batch;
mod batcher;
mod check;
mod router;

pub use batch::{BatchIdempotency, BatchOutcome, BatchPublished, WriteBatchAnswer};
pub(crate) use batcher::Batcher;
pub(crate) use check::LONG_CHECKS_MAX;
pub(crate) use router::Router;

use bytes::Bytes;
use tidings_domain::{event_type::EventTypeName, time::Timestamp};
use tidings_ports::store::StoreError;

use crate::schema::Violation;

/// An event as its publisher gives it, checked.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Its type.
    pub event_type: EventTypeName,
    /// The id the publisher chose.
    pub custom_id: Option<String>,
    /// Named parts of the project it concerns.
    pub scopes: Vec<String>,
    /// Set when the payload is to be sent as it is.
    pub content_type: Option<String>,
    /// The bytes.
    pub payload: Bytes,
    /// Its deliveries wait until then; not given, or past: they are sent at once.
    pub deliver_at: Option<Timestamp>,
    /// The version of its type's schema that it is to be held to; not given: any that is in force.
    pub schema_version: Option<u32>,
    /// Runs of commands that have followed one another before it came of the last of them; 0: of none.
    pub after_runs: u32,
    /// Recognises a repetition.
    pub idempotency: Option<IdempotencyKey>,
}

/// What recognises a repetition of a publish request, and how its answer is written.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The client's key.
    pub key: String,
    /// SHA-256 over the request.
    pub request_hash: [u8; 32],
    /// The status of a first answer.
    pub status: u16,
    /// Writes the body of a first answer; stored with the event.
    pub answer: fn(&Accepted) -> Bytes,
}

/// What the publisher is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The event's id.
    pub id: String,
    /// Its type.
    pub event_type: EventTypeName,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// To how many webhooks it goes.
    pub deliveries: usize,
    /// What its organization wants to be told about rather than have refused.
    pub warnings: Vec<Violation>,
}

/// The event is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// For the first time.
    Accepted(Accepted),
    /// It was before, under the same idempotency key: the first answer.
    Replayed {
        /// Its status.
        status: u16,
        /// Its body.
        response: Bytes,
    },
}

/// Why an event was not accepted; nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The project is gone.
    #[error("the project does not exist")]
    NoProject,
    /// The catalogue has no such type.
    #[error("the catalogue has no event type {0:?}")]
    UnknownEventType(String),
    /// The type takes no new events.
    #[error("the event type {0:?} is archived")]
    ArchivedEventType(String),
    /// The payload breaks its type's schema.
    #[error("the payload breaks the schema of its type in {} places", .0.len())]
    SchemaViolation(Vec<Violation>),
    /// The type's schema has no such version, or it is retired.
    #[error("the type's schema has no version {0} that takes events")]
    UnknownSchemaVersion(u32),
    /// The project has an event with this id.
    #[error("the project has an event with the id {0:?} already")]
    AlreadyExists(String),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    IdempotencyConflict,
    /// More is waiting to be written than may wait.
    #[error("too many events are waiting to be written")]
    BacklogFull,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PublishError {
    /// The reason in words, with every place that breaks a schema.
    pub fn in_words(&self) -> String {
        let Self::SchemaViolation(violations) = self else { return self.to_string() };
        let places: Vec<_> = violations.iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
        format!("the event breaks the schema of its type: {}", places.join("; "))
    }
}
