//! What the outside asks for about events and deliveries.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    outcome::Outcome,
    render::Rendering,
    retry::{Decision, Verdict},
};
use tidings_engine::{IdempotencyKey, Publish, PublishError, Published, RetryError};
use tidings_fakes::Random;
use tidings_ports::{
    Clock as _,
    sender::Timing,
    store::{AttemptRecord, Settled, Settlement},
};

use crate::{
    model::{Answer, PublishModel, Tick},
    operations::{EVENT_TYPES, Operator},
};

/// Idempotency keys in use: few, so that they meet.
const KEYS: u64 = 6;

impl Operator {
    pub(crate) fn publish(&self, random: &mut Random) {
        let mut model = self.world.model();
        let (number, start) = (model.publishes.len(), model.next_tick());
        let project = random.below(model.projects.len() as u64) as usize;
        let project_id = model.projects[project];
        let event_type = random.pick(&EVENT_TYPES);
        let (wall, elapsed_ms, life) = (self.process.clock.wall(), self.world.clock.elapsed_ms(), self.process.life);
        let wait_ms = if random.percent(15) { random.between(1, 60_000) } else { 0 };
        let deliver_at = (wait_ms > 0).then(|| wall.plus_millis(wait_ms));
        model.publishes.push(PublishModel {
            project,
            event_type,
            start,
            elapsed_ms,
            life,
            wait_ms: wait_ms.cast_signed(),
            answer: Answer::None,
        });
        let key = random.percent(40).then(|| (format!("key-{}", random.below(KEYS)), [random.below(3) as u8; 32]));
        if let Some((key, hash)) = &key {
            model.keys.entry((project, key.clone())).or_default().tried.push(*hash);
        }
        drop(model);
        let pad = "x".repeat(random.below(200) as usize);
        let payload = format!("{{\"project\":{project},\"publish\":{number},\"pad\":\"{pad}\"}}");
        let idempotency = key.clone().map(|(key, request_hash)| IdempotencyKey {
            key,
            request_hash,
            status: 202,
            answer: |accepted| Bytes::from(accepted.id.clone()),
        });
        let publish = Publish {
            event_type: event_type.parse().expect("a type"),
            custom_id: random.percent(10).then(|| format!("own-{number}")),
            scopes: Vec::new(),
            content_type: None,
            schema_version: None,
            after_runs: 0,
            payload: Bytes::from(payload),
            deliver_at,
            idempotency,
        };
        let own = self.clone();
        self.spawn(async move {
            let result = own.process.engine.publish(project_id, publish).await;
            own.world.note(format_args!("publish {number} {event_type} {key:?}: {result:?}"));
            own.published(number, start, key.map(|(key, hash)| ((project, key), hash)), result);
        });
    }

    /// Enters the answer to a publish request into the books.
    fn published(
        &self,
        number: usize,
        start: Tick,
        key: Option<((usize, String), [u8; 32])>,
        result: Result<Published, PublishError>,
    ) {
        let mut model = self.world.model();
        let tick = model.next_tick();
        if let Ok(Published::Accepted(accepted)) = &result {
            let earlier = model
                .highest_id_before(start, self.world.shared.as_ref().map(|_| self.process.life))
                .filter(|id| accepted.id.starts_with("evt_") && *id >= accepted.id.as_str());
            if let Some(earlier) = earlier {
                let what =
                    format!("{} was published after {earlier} was acknowledged, and sorts before it", accepted.id);
                model.violated(what);
            }
        }
        if let Some((key, hash)) = key {
            let known = model.keys.entry(key.clone()).or_default();
            let broken = match (&result, &known.settled) {
                (Ok(Published::Accepted(accepted)), None) => {
                    known.settled = Some((hash, accepted.id.clone()));
                    None
                }
                // It may have been repeated to somebody else before it was answered.
                (Ok(Published::Accepted(accepted)), Some((_, first))) => (*first != accepted.id)
                    .then(|| format!("{key:?} made {} although it had made {first}", accepted.id)),
                (Ok(Published::Replayed { response, .. }), settled) => {
                    let id = String::from_utf8_lossy(response).into_owned();
                    let same = settled.as_ref().is_none_or(|first| *first == (hash, id.clone()));
                    known.settled.get_or_insert((hash, id.clone()));
                    (!same).then(|| format!("{key:?} answers {id}, which is not what it made first"))
                }
                (Err(PublishError::IdempotencyConflict), settled) => {
                    let other = known.tried.iter().any(|tried| *tried != hash);
                    let own = settled.as_ref().is_some_and(|(first, _)| *first == hash);
                    (own || !other).then(|| format!("{key:?} conflicts with itself"))
                }
                (Err(_), _) => None,
            };
            if let Some(what) = broken {
                model.violated(what);
            }
        }
        model.publishes[number].answer = match result {
            Ok(Published::Accepted(accepted)) => {
                Answer::Accepted { tick, id: accepted.id, deliveries: accepted.deliveries }
            }
            Ok(Published::Replayed { .. }) => Answer::Replayed,
            // Its commit may have come about all the same.
            Err(PublishError::Store(_)) if self.world.shared.is_some() => Answer::None,
            Err(_) => Answer::Refused,
        };
    }

