//! What publishers do.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    render::Rendering,
};
use tidings_fakes::Random;
use tidings_ports::store::{
    Appended, BatchKey, Idempotency, LeasedDelivery, NewBatch, NewDelivery, NewEvent, TestRecord,
};

use super::{
    deliver::attempt,
    trial::{Trial, any},
};

/// Types of events.
pub(super) const TYPES: [&str; 4] = ["user.created", "user.deleted", "order_1.paid", "a.b"];
/// Scopes: one is part of another, and one looks like two.
pub(super) const SCOPES: [&str; 5] = ["eu", "eu-west", "a,b", "it's \"quoted\" 100%", "ö"];
/// Ids that publishers choose; few, so that they repeat.
const CUSTOM_IDS: [&str; 6] = ["order-1", "ORDER-1", "order-10", "a.b", "x_y", "evt"];
/// Idempotency keys, likewise.
pub(super) const KEYS: [&str; 4] = ["key-1", "KEY-1", "key%", "key"];
/// Events of one append at most.
const EVENTS_MAX: u64 = 5;
/// How far ahead something may be put off.
const AHEAD_MS: u64 = 7_200_000;

impl Trial {
    pub(super) async fn append(&mut self, random: &mut Random) {
        let count = if random.percent(60) { 1 } else { random.between(2, EVENTS_MAX) };
        for project in self.projects() {
            if random.percent(85) {
                self.load_snapshot(project).await;
            }
        }
        let mut events: Vec<NewEvent> = Vec::new();
        for _ in 0..count {
            let project = self.any_project(random);
            let mut new = self.new_event(random, project);
            new.idempotency = random.percent(30).then(|| key_of(random, project, &new));
            events.push(new);
        }
        let now = self.now;
        let appended = self.model.append(&events, now);
        self.note_born(&events, &appended);
        self.ask(&("append", &events.clone()), appended, async |it| {
            let events = events.iter().map(|new| it.known(new)).collect();
            it.store.append(Arc::new(events), now).await
        })
        .await;
    }

    pub(super) async fn append_batch(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        if random.percent(85) {
            self.load_snapshot(project).await;
        }
        let count = random.below(EVENTS_MAX + 1);
        let events: Vec<NewEvent> = (0..count).map(|_| self.new_event(random, project)).collect();
        let key = random.percent(50).then(|| (random.pick(&KEYS), [random.below(2) as u8; 32]));
        let batch = |events: Vec<NewEvent>| NewBatch {
            events,
            key: key.map(|(key, request_hash)| BatchKey {
                owner: project.sequence(),
                key: key.to_owned(),
                request_hash,
                status: 202,
                answer: Box::new(|appended| Bytes::from(format!("{appended:?}"))),
            }),
        };
        let now = self.now;
        let appended = self.model.append_batch(&batch(events.clone()), now);
        if let tidings_ports::store::BatchAppended::Stored(appended) = &appended {
            self.note_born(&events, appended);
        }
        self.ask(&("append_batch", &events.clone(), key), appended, async |it| {
            let events = events.iter().map(|new| it.known(new)).collect();
            it.store.append_batch(Arc::new(batch(events)), now).await
        })
        .await;
    }

    /// An event with deliveries to webhooks that the project's snapshot may have had.
    pub(super) fn new_event(&mut self, random: &mut Random, project: ProjectId) -> NewEvent {
        let webhooks: Vec<WebhookId> = self.webhooks_of(project).filter(|_| random.percent(70)).collect();
        let first = self.sequence(1 + webhooks.len() as u32);
        let mut event = self.event(random, project, first);
        event.custom_id = match random.below(10) {
            0..=2 => Some(random.pick(&CUSTOM_IDS).to_owned()),
            // Somebody spells the id of another event.
            3 => any(random, self.model.events.keys().map(ToString::to_string)),
            _ => None,
        };
        let deliveries = (1..).zip(webhooks).map(|(place, webhook_id)| {
            let place_of_event: i64 = place;
            let ahead = random.percent(15).then(|| random.below(AHEAD_MS));
            NewDelivery {
                id: DeliveryId::from_parts(first + place_of_event, 9),
                webhook_id,
                rendering: random.pick(&[Rendering::Standard, Rendering::Botdog]),
                leased: ahead.is_none() && random.percent(55),
                due_at: ahead.map(|ms| self.now.plus_millis(ms)),
            }
        });
        let deliveries = deliveries.collect();
        let snapshot_version = self.version_of(project);
        NewEvent {
            event: Arc::new(event),
            snapshot_version,
            deliveries,
            idempotency: None,
            receipt: None,
            after_runs: 0,
        }
    }

