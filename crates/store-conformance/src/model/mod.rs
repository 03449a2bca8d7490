//! What a store is to do, in plain collections: everything in one place, and each verb said in the simplest words.
//!
//! It is no store for anybody but the tests: it forgets all with its process, looks at every row for every question,
//! and has no limits. It holds events, deliveries, attempts, webhooks, idempotency keys, statistics, reports, jobs.
//! Not in it, and so compared between stores by tests of their own alone: plans and what they limit, keys of the API,
//! schemas of event types, sources, records, billing, commands and runs, accounts, portals, and the audit log.

mod history;
mod jobs;
mod log;
mod queue;
mod upkeep;
mod webhooks;

pub(crate) use history::page_of;

use std::collections::{BTreeMap, BTreeSet};

use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    ids::{DeliveryId, EventKey, JobId, OrganizationId, ProjectId, WebhookId},
    render::Rendering,
    statistics::{Tally, hour_of},
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::{AttemptView, Idempotency, JobRecord, LeasedDelivery, WebhookRecord};

/// All there is.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Projects, by whose they are.
    pub projects: BTreeMap<ProjectId, ProjectRow>,
    /// Webhooks, deleted ones as well.
    pub webhooks: BTreeMap<WebhookId, WebhookRow>,
    /// Events.
    pub events: BTreeMap<EventKey, EventRow>,
    /// Deliveries.
    pub deliveries: BTreeMap<DeliveryId, DeliveryRow>,
    /// Jobs.
    pub jobs: BTreeMap<JobId, JobRecord>,
    /// What idempotency keys were used for first, and when.
    pub keys: BTreeMap<(i64, String), (Idempotency, Timestamp)>,
    /// What happened in which hour.
    pub hours: BTreeMap<(WebhookId, i64), Tally>,
    /// What is to be reported: of which type, when.
    pub reports: Vec<(&'static str, Timestamp)>,
    /// Deliveries that were ever born.
    pub born: u64,
    /// By how much the wall clock was set while the process lived.
    pub stepped_ms: i64,
    /// Types of each catalogue; `None`: the instance's.
    pub event_types: BTreeSet<(Option<OrganizationId>, String)>,
}

/// A project.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Counts changes of what its snapshot is made of.
    pub version: u64,
    /// Whether it was deleted.
    pub is_deleted: bool,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct WebhookRow {
    /// As it is shown.
    pub record: WebhookRecord,
    /// Whether it was deleted.
    pub is_deleted: bool,
}

/// An event.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// With its payload, as long as that was not deleted.
    pub event: Event,
    /// Its deliveries, in the order in which they were born.
    pub deliveries: Vec<DeliveryId>,
    /// When its payload was deleted.
    pub expunged_at: Option<Timestamp>,
}

/// A delivery.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Of which event.
    pub event: EventKey,
    /// To whom.
    pub webhook_id: WebhookId,
    /// Whose.
    pub project_id: ProjectId,
    /// How its body is rendered.
    pub rendering: Rendering,
    /// Grows with every lease.
    pub epoch: u32,
    /// Whether it had ended and was to be sent once more.
    pub manual: bool,
    /// Its attempts, first to last.
    pub attempts: Vec<AttemptView>,
    /// Where it is.
    pub place: Place,
}

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// With somebody who sends it.
    Leased,
    /// It waits until then.
    Waiting(Timestamp),
    /// It has ended like this, then.
    Ended(DeliveryState, Timestamp),
}

impl DeliveryRow {
    /// Attempts made.
    pub fn attempts_made(&self) -> u32 {
        u32::try_from(self.attempts.len()).unwrap_or(u32::MAX)
    }

    /// Where it stands.
    pub fn state(&self) -> DeliveryState {
        match self.place {
            Place::Ended(state, _) => state,
            _ if self.attempts.is_empty() => DeliveryState::Pending,
            _ => DeliveryState::Retrying,
        }
    }

