//! Publishing what one request brought, in one commit.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::ids::ProjectId;
use tidings_ports::store::{Appended, BatchAppended, BatchKey, NewBatch, NewEvent, StoreError};

use super::{Accepted, Publish, PublishError, Published};
use crate::{Engine, engine::STALE_REPEATS_MAX, snapshot::Snapshot};

/// Events of a batch that are prepared before others get their turn on this worker.
const EVENTS_IN_ONE_GO: usize = 16;

/// What became of one event of a batch.
pub type BatchOutcome = Result<Published, PublishError>;

/// What recognises a repetition of a whole batch, and how its answer is written.
#[derive(Clone)]
pub struct BatchIdempotency {
    /// The client's key.
    pub key: String,
    /// SHA-256 over the request.
    pub request_hash: [u8; 32],
    /// The status of a first answer.
    pub status: u16,
    /// Writes the body of a first answer; stored with the events.
    pub answer: WriteBatchAnswer,
}

/// Writes an answer from what became of each event.
pub type WriteBatchAnswer = Arc<dyn Fn(&[BatchOutcome]) -> Bytes + Send + Sync>;

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchPublished {
    /// Everything that could be accepted is on disk; what became of each event, in order.
    Done(Vec<BatchOutcome>),
    /// It was accepted before, under the same idempotency key: the first answer.
    Replayed {
        /// Its status.
        status: u16,
        /// Its body.
        response: Bytes,
    },
}

/// A batch between decision and commit.
struct Prepared {
    events: Vec<NewEvent>,
    /// One per event that was asked for; the accepted ones are in `events`, in the same order.
    decided: Vec<Result<Accepted, BatchOutcome>>,
}

impl Engine {
    /// Publishes the events of one request: those that can be accepted come to be in one commit,
    /// the others say why not (INV-ACK, INV-FANOUT). Only what concerns all of them is an error.
    pub async fn publish_batch(
        &self,
        project_id: ProjectId,
        events: &[Publish],
        idempotency: Option<&BatchIdempotency>,
    ) -> Result<BatchPublished, PublishError> {
        for _ in 0..STALE_REPEATS_MAX {
            let snapshot = self.router.snapshot(project_id).await?.ok_or(PublishError::NoProject)?;
            let prepared = self.prepare_batch(&snapshot, project_id, events).await?;
            let decided = Arc::new(prepared.decided);
            let key = idempotency.map(|idempotency| batch_key(project_id, idempotency, Arc::clone(&decided)));
            let batch = Arc::new(NewBatch { events: prepared.events, key });
            if batch.events.is_empty() && batch.key.is_none() {
                return Ok(BatchPublished::Done(outcomes(&decided, &[])));
            }
            let term = self.dispatcher.term();
            let appended = self.store.append_batch(Arc::clone(&batch), self.clock.now()).await;
            match appended {
                Ok(BatchAppended::Stored(results)) => {
                    self.dispatcher.accepted(&batch.events, &results, term);
                    return Ok(BatchPublished::Done(outcomes(&decided, &results)));
                }
                not_stored => {
                    self.unreserve_all(&batch.events);
                    match not_stored? {
                        BatchAppended::Replayed { status, response } => {
                            return Ok(BatchPublished::Replayed { status, response });
                        }
                        BatchAppended::IdempotencyConflict => return Err(PublishError::IdempotencyConflict),
                        BatchAppended::StaleSnapshot | BatchAppended::Stored(_) => {
                            self.router.reload(project_id).await?;
                        }
                    }
                }
            }
        }
        Err(PublishError::Store(StoreError::Unavailable("the project's webhooks change too fast".to_owned())))
    }

    async fn prepare_batch(
        &self,
        snapshot: &Arc<Snapshot>,
        project_id: ProjectId,
        events: &[Publish],
    ) -> Result<Prepared, PublishError> {
        let mut prepared =
            Prepared { events: Vec::with_capacity(events.len()), decided: Vec::with_capacity(events.len()) };
        for (number, publish) in events.iter().enumerate() {
            // A thousand events are a lot to hold against schemas and filters in one go.
            if number % EVENTS_IN_ONE_GO == EVENTS_IN_ONE_GO - 1 {
                tokio::task::yield_now().await;
            }
            let checked = self.check_aside(snapshot, publish).await;
            match checked.and_then(|checked| self.prepare(snapshot, publish, checked)) {
                Ok((new, accepted)) => {
                    prepared.events.push(new);
                    prepared.decided.push(Ok(accepted));
                }
                Err(refusal) => match self.replay_or(project_id, publish, refusal).await {
                    Err(error @ PublishError::Store(_)) => {
                        self.unreserve_all(&prepared.events);
                        return Err(error);
                    }
                    decided => prepared.decided.push(Err(decided)),
                },
            }
        }
        Ok(prepared)
    }

    fn unreserve_all(&self, events: &[NewEvent]) {
        for new in events {
            self.dispatcher.unreserve(&new.deliveries, new.event.payload.len());
        }
    }
}

fn batch_key(
    project_id: ProjectId,
    idempotency: &BatchIdempotency,
    decided: Arc<Vec<Result<Accepted, BatchOutcome>>>,
) -> BatchKey {
    let answer = Arc::clone(&idempotency.answer);
    BatchKey {
        owner: project_id.sequence(),
        key: idempotency.key.clone(),
        request_hash: idempotency.request_hash,
        status: idempotency.status,
        answer: Box::new(move |appended| answer(&outcomes(&decided, appended))),
    }
}

/// What became of each event, from what was decided before the commit and what came of it there.
fn outcomes(decided: &[Result<Accepted, BatchOutcome>], appended: &[Appended]) -> Vec<BatchOutcome> {
    let mut appended = appended.iter();
    let mut outcome = |decided: &Result<Accepted, BatchOutcome>| match decided {
        Err(outcome) => outcome.clone(),
        Ok(accepted) => match appended.next() {
            Some(Appended::Stored) => Ok(Published::Accepted(accepted.clone())),
            Some(Appended::Replayed { status, response }) => {
                Ok(Published::Replayed { status: *status, response: response.clone() })
            }
            Some(Appended::IdempotencyConflict) => Err(PublishError::IdempotencyConflict),
            Some(Appended::AlreadyExists) => Err(PublishError::AlreadyExists(accepted.id.clone())),
            Some(Appended::StaleSnapshot) | None => unreachable!("a batch is decided under one version"),
        },
    };
    decided.iter().map(&mut outcome).collect()
}
