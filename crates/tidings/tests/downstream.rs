//! Everything behind a source is dead while its provider goes on sending. The provider is
//! answered as if nothing were wrong, and once everything is back all of it is done, each thing once.
//! `cargo xtask torture downstream` lets the outage last a minute.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tidings_testkit::{
    Arrival, Behaviour, Hostile, Inlet, Latencies, Receiver, Server, Signature, World, setting, until,
};
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
/// Receipts in a second.
const RATE: u64 = 50;
/// Seconds that everything is dead.
const OUTAGE_S: u64 = 3;
/// How long a provider may wait for an answer, all but one in a hundred times.
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// What failed twice in a long outage is tried again after five minutes.
const BOUND: Duration = Duration::from_secs(600);
const FORWARD: &str = "/forward";
const HOOK: &str = "/hook";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_downstream_dead_delays_no_answer_and_loses_nothing() {
    let long = setting("TIDINGS_OUTAGE_S");
    let receipts = RATE * long.unwrap_or(OUTAGE_S);
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, HOOK, Signature::Standard, json!({})).await;
    let count = |key: &str| json!({"kind": "record", "record": "count", "key": key, "increment": {"receipts": 1}});
    let actions = json!([
        count("before"),
        {"kind": "emit", "type": EVENT_TYPE, "data": {"id": "{{/id}}"}},
        {"kind": "forward", "url": receiver.url(FORWARD)},
        count("after"),
    ]);
    let source = json!({"name": "provider", "kind": "none", "dedupe": "/id", "actions": actions});
    let made = project.api.post("/sources", &source).await.expect(201);
    receiver.route(FORWARD, Behaviour::Hostile(Hostile::Reset));
    receiver.route(HOOK, Behaviour::Status(503));

    let answered = send(&Inlet::of(&project.api, &made), receipts).await;
    let forwarded = receiver.count_at(FORWARD);
    let back = Instant::now();
    receiver.route(FORWARD, Behaviour::Ok);
    receiver.route(HOOK, Behaviour::Ok);
    let record = async |key: &str| {
        let answer = project.api.get(&format!("/records/count/{key}")).await;
        if answer.status == 404 { 0 } else { answer.expect(200)["data"]["receipts"].as_u64().expect("a count") }
    };
    until("what follows the last forward", BOUND, async || (record("after").await == receipts).then_some(())).await;
    until("the last webhook", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    println!(
        "downstream dead for {} s, {RATE} receipts a second: answers {answered}; {forwarded} forwards tried meanwhile; \
         all {receipts} done {:.1} s after it was back",
        receipts / RATE,
        back.elapsed().as_secs_f64()
    );

    assert_eq!(record("before").await, receipts, "each once");
    assert_eq!(project.api.get("/receipts?limit=1").await.expect(200)["total"], receipts);
    assert_eq!(project.api.get("/events?limit=1").await.expect(200)["total"], receipts);
    // Bodies differ from receipt to receipt.
    let taken = |path: &str| {
        let arrivals = receiver.arrivals_at(path).into_iter().filter(Arrival::was_taken);
        arrivals.map(|arrival| arrival.body_hash).collect::<BTreeSet<_>>().len() as u64
    };
    assert_eq!((taken(FORWARD), taken(HOOK)), (receipts, receipts));
    world.assert_ledger_is_even().await;
    if long.is_some() {
        assert!(answered.p99 <= ANSWER_MAX, "{answered}");
    }
}

/// Sends so many different requests at a steady rate, whether or not earlier ones have been answered.
async fn send(inlet: &Inlet, count: u64) -> Latencies {
    let mut pace = interval(Duration::from_millis(1_000 / RATE));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    for number in 0..count {
        let due = pace.tick().await;
        let inlet = inlet.clone();
        requests.spawn(async move {
            let body = json!({"id": format!("evt_{number}"), "type": "order.paid", "amount": 1999});
            inlet.post(&body).await.expect(200);
            // From when it should have been sent: whoever is kept waiting counts as well.
            due.elapsed()
        });
    }
    Latencies::of(requests.join_all().await)
}
