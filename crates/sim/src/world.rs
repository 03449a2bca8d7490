//! What the processes of a simulation live in: time, the network, and the outside's books.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_fakes::Random;
use tidings_ports::sender::OutgoingRequest;

use crate::{
    clock::SimClock,
    ledger,
    model::{AttemptModel, Model, Told},
    network::{Behaviour, Plan},
};

/// The world.
pub(crate) struct World {
    pub(crate) clock: Arc<SimClock>,
    model: Mutex<Model>,
    network: Mutex<Random>,
    healed: Mutex<bool>,
}

/// A request that reached the network.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    webhook: Option<usize>,
    delivery: String,
    place: usize,
    life: u32,
    in_lane: bool,
}

impl World {
    pub(crate) fn new(clock: Arc<SimClock>, network: Random) -> Self {
        Self { clock, model: Mutex::default(), network: Mutex::new(network), healed: Mutex::new(false) }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn network_random(&self) -> MutexGuard<'_, Random> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every receiver takes what it is sent.
    pub(crate) fn heal_network(&self) {
        *self.healed.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Writes a line into the trace.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        self.clock.note_activity();
        let elapsed = self.clock.elapsed_ms();
        let mut model = self.model();
        // Writing into a text never fails.
        let _ = writeln!(model.trace, "{elapsed:>9} {line}");
    }

    /// A request reaches the network: it is checked against the books, and its fate is drawn.
    pub(crate) fn arrived(&self, life: u32, request: &OutgoingRequest) -> (Arrival, Plan) {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let (delivery, number) = (header("x-tidings-delivery").to_owned(), header("x-tidings-attempt"));
        let number: u32 = number.parse().unwrap_or(0);
        let mut model = self.model();
        model.requests += 1;
        let webhook = model.webhooks.iter().position(|webhook| webhook.url == request.url.as_str());
        let healed = *self.healed.lock().unwrap_or_else(PoisonError::into_inner);
        let behaviour = match webhook {
            Some(place) if !healed => model.webhooks[place].behaviour,
            _ => Behaviour::Good,
        };
        let plan = behaviour.plan(&mut self.network_random(), u64::from(request.timeout_ms));
        let is_test = header("x-tidings-event") == "test.webhook";
        let in_lane = match webhook {
            Some(place) if !is_test => {
                let sent = ledger::Sent { delivery: &delivery, number, life, clock: &self.clock, body: &request.body };
                ledger::check_request(&mut model, place, &sent)
            }
            Some(_) => false,
            None => {
                model.violated(format!("a request went to {}, which nobody registered", request.url.as_str()));
                false
            }
        };
        let mut place = 0;
        if let Some(known) = model.deliveries.get_mut(&delivery) {
            place = known.attempts.len();
            known.attempts.push(AttemptModel { number, life, told: None });
        }
        drop(model);
        let who = webhook.map_or("nobody".to_owned(), |webhook| format!("wh{webhook}"));
        self.note(format_args!("request {who} {delivery} #{number} {} bytes", request.body.len()));
        (Arrival { webhook, delivery, place, life, in_lane }, plan)
    }

    /// The engine is told what came of a request.
    pub(crate) fn answered(&self, arrival: &Arrival, plan: &Plan) {
        let elapsed_ms = self.clock.elapsed_ms();
        let mut model = self.model();
        let (status, retry_after) = match &plan.result {
            Ok((status, retry_after)) => (Some(*status), retry_after.as_deref()),
            Err(_) => (None, None),
        };
        let retry_after_ms = retry_after.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1_000;
        if let Some(place) = arrival.webhook {
            let current = model.life == arrival.life;
            let webhook = &mut model.webhooks[place];
            if arrival.in_lane && current {
                webhook.in_flight = webhook.in_flight.saturating_sub(1);
            }
            let success = status.is_some_and(|status| (200..300).contains(&status));
            webhook.maybe_disabled |= status == Some(410) || (webhook.deactivates && !success);
        }
        if let Some(known) = model.deliveries.get_mut(&arrival.delivery) {
            known.attempts[arrival.place].told = Some(Told { status, elapsed_ms, retry_after_ms });
        }
        drop(model);
        self.note(format_args!("answer {} {:?}", arrival.delivery, plan.result));
    }
}
