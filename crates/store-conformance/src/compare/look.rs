//! What people and the engine look at.

use tidings_domain::{delivery::DeliveryState, page::PageRequest, time::Timestamp};
use tidings_fakes::Random;
use tidings_ports::store::{DeliveryFilter, EventFilter, WebhookFilter, WebhookStanding};

use super::{
    publish::{SCOPES, TYPES},
    trial::{Trial, any, sorted},
};
use crate::{START, model::page_of};

impl Trial {
    pub(super) fn any_time(&self, random: &mut Random) -> Timestamp {
        let passed = self.now.as_millis() - START.as_millis();
        START.plus_millis(random.below(passed.unsigned_abs() + 1))
    }

    fn any_page(&self, random: &mut Random) -> PageRequest {
        let before = random.percent(50).then(|| any(random, self.model.deliveries.keys().map(|id| id.sequence())));
        PageRequest { limit: random.between(1, 12) as u32, before: before.flatten() }
    }

    pub(super) async fn list_deliveries(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        let filter = DeliveryFilter {
            webhook_id: if random.percent(50) { self.any_webhook(random) } else { None },
            event_type: random.percent(30).then(|| random.pick(&TYPES).parse().expect("a type")),
            state: random.percent(50).then(|| random.pick(&DeliveryState::ALL)),
            since: random.percent(25).then(|| self.any_time(random)),
            until: random.percent(25).then(|| self.any_time(random)),
        };
        let page = self.any_page(random);
        let right = self.model.list_deliveries(project, &filter, page);
        self.ask(&("list_deliveries", &filter.clone(), page), right, async |it| {
            it.store.list_deliveries(project, filter.clone(), page).await
        })
        .await;
    }

    pub(super) async fn list_events(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        let filter = EventFilter {
            event_type: random.percent(30).then(|| random.pick(&TYPES).parse().expect("a type")),
            scope: random.percent(50).then(|| random.pick(&SCOPES).to_owned()),
            since: random.percent(25).then(|| self.any_time(random)),
            until: random.percent(25).then(|| self.any_time(random)),
        };
        let page = self.any_page(random);
        let right = self.model.list_events(project, &filter, page);
        self.ask(&("list_events", &filter.clone(), page), right, async |it| {
            it.store.list_events(project, filter.clone(), page).await
        })
        .await;
    }

    pub(super) async fn search_webhooks(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        let text = match random.below(4) {
            0 => None,
            1 => self.any_webhook(random).map(|id| id.to_string()),
            _ => Some(
                random.pick(&["SHOP", "%", "_", "\\", "'", "ÄRGER", "ärg", "USER.", "receiver-1", "", "\0"]).to_owned(),
            ),
        };
        let standings = [WebhookStanding::Active, WebhookStanding::Paused, WebhookStanding::Disabled];
        let filter = WebhookFilter {
            status: random.percent(30).then(|| random.pick(&standings)),
            is_failing: random.percent(25),
            text,
        };
        let page = PageRequest { limit: random.between(1, 5) as u32, before: None };
        let found = self.model.search_webhooks(project, &filter).into_iter().cloned().collect();
        let right = page_of(found, page, |record| record.webhook.id.sequence());
        self.ask(&("search_webhooks", &filter.clone(), page), right, async |it| {
            it.store.search_webhooks(project, filter.clone(), page).await
        })
        .await;
    }

    pub(super) async fn look_at_one(&mut self, random: &mut Random) {
        let Some((key, id)) = any(random, self.model.events.iter().map(|(key, row)| (*key, row.event.id()))) else {
            return;
        };
        let project = self.any_project(random);
        let right = self.model.find_event(project, &id).map(|row| row.event.clone());
        self.ask(&("find_event", id.clone()), right, async |it| it.store.find_event(project, &id).await).await;
        let event = self.model.event(key).event.clone();
        let right = self.model.deliveries_of(key);
        self.ask(&("deliveries_of", key), right, async |it| it.store.deliveries_of(&event).await).await;
        let Some((id, owner)) = any(random, self.model.deliveries.iter().map(|(id, row)| (*id, row.project_id))) else {
            return;
        };
        let project = if random.percent(80) { owner } else { project };
        let right = self.model.attempts_of(project, id);
        self.ask(&("attempts_of", id), right, async |it| it.store.attempts_of(project, id).await).await;
    }

    pub(super) async fn count(&mut self, random: &mut Random) {
        let (project, webhook, now) = (self.any_project(random), self.any_webhook(random), self.now);
        let webhook = webhook.filter(|_| random.percent(60));
        let (one, other) = (self.any_time(random), self.any_time(random));
        let right = self.model.statistics(project, webhook, one, other);
        self.ask(&("statistics", webhook, one, other), right, async |it| {
            it.store.statistics(project, webhook, one, other).await
        })
        .await;
        let right = self.model.waiting(project, webhook, now);
        self.ask(&("waiting", webhook), right, async |it| it.store.waiting(project, webhook, now).await).await;
        let right = self.model.counts(now);
        self.ask(&"counts", right, async |it| it.store.counts(now).await).await;
    }

    pub(super) async fn busiest_lanes(&mut self, random: &mut Random) {
        let also: Vec<_> = self.any_webhook(random).into_iter().collect();
        let limit = random.between(1, 3) as u32;
        let right = self.model.busiest_lanes(&also, limit);
        self.ask(&("busiest_lanes", also.clone(), limit), right, async |it| {
            Ok(sorted(it.store.busiest_lanes(also.clone(), limit).await?, |lane| lane.webhook_id))
        })
        .await;
    }

    /// A few at a time, until there are no more: which of equally old ones go first is nobody's promise.
    pub(super) async fn expire_keys(&mut self, random: &mut Random) {
        let (before, limit) = (self.any_time(random), random.between(1, 4) as u32);
        let mut left = self.model.expire_idempotency(before);
        loop {
            let gone = left.min(limit);
            self.ask(&("expire_idempotency", before, limit), gone, async |it| {
                it.store.expire_idempotency(before, limit).await
            })
            .await;
            left -= gone;
            if gone < limit {
                return;
            }
        }
    }

    pub(super) async fn expire_hours(&mut self, random: &mut Random) {
        let (before, limit) = (self.any_time(random), random.between(1, 4) as u32);
        let mut left = self.model.expire_hours(before);
        loop {
            let gone = left.min(limit);
            self.ask(&("expire_hours", before, limit), gone, async |it| it.store.expire_hours(before, limit).await)
                .await;
            left -= gone;
            if gone < limit {
                return;
            }
        }
    }
}
