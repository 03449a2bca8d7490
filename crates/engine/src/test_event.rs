//! The test event: one attempt, at once, for whoever asks and waits.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    event_type::{EventTypeName, TEST_EVENT_TYPE},
    ids::{DeliveryId, ProjectId, WebhookId},
    outcome::Outcome,
    render::render,
};
use tidings_ports::store::{StoreError, TestRecord};

use crate::{
    Engine,
    dispatch::{Acted, build_request, is_delivered, record_exchange},
    feed::{Change, Happened},
    run::Attempted,
};

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    /// The delivery in the history.
    pub delivery_id: DeliveryId,
    /// Whether the receiver answered with success.
    pub delivered: bool,
    /// The answer's status.
    pub status: Option<u16>,
    /// How long the exchange took, in milliseconds.
    pub duration_ms: u32,
    /// Why there was no usable answer.
    pub error: Option<String>,
}

/// Why no test was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// The project has no such webhook.
    #[error("the project has no such webhook")]
    NoWebhook,
    /// The catalogue has no such type.
    #[error("the catalogue has no event type {0:?}")]
    UnknownEventType(String),
    /// As many tests are under way as may be at a time.
    #[error("too many tests are being sent already")]
    Busy,
    /// The result could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Sends a test event to one webhook, whatever its status, and writes down what came of it.
    /// It never counts against the webhook and is never retried.
    pub async fn send_test(
        &self,
        project_id: ProjectId,
        webhook_id: WebhookId,
        event_type: Option<EventTypeName>,
    ) -> Result<TestOutcome, TestError> {
        let _slot = self.test_slots.try_acquire().map_err(|_| TestError::Busy)?;
        let snapshot = self.router.snapshot(project_id).await?.ok_or(TestError::NoWebhook)?;
        let target = snapshot.target(webhook_id).cloned().ok_or(TestError::NoWebhook)?;
        let name = match event_type {
            Some(name) if snapshot.knows(&name) => name,
            Some(name) => return Err(TestError::UnknownEventType(name.to_string())),
            None => TEST_EVENT_TYPE.parse().expect("the test event's name is a name"),
        };
        let entry = snapshot.event_type(&name);
        let payload = match entry.and_then(|entry| entry.example.clone()) {
            Some(example) => example.into_bytes(),
            None => format!("{{\"test\":true,\"webhook_id\":\"{webhook_id}\"}}").into_bytes(),
        };
        let (key, mut ids) = self.ids.event(1);
        let delivery_id = ids.remove(0);
        let event = Arc::new(Event {
            key,
            custom_id: None,
            project_id,
            event_type: name,
            scopes: Vec::new(),
            content_type: None,
            label: entry.and_then(|entry| entry.description.clone()),
            schema_version: None,
            payload: Bytes::from(payload),
        });
        let rendering = target.webhook.settings.profile.rendering();
        let started_at = self.clock.wall();
        let attempted = Attempted { event: &event, delivery_id, rendering, number: 1, started_at };
        let Acted { exchange, sent, added, .. } = match target.is_special() {
            true => self.reach_special(&target, attempted).await,
            false => {
                let body = render(&event, rendering, delivery_id);
                let request = build_request(&target, &event, delivery_id, body, 1, started_at);
                Acted::here(self.sender.send(request).await)
            }
        };
        let exchange_us = exchange.timing.total_us;
        let attempt = Acted::record(sent, &added, record_exchange(&target, exchange, 1, started_at));
        let outcome = TestOutcome {
            delivery_id,
            delivered: is_delivered(&target, attempt.outcome),
            status: match attempt.outcome {
                Outcome::Status(status) => Some(status),
                _ => None,
            },
            duration_ms: exchange_us / 1000,
            error: attempt.error.clone(),
        };
        let delivered = outcome.delivered;
        let record = TestRecord { event: Arc::clone(&event), delivery_id, webhook_id, rendering, delivered, attempt };
        let at = record.ended_at();
        self.store.record_test(record).await?;
        self.feed.tell(|| {
            std::iter::once(Happened {
                at,
                change: Change::Ended,
                event: &event,
                delivery_id,
                webhook_id,
                state: if delivered { DeliveryState::Delivered } else { DeliveryState::Failed },
                attempts_made: 1,
                status: outcome.status,
                total_us: Some(exchange_us),
                error: outcome.error.as_deref(),
            })
        });
        Ok(outcome)
    }
}
