//! A17: a graceful stop under load. Nothing is lost, nothing is sent twice, and the process ends
//! with success (INV-ACK, INV-NO-LOSS).

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tidings_testkit::{
    Behaviour, ClientLedger, Load, Random, Receiver, Server, Signature, View, World, reconcile, until,
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const STOPS: usize = 6;
const PUBLISHERS: usize = 8;
/// Events acknowledged between a start and the next stop.
const EVENTS_BEFORE_STOP: std::ops::Range<u64> = 50..300;
const DRAIN_BOUND: Duration = Duration::from_secs(60);

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
