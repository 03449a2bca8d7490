//! A17: a graceful stop under load. Nothing is lost, nothing is sent twice, and the process ends
//! with success (INV-ACK, INV-NO-LOSS). Who is not ready yet stops at once.

use std::{sync::Arc, time::Duration};

use rustix::fs::{Mode, OFlags};
use serde_json::json;
use tidings_testkit::{
    Behaviour, ClientLedger, Load, Random, Receiver, Server, Signature, View, World, cluster, postgres, reconcile,
    until,
};
use tokio_postgres::{Client, NoTls};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const STOPS: usize = 6;
const PUBLISHERS: usize = 8;
/// Events acknowledged between a start and the next stop.
const EVENTS_BEFORE_STOP: std::ops::Range<u64> = 50..300;
const DRAIN_BOUND: Duration = Duration::from_secs(60);
/// Nobody reads which keys there are from then on.
const HOLD_KEYS: &str = "BEGIN; LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE";
/// How many wait for that.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'api_key'::regclass \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_under_load_loses_nothing_and_sends_nothing_twice() {
    let mut random = Random::seeded(17);
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let world = populate(&server, &receiver).await;
    let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
    let mut slowest_stop = Duration::ZERO;
    for _ in 0..STOPS {
        let generators = (0..PUBLISHERS).map(|_| Random::seeded(random.bits())).collect();
        let load = Load::start(&world.projects, EVENT_TYPE, &ledger, generators);
        load.wait_for(random.within(EVENTS_BEFORE_STOP) as usize).await;
        let started = tokio::time::Instant::now();
        let status = server.stop().await;
        slowest_stop = slowest_stop.max(started.elapsed());
        assert!(status.success(), "the server ended with {status}");
        server.restart().await;
        load.stop().await;
    }
    until("the end of all deliveries", DRAIN_BOUND, async || (world.pending_deliveries().await == 0).then_some(()))
        .await;

    let report = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
    println!("A17: {STOPS} stops under load, the slowest took {} ms; {report}", slowest_stop.as_millis());
    report.assert_clean();
    report.assert_sent_again_only_around(&[], Duration::ZERO);
}

/// It stops while something keeps it from being ready, and says so.
async fn stops_before_it_is_ready(server: &mut Server) {
    let status = server.stop().await;
    let log = server.log();
    assert!(status.success(), "it ended with {status}: {log}");
    assert!(log.contains("stopped before it was ready") && !log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_waits_while_another_process_changes_the_tables_stops_at_once_when_it_is_told() {
    let mut server = Server::prepare(BINARY, &[]);
    let url = cluster().database();
    server.give("TIDINGS_DATABASE_URL", &url);
    // As another process does it for as long as it changes tables.
    let other = holder(&url).await;
    other.batch_execute("SELECT pg_advisory_lock(x'54646e67'::bigint)").await.expect("it is free");
    server.begin_to_start();
    let waits = async || server.log().contains("waiting for its end").then_some(());
    until("a node that waits", DRAIN_BOUND, waits).await;
    stops_before_it_is_ready(&mut server).await;
    assert_eq!(postgres::run(&url, "SELECT to_regclass('event') IS NULL"), "t", "nothing was made");

    other.batch_execute("SELECT pg_advisory_unlock_all()").await.expect("it is given back");
    server.restart().await;
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_data_directory_does_not_answer_stops_at_once_when_it_is_told() {
    let mut server = Server::prepare(BINARY, &[]);
    server.keep_data_in_a_file();
    let directory = server.data_directory();
    std::fs::create_dir(&directory).expect("it can be made");
    // Whoever reads a pipe waits until somebody writes, as one waits for a disk that stands still.
    let pipe = directory.join("tidings.migrated");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(0o600)).expect("it can be made");
    server.begin_to_start();
    // It can be opened to write once somebody reads.
    let reads = async || rustix::fs::open(&pipe, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok();
    let held = until("a server that reads", DRAIN_BOUND, reads).await;
    stops_before_it_is_ready(&mut server).await;
    drop(held);
}

/// A connection that holds locks.
async fn holder(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_while_it_starts_ends_what_it_has_begun_to_deliver() {
    let mut server = Server::prepare(BINARY, &["--allow-http", "--allow-target", "127.0.0.0/8"]);
    let url = cluster().database();
    server.give("TIDINGS_DATABASE_URL", &url);
    server.restart().await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let shop = world.project("shop", EVENT_TYPE).await;
    let twice = json!({"retry": {"schedule_s": [0, 3], "jitter": 0}});
    world.subscribe(&shop, &receiver, "/shop", Signature::Standard, twice).await;
    receiver.route("/shop", Behaviour::Reply { status: 500, headers: &[], body: "" });
    let event = json!({"type": EVENT_TYPE, "data": {}});
    shop.api.post("/events", &event).await.expect(202);
    until("the first attempt", DRAIN_BOUND, async || (receiver.count_at("/shop") == 1).then_some(())).await;
    assert!(server.stop().await.success());

    assert_eq!(receiver.count_at("/shop"), 1, "the second attempt was made before the stop");

    // It reads the keys before it is at work, and again afterwards. Who waits for a lock gets it in turn: the second
    // of the others gets it between these two.
    let waiting = async |all: &str| (postgres::run(&url, WAITING) == all).then_some(());
    let [first, second] = [holder(&url).await, holder(&url).await];
    first.batch_execute(HOLD_KEYS).await.expect("nobody else holds it");
    receiver.route("/shop", Behaviour::Slow { wait: Duration::from_secs(3), status: 200 });
    server.begin_to_start();
    until("a node that waits", DRAIN_BOUND, async || waiting("1").await).await;
    let (held, ()) = tokio::join!(second.batch_execute(HOLD_KEYS), async {
        until("another one that waits", DRAIN_BOUND, async || waiting("2").await).await;
        first.batch_execute("ROLLBACK").await.expect("it is given back");
    });
    held.expect("it is next");
    until("the second attempt", DRAIN_BOUND, async || (receiver.count_at("/shop") == 2).then_some(())).await;
    stops_before_it_is_ready(&mut server).await;
    second.batch_execute("ROLLBACK").await.expect("it is given back");

    server.restart().await;
    assert_eq!(world.pending_deliveries().await, 0, "what was answered was not noted");
    let delivered = shop.api.get("/deliveries?status=delivered").await.expect(200);
    assert_eq!(delivered["total"], 1, "{delivered}");
    assert_eq!(receiver.count_at("/shop"), 2, "it was sent once more");
    assert!(server.stop().await.success());
}

/// Receivers that answer at once, slowly, and with a failure first.
async fn populate(server: &Server, receiver: &Receiver) -> World {
    let mut world = World::new(server);
    let shop = world.project("shop", EVENT_TYPE).await;
    let quick = json!({"retry": {"schedule_s": [0, 0.1, 0.2, 0.4], "jitter": 0}});
    for path in ["/shop/quick", "/shop/slow", "/shop/flaky"] {
        world.subscribe(&shop, receiver, path, Signature::Standard, quick.clone()).await;
    }
    receiver.route("/shop/slow", Behaviour::Slow { wait: Duration::from_millis(30), status: 200 });
    receiver.route("/shop/flaky", Behaviour::Flaky(5));
    world
}
