//! Accepting: event after event, as if each came alone.

use tidings_domain::{event::Event, ids::EventKey, time::Timestamp};
use tidings_ports::store::{
    Appended, AttemptView, BatchAppended, Idempotency, NewBatch, NewDelivery, NewEvent, TestRecord,
};

use super::{DeliveryRow, EventRow, Model, Place};
use tidings_domain::delivery::DeliveryState;

impl Model {
    /// Each event is stored with all its deliveries and its key, or nothing of it is.
    pub fn append(&mut self, events: &[NewEvent], now: Timestamp) -> Vec<Appended> {
        events.iter().map(|new| self.append_one(new, now)).collect()
    }

    fn append_one(&mut self, new: &NewEvent, now: Timestamp) -> Appended {
        let event = &new.event;
        if self.projects[&event.project_id].version != new.snapshot_version {
            return Appended::StaleSnapshot;
        }
        if let Some(key) = &new.idempotency
            && let Some(first) = self.find_answer(key.owner, &key.key)
        {
            return match first.request_hash == key.request_hash {
                true => Appended::Replayed { status: first.status, response: first.response.clone() },
                false => Appended::IdempotencyConflict,
            };
        }
        if event.custom_id.is_some() && self.find_event(event.project_id, &event.id()).is_some() {
            return Appended::AlreadyExists;
        }
        if let Some(key) = &new.idempotency {
            self.remember(key.clone(), now);
        }
        self.take_in(event, &new.deliveries, now);
        Appended::Stored
    }

    fn take_in(&mut self, event: &Event, deliveries: &[NewDelivery], now: Timestamp) {
        let row = EventRow { event: event.clone(), deliveries: Vec::new(), expunged_at: None };
        self.events.insert(event.key, row);
        for delivery in deliveries {
            let place = match delivery.leased {
                true => Place::Leased,
                false => Place::Waiting(delivery.due_at.unwrap_or(now)),
            };
            self.bear(delivery.id, newborn(event, delivery, place));
        }
    }

    /// All events of a request under one answer, or none of them.
    pub fn append_batch(&mut self, batch: &NewBatch, now: Timestamp) -> BatchAppended {
        if let Some(key) = &batch.key
            && let Some(first) = self.find_answer(key.owner, &key.key)
        {
            return match first.request_hash == key.request_hash {
                true => BatchAppended::Replayed { status: first.status, response: first.response.clone() },
                false => BatchAppended::IdempotencyConflict,
            };
        }
        let is_stale = |new: &NewEvent| self.projects[&new.event.project_id].version != new.snapshot_version;
        if batch.events.first().is_some_and(is_stale) {
            return BatchAppended::StaleSnapshot;
        }
        let appended = self.append(&batch.events, now);
        if let Some(key) = &batch.key {
            let idempotency = Idempotency {
                owner: key.owner,
                key: key.key.clone(),
                request_hash: key.request_hash,
                status: key.status,
                response: (key.answer)(&appended),
            };
            self.remember(idempotency, now);
        }
        BatchAppended::Stored(appended)
    }

    /// What a key was used for first.
    pub fn find_answer(&self, owner: i64, key: &str) -> Option<&Idempotency> {
        self.keys.get(&(owner, key.to_owned())).map(|(first, _)| first)
    }

    fn remember(&mut self, key: Idempotency, now: Timestamp) {
        self.keys.insert((key.owner, key.key.clone()), (key, now));
    }

    /// A test is an event with one delivery that has had its one attempt.
    pub fn record_test(&mut self, test: &TestRecord) {
        let row = EventRow { event: (*test.event).clone(), deliveries: Vec::new(), expunged_at: None };
        self.events.insert(test.event.key, row);
        let delivery = NewDelivery {
            id: test.delivery_id,
            webhook_id: test.webhook_id,
            rendering: test.rendering,
            leased: true,
            due_at: None,
        };
        let (state, ended_at) = match test.delivered {
            true => (DeliveryState::Delivered, test.ended_at()),
            false => (DeliveryState::Failed, test.ended_at()),
        };
        let mut row = newborn(&test.event, &delivery, Place::Ended(state, ended_at));
        row.attempts.push(AttemptView { attempt: test.attempt.clone(), rendering_code: test.rendering.code() });
        self.bear(delivery.id, row);
        let tally = self.tally(test.webhook_id, ended_at);
        tally.add_attempt(test.attempt.timing.total_us, test.delivered);
        match test.delivered {
            true => tally.delivered += 1,
            false => tally.failed += 1,
        }
    }

    /// An event as its key says.
    pub fn event(&self, key: EventKey) -> &EventRow {
        &self.events[&key]
    }
}

pub(super) fn newborn(event: &Event, delivery: &NewDelivery, place: Place) -> DeliveryRow {
    DeliveryRow {
        event: event.key,
        webhook_id: delivery.webhook_id,
        project_id: event.project_id,
        rendering: delivery.rendering,
        epoch: 1,
        manual: false,
        attempts: Vec::new(),
        place,
    }
}
