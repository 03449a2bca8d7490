//! F8: deliveries while commands that never end fill every runner, all the time. Two measurements in one run,
//! compared with each other; `cargo xtask torture hogs` does more, in turn, and prints the ratio.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::json;
use tidings_testkit::{Latencies, Probe, Project, Server, World, percentile, setting};
use tokio::task::JoinSet;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
/// Events of one measurement, and of each of several in a long run.
const SAMPLES: usize = 250;
const SAMPLES_LONG: usize = 1_000;
/// How long a hog runs before it is ended, and the next one begins.
const LIMIT_MS: u32 = 1_000;

/// Commands that never end, from as many projects as it takes for all runners to work.
struct Hogs {
    stop: Arc<AtomicBool>,
    ended: Arc<AtomicU64>,
    callers: JoinSet<()>,
}

impl Hogs {
    async fn start(projects: &[Project]) -> Self {
        let mut hogs = Self { stop: Arc::default(), ended: Arc::default(), callers: JoinSet::new() };
        let share = std::thread::available_parallelism().map_or(1, usize::from).max(2);
        for project in projects {
            for _ in 0..=share {
                let (api, stop, ended) = (project.api.clone(), Arc::clone(&hogs.stop), Arc::clone(&hogs.ended));
                hogs.callers.spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        let run = api.post("/commands/%2Fhog/run", &json!({})).await;
                        // Some wait for a runner longer than anybody may.
                        assert!(run.status == 503 || run.json()["status"] == "timed_out", "{run}");
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        }
        hogs
    }

    /// How many there were.
    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.callers.join_all().await;
        self.ended.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_never_end_do_not_slow_down_deliveries() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let mut projects = Vec::new();
    for number in 0..4 {
        let project = world.project(&format!("hog {number}"), EVENT_TYPE).await;
        let hog = json!({"name": "/hog", "code": "while (true) {}", "timeout_ms": LIMIT_MS});
        project.api.post("/commands", &hog).await.expect(201);
        projects.push(project);
    }
    let Some(rounds) = setting("TIDINGS_HOG_ROUNDS") else {
        let baseline = probe.measure(SAMPLES).await;
        let hogs = Hogs::start(&projects).await;
        let mut ended = 0;
        probe.hold("F8", baseline, 1.2, async || ended = hogs.stop().await).await;
        assert!(ended >= 2, "there were no hogs");
        return;
    };
    let (mut alone, mut beside, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let without = probe.measure(SAMPLES_LONG).await;
        let hogs = Hogs::start(&projects).await;
        let with = probe.measure(SAMPLES_LONG).await;
        let ended = hogs.stop().await;
        println!("F8: round {round}: alone {without}; beside {ended} hogs {with}");
        alone.push(without);
        beside.push(with);
        ratios.push(with.p99.as_secs_f64() / without.p99.as_secs_f64());
    }
    let median = |of: &mut Vec<Latencies>, by: fn(&Latencies) -> std::time::Duration| {
        let mut all: Vec<_> = of.iter().map(by).collect();
        all.sort();
        percentile(&all, 0.5)
    };
    let p50 = (median(&mut alone, |one| one.p50), median(&mut beside, |one| one.p50));
    let p99 = (median(&mut alone, |one| one.p99), median(&mut beside, |one| one.p99));
    println!(
        "F8: medians of {rounds} rounds: p50 {:?} alone, {:?} beside; p99 {:?} alone, {:?} beside",
        p50.0, p50.1, p99.0, p99.1
    );
    println!("F8: p99 beside hogs is {:.2} times that without", p99.1.as_secs_f64() / p99.0.as_secs_f64());
}
