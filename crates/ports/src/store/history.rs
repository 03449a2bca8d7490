//! Reading back: events, deliveries, attempts.

use async_trait::async_trait;
use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    event_type::EventTypeName,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    page::{Page, PageRequest},
    statistics::Tally,
    time::Timestamp,
};

use super::{AttemptRecord, StoreError};

/// The history of a project. Everything is asked for with the project, and nothing of another
/// project is ever found (INV-ISOLATION).
#[async_trait]
pub trait History: Send + Sync {
    /// Lists events, newest first.
    async fn list_events(
        &self,
        project_id: ProjectId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<EventView>, StoreError>;

    /// Finds an event by the id its publisher chose or by its own, with its payload.
    async fn find_event(&self, project_id: ProjectId, id: &str) -> Result<Option<Event>, StoreError>;

    /// Deletes an event's payload, and cancels its deliveries that wait. All else of it stays.
    async fn expunge_payload(
        &self,
        project_id: ProjectId,
        event: EventKey,
        now: Timestamp,
    ) -> Result<Expunged, StoreError>;

    /// When an event's payload was deleted, if it was.
    async fn expunged_at(&self, project_id: ProjectId, event: EventKey) -> Result<Option<Timestamp>, StoreError>;

    /// Lists deliveries, newest first.
    async fn list_deliveries(
        &self,
        project_id: ProjectId,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<DeliveryView>, StoreError>;

    /// Finds a delivery.
    async fn find_delivery(&self, project_id: ProjectId, id: DeliveryId) -> Result<Option<DeliveryView>, StoreError>;

    /// The deliveries of an event, in the order in which its webhooks matched.
    async fn deliveries_of(&self, event: &Event) -> Result<Vec<DeliveryView>, StoreError>;

    /// The attempts of a delivery, first to last.
    async fn attempts_of(&self, project_id: ProjectId, id: DeliveryId) -> Result<Vec<AttemptView>, StoreError>;

    /// How one webhook of the project, or all of them together, have been doing in the hours from
    /// `since` to `until`, both included. `None`: the project has no such webhook.
    async fn statistics(
        &self,
        project_id: ProjectId,
        webhook_id: Option<WebhookId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Statistics>, StoreError>;

    /// How each of these webhooks has been doing in the hours from `since` to `until`, both
    /// included, in the order of `webhook_ids`. Those that the project has not are left out.
    async fn hours_of_webhooks(
        &self,
        project_id: ProjectId,
        webhook_ids: Vec<WebhookId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<WebhookHours>, StoreError>;

    /// What waits now for one webhook of the project, or for all of them together.
    async fn waiting(
        &self,
        project_id: ProjectId,
        webhook_id: Option<WebhookId>,
        now: Timestamp,
    ) -> Result<Waiting, StoreError>;
}

/// Counts by hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// The hours in which something happened, oldest first; see [`tidings_domain::statistics::hour_of`].
    pub hours: Vec<(i64, Tally)>,
    /// Whether there is more than may be read, so that `hours` is not whole.
    pub is_cut: bool,
}

/// One webhook's counts by hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHours {
    /// Whose.
    pub webhook_id: WebhookId,
    /// The hours in which something happened, oldest first.
    pub hours: Vec<(i64, Tally)>,
}

/// Deliveries that have not ended. Each count stops at a bound, like the total of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Not tried yet, or under way at this moment.
    pub pending: u64,
    /// Tried, and to be tried again.
    pub retrying: u64,
    /// Kept for webhooks that are paused or disabled.
    pub held: u64,
    /// Since when the oldest one is due that nothing holds.
    pub oldest_due_at: Option<Timestamp>,
}

impl Waiting {
    /// All of them together.
    pub const fn all(&self) -> u64 {
        self.pending + self.retrying + self.held
    }
}

/// What became of a payload that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expunged {
    /// It is gone.
    Done,
    /// The project has no such event.
    NotFound,
    /// A delivery of it is being sent; nothing was changed.
    InFlight,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of this type.
    pub event_type: Option<EventTypeName>,
    /// With this scope.
    pub scope: Option<String>,
    /// Accepted at or after this time.
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
}

/// An event in a list, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// The event; its payload is empty.
    pub event: Event,
    /// How many deliveries it has.
    pub deliveries: u32,
    /// How many of them arrived; `None`: there are so many that a list does not count them.
    pub delivered: Option<u32>,
}

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// To this webhook.
    pub webhook_id: Option<WebhookId>,
    /// Of events of this type.
    pub event_type: Option<EventTypeName>,
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Accepted at or after this time.
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
}

/// A delivery as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    /// Its id; also says when it was accepted.
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The id of its event.
    pub event_id: String,
    /// The type of its event.
    pub event_type: EventTypeName,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts_made: u32,
    /// The last attempt's status code.
    pub last_status: Option<u16>,
    /// The last attempt's duration in microseconds.
    pub last_total_us: Option<u32>,
    /// Why the last attempt failed without a status.
    pub last_error: Option<String>,
    /// When the last attempt began.
    pub attempted_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it is due, unless it is being sent or has ended.
    pub due_at: Option<Timestamp>,
    /// Whether its webhook is paused or disabled, so that it is held.
    pub held: bool,
    /// How its body is rendered; of a receipt's delivery, the place of its action.
    pub rendering_code: u8,
}

/// An attempt together with what its request head is filled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    /// The attempt.
    pub attempt: AttemptRecord,
    /// The body's rendering code at the time.
    pub rendering_code: u8,
}