    /// Until when it waits, if it does.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.place {
            Place::Waiting(due_at) => Some(due_at),
            _ => None,
        }
    }

    /// Whether it has not ended.
    pub fn is_unfinished(&self) -> bool {
        !matches!(self.place, Place::Ended(..))
    }

    /// When it is due if it is given back: what was never tried keeps its place by age.
    fn due_again(&self, id: DeliveryId, now: Timestamp) -> Timestamp {
        if self.attempts.is_empty() { id.timestamp().min(now) } else { now }
    }
}

impl Model {
    /// A webhook that is there.
    pub fn webhook(&self, id: WebhookId) -> Option<&WebhookRecord> {
        self.webhooks.get(&id).filter(|row| !row.is_deleted).map(|row| &row.record)
    }

    fn is_active(&self, id: WebhookId) -> bool {
        self.webhook(id).is_some_and(|record| record.webhook.status == WebhookStatus::Active)
    }

    fn is_deleted(&self, id: WebhookId) -> bool {
        self.webhook(id).is_none()
    }

    /// Deliveries to a webhook that wait.
    fn waiting_for(&self, webhook: WebhookId) -> impl Iterator<Item = (DeliveryId, Timestamp)> {
        let its = self.deliveries.iter().filter(move |(_, row)| row.webhook_id == webhook);
        its.filter_map(|(id, row)| Some((*id, row.due_at()?)))
    }

    fn project_changed(&mut self, project: ProjectId) {
        if let Some(project) = self.projects.get_mut(&project) {
            project.version += 1;
        }
    }

    fn tally(&mut self, webhook: WebhookId, at: Timestamp) -> &mut Tally {
        self.hours.entry((webhook, hour_of(at))).or_default()
    }

    /// Makes a delivery, wherever it is.
    fn bear(&mut self, id: DeliveryId, row: DeliveryRow) {
        if let Some(event) = self.events.get_mut(&row.event) {
            event.deliveries.push(id);
        }
        self.deliveries.insert(id, row);
        self.born += 1;
    }

    /// Leases a delivery that waits.
    fn lease(&mut self, id: DeliveryId) -> Option<LeasedDelivery> {
        let row = self.deliveries.get_mut(&id)?;
        row.place = Place::Leased;
        row.epoch += 1;
        let event = self.events.get(&row.event)?.event.clone();
        Some(LeasedDelivery {
            id,
            epoch: row.epoch,
            webhook_id: row.webhook_id,
            project_id: row.project_id,
            rendering: row.rendering,
            attempts_made: row.attempts_made(),
            manual: row.manual,
            // Nobody needs the version of a schema for delivering.
            event: Event { schema_version: None, ..event }.into(),
        })
    }

    /// Ends a delivery that waits, with its webhook or its payload.
    fn cancel(&mut self, id: DeliveryId, now: Timestamp) {
        if let Some(row) = self.deliveries.get_mut(&id) {
            row.place = Place::Ended(DeliveryState::Cancelled, now);
        }
    }

    /// Makes a delivery that has ended wait once more.
    fn reopen(&mut self, id: DeliveryId, now: Timestamp) {
        let Some(row) = self.deliveries.get_mut(&id) else { return };
        let Place::Ended(state, at) = row.place else { return };
        row.place = Place::Waiting(now);
        row.epoch += 1;
        row.manual = true;
        let key = (row.webhook_id, hour_of(at));
        // It is counted again when it ends again; its attempts stay counted. Hours of long ago are forgotten.
        if let Some(tally) = self.hours.get_mut(&key) {
            match state {
                DeliveryState::Delivered => tally.delivered = tally.delivered.saturating_sub(1),
                DeliveryState::Failed => tally.failed = tally.failed.saturating_sub(1),
                DeliveryState::Dropped => tally.dropped = tally.dropped.saturating_sub(1),
                _ => {}
            }
        }
    }
}