    /// A delivery that was seen on the network.
    fn any_delivery(&self, random: &mut Random) -> Option<(String, usize)> {
        let model = self.world.model();
        let place = random.below(model.deliveries.len() as u64) as usize;
        model.deliveries.iter().nth(place).map(|(id, known)| (id.clone(), known.webhook))
    }

    pub(crate) fn retry(&self, random: &mut Random) {
        let Some((id, webhook)) = self.any_delivery(random) else { return };
        let force = random.percent(30);
        let project_id = {
            let mut model = self.world.model();
            if let Some(known) = model.deliveries.get_mut(&id) {
                known.asked_again = true;
                known.forced |= force;
            }
            model.projects[model.webhooks[webhook].project]
        };
        let own = self.clone();
        self.spawn(async move {
            let result = own.process.engine.retry(project_id, parse(&id), force).await;
            own.world.note(format_args!("retry {id} force={force}: {result:?}"));
            if result == Err(RetryError::NotFound) {
                own.world.model().violated(format!("INV-NO-LOSS: {id} was sent, and is not found"));
            }
        });
    }

    pub(crate) fn test(&self, random: &mut Random) {
        let Some((number, id, project)) = self.any_webhook(random) else { return };
        let project_id = self.world.model().projects[project];
        let own = self.clone();
        self.spawn(async move {
            let result = own.process.engine.send_test(project_id, id, None).await;
            own.world.note(format_args!("test of wh{number}: {result:?}"));
        });
    }

    /// Asks one project for what is another's.
    pub(crate) fn look_abroad(&self, random: &mut Random) {
        let Some((id, webhook)) = self.any_delivery(random) else { return };
        let foreign = {
            let model = self.world.model();
            let own = model.webhooks[webhook].project;
            model.projects[(own + 1) % model.projects.len()]
        };
        let own = self.clone();
        self.spawn(async move {
            let found = own.process.store.find_delivery(foreign, parse(&id)).await;
            let attempts = own.process.store.attempts_of(foreign, parse(&id)).await;
            let retried = own.process.engine.retry(foreign, parse(&id), false).await;
            let hidden = matches!(found, Ok(None) | Err(_))
                && attempts.as_ref().map_or(true, Vec::is_empty)
                && matches!(retried, Err(RetryError::NotFound | RetryError::Store(_)));
            if !hidden {
                own.world.model().violated(format!("INV-ISOLATION: {id} is found by another project"));
            }
        });
    }

    /// A verdict of a process that is gone arrives after all, under the lease it had then.
    pub(crate) fn settle_late(&self, random: &mut Random) {
        let Some((id, webhook)) = self.any_delivery(random) else { return };
        let (webhook_id, project_id, of_the_dead) = {
            let model = self.world.model();
            let first = model.deliveries[&id].attempts.first();
            let of_the_dead = first.is_some_and(|attempt| self.world.has_lost(model.life, attempt.life, attempt.at_ms));
            let webhook = &model.webhooks[webhook];
            (webhook.id, model.projects[webhook.project], of_the_dead)
        };
        if !of_the_dead {
            return;
        }
        let own = self.clone();
        self.spawn(async move {
            let settlement = late_verdict(parse(&id), webhook_id, project_id, own.process.clock.wall());
            let settled = own.process.store.settle(Arc::new(vec![settlement])).await;
            own.world.note(format_args!("late verdict on {id}: {settled:?}"));
            if settled.is_ok_and(|settled| settled != [Settled::Stale]) {
                own.world.model().violated(format!("INV-FENCE: a verdict of a dead process on {id} was taken"));
            }
        });
    }

    pub(crate) fn audit(&self) {
        let own = self.clone();
        self.spawn(async move {
            let Ok(ledger) = own.process.store.audit_ledger().await else { return };
            own.world.note(format_args!("{ledger:?}"));
            if ledger.unaccounted() != 0 {
                own.world.model().violated(format!("INV-LEDGER: {ledger:?}"));
            }
        });
    }
}

pub(crate) fn parse(id: &str) -> DeliveryId {
    id.parse().expect("the engine writes ids that it can read")
}

fn late_verdict(
    delivery_id: DeliveryId,
    webhook_id: WebhookId,
    project_id: ProjectId,
    now: tidings_domain::time::Timestamp,
) -> Settlement {
    let event = Event {
        key: EventKey::from_parts(delivery_id.sequence(), 0),
        custom_id: None,
        project_id,
        event_type: EVENT_TYPES[0].parse().expect("a type"),
        scopes: Vec::new(),
        content_type: None,
        label: None,
        schema_version: None,
        payload: Bytes::new(),
    };
    Settlement {
        delivery_id,
        epoch: 1,
        webhook_id,
        project_id,
        event: Arc::new(event),
        rendering: Rendering::Standard,
        attempt: AttemptRecord {
            number: 1,
            started_at: now,
            outcome: Outcome::Status(200),
            error: None,
            timing: Timing::default(),
            request_head: "".into(),
            response_headers: String::new(),
            response_body: Bytes::new(),
            response_truncated: false,
            request_body: None,
        },
        decision: Decision { verdict: Verdict::Delivered, disable: None },
        ended_at: now,
        reported: true,
        next: None,
    }
}
