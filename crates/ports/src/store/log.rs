//! Accepting: events, their deliveries and idempotency keys become durable together.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, WebhookId},
    plan::LimitExceeded,
    render::Rendering,
    time::Timestamp,
};

use super::{AttemptRecord, NewReceipt, StoreError};

/// The durable log of events.
#[async_trait]
pub trait Log: Send + Sync {
    /// Appends events with their deliveries in one transaction (INV-FANOUT). Returns, in order,
    /// what became of each, after the commit is on disk (INV-ACK).
    async fn append(&self, events: Arc<Vec<NewEvent>>, now: Timestamp) -> Result<Vec<Appended>, StoreError>;

    /// Appends events that one request brought, all or none of them, in one transaction; the
    /// request's idempotency key and its whole answer are remembered with them.
    async fn append_batch(&self, batch: Arc<NewBatch>, now: Timestamp) -> Result<BatchAppended, StoreError>;

    /// Finds what an idempotency key was used for first.
    async fn find_answer(&self, owner: i64, key: &str) -> Result<Option<Idempotency>, StoreError>;

    /// Records a test event, its one delivery and its one attempt, all finished.
    async fn record_test(&self, test: TestRecord) -> Result<(), StoreError>;
}

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The event.
    pub event: Arc<Event>,
    /// The version of the project's snapshot that decided about the deliveries.
    pub snapshot_version: u64,
    /// One per matched webhook. Their sequences follow the event's, so that an event finds its deliveries by key
    /// alone (see [`tidings_domain::ids::sequence_after`]).
    pub deliveries: Vec<NewDelivery>,
    /// Makes a repetition answer as the first time.
    pub idempotency: Option<Idempotency>,
    /// Set if it came in through a source. `AlreadyExists` if the source took in the same before.
    pub receipt: Option<NewReceipt>,
    /// Runs that have followed one another, without a pause, before it came of the last of them; 0: of none.
    pub after_runs: u32,
}

/// A delivery that is being born.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// How its body is rendered, for all attempts.
    pub rendering: Rendering,
    /// Whether this node has room to send it at once; otherwise it is born due.
    pub leased: bool,
    /// When it is to be sent, if that is later than now; it is then not leased.
    pub due_at: Option<Timestamp>,
}

/// The events of one request on their way into the log.
pub struct NewBatch {
    /// The events, all of one project and decided under one version of its snapshot. There may be
    /// none, if the request had none that could be accepted and still has a key.
    pub events: Vec<NewEvent>,
    /// Makes a repetition of the whole request answer as the first time.
    pub key: Option<BatchKey>,
}

/// What a repetition of a whole batch is recognised and answered by.
pub struct BatchKey {
    /// See [`Idempotency::owner`].
    pub owner: i64,
    /// The key the client chose.
    pub key: String,
    /// SHA-256 over the request.
    pub request_hash: [u8; 32],
    /// The answer's status.
    pub status: u16,
    /// Writes the answer from what became of the events, so that it can be stored with them.
    pub answer: WriteAnswer,
}

/// Writes an answer from what became of each event.
pub type WriteAnswer = Box<dyn Fn(&[Appended]) -> Bytes + Send + Sync>;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchAppended {
    /// It is on disk; what became of each event, in order.
    Stored(Vec<Appended>),
    /// See [`Appended::Replayed`]; nothing was written.
    Replayed {
        /// The first answer's status.
        status: u16,
        /// The first answer's body.
        response: Bytes,
    },
    /// See [`Appended::IdempotencyConflict`]; nothing was written.
    IdempotencyConflict,
    /// See [`Appended::StaleSnapshot`]; nothing was written.
    StaleSnapshot,
}

/// What a repetition of a request is recognised and answered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The sequence of whoever the key belongs to (a project, or an organization, or 0 for the
    /// instance); keys of different owners never meet.
    pub owner: i64,
    /// The key the client chose.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub request_hash: [u8; 32],
    /// The answer's status.
    pub status: u16,
    /// The answer's body, sealed if it shows a secret.
    pub response: Bytes,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is on disk.
    Stored,
    /// The idempotency key was used for the same request before: its answer.
    Replayed {
        /// The first answer's status.
        status: u16,
        /// The first answer's body.
        response: Bytes,
    },
    /// The idempotency key was used for another request.
    IdempotencyConflict,
    /// The project has an event with this id.
    AlreadyExists,
    /// The project's webhooks or event types changed meanwhile: load the snapshot again and repeat.
    StaleSnapshot,
}

/// What became of settings that were to take the place of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// They did.
    Stored,
    /// There are others than were expected.
    Stale,
    /// What they belong to is gone.
    Missing,
}

/// What became of a creation that may carry an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It exists now.
    Stored,
    /// See [`Appended::Replayed`].
    Replayed {
        /// The first answer's status.
        status: u16,
        /// The first answer's body, as it was given to the store.
        response: Bytes,
    },
    /// See [`Appended::IdempotencyConflict`].
    IdempotencyConflict,
    /// Something else has the name or id already.
    AlreadyExists,
    /// What it should belong to does not exist.
    ParentMissing,
    /// The organization's plan allows no more of it.
    LimitExceeded(LimitExceeded),
    /// What it belongs to has as many as it may have: a catalogue its event types, an organization its invites.
    CatalogueFull,
    /// What should change has another revision by now, or is gone.
    Stale,
}

/// A test event and what came of it.
#[derive(Debug, Clone)]
pub struct TestRecord {
    /// The event.
    pub event: Arc<Event>,
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// How it was rendered.
    pub rendering: Rendering,
    /// Whether the receiver answered with success.
    pub delivered: bool,
    /// The attempt.
    pub attempt: AttemptRecord,
}

impl TestRecord {
    /// When the attempt ended.
    pub fn ended_at(&self) -> Timestamp {
        self.attempt.started_at.plus_millis(u64::from(self.attempt.timing.total_us / 1000))
    }
}
