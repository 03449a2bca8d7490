//! A6, A7: the disk is full while events are accepted and while deliveries are under way. New
//! events are refused with 507 at once, results are still written, nothing acknowledged is lost,
//! and everything is as before once there is room (INV-ACK, INV-NO-LOSS).
//!
//! On PostgreSQL there is no reserve for results: they wait for room. Where its log of writes ahead
//! has no room, it goes down; then everything is answered with 503 until somebody has started it
//! again.
//!
//! Needs root, for a disk of its own.

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tidings_testkit::{
    Behaviour, ClientLedger, Disk, Load, Project, Random, Receiver, Reconciliation, Seen, Server, UNWELL, View, Watch,
    World, in_namespaces, postgres::Cluster, reconcile, three_customers, until,
};
use tokio::time::Instant;

use support::check_integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const FLAGS: [&str; 3] = ["--allow-http", "--allow-target", "127.0.0.0/8"];
const DISK_MEBIBYTES: u32 = 128;
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const ROUNDS: usize = 3;
const ROUNDS_ON_POSTGRES: usize = 2;
const PUBLISHERS: usize = 4;
/// Events acknowledged before the disk is filled.
const EVENTS_BEFORE: usize = 150;
/// Refusals in a row that show that nothing is accepted.
const REFUSALS: u32 = 20;
/// A refusal comes within this time.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
/// Everything is as before this long after there is room.
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
/// A request that arrived this long before the disk was full may be without a verdict.
const VERDICT_WINDOW: Duration = Duration::from_secs(3);
const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_new_events_and_loses_nothing() {
    if !in_namespaces("a_full_disk_refuses_new_events_and_loses_nothing", &["-m"]).await {
        return;
    }
    let disk = Disk::create(DISK_MEBIBYTES);
    let mut server = Server::prepare(BINARY, &FLAGS);
    server.keep_data_in(disk.path().join("data"));
    server.restart().await;
    let receiver = Receiver::start().await;
    let mut world = three_customers(&server, &receiver, EVENT_TYPE).await;
    // Somebody without webhooks tries what is refused; its events are in no ledger.
    let probe = world.project("probe", EVENT_TYPE).await;
    world.projects.pop();
    let hook = json!({"url": receiver.url("/probe"), "events": ["nothing.*"]});
    let hook = probe.api.post("/webhooks", &hook).await.expect(201)["id"].as_str().expect("an id").to_owned();
    let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
    for round in 1..=ROUNDS {
        receiver.route(UNWELL, Behaviour::Status(503));
        let generators = (0..PUBLISHERS).map(|number| Random::seeded(number as u64)).collect();
        let load = Load::start(&world.projects, EVENT_TYPE, &ledger, generators);
        load.wait_for(EVENTS_BEFORE).await;
        disk.fill();
        let slowest = refused(&probe).await;
        assert!(slowest <= REFUSED_WITHIN, "a refusal took {} ms", slowest.as_millis());
        // The room that is kept for results is not for jobs either.
        let job = json!({"since": "2020-01-01T00:00:00Z"});
        let job = probe.api.post(&format!("/webhooks/{hook}/recover"), &job).await.expect(507);
        assert_eq!(job["code"], "storage_full");

        // What was under way goes on: failed attempts are written down, and then successes.
        let pending = world.pending_deliveries().await;
        receiver.route(UNWELL, Behaviour::Ok);
        world.drain().await;
        let again = refused(&probe).await;
        assert!(again <= REFUSED_WITHIN, "a refusal took {} ms", again.as_millis());
        world.assert_ledger_is_even().await;

        // A crash in the middle of it makes nothing worse.
        if round == ROUNDS {
            server.kill().await;
            server.restart().await;
            refused(&probe).await;
        }
        disk.make_room();
        let normal = accepted_again(&probe).await;
        assert!(normal <= NORMAL_WITHIN, "accepting again took {} ms", normal.as_millis());
        load.stop().await;
        println!(
            "A6, A7: round {round}: refused within {} ms, {pending} pending deliveries ended while the disk was full, \
             accepting {} ms after there was room",
            slowest.max(again).as_millis(),
            normal.as_millis()
        );
    }
    world.drain().await;
    world.assert_ledger_is_even().await;
    check_integrity(&server, "a full disk");
    let report = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
    println!("A6, A7: {report}");
    report.assert_clean();
    assert!(server.stop().await.success());
}

