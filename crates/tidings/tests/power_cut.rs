//! A4: the power is cut under load, again and again. The server's directory lies on a disk of its
//! own; what was written and not synced when the power went is gone. Whatever was acknowledged by
//! then is there afterwards, and the file is whole (INV-ACK, INV-NO-LOSS).
//!
//! That the test would notice is shown on a disk that only pretends to sync, which is what
//! `synchronous=NORMAL` or a missing fdatasync come to: there, acknowledged events are lost.
//!
//! Three cuts by default; `cargo xtask torture powercut` sets `TIDINGS_POWER_CUTS`. Needs root.

mod support;

use std::{sync::Arc, time::Duration};

use tidings_testkit::{
    Behaviour, ClientLedger, Disk, Load, Project, Random, Receiver, Reconciliation, Server, UNWELL, View,
    in_namespaces, reconcile, setting, skip, three_customers, works,
};
use tokio::time::Instant;

use support::check_integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const FLAGS: [&str; 3] = ["--allow-http", "--allow-target", "127.0.0.0/8"];
const CUTS_DEFAULT: u64 = 3;
/// Cuts after which everything has to have ended, and the ledgers are compared.
const CUTS_PER_COMPARISON: u64 = 5;
/// Cuts on one directory, so that reading everything back stays cheap in long runs.
const CUTS_PER_DISK: u64 = 25;
const DISK_MEBIBYTES: u32 = 256;
const PUBLISHERS: usize = 8;
/// Events acknowledged between a start and the next cut.
const EVENTS_BEFORE_CUT: std::ops::Range<u64> = 40..300;
/// A request that arrived this long before a cut may be without a verdict on disk.
const VERDICT_WINDOW: Duration = Duration::from_secs(3);
/// A disk that says that it has synced, and has not.
const LYING_DISK: [&str; 10] = [
    "strace",
    "-D",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync,sync_file_range",
    "-e",
    "inject=fsync,fdatasync,sync_file_range:retval=0",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_nothing_acknowledged_is_lost_when_the_power_is_cut() {
    if !in_namespaces("inv_ack_nothing_acknowledged_is_lost_when_the_power_is_cut", &["-m"]).await {
        return;
    }
    let cuts = setting("TIDINGS_POWER_CUTS").unwrap_or(CUTS_DEFAULT);
    let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
    println!("A4: {cuts} power cuts; repeat with TIDINGS_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let (mut done, mut acknowledged, mut duplicates) = (0, 0, 0);
    while done < cuts {
        let round = CUTS_PER_DISK.min(cuts - done);
        let last = torture(&mut random, round).await;
        done += round;
        acknowledged += last.acknowledged;
        duplicates += last.duplicates.len();
    }
    println!("A4: {done} power cuts, {acknowledged} events acknowledged, lost 0, {duplicates} duplicates");
}

/// A server on a disk of its own, with customers.
async fn start_on(disk: &Disk) -> Server {
    let mut server = Server::prepare(BINARY, &FLAGS);
    server.keep_data_in(disk.path().join("data"));
    server.restart().await;
    server
}

/// The power goes, and comes back; the server starts on what the disk then holds.
async fn cut(server: &mut Server, disk: &mut Disk) -> Instant {
    server.freeze().await;
    let at = Instant::now();
    let what_is_left = disk.cut_power();
    server.kill().await;
    disk.restore_power(what_is_left);
    server.keep_data_in(disk.path().join("data"));
    at
}

async fn torture(random: &mut Random, cuts: u64) -> Reconciliation {
    let mut disk = Disk::create(DISK_MEBIBYTES);
    let mut server = start_on(&disk).await;
    let receiver = Receiver::start().await;
    let world = three_customers(&server, &receiver, EVENT_TYPE).await;
    let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
    let mut times = Vec::new();
    let mut last = Reconciliation::default();
    for number in 1..=cuts {
        receiver.route(UNWELL, Behaviour::Status(503));
        let generators = (0..PUBLISHERS).map(|_| Random::seeded(random.bits())).collect();
        let load = Load::start(&world.projects, EVENT_TYPE, &ledger, generators);
        load.wait_for(random.within(EVENTS_BEFORE_CUT) as usize).await;
        times.push(cut(&mut server, &mut disk).await);
        server.restart().await;
        check_integrity(&server, &format!("cut {number}"));
        load.stop().await;
        receiver.route(UNWELL, Behaviour::Ok);
        if number % CUTS_PER_COMPARISON == 0 || number == cuts {
            world.drain().await;
            world.assert_ledger_is_even().await;
            last = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
            println!("A4: after cut {number}: {last}");
            last.assert_clean();
            last.assert_sent_again_only_around(&times, VERDICT_WINDOW);
        }
    }
    server.stop().await;
    last
}

/// The test above is worth something: without real syncs it would fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_only_pretends_to_sync_is_found_out() {
    if !in_namespaces("a_disk_that_only_pretends_to_sync_is_found_out", &["-m"]).await {
        return;
    }
    if !works(&["strace", "true"]).await {
        return skip("a disk that only pretends to sync", "needs strace, and the right to trace");
    }
    let mut disk = Disk::create(DISK_MEBIBYTES);
    let mut server = start_on(&disk).await;
    let receiver = Receiver::start().await;
    let world = three_customers(&server, &receiver, EVENT_TYPE).await;
    let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
    server.stop().await;
    server.run_under(&LYING_DISK);
    server.restart().await;
    let load = Load::start(&world.projects, EVENT_TYPE, &ledger, vec![Random::seeded(1), Random::seeded(2)]);
    load.wait_for(50).await;
    cut(&mut server, &mut disk).await;
    let acknowledged = ledger.acknowledged();
    server.run_under(&[]);
    server.restart().await;
    load.stop().await;
    let mut lost = 0;
    for event in &acknowledged {
        let project = world.projects.iter().find(|project| project.id == event.project_id);
        lost += usize::from(is_missing(project.expect("one of the three"), &event.event_id).await);
    }
    println!("A4: without real syncs {lost} of {} acknowledged events are lost", acknowledged.len());
    assert!(lost > 0, "nothing is lost although nothing was synced: the cut cuts nothing");
}

async fn is_missing(project: &Project, event_id: &str) -> bool {
    project.api.get(&format!("/events/{event_id}")).await.status == 404
}