    fn event(&self, random: &mut Random, project_id: ProjectId, first: i64) -> Event {
        let key = EventKey::from_parts(first, 7);
        Event {
            key,
            custom_id: None,
            project_id,
            event_type: random.pick(&TYPES).parse().expect("a type"),
            scopes: SCOPES.iter().filter(|_| random.percent(25)).map(|scope| (*scope).to_owned()).collect(),
            content_type: random.percent(20).then(|| "text/plain; charset=utf-8".to_owned()),
            label: random.percent(20).then(|| "It’s “new” 100%".to_owned()),
            schema_version: random.percent(20).then(|| random.below(4) as u32 + 1),
            payload: Bytes::from(vec![b'0' + random.below(10) as u8; random.below(40) as usize]),
        }
    }

    /// Leases that deliveries were born with.
    fn note_born(&mut self, events: &[NewEvent], appended: &[Appended]) {
        for (new, appended) in events.iter().zip(appended) {
            let leased = new.deliveries.iter().filter(|delivery| delivery.leased && *appended == Appended::Stored);
            self.leases.extend(leased.map(|delivery| LeasedDelivery {
                id: delivery.id,
                epoch: 1,
                webhook_id: delivery.webhook_id,
                project_id: new.event.project_id,
                rendering: delivery.rendering,
                attempts_made: 0,
                manual: false,
                event: Arc::clone(&new.event),
            }));
        }
    }

    pub(super) async fn record_test(&mut self, random: &mut Random) {
        let Some(webhook_id) = self.any_webhook(random) else { return };
        let project = self.model.webhooks[&webhook_id].record.webhook.project_id;
        let first = self.sequence(2);
        let delivered = random.percent(50);
        let test = TestRecord {
            event: Arc::new(self.event(random, project, first)),
            delivery_id: DeliveryId::from_parts(first + 1, 9),
            webhook_id,
            rendering: Rendering::Standard,
            delivered,
            attempt: attempt(random, 1, self.now, delivered),
        };
        self.model.record_test(&test);
        self.ask(&test.clone(), (), async |it| it.store.record_test(test.clone()).await).await;
    }

    pub(super) async fn find_answer(&mut self, random: &mut Random) {
        let (owner, key) = (self.any_project(random).sequence(), random.pick(&KEYS));
        let right = self.model.find_answer(owner, key).cloned();
        self.ask(&("find_answer", key), right, async |it| it.store.find_answer(owner, key).await).await;
    }
}

impl super::trial::Subject {
    /// See [`Trial::version_of`].
    pub(super) fn version_of(&self, project: ProjectId) -> u64 {
        self.versions.get(&project).copied().unwrap_or(0)
    }

    /// The same event, decided by the version that this store gave out at the same time.
    fn known(&self, new: &NewEvent) -> NewEvent {
        let snapshot_version = self.version_of(new.event.project_id);
        NewEvent { snapshot_version, ..new.clone() }
    }
}

fn key_of(random: &mut Random, project: ProjectId, new: &NewEvent) -> Idempotency {
    Idempotency {
        owner: project.sequence(),
        key: random.pick(&KEYS).to_owned(),
        request_hash: [random.below(2) as u8; 32],
        status: 202,
        response: Bytes::from(new.event.id()),
    }
}
