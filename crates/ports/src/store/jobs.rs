//! Jobs: recoveries and replays, step by step, and the replay of one event.

use async_trait::async_trait;
use tidings_domain::{
    event::Event,
    ids::{EventKey, JobId, ProjectId, WebhookId},
    job::{JobRequest, JobState},
    page::{Page, PageRequest},
    time::Timestamp,
};

use super::{Created, Idempotency, NewDelivery, StoreError};

/// Long work. A step and the note of how far the job has come are one transaction, so that a
/// restart goes on exactly where the last commit stood.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Stores a job, unless the project has `running_max` running already.
    async fn create_job(
        &self,
        new: NewJob,
        running_max: u32,
        idempotency: Option<Idempotency>,
    ) -> Result<JobCreated, StoreError>;

    /// Finds a job of this project.
    async fn find_job(&self, project_id: ProjectId, id: JobId) -> Result<Option<JobRecord>, StoreError>;

    /// Lists a project's jobs.
    async fn list_jobs(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<JobRecord>, StoreError>;

    /// Running jobs with sequences above `after`, oldest first, at most `limit`.
    async fn running_jobs(&self, after: i64, limit: u32) -> Result<Vec<JobRecord>, StoreError>;

    /// Ends a job that is running; false if it is not. What it queued stays queued.
    async fn end_job(
        &self,
        id: JobId,
        state: JobState,
        error: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deliveries that a recovery would send again, out of the first `rows_max` that it would look at.
    async fn count_recoverable(
        &self,
        webhook_id: WebhookId,
        request: JobRequest,
        ended_before: Timestamp,
        rows_max: u32,
    ) -> Result<Counted, StoreError>;

    /// Events of a project in a range of time, counted up to `limit`.
    async fn count_events(
        &self,
        project_id: ProjectId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError>;

    /// Events of a project with sequences above `after` that were accepted before `until`, oldest
    /// first; at most `rows_max`, and no more once their payloads exceed `payload_bytes_max`. `None`:
    /// no payload is read, and the events come without.
    async fn events_after(
        &self,
        project_id: ProjectId,
        after: i64,
        until: Timestamp,
        rows_max: u32,
        payload_bytes_max: Option<usize>,
    ) -> Result<EventsAfter, StoreError>;

    /// How many of these events have no delivery to the webhook.
    async fn count_without_delivery(&self, webhook_id: WebhookId, events: Vec<EventKey>) -> Result<u32, StoreError>;

    /// Deliveries of a webhook that are due now, counted up to `limit`.
    async fn count_due(&self, webhook_id: WebhookId, now: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Looks at up to `rows` more deliveries of a recovery, and makes those due that it is about.
    async fn step_recovery(&self, id: JobId, rows: u32, now: Timestamp) -> Result<Stepped, StoreError>;

    /// Makes new deliveries of the events that the engine has chosen for a replay.
    async fn step_replay(&self, step: ReplayStep, now: Timestamp) -> Result<Stepped, StoreError>;

    /// Makes new deliveries of one event.
    async fn replay_event(
        &self,
        replay: NewReplay,
        idempotency: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<EventReplayed, StoreError>;
}

/// A count that has a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// So many were found.
    pub count: u32,
    /// Whether there may be more, because counting came to its bound.
    pub at_least: bool,
}

/// Events that stand next to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsAfter {
    /// Those whose payload was not deleted.
    pub events: Vec<Event>,
    /// How many there are with those whose payload was; 0: there are no more.
    pub looked_at: u32,
    /// The sequence of the last of them.
    pub place: i64,
    /// Bytes of payload that were read.
    pub payload_bytes: usize,
}

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id; also says when it was made.
    pub id: JobId,
    /// Whose.
    pub project_id: ProjectId,
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// What is to be done.
    pub request: JobRequest,
    /// How much there is to look at.
    pub total: u32,
}

/// What became of a job that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobCreated {
    /// See [`Created`].
    Created(Created),
    /// As many are running as may be.
    TooMany,
}

/// A job as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its id; also says when it was made.
    pub id: JobId,
    /// Whose.
    pub project_id: ProjectId,
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// What is to be done.
    pub request: JobRequest,
    /// Where it stands.
    pub state: JobState,
    /// Of `total`, how much has been looked at (replay) or sent again (recovery); all of it, once the
    /// job is done.
    pub done: u32,
    /// How much there was when it began.
    pub total: u32,
    /// Deliveries that came of it.
    pub queued: u32,
    /// The sequence that was looked at last.
    pub place: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Whether its webhook takes deliveries now.
    pub webhook_is_active: bool,
    /// Whether its webhook was deleted.
    pub webhook_is_deleted: bool,
}

impl JobRecord {
    /// Of what has been dealt with, how much came to nothing.
    pub fn skipped(&self) -> u32 {
        self.done.saturating_sub(self.queued)
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// It is written down; so many deliveries became due.
    Queued(u32),
    /// See [`Stepped::Queued`], and there was nothing more to look at: the job is done.
    Done(u32),
    /// The job has ended meanwhile, or another step was quicker; nothing was changed.
    Passed,
    /// The project's webhooks changed meanwhile: decide again. Nothing was changed.
    StaleSnapshot,
}

/// A delivery that an event gets after it was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedDelivery {
    /// Of which event.
    pub event: EventKey,
    /// The delivery; it is never leased.
    pub delivery: NewDelivery,
}

/// New deliveries of events that were accepted earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplay {
    /// Whose.
    pub project_id: ProjectId,
    /// The version of the project's snapshot that decided about the deliveries.
    pub snapshot_version: u64,
    /// The deliveries.
    pub deliveries: Vec<ReplayedDelivery>,
}

/// One step of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStep {
    /// Of which job.
    pub job_id: JobId,
    /// Where the job stood when the step was decided; elsewhere the step is passed.
    pub from: i64,
    /// Where it stands afterwards.
    pub to: i64,
    /// Events that were looked at.
    pub looked_at: u32,
    /// Whether there is nothing more to look at.
    pub is_last: bool,
    /// Leaves out events that the webhook has had.
    pub only_new: bool,
    /// What is to be made.
    pub replay: NewReplay,
}

/// What became of the replay of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventReplayed {
    /// See [`Created`].
    Created(Created),
    /// The project's webhooks changed meanwhile: decide again. Nothing was changed.
    StaleSnapshot,
}
