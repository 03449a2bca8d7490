//! What the processes of a simulation live in: time, the network, and the outside's books.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_fakes::Random;
use tidings_ports::sender::OutgoingRequest;

use crate::{
    clock::SimClock,
    cluster::Database,
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
    /// Where there are several nodes: what they share.
    pub(crate) shared: Option<Arc<Database>>,
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
        Self { clock, model: Mutex::default(), network: Mutex::new(network), healed: Mutex::new(false), shared: None }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn network_random(&self) -> MutexGuard<'_, Random> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of several nodes that share a database.
    pub(crate) fn of_nodes(clock: Arc<SimClock>, network: Random, database: Arc<Database>) -> Self {
        Self { shared: Some(database), ..Self::new(clock, network) }
    }

    /// Whether a process has lost what it had leased at a time: it is gone, or was taken for dead.
    pub(crate) fn has_lost(&self, current: u32, life: u32, at_ms: i64) -> bool {
        match &self.shared {
            Some(database) => database.has_lost(life, at_ms),
            None => life < current,
        }
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
        let current = model.life;
        let has_lost = |life, at_ms| self.has_lost(current, life, at_ms);
        let plan = behaviour.plan(&mut self.network_random(), u64::from(request.timeout_ms));
        let is_test = header("x-tidings-event") == "test.webhook";
        let in_lane = match webhook {
            Some(place) if !is_test => {
                let (clock, body, has_lost) = (&*self.clock, &request.body, &has_lost);
                let is_among_others = self.shared.as_ref().is_none_or(|database| database.is_there(life));
                let sent = ledger::Sent { delivery: &delivery, number, life, clock, body, has_lost, is_among_others };
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
            known.attempts.push(AttemptModel { number, life, at_ms: self.clock.elapsed_ms(), told: None });
        }
        drop(model);
        let who = webhook.map_or("nobody".to_owned(), |webhook| format!("wh{webhook}"));
        self.note(format_args!("request {who} {delivery} #{number} {} bytes by {life}", request.body.len()));
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
            let webhook = &mut model.webhooks[place];
            // Those of a process that has died are counted no more.
            if let Some(in_flight) = webhook.in_flight.get_mut(&arrival.life).filter(|_| arrival.in_lane) {
                *in_flight = in_flight.saturating_sub(1);
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
