//! What happened, told to whoever asks.

use bytes::Bytes;
use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    outcome::Outcome,
    page::{Page, PageRequest, Total},
    statistics::{Tally, hour_of},
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::{
    AttemptView, DeliveryFilter, DeliveryView, EventFilter, EventView, Expunged, Statistics, Waiting,
};

use super::{DeliveryRow, EventRow, Model, Place};

impl Model {
    /// The event that is called this in the project.
    pub fn find_event(&self, project: ProjectId, id: &str) -> Option<&EventRow> {
        self.events.values().find(|row| row.event.project_id == project && row.event.id() == id)
    }

    /// A project's events that fit, newest first, without payloads.
    pub fn list_events(&self, project: ProjectId, filter: &EventFilter, page: PageRequest) -> Page<EventView> {
        let its = self.events.values().rev().filter(|row| row.event.project_id == project);
        let fits = |event: &Event| {
            filter.event_type.as_ref().is_none_or(|wanted| *wanted == event.event_type)
                && filter.scope.as_ref().is_none_or(|wanted| event.scopes.contains(wanted))
                && is_within(event.created_at(), filter.since, filter.until)
        };
        let rows = its.filter(|row| fits(&row.event)).map(|row| self.event_view(row)).collect();
        page_of(rows, page, |view| view.event.key.sequence())
    }

    fn event_view(&self, row: &EventRow) -> EventView {
        let arrived = row.deliveries.iter().filter(|id| self.deliveries[id].state() == DeliveryState::Delivered);
        EventView {
            event: Event { payload: Bytes::new(), ..row.event.clone() },
            deliveries: row.deliveries.len() as u32,
            delivered: Some(arrived.count() as u32),
        }
    }

    /// Deletes an event's payload, and ends what waits of it.
    pub fn expunge_payload(&mut self, project: ProjectId, key: EventKey, now: Timestamp) -> Expunged {
        let Some(row) = self.events.get_mut(&key).filter(|row| row.event.project_id == project) else {
            return Expunged::NotFound;
        };
        let deliveries = row.deliveries.clone();
        if deliveries.iter().any(|id| self.deliveries[id].place == Place::Leased) {
            return Expunged::InFlight;
        }
        row.event.payload = Bytes::new();
        row.expunged_at.get_or_insert(now);
        for id in deliveries {
            let Some(delivery) = self.deliveries.get_mut(&id) else { continue };
            delivery.attempts.iter_mut().for_each(|view| view.attempt.request_body = None);
            if delivery.is_unfinished() {
                self.cancel(id, now);
            }
        }
        Expunged::Done
    }

    /// A delivery, if it is this project's.
    pub fn find_delivery(&self, project: ProjectId, id: DeliveryId) -> Option<DeliveryView> {
        let row = self.deliveries.get(&id).filter(|row| row.project_id == project)?;
        Some(self.delivery_view(id, row))
    }

    fn delivery_view(&self, id: DeliveryId, row: &DeliveryRow) -> DeliveryView {
        let event = &self.event(row.event).event;
        let last = row.attempts.last().map(|view| &view.attempt);
        let status = self.webhooks[&row.webhook_id].record.webhook.status;
        DeliveryView {
            id,
            webhook_id: row.webhook_id,
            event_id: event.id(),
            event_type: event.event_type.clone(),
            state: row.state(),
            attempts_made: row.attempts_made(),
            last_status: last.and_then(|attempt| match attempt.outcome {
                Outcome::Status(status) => Some(status),
                _ => None,
            }),
            last_total_us: last.map(|attempt| attempt.timing.total_us),
            last_error: last.and_then(|attempt| attempt.error.clone()),
            attempted_at: last.map(|attempt| attempt.started_at),
            finished_at: match row.place {
                Place::Ended(_, at) => Some(at),
                _ => None,
            },
            due_at: row.due_at(),
            held: row.is_unfinished() && status != WebhookStatus::Active,
            rendering_code: row.rendering.code(),
        }
    }

