//! The queue of unfinished deliveries: lease, settle, claim, release.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, SourceId, WebhookId},
    outcome::Outcome,
    render::Rendering,
    retry::Decision,
    time::Timestamp,
};

use super::{NewDelivery, StoreError, WebhookStanding};
use crate::sender::Timing;

/// Unfinished deliveries and their leases.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Writes down attempts and what follows from them, in one transaction. Each is fenced by
    /// its lease's epoch: a stale one changes nothing (INV-FENCE).
    async fn settle(&self, settlements: Arc<Vec<Settlement>>) -> Result<Vec<Settled>, StoreError>;

    /// Leases due deliveries, for each webhook at most as many as asked for, oldest due first, and
    /// no more once their payloads exceed `bytes_max` together.
    async fn claim(
        &self,
        wants: Vec<ClaimRequest>,
        bytes_max: usize,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Gives leases back unused: the deliveries are due again at once. Those of deleted webhooks
    /// are cancelled.
    async fn release(&self, leases: Vec<(DeliveryId, u32)>, now: Timestamp) -> Result<(), StoreError>;

    /// Notes by how much the wall clock has been set since the process started, in milliseconds:
    /// the times at which deliveries are due do not follow it while the process lives.
    async fn note_step(&self, stepped_ms: i64) -> Result<(), StoreError>;

    /// Frees the leases a former process left behind, sets due times by the wall clock as it is
    /// now where that process noted that it was set, and lists the webhooks that have deliveries
    /// waiting.
    async fn recover(&self, now: Timestamp) -> Result<Vec<BacklogLane>, StoreError>;

    /// Lists those of the webhooks with deliveries waiting that have most of them, at most `limit`, and the ones in
    /// `also`, in no order. Of each, and of all, only so many are looked at: see [`LANE_COUNT_MAX`] and
    /// [`LANES_COUNTED_MAX`].
    async fn busiest_lanes(&self, also: Vec<WebhookId>, limit: u32) -> Result<Vec<StoredLane>, StoreError>;

    /// Lists the webhooks that have deliveries waiting.
    async fn backlog(&self) -> Result<Vec<BacklogLane>, StoreError>;

    /// Leases a delivery whatever its state, unless it is leased already; `force` also if its
    /// webhook is disabled.
    async fn requeue(
        &self,
        project_id: ProjectId,
        delivery_id: DeliveryId,
        force: bool,
        now: Timestamp,
    ) -> Result<Requeued, StoreError>;

    /// Cancels up to `limit` waiting deliveries of a deleted webhook; returns how many there were.
    async fn cancel_pending(&self, webhook_id: WebhookId, limit: u32, now: Timestamp) -> Result<u32, StoreError>;
}

/// A delivery this node may send now.
#[derive(Debug, Clone)]
pub struct LeasedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Changes with every lease; a verdict under an older one is stale.
    pub epoch: u32,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Whose.
    pub project_id: ProjectId,
    /// How its body is rendered.
    pub rendering: Rendering,
    /// Attempts made so far.
    pub attempts_made: u32,
    /// Whether it had ended and somebody asked for one more attempt.
    pub manual: bool,
    /// What is delivered.
    pub event: Arc<Event>,
}

/// One attempt as history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// 1 is the first.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Why there is no usable answer.
    pub error: Option<String>,
    /// Where the time went.
    pub timing: Timing,
    /// The request's headers as a template shared by all attempts of a webhook; its places are
    /// filled from the delivery when it is read (see `tidings_domain::head`).
    pub request_head: Arc<str>,
    /// The answer's headers, one `name: value` a line.
    pub response_headers: String,
    /// The answer's body as far as it is kept.
    pub response_body: Bytes,
    /// Whether the body went on.
    pub response_truncated: bool,
    /// What was sent, if a transform has made something else of the event than its rendering.
    pub request_body: Option<Bytes>,
}

/// An attempt and its consequences.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The lease: delivery …
    pub delivery_id: DeliveryId,
    /// … and epoch.
    pub epoch: u32,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Whose.
    pub project_id: ProjectId,
    /// What was delivered.
    pub event: Arc<Event>,
    /// How it was rendered.
    pub rendering: Rendering,
    /// The attempt.
    pub attempt: AttemptRecord,
    /// What follows.
    pub decision: Decision,
    /// When the attempt ended.
    pub ended_at: Timestamp,
    /// Whether its exhaustion is to be reported; deliveries of reports are not, or a receiver of
    /// reports that fails would be reported to itself for ever.
    pub reported: bool,
    /// What comes next if this one was delivered: the following action of a receipt, born due.
    pub next: Option<NewDelivery>,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is written down.
    Applied,
    /// It is written down, and it disabled the webhook.
    AppliedAndDisabled,
    /// The lease was no longer valid: nothing changed.
    Stale,
}

/// How many deliveries a webhook has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRequest {
    /// Whose deliveries.
    pub webhook_id: WebhookId,
    /// At most so many.
    pub count: u32,
}

/// What a claim gave for one webhook.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Which webhook.
    pub webhook_id: WebhookId,
    /// The deliveries, oldest due first.
    pub deliveries: Vec<LeasedDelivery>,
    /// When the next one that was not claimed is due, if there is one.
    pub next_due_at: Option<Timestamp>,
}

/// A webhook with waiting deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogLane {
    /// Which webhook.
    pub webhook_id: WebhookId,
    /// Whose.
    pub project_id: ProjectId,
    /// When its next delivery is due.
    pub next_due_at: Timestamp,
}

/// Waiting deliveries of one lane that are counted.
pub const LANE_COUNT_MAX: u32 = 1_000;
/// Lanes whose waiting deliveries are counted, the oldest webhooks' first.
pub const LANES_COUNTED_MAX: u32 = 1_000;

/// What the store knows of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLane {
    /// Whose.
    pub webhook_id: WebhookId,
    /// In which project; of a source's lane, its owner's.
    pub project_id: ProjectId,
    /// The source whose actions it does, if it is no webhook that anybody made.
    pub source_id: Option<SourceId>,
    /// What the webhook or the source is called.
    pub name: Option<String>,
    /// Whether it is delivered to.
    pub standing: WebhookStanding,
    /// Deliveries that wait in the store; [`LANE_COUNT_MAX`] stands for that many or more.
    pub waiting: u32,
    /// When the next of them is due.
    pub next_due_at: Option<Timestamp>,
}

/// What became of a request to send a delivery again.
#[derive(Debug, Clone)]
pub enum Requeued {
    /// It was leased for the caller, to be sent at once.
    Leased(Box<LeasedDelivery>),
    /// It is being sent at this moment.
    InFlight,
    /// The project has no such delivery.
    NotFound,
    /// Its webhook is disabled.
    WebhookDisabled,
    /// Its webhook was deleted.
    WebhookDeleted,
    /// Its event's payload was deleted.
    Expunged,
}

/// The key of the event, for callers that hold only a settlement.
impl Settlement {
    /// See [`Event::key`].
    pub fn event_key(&self) -> EventKey {
        self.event.key
    }
}
