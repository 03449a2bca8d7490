//! What the outside knows: what it asked for, what it was told, and what arrived.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidings_domain::ids::{ProjectId, WebhookId};

use crate::network::Behaviour;

/// Counts what happens, in the order in which it does.
pub(crate) type Tick = u64;

/// What a webhook was told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Paused,
    Disabled,
    Deleted,
}

/// A change that was asked for, and when that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) to: Status,
    pub(crate) start: Tick,
    pub(crate) end: Option<Tick>,
    /// How much time had passed then.
    pub(crate) end_ms: i64,
    /// The process died before it answered, or could not say: nobody knows whether it was made.
    pub(crate) unknown: bool,
    /// The process that was asked.
    pub(crate) life: u32,
}

impl Change {
    pub(crate) fn asked_of(life: u32, to: Status, start: Tick) -> Self {
        Self { to, start, end: None, end_ms: 0, unknown: false, life }
    }
}

/// A registered receiver.
#[derive(Debug)]
pub(crate) struct WebhookModel {
    pub(crate) id: WebhookId,
    pub(crate) project: usize,
    pub(crate) url: String,
    /// Whether it takes events of the first type only.
    pub(crate) selective: bool,
    /// Its creation first.
    pub(crate) changes: Vec<Change>,
    pub(crate) max_in_flight: u32,
    /// By the process that sends them.
    pub(crate) in_flight: BTreeMap<u32, u32>,
    /// Whether used-up attempts disable it.
    pub(crate) deactivates: bool,
    /// The engine may have disabled it by itself.
    pub(crate) maybe_disabled: bool,
    pub(crate) waits_ms: Vec<u64>,
    pub(crate) behaviour: Behaviour,
}

impl WebhookModel {
    /// What it has been for a while: a request that was about to start when a change was answered
    /// may still go out in that moment.
    pub(crate) fn settled_status(&self, now: Tick, now_ms: i64) -> Option<Status> {
        let just_now = self.changes.iter().any(|change| change.end.is_some() && change.end_ms >= now_ms);
        if just_now { None } else { self.status_during(now, now) }
    }

    /// What it was from one tick to another, if that is beyond doubt.
    pub(crate) fn status_during(&self, from: Tick, to: Tick) -> Option<Status> {
        let end = |change: &Change| change.end.unwrap_or(Tick::MAX);
        if self.changes.iter().any(|change| change.start <= to && end(change) >= from) {
            return None;
        }
        let past = || self.changes.iter().filter(|change| end(change) < from);
        let last = past().max_by_key(|change| end(change))?;
        let contested = past().filter(|change| end(change) > last.start).count() > 1;
        let by_engine = self.maybe_disabled && matches!(last.to, Status::Active | Status::Paused);
        (!contested && !last.unknown && !by_engine).then_some(last.to)
    }
}

/// How a publish request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has not ended, or the process died first, or could not say.
    None,
    Accepted {
        tick: Tick,
        id: String,
        deliveries: usize,
    },
    /// An earlier request with its key was accepted.
    Replayed,
    /// It was refused: nothing of it may ever be seen.
    Refused,
}

/// An event that somebody tried to publish.
#[derive(Debug)]
pub(crate) struct PublishModel {
    pub(crate) project: usize,
    pub(crate) event_type: &'static str,
    pub(crate) start: Tick,
    /// How much time had passed then, and in which life.
    pub(crate) elapsed_ms: i64,
    pub(crate) life: u32,
    /// How much time has to pass from then on before anything is sent.
    pub(crate) wait_ms: i64,
    pub(crate) answer: Answer,
}

/// What an idempotency key was used for.
#[derive(Debug, Default)]
pub(crate) struct KeyModel {
    /// The request and the event it became.
    pub(crate) settled: Option<([u8; 32], String)>,
    /// Every request it was tried with.
    pub(crate) tried: Vec<[u8; 32]>,
}

/// An attempt as the network saw it.
#[derive(Debug, Clone)]
pub(crate) struct AttemptModel {
    pub(crate) number: u32,
    /// The process that made it.
    pub(crate) life: u32,
    /// How much time had passed then.
    pub(crate) at_ms: i64,
    /// What the engine was told.
    pub(crate) told: Option<Told>,
}

/// What the engine was told about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: Option<u16>,
    /// How much time had passed then.
    pub(crate) elapsed_ms: i64,
    /// What the answer's `Retry-After` asked for.
    pub(crate) retry_after_ms: u64,
}

impl Told {
    pub(crate) fn is_success(self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// A delivery, known since its first attempt.
#[derive(Debug)]
pub(crate) struct DeliveryModel {
    pub(crate) webhook: usize,
    pub(crate) body: Bytes,
    pub(crate) attempts: Vec<AttemptModel>,
    /// Somebody asked for an attempt out of turn.
    pub(crate) asked_again: bool,
    /// Somebody asked for one although the webhook is held.
    pub(crate) forced: bool,
}

/// Everything the outside knows.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tick: Tick,
    pub(crate) life: u32,
    pub(crate) projects: Vec<ProjectId>,
    pub(crate) webhooks: Vec<WebhookModel>,
    pub(crate) publishes: Vec<PublishModel>,
    pub(crate) keys: BTreeMap<(usize, String), KeyModel>,
    pub(crate) deliveries: BTreeMap<String, DeliveryModel>,
    pub(crate) violations: Vec<String>,
    pub(crate) trace: String,
    pub(crate) requests: u64,
    pub(crate) duplicates: u64,
}

impl Model {
    /// The next tick.
    pub(crate) fn next_tick(&mut self) -> Tick {
        self.tick += 1;
        self.tick
    }

    /// Notes that a promise was broken.
    pub(crate) fn violated(&mut self, what: String) {
        self.trace.push_str("VIOLATION ");
        self.trace.push_str(&what);
        self.trace.push('\n');
        self.violations.push(what);
    }

    /// A process died: what it had under way is over.
    pub(crate) fn process_died(&mut self, life: u32) {
        let tick = self.next_tick();
        for webhook in &mut self.webhooks {
            webhook.in_flight.remove(&life);
            let of_it = |change: &&mut Change| change.end.is_none() && change.life == life;
            for change in webhook.changes.iter_mut().filter(of_it) {
                change.end = Some(tick);
                change.unknown = true;
            }
        }
    }

    /// How many events were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.publishes.iter().filter(|publish| matches!(publish.answer, Answer::Accepted { .. })).count() as u64
    }

    /// The highest id among events that were acknowledged before a tick, by this process or, where there is one at a
    /// time, by any.
    pub(crate) fn highest_id_before(&self, before: Tick, by: Option<u32>) -> Option<&str> {
        let of_it = self.publishes.iter().filter(|publish| by.is_none_or(|life| publish.life == life));
        let acknowledged = of_it.filter_map(|publish| match &publish.answer {
            Answer::Accepted { tick, id, .. } if *tick < before => Some(id.as_str()),
            _ => None,
        });
        acknowledged.filter(|id| id.starts_with("evt_")).max()
    }
}