    /// A project's deliveries that fit, newest first.
    pub fn list_deliveries(
        &self,
        project: ProjectId,
        filter: &DeliveryFilter,
        page: PageRequest,
    ) -> Page<DeliveryView> {
        let its = self.deliveries.iter().rev().filter(|(_, row)| row.project_id == project);
        let fits = |id: DeliveryId, row: &DeliveryRow| {
            filter.webhook_id.is_none_or(|wanted| wanted == row.webhook_id)
                && filter.event_type.as_ref().is_none_or(|wanted| *wanted == self.event(row.event).event.event_type)
                && filter.state.is_none_or(|wanted| wanted == row.state())
                && is_within(id.timestamp(), filter.since, filter.until)
        };
        let fitting = its.filter(|(id, row)| fits(**id, row));
        let rows = fitting.map(|(id, row)| self.delivery_view(*id, row)).collect();
        page_of(rows, page, |view| view.id.sequence())
    }

    /// An event's deliveries, those that it was born with first.
    pub fn deliveries_of(&self, key: EventKey) -> Vec<DeliveryView> {
        let ids = &self.event(key).deliveries;
        ids.iter().map(|id| self.delivery_view(*id, &self.deliveries[id])).collect()
    }

    /// A delivery's attempts, first to last.
    pub fn attempts_of(&self, project: ProjectId, id: DeliveryId) -> Vec<AttemptView> {
        let row = self.deliveries.get(&id).filter(|row| row.project_id == project);
        row.map(|row| row.attempts.clone()).unwrap_or_default()
    }

    /// A webhook of the project, deleted or not.
    fn owns(&self, project: ProjectId, id: WebhookId) -> bool {
        self.webhooks.get(&id).is_some_and(|row| row.record.webhook.project_id == project)
    }

    /// What happened by the hour.
    pub fn statistics(
        &self,
        project: ProjectId,
        webhook: Option<WebhookId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Option<Statistics> {
        if webhook.is_some_and(|id| !self.owns(project, id)) {
            return None;
        }
        let mut hours: std::collections::BTreeMap<i64, Tally> = std::collections::BTreeMap::new();
        for ((id, hour), tally) in &self.hours {
            let is_asked_for = webhook.map_or_else(|| self.owns(project, *id), |wanted| wanted == *id);
            if is_asked_for && (hour_of(since)..=hour_of(until)).contains(hour) {
                hours.entry(*hour).or_default().merge(tally);
            }
        }
        Some(Statistics { hours: hours.into_iter().collect(), is_cut: false })
    }

    /// What has not ended, of webhooks that are there.
    pub fn waiting(&self, project: ProjectId, webhook: Option<WebhookId>, now: Timestamp) -> Waiting {
        let mut waiting = Waiting::default();
        let asked_for =
            |row: &&DeliveryRow| row.project_id == project && webhook.is_none_or(|wanted| wanted == row.webhook_id);
        for row in self.deliveries.values().filter(asked_for).filter(|row| !self.is_deleted(row.webhook_id)) {
            match row.place {
                Place::Ended(..) => {}
                Place::Leased => waiting.pending += 1,
                Place::Waiting(_) if !self.is_active(row.webhook_id) => waiting.held += 1,
                Place::Waiting(due_at) => {
                    match row.state() {
                        DeliveryState::Pending => waiting.pending += 1,
                        _ => waiting.retrying += 1,
                    }
                    let due = Some(due_at).filter(|due_at| *due_at <= now);
                    waiting.oldest_due_at = [waiting.oldest_due_at, due].into_iter().flatten().min();
                }
            }
        }
        waiting
    }
}

fn is_within(at: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>) -> bool {
    since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until)
}

/// The page of all rows, newest first.
pub(crate) fn page_of<T>(rows: Vec<T>, page: PageRequest, sequence_of: impl Fn(&T) -> i64) -> Page<T> {
    let total = Total::from_bounded_count(rows.len() as u64);
    let from_here = |row: &T| page.before.is_none_or(|before| sequence_of(row) < before);
    Page::from_rows(rows.into_iter().filter(from_here).collect(), page.limit, total, sequence_of)
}