/// Publishes until it is refused; how long the slowest refusal of a few took.
async fn refused(project: &Project) -> Duration {
    let event = json!({"type": EVENT_TYPE, "data": {"sequence": 0}});
    let first = async || (project.api.post("/events", &event).await.status == 507).then_some(());
    until("a refusal", BOUND, first).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..REFUSALS {
        let (was_refused, took) = is_refused(project).await;
        assert!(was_refused, "it was accepted, after others were refused");
        slowest = slowest.max(took);
    }
    slowest
}

/// The same where a small event may still find room in what was written before: until none does.
async fn refused_in_the_end(project: &Project) -> Duration {
    let (mut in_a_row, mut slowest) = (0, Duration::ZERO);
    until("nothing but refusals", BOUND, async || {
        let (was_refused, took) = is_refused(project).await;
        in_a_row = if was_refused { in_a_row + 1 } else { 0 };
        slowest = slowest.max(took);
        (in_a_row == REFUSALS).then_some(())
    })
    .await;
    slowest
}

/// Whether an event is refused, and how long that took. It is answered in no third way.
async fn is_refused(project: &Project) -> (bool, Duration) {
    let started = Instant::now();
    let answer = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": {"sequence": 0}})).await;
    let took = started.elapsed();
    if answer.status == 202 {
        return (false, Duration::ZERO);
    }
    let problem = answer.expect(507);
    assert_eq!(problem["code"], "storage_full", "{problem}");
    assert!(answer.header("retry-after").is_some(), "{problem}");
    (true, took)
}

async fn accepted_again(project: &Project) -> Duration {
    let started = Instant::now();
    let event = json!({"type": EVENT_TYPE, "data": {"sequence": 0}});
    let accepted = async || (project.api.post("/events", &event).await.status == 202).then_some(());
    until("an accepted event", BOUND, accepted).await;
    started.elapsed()
}

/// A server, and its PostgreSQL with data and log of writes ahead on a disk each.
struct OnPostgres {
    cluster: Cluster,
    server: Server,
    receiver: Receiver,
    world: World,
    /// Somebody without webhooks, who tries what is refused; its events are in no ledger.
    probe: Project,
    ledger: Arc<ClientLedger>,
    /// Last, for they can go once nobody uses them any more.
    data: Disk,
    log: Disk,
}

impl OnPostgres {
    async fn start() -> Self {
        let (data, log) = (Disk::create(DISK_MEBIBYTES), Disk::create(DISK_MEBIBYTES));
        let cluster = Cluster::on_disk(&data.path().join("postgres"), Some(&log.path().join("log")));
        let mut server = Server::prepare(BINARY, &FLAGS);
        server.give("TIDINGS_DATABASE_URL", &cluster.database());
        server.give("TIDINGS_MASTER_KEY", MASTER_KEY);
        server.restart().await;
        let receiver = Receiver::start().await;
        let mut world = three_customers(&server, &receiver, EVENT_TYPE).await;
        let probe = world.project("probe", EVENT_TYPE).await;
        world.projects.pop();
        let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
        Self { cluster, server, receiver, world, probe, ledger, data, log }
    }

    async fn load(&self) -> Load {
        self.receiver.route(UNWELL, Behaviour::Status(503));
        let generators = (0..PUBLISHERS).map(|number| Random::seeded(number as u64)).collect();
        let load = Load::start(&self.world.projects, EVENT_TYPE, &self.ledger, generators);
        load.wait_for(EVENTS_BEFORE).await;
        load
    }

