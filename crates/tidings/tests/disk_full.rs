//! A6, A7: the disk is full while events are accepted and while deliveries are under way. New
//! events are refused with 507 at once, results are still written, nothing acknowledged is lost,
//! and everything is as before once there is room (INV-ACK, INV-NO-LOSS).
//!
//! Needs root, for a disk of its own.

mod support;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tidings_testkit::{
    Behaviour, ClientLedger, Disk, Load, Project, Random, Receiver, Server, UNWELL, View, in_namespaces, reconcile,
    three_customers, until,
};
use tokio::time::Instant;

use support::check_integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const FLAGS: [&str; 3] = ["--allow-http", "--allow-target", "127.0.0.0/8"];
const DISK_MEBIBYTES: u32 = 128;
const ROUNDS: usize = 3;
const PUBLISHERS: usize = 4;
/// Events acknowledged before the disk is filled.
const EVENTS_BEFORE: usize = 150;
/// A refusal comes within this time.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
/// Everything is as before this long after there is room.
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
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
    check_integrity(&server.database_path(), "a full disk");
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
    for _ in 0..20 {
        let started = Instant::now();
        let answer = project.api.post("/events", &event).await;
        slowest = slowest.max(started.elapsed());
        let problem = answer.expect(507);
        assert_eq!(problem["code"], "storage_full", "{problem}");
        assert!(answer.header("retry-after").is_some(), "{problem}");
    }
    slowest
}

async fn accepted_again(project: &Project) -> Duration {
    let started = Instant::now();
    let event = json!({"type": EVENT_TYPE, "data": {"sequence": 0}});
    let accepted = async || (project.api.post("/events", &event).await.status == 202).then_some(());
    until("an accepted event", BOUND, accepted).await;
    started.elapsed()
}
