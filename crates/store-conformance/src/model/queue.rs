//! Leases and verdicts.

use std::collections::BTreeSet;

use tidings_domain::{
    delivery::DeliveryState,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    operational,
    retry::{DisableReason, Verdict},
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::{
    AttemptView, BacklogLane, ClaimRequest, Claimed, LeasedDelivery, Requeued, Settled, Settlement, StoredLane,
};

use super::{Model, Place, log::newborn, webhooks::standing};

impl Model {
    /// One verdict after the other. What is not under the lease that holds changes nothing.
    pub fn settle(&mut self, settlements: &[Settlement]) -> Vec<Settled> {
        settlements.iter().map(|settlement| self.settle_one(settlement)).collect()
    }

    fn settle_one(&mut self, settlement: &Settlement) -> Settled {
        let is_deleted = self.is_deleted(settlement.webhook_id);
        let Some(row) = self.deliveries.get_mut(&settlement.delivery_id) else { return Settled::Stale };
        if row.epoch != settlement.epoch || row.place != Place::Leased {
            return Settled::Stale;
        }
        let rendering_code = settlement.rendering.code();
        row.attempts.push(AttemptView { attempt: settlement.attempt.clone(), rendering_code });
        let ended = |state| Place::Ended(state, settlement.ended_at);
        row.place = match settlement.decision.verdict {
            Verdict::Delivered => ended(DeliveryState::Delivered),
            Verdict::Dropped => ended(DeliveryState::Dropped),
            Verdict::Exhausted => ended(DeliveryState::Failed),
            Verdict::Retry { .. } if is_deleted => ended(DeliveryState::Cancelled),
            Verdict::Retry { due_at } => Place::Waiting(due_at),
        };
        self.count(settlement);
        self.note(settlement);
        if settlement.reported && settlement.decision.verdict == Verdict::Exhausted {
            self.reports.push((operational::DELIVERY_EXHAUSTED, settlement.ended_at));
        }
        match settlement.decision.disable {
            Some(reason) if self.disable(settlement, reason) => Settled::AppliedAndDisabled,
            _ => Settled::Applied,
        }
    }

    fn count(&mut self, settlement: &Settlement) {
        let verdict = settlement.decision.verdict;
        let tally = self.tally(settlement.webhook_id, settlement.ended_at);
        tally.add_attempt(settlement.attempt.timing.total_us, verdict == Verdict::Delivered);
        match verdict {
            Verdict::Delivered => tally.delivered += 1,
            Verdict::Dropped => tally.dropped += 1,
            Verdict::Exhausted => tally.failed += 1,
            Verdict::Retry { .. } => {}
        }
    }

    /// What the webhook is known to have done.
    fn note(&mut self, settlement: &Settlement) {
        let Some(webhook) = self.webhooks.get_mut(&settlement.webhook_id) else { return };
        let state = &mut webhook.record.state;
        match settlement.decision.verdict {
            Verdict::Delivered => (state.failure_count, state.failing_since) = (0, None),
            // A drop says something about the event, not about the webhook.
            Verdict::Dropped => {}
            Verdict::Retry { .. } | Verdict::Exhausted => {
                state.failure_count += 1;
                state.failing_since.get_or_insert(settlement.ended_at);
            }
        }
        let started_at = settlement.attempt.started_at;
        if state.last_triggered_at.is_none_or(|last| started_at >= last) {
            state.last_triggered_at = Some(started_at);
            state.last_event_type = Some(settlement.event.event_type.as_str().to_owned());
        }
    }

    fn disable(&mut self, settlement: &Settlement, reason: DisableReason) -> bool {
        let Some(webhook) = self.webhooks.get_mut(&settlement.webhook_id).filter(|row| !row.is_deleted) else {
            return false;
        };
        let record = &mut webhook.record;
        if matches!(record.webhook.status, WebhookStatus::Disabled(_)) {
            return false;
        }
        record.webhook.status = WebhookStatus::Disabled(reason);
        record.revision += 1;
        record.updated_at = settlement.ended_at;
        self.reports.push((operational::WEBHOOK_DISABLED, settlement.ended_at));
        self.project_changed(settlement.project_id);
        true
    }

    /// Oldest due first, as many as are wanted and as their payloads fit: one that deliveries share counts once.
    pub fn claim(&mut self, wants: &[ClaimRequest], bytes_max: usize, now: Timestamp) -> Vec<Claimed> {
        let (mut bytes, mut held) = (0, BTreeSet::new());
        let mut claimed = Vec::new();
        for want in wants {
            let mut due: Vec<_> = self.waiting_for(want.webhook_id).filter(|(_, due_at)| *due_at <= now).collect();
            due.sort_by_key(|(id, due_at)| (*due_at, *id));
            let mut deliveries = Vec::new();
            for (id, _) in due.into_iter().take(want.count as usize) {
                if bytes >= bytes_max {
                    break;
                }
                let Some(lease) = self.lease(id) else { continue };
                if held.insert(lease.event.key) {
                    bytes += lease.event.payload.len();
                }
                deliveries.push(lease);
            }
            let next_due_at = self.waiting_for(want.webhook_id).map(|(_, due_at)| due_at).min();
            claimed.push(Claimed { webhook_id: want.webhook_id, deliveries, next_due_at });
        }
        claimed
    }

    /// Leases that hold are given back; those of deleted webhooks end.
    pub fn release(&mut self, leases: &[(DeliveryId, u32)], now: Timestamp) {
        for (id, epoch) in leases {
            let Some(row) = self.deliveries.get_mut(id) else { continue };
            if row.epoch != *epoch || row.place != Place::Leased {
                continue;
            }
            row.place = Place::Waiting(row.due_again(*id, now));
            let webhook = row.webhook_id;
            if self.is_deleted(webhook) {
                self.cancel(*id, now);
            }
        }
    }

    /// Another process starts: nobody holds a lease any more, and what waits does so by the wall clock as it is now.
    pub fn recover(&mut self, now: Timestamp) -> Vec<BacklogLane> {
        for (id, row) in &mut self.deliveries {
            match row.place {
                Place::Waiting(due_at) => row.place = Place::Waiting(shifted(due_at, self.stepped_ms)),
                Place::Leased => {
                    row.place = Place::Waiting(row.due_again(*id, now));
                    row.epoch += 1;
                }
                Place::Ended(..) => {}
            }
        }
        self.stepped_ms = 0;
        self.backlog()
    }

    /// Webhooks for which something waits.
    pub fn backlog(&self) -> Vec<BacklogLane> {
        let there = self.webhooks.iter().filter(|(_, row)| !row.is_deleted);
        there
            .filter_map(|(id, row)| {
                let next_due_at = self.waiting_for(*id).map(|(_, due_at)| due_at).min()?;
                Some(BacklogLane { webhook_id: *id, project_id: row.record.webhook.project_id, next_due_at })
            })
            .collect()
    }

    /// Webhooks for which most waits, and those that are named.
    pub fn busiest_lanes(&self, also: &[WebhookId], limit: u32) -> Vec<StoredLane> {
        let there = self.webhooks.iter().filter(|(_, row)| !row.is_deleted);
        let mut lanes: Vec<_> = there.map(|(id, _)| (*id, self.waiting_for(*id).count())).collect();
        lanes.retain(|(_, waiting)| *waiting > 0);
        lanes.sort_by_key(|(id, waiting)| (std::cmp::Reverse(*waiting), *id));
        lanes.truncate(limit as usize);
        let wanted: BTreeSet<_> = lanes.into_iter().map(|(id, _)| id).chain(also.iter().copied()).collect();
        let there = wanted.into_iter().filter_map(|id| self.webhook(id));
        there
            .map(|record| StoredLane {
                webhook_id: record.webhook.id,
                project_id: record.webhook.project_id,
                source_id: None,
                name: record.webhook.settings.name.clone(),
                standing: standing(record.webhook.status),
                waiting: self.waiting_for(record.webhook.id).count() as u32,
                next_due_at: self.waiting_for(record.webhook.id).map(|(_, due_at)| due_at).min(),
            })
            .collect()
    }

    /// Leases one delivery, whatever its state.
    pub fn requeue(&mut self, project: ProjectId, id: DeliveryId, force: bool, now: Timestamp) -> Requeued {
        let Some(row) = self.deliveries.get(&id).filter(|row| row.project_id == project) else {
            return Requeued::NotFound;
        };
        let place = row.place;
        let Some(webhook) = self.webhook(row.webhook_id) else { return Requeued::WebhookDeleted };
        if matches!(webhook.webhook.status, WebhookStatus::Disabled(_)) && !force {
            return Requeued::WebhookDisabled;
        }
        match place {
            Place::Leased => return Requeued::InFlight,
            Place::Waiting(_) => {}
            Place::Ended(..) if self.event(row.event).expunged_at.is_some() => return Requeued::Expunged,
            Place::Ended(..) => self.reopen(id, now),
        }
        self.lease(id).map_or(Requeued::NotFound, |lease| Requeued::Leased(Box::new(lease)))
    }

    /// Ends what waits for a deleted webhook, oldest due first.
    pub fn cancel_pending(&mut self, webhook: WebhookId, limit: u32, now: Timestamp) -> u32 {
        let mut waiting: Vec<_> = self.waiting_for(webhook).collect();
        waiting.sort_by_key(|(id, due_at)| (*due_at, *id));
        waiting.truncate(limit as usize);
        for (id, _) in &waiting {
            self.cancel(*id, now);
        }
        u32::try_from(waiting.len()).unwrap_or(limit)
    }

    /// The following action of a receipt.
    pub fn bear_next(&mut self, event: EventKey, next: &tidings_ports::store::NewDelivery, due_at: Timestamp) {
        let event = self.event(event).event.clone();
        self.bear(next.id, newborn(&event, next, Place::Waiting(due_at)));
    }

    /// The leases that hold.
    pub fn leases(&self) -> impl Iterator<Item = LeasedDelivery> {
        let leased = self.deliveries.iter().filter(|(_, row)| row.place == Place::Leased);
        leased.map(|(id, row)| LeasedDelivery {
            id: *id,
            epoch: row.epoch,
            webhook_id: row.webhook_id,
            project_id: row.project_id,
            rendering: row.rendering,
            attempts_made: row.attempts_made(),
            manual: row.manual,
            event: self.event(row.event).event.clone().into(),
        })
    }
}

fn shifted(at: Timestamp, by_ms: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + by_ms)
}