    async fn reconcile(&self) -> Reconciliation {
        self.world.drain().await;
        self.world.assert_ledger_is_even().await;
        let report = reconcile(&self.world, &self.ledger, &self.receiver.arrivals(), &View::read(&self.world).await);
        println!("A6, A7, PostgreSQL: {report}");
        report.assert_clean();
        report
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_databases_data_refuses_new_events_and_loses_nothing() {
    if !in_namespaces("a_full_disk_of_the_databases_data_refuses_new_events_and_loses_nothing", &["-m"]).await {
        return;
    }
    let mut scene = OnPostgres::start().await;
    for round in 1..=ROUNDS_ON_POSTGRES {
        let load = scene.load().await;
        let filled = Instant::now();
        scene.data.fill();
        let slowest = refused_in_the_end(&scene.probe).await;
        assert!(slowest <= REFUSED_WITHIN, "a refusal took {} ms", slowest.as_millis());
        // Results have to wait.
        let pending = scene.world.pending_deliveries().await;
        scene.receiver.route(UNWELL, Behaviour::Ok);
        let again = refused_in_the_end(&scene.probe).await;
        assert!(again <= REFUSED_WITHIN, "a refusal took {} ms", again.as_millis());
        scene.world.assert_ledger_is_even().await;

        // A crash in the middle of it loses the results that wait: what they are about is sent again.
        let crashes = round == ROUNDS_ON_POSTGRES;
        if crashes {
            scene.server.kill().await;
        }
        let crashed = Instant::now();
        scene.data.make_room();
        if crashes {
            scene.server.restart().await;
        }
        let normal = accepted_again(&scene.probe).await;
        assert!(normal <= NORMAL_WITHIN, "accepting again took {} ms", normal.as_millis());
        load.stop().await;
        println!(
            "A6, A7, PostgreSQL: round {round}: refused within {} ms, {pending} deliveries waited for room, accepting {} \
             ms after there was room",
            slowest.max(again).as_millis(),
            normal.as_millis()
        );
        if crashes {
            // Nothing before: whoever lives has forgotten nothing.
            scene.reconcile().await.assert_sent_again_only_around(&[crashed], crashed - filled + VERDICT_WINDOW);
        }
    }
    assert!(scene.server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_databases_log_takes_it_down_and_loses_nothing() {
    if !in_namespaces("a_full_disk_of_the_databases_log_takes_it_down_and_loses_nothing", &["-m"]).await {
        return;
    }
    let mut scene = OnPostgres::start().await;
    let load = scene.load().await;
    let watch = Watch::start(&scene.world);
    scene.log.fill();
    let filled = Instant::now();
    let (event, mut statuses) = (json!({"type": EVENT_TYPE, "data": {"sequence": 0}}), [0_usize; 2]);
    // What is left of it is used up first; its own recovery has no room either.
    until("PostgreSQL to go down", BOUND, async || {
        let answer = scene.probe.api.post("/events", &event).await;
        match answer.status.as_u16() {
            202 => statuses[0] += 1,
            _ => {
                assert_eq!(answer.expect(503)["code"], "unavailable");
                assert!(answer.header("retry-after").is_some(), "{answer}");
                statuses[1] += 1;
            }
        }
        scene.cluster.is_down().then_some(())
    })
    .await;
    let (down, [accepted, refused]) = (filled.elapsed(), statuses);
    assert_eq!(scene.probe.api.post("/events", &event).await.expect(503)["code"], "unavailable");
    // By hand, as an operator would.
    scene.log.make_room();
    scene.cluster.launch();
    let back = Instant::now();
    until("an answer of everything", BOUND, async || watch.all_answered_since(back).then_some(())).await;
    let normal = accepted_again(&scene.probe).await.max(back.elapsed());
    assert!(normal <= NORMAL_WITHIN, "accepting again took {} ms", normal.as_millis());
    load.stop().await;
    let mut seen = Seen::default();
    seen.add(watch.stop().await, back);
    scene.receiver.route(UNWELL, Behaviour::Ok);
    println!(
        "A6, A7, PostgreSQL: down {} ms after its log was full, when {accepted} more events were accepted and {refused} \
         refused with 503; answers meanwhile {:?}, the slowest after {} ms; accepting {} ms after it was started again",
        down.as_millis(),
        seen.statuses,
        seen.slowest.as_millis(),
        normal.as_millis()
    );
    assert!(seen.statuses.keys().all(|status| [200, 503].contains(status)), "{:?}", seen.statuses);
    scene.reconcile().await;
    assert!(scene.server.stop().await.success());
}
