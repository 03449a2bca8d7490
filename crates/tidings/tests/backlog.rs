//! B10: a large backlog. The server's memory stays bounded, it starts quickly, answers what it is
//! asked, and delivers to others meanwhile (INV-BOUNDED, INV-LANES). `cargo xtask torture backlog`
//! makes it a million deliveries.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Behaviour, Probe, READY_BOUND, Receiver, Server, Signature, World, setting};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const PENDING: usize = 20_000;
const WEBHOOKS: usize = 10;
const MEMORY_KIB_MAX: u64 = 512 * 1024;
/// Events of the probe.
const SAMPLES: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_backlog_costs_no_memory_and_holds_up_nobody() {
    let pending = setting("TIDINGS_PENDING").map_or(PENDING, |pending| pending as usize);
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let project = world.project("slow", EVENT_TYPE).await;
    for number in 0..WEBHOOKS {
        let path = format!("/{number}");
        receiver.route(&path, Behaviour::Slow { wait: Duration::from_secs(2), status: 200 });
        world.subscribe_elsewhere(&project, &receiver.url(&path), &path, Signature::Standard, json!({})).await;
    }
    let alone = probe.measure(SAMPLES).await;
    let started = Instant::now();
    project.publish_many(EVENT_TYPE, pending / WEBHOOKS, WEBHOOKS).await;
    let accepted = started.elapsed();
    let beside = probe.measure(SAMPLES).await;
    let (_, at_most) = server.memory_kib();
    look(&world, &project.api).await;

    server.kill().await;
    let ready = server.restart().await;
    let after = probe.measure(SAMPLES).await;
    let (_, at_most_after) = server.memory_kib();
    let left = world.pending_deliveries().await;
    println!(
        "B10: {pending} deliveries accepted in {accepted:?}, {left} wait; memory at most {at_most} KiB, after a restart \
         {at_most_after} KiB; ready {ready:?} after a kill; another webhook alone: {alone}; beside: {beside}; after the \
         restart: {after}"
    );
    assert!(left as usize >= pending / 2, "the backlog was gone too soon");
    assert!(at_most.max(at_most_after) <= MEMORY_KIB_MAX, "{at_most} and {at_most_after} KiB");
    assert!(ready <= READY_BOUND, "ready only after {ready:?}");
}

/// What people look at while much is pending.
async fn look(world: &World, api: &tidings_testkit::Api) {
    for (who, path) in [
        (world.operator(), "/instance"),
        (api, "/deliveries?limit=100"),
        (api, "/deliveries?limit=100&status=pending"),
        (api, "/events?limit=100"),
        (api, "/webhooks?limit=100"),
    ] {
        let started = Instant::now();
        who.get(path).await.expect(200);
        println!("B10: {path} was answered after {:?}", started.elapsed());
    }
}
