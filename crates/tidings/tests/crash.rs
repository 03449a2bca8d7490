//! A1: kill -9 at random points under load. Whatever was acknowledged is delivered or visibly
//! ended, the server is ready again at once, and what it keeps is whole (INV-ACK, INV-NO-LOSS).
//!
//! Twenty rounds by default; `cargo xtask torture` sets `TIDINGS_TORTURE_ROUNDS`. A run is
//! repeated with the seed it prints, as far as the machine's own timing allows.

mod support;

use std::{sync::Arc, time::Duration};

use tidings_testkit::{
    Behaviour, ClientLedger, Load, READY_BOUND, Random, Receiver, Reconciliation, Server, UNWELL, View, reconcile,
    setting, three_customers,
};
use tokio::time::Instant;

use support::check_integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const ROUNDS_DEFAULT: usize = 20;
/// Rounds after which everything has to have ended, and the ledgers are compared. The rounds
/// between kill into the backlog of those before.
const ROUNDS_PER_COMPARISON: usize = 5;
/// Rounds on one data directory, so that reading everything back stays cheap in long runs.
const ROUNDS_PER_DIRECTORY: usize = 20;
const PUBLISHERS: usize = 8;
/// Events acknowledged in a round before the kill.
const EVENTS_BEFORE_KILL: std::ops::Range<u64> = 40..400;
/// A request that arrived this long before a kill may be without a verdict on disk. Mostly it is a
/// few milliseconds; the rest is for a disk that is busy with other things.
const VERDICT_WINDOW: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Totals {
    rounds: usize,
    kills: usize,
    acknowledged: usize,
    slowest_ready: Duration,
    duplicates: usize,
    slowest_verdict: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let rounds = setting("TIDINGS_TORTURE_ROUNDS").map_or(ROUNDS_DEFAULT, |rounds| rounds as usize);
    let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
    println!("A1: {rounds} rounds; repeat with TIDINGS_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let mut totals = Totals::default();
    while totals.rounds < rounds {
        torture(&mut random, ROUNDS_PER_DIRECTORY.min(rounds - totals.rounds), &mut totals).await;
    }
    println!(
        "A1: {} rounds, {} kills, {} events acknowledged, lost 0, ready after at most {} ms, {} duplicates, all of them \
         in flight: they arrived at most {} ms before a kill",
        totals.rounds,
        totals.kills,
        totals.acknowledged,
        totals.slowest_ready.as_millis(),
        totals.duplicates,
        totals.slowest_verdict.as_millis(),
    );
}

/// Some rounds on one data directory.
async fn torture(random: &mut Random, rounds: usize, totals: &mut Totals) {
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let world = three_customers(&server, &receiver, EVENT_TYPE).await;
    let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
    let mut kills = Vec::new();
    let mut last = Reconciliation::default();
    for round in 1..=rounds {
        receiver.route(UNWELL, Behaviour::Status(503));
        let generators = (0..PUBLISHERS).map(|_| Random::seeded(random.bits())).collect();
        let load = Load::start(&world.projects, EVENT_TYPE, &ledger, generators);
        load.wait_for(random.within(EVENTS_BEFORE_KILL) as usize).await;
        server.kill_after(Duration::from_millis(random.within(0..30))).await;
        kills.push(Instant::now());
        if random.once_in(4) {
            server.restart_and_kill_after(Duration::from_millis(random.within(1..80))).await;
            kills.push(Instant::now());
        }
        let ready = server.restart().await;
        assert!(ready <= READY_BOUND, "round {round}: ready after {} ms", ready.as_millis());
        totals.slowest_ready = totals.slowest_ready.max(ready);
        check_integrity(&server, &format!("round {round}"));
        load.stop().await;
        receiver.route(UNWELL, Behaviour::Ok);
        if round % ROUNDS_PER_COMPARISON == 0 || round == rounds {
            world.drain().await;
            world.assert_ledger_is_even().await;
            last = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
            println!("A1: after round {round}: {last}");
            last.assert_clean();
            let lag = last.assert_sent_again_only_around(&kills, VERDICT_WINDOW);
            totals.slowest_verdict = totals.slowest_verdict.max(lag);
        }
    }
    totals.rounds += rounds;
    totals.kills += kills.len();
    totals.acknowledged += last.acknowledged;
    totals.duplicates += last.duplicates.len();
}
