//! How long an event takes from the call to its receiver, beside whatever else goes on.

use std::{collections::HashMap, time::Duration};

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    figures::Latencies,
    platform::{Project, World},
    receiver::{Arrival, Receiver},
    rights::setting,
    signature::Signature,
    wait::until,
};

const PATH: &str = "/probe";
/// Between two events.
const PACE: Duration = Duration::from_millis(10);
/// What a machine that runs server, receivers and publishers on two cores may add.
const MACHINE: Duration = Duration::from_millis(50);
/// How long the last event may take.
const BOUND: Duration = Duration::from_secs(60);

/// A customer of its own with one webhook, whose receiver answers at once.
#[derive(Debug)]
pub struct Probe {
    project: Project,
    receiver: Receiver,
    event_type: String,
}

/// Events of a measurement in a long run.
const SAMPLES_LONG: usize = 2_000;

impl Probe {
    /// How many events a measurement has: so many, or more in a long run.
    pub fn samples(usually: usize) -> usize {
        if setting("TIDINGS_PENDING").is_some() { SAMPLES_LONG } else { usually }
    }

    /// Moves in.
    pub async fn start(world: &mut World, event_type: &str) -> Self {
        let receiver = Receiver::start().await;
        let project = world.project("probe", event_type).await;
        world.subscribe(&project, &receiver, PATH, Signature::Standard, json!({})).await;
        Self { project, receiver, event_type: event_type.to_owned() }
    }

    /// Holds the tail beside something against a baseline without it: it may be so many times as
    /// long, or 50 ms longer. One in a hundred of a few hundred values may be somebody else's fault,
    /// so there is a second try, after which `end` ends it and a new baseline is taken.
    ///
    /// # Panics
    ///
    /// The tail is longer, twice.
    pub async fn hold(&self, what: &str, baseline: Latencies, factor: f64, end: impl AsyncFnOnce()) {
        let limit = |baseline: Latencies| baseline.p99.mul_f64(factor).max(baseline.p99 + MACHINE);
        let beside = self.measure(baseline.count).await;
        println!("{what}: alone {baseline}; beside {beside}");
        if beside.p99 <= limit(baseline) {
            return end().await;
        }
        let again = self.measure(baseline.count).await;
        end().await;
        let baseline = self.measure(baseline.count).await;
        println!("{what}, second try: alone {baseline}; beside {again}");
        assert!(again.p99 <= limit(baseline), "{what}: the tail went from {baseline} to {again}");
    }

    /// Publishes events at a fixed pace, and sums up the times from each call to its arrival.
    pub async fn measure(&self, samples: usize) -> Latencies {
        Latencies::of(self.times(samples).await)
    }

    /// The times that [`measure`](Self::measure) sums up.
    pub async fn times(&self, samples: usize) -> Vec<Duration> {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let before = self.receiver.count_at(PATH);
        let mut sent: HashMap<String, Instant> = HashMap::new();
        for number in 0..samples {
            pace.tick().await;
            let sent_at = Instant::now();
            let event = json!({"type": self.event_type, "data": number});
            let accepted = self.project.api.post("/events", &event).await.expect(202);
            sent.insert(accepted["id"].as_str().expect("an id").to_owned(), sent_at);
        }
        until("the probe's requests", BOUND, async || (self.receiver.count_at(PATH) >= before + samples).then_some(()))
            .await;
        let took = |arrival: Arrival| sent.get(&arrival.event_id).map(|sent_at| arrival.at - *sent_at);
        self.receiver.arrivals_at(PATH).into_iter().filter_map(took).collect()
    }
}
