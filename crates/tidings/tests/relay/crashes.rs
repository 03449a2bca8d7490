//! Whatever dies meanwhile: nothing is lost, and nothing becomes two events.

use std::time::Duration;

use tidings_testkit::until;

use crate::{
    front::Front,
    scene::{BOUND, Hurdle, Platform, Scene},
};

/// What relays take at a time here.
const BATCH: u32 = 5;

fn flags() -> [&'static str; 5] {
    ["outbox", "--batch", "5", "--poll-ms", "20"]
}

/// A relay dies after the server has answered and before the row is acknowledged, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_killed_between_publishing_and_acknowledging_loses_and_doubles_nothing() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    for round in 0..4 {
        platform.insert(round * 10..(round + 1) * 10).await;
        let hurdle = Hurdle::put_up(&platform).await;
        let relay = scene.relay(&flags(), &platform.variables());
        hurdle.is_reached_by(1).await;
        let numbers = scene.numbers().await;
        assert_eq!(numbers, (0..round * 10 + BATCH).collect::<Vec<_>>(), "on disk, and not acknowledged");
        relay.kill().await;
        hurdle.take_away().await;
        assert_eq!(platform.count("true").await, 10, "all of the round still wait");
        let (status, report, log) = platform.drain(&scene, &[]).await;
        assert!(status.success(), "{log}");
        assert_eq!(report["published"], 10, "{report}");
        assert_eq!(scene.numbers().await, (0..(round + 1) * 10).collect::<Vec<_>>());
    }
}

/// The answer does not come back: whether anything was published is not known, so it is published again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_lost_double_nothing() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let front = Front::start(scene.server.address()).await;
    let variables = [platform.variables()[0], ("TIDINGS_SERVER", front.url())];
    let relay = scene.relay(&flags(), &variables);
    platform.insert(0..1).await;
    platform.is_empty().await;
    // The client repeats a request by itself, once; so some batches are lost for the relay as well.
    front.lose_answers(7);
    front.cut();
    platform.insert(1..30).await;
    platform.is_empty().await;
    assert_eq!(scene.numbers().await, (0..30).collect::<Vec<_>>());
    assert_eq!(front.left_to_lose(), 0);
    assert!(relay.log().contains("waits until it can go on"), "{}", relay.log());
    assert!(relay.stop().await.success());
}

/// A server that has no room, or no time, at the moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_busy_is_asked_again() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..10).await;
    for (status, code) in [(429, "backlog_full"), (503, "unavailable"), (507, "storage_full")] {
        let front = Front::start(scene.server.address()).await;
        front.refuse(5, status, code);
        let variables = [platform.variables()[0], ("TIDINGS_SERVER", front.url())];
        let (ended, report, log) = scene.relay(&["outbox", "--once", "--json"], &variables).report().await;
        assert!(ended.success(), "{status}: {log}");
        assert_eq!(report["refused"], 0, "{status}");
        assert!(log.contains("waits until it can go on"), "{status}: {log}");
    }
    assert_eq!(scene.numbers().await, (0..10).collect::<Vec<_>>());
}

/// The server dies again and again while rows come; relays wait for it and go on by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_meanwhile_gets_every_row_once() {
    let mut scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let front = Front::start(scene.server.address()).await;
    let variables = [platform.variables()[0], ("TIDINGS_SERVER", front.url())];
    let relay = scene.relay(&["outbox", "--batch", "50", "--poll-ms", "20"], &variables);
    for round in 0..5 {
        platform.insert(round * 400..(round + 1) * 400).await;
        let left = i64::from(200 + round);
        until("some to be gone", BOUND, async || (platform.count("true").await < left).then_some(())).await;
        scene.server.kill().await;
        platform.insert(2_000 + round * 10..2_000 + (round + 1) * 10).await;
        // Longer than its client is patient by itself.
        let times = async || (relay.log().matches("waits until it can go on").count() > round as usize).then_some(());
        until("the relay to miss the server", BOUND, times).await;
        scene.server.restart().await;
        front.lead_to(scene.server.address());
    }
    platform.is_empty().await;
    let mut numbers = scene.numbers().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..2_050).collect::<Vec<_>>());
    assert!(relay.stop().await.success());
}

/// A server that is not there when the relay starts is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_later_is_waited_for() {
    let mut scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..3).await;
    scene.server.kill().await;
    let front = Front::start(([127, 0, 0, 1], 9).into()).await;
    let variables = [platform.variables()[0], ("TIDINGS_SERVER", front.url())];
    let relay = scene.relay(&flags(), &variables);
    until("it to wait", BOUND, async || relay.log().contains("waits until it can go on").then_some(())).await;
    scene.server.restart().await;
    front.lead_to(scene.server.address());
    platform.is_empty().await;
    assert_eq!(scene.numbers().await, [0, 1, 2]);
    assert!(relay.log().contains("the relay goes on"), "{}", relay.log());
    assert!(relay.stop().await.success());
}

/// The platform's database is restarted while a relay works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_meanwhile_is_found_again() {
    let scene = Scene::begin().await;
    let (cluster, mut platform) = Platform::on_its_own_cluster().await;
    let relay = scene.relay(&flags(), &platform.variables());
    let mut number = 0;
    for round in 0..3 {
        platform.insert(number..number + 100).await;
        number += 100;
        let left = 60 + round;
        until("some to be gone", BOUND, async || (platform.count("true").await < left).then_some(())).await;
        let restarted = std::sync::Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || restarted.restart()).await.expect("it restarts");
        platform.reconnect().await;
    }
    platform.is_empty().await;
    assert_eq!(scene.numbers().await, (0..number).collect::<Vec<_>>());
    assert!(relay.log().contains("the relay goes on"), "{}", relay.log());
    assert!(relay.stop().await.success());
}

/// The database ends the relay's session, in the midst of acknowledging.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_database_ends_is_begun_again() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..10).await;
    let hurdle = Hurdle::put_up(&platform).await;
    let relay = scene.relay(&flags(), &platform.variables());
    hurdle.is_reached_by(1).await;
    platform.run(&format!("SELECT pg_terminate_backend(pid) FROM ({}) AS w", Hurdle::WAITING)).await;
    hurdle.take_away().await;
    platform.is_empty().await;
    assert_eq!(scene.numbers().await, (0..10).collect::<Vec<_>>());
    assert!(relay.log().contains("the relay goes on"), "{}", relay.log());
    assert!(relay.stop().await.success());
}

/// A relay that is told to stop acknowledges what it has published, and leaves the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_told_to_stop_leaves_nothing_half_done() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..3_000).await;
    let relay = scene.relay(&["outbox", "--batch", "20"], &platform.variables());
    until("some to be gone", BOUND, async || (platform.count("true").await < 2_900).then_some(())).await;
    let log = relay.log_path();
    assert!(relay.stop().await.success());
    let left = platform.count("true").await;
    assert!(left > 0, "it was too fast for this test");
    assert_eq!(scene.numbers().await.len(), 3_000 - usize::try_from(left).expect("few"), "published is gone");
    let log = std::fs::read_to_string(log).expect("a log");
    assert!(log.contains("the relay has stopped"), "{log}");
    let held = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                WHERE datname = current_database() AND locktype = 'advisory'";
    let free =
        async || (platform.client.query_one(held, &[]).await.expect("a count").get::<_, i64>(0) == 0).then_some(());
    until("its lock to be free", Duration::from_secs(10), free).await;
}
