//! Several relays on one table.

use tidings_testkit::until;

use crate::scene::{BOUND, Hurdle, Platform, Scene};

/// One publishes, the other stands aside until it has acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_keep_the_order_take_turns() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..10).await;
    let hurdle = Hurdle::put_up(&platform).await;
    let flags = ["outbox", "--batch", "5", "--poll-ms", "20"];
    let first = scene.relay(&flags, &platform.variables());
    hurdle.is_reached_by(1).await;
    let second_url = format!("{}&application_name=second", platform.url);
    let second = scene.relay(&flags, &[("TIDINGS_RELAY_DATABASE_URL", &second_url)]);
    // It has looked, more than once, and has taken nothing.
    let looks = "SELECT query_start::text FROM pg_stat_activity
                 WHERE application_name = 'second' AND state = 'idle' AND query = 'ROLLBACK'";
    let mut seen = std::collections::BTreeSet::new();
    until("the other one to look again and again", BOUND, async || {
        seen.extend(platform.client.query_opt(looks, &[]).await.expect("rows").map(|row| row.get::<_, String>(0)));
        (seen.len() >= 3).then_some(())
    })
    .await;
    hurdle.is_reached_by(1).await;
    assert_eq!(scene.numbers().await, [0, 1, 2, 3, 4]);
    hurdle.take_away().await;
    platform.is_empty().await;
    // When the first dies, the second goes on.
    first.kill().await;
    platform.insert(10..20).await;
    platform.is_empty().await;
    assert_eq!(scene.numbers().await, (0..20).collect::<Vec<_>>());
    assert!(second.stop().await.success());
}

/// Without the order, each has rows of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_without_an_order_publish_different_rows_at_the_same_time() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    platform.insert(0..10).await;
    let hurdle = Hurdle::put_up(&platform).await;
    let flags = ["outbox", "--unordered", "--batch", "5", "--poll-ms", "20"];
    let relays = [scene.relay(&flags, &platform.variables()), scene.relay(&flags, &platform.variables())];
    hurdle.is_reached_by(2).await;
    let mut numbers = scene.numbers().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>(), "both have published, and none what the other has");
    hurdle.take_away().await;
    platform.insert(10..500).await;
    platform.is_empty().await;
    let mut numbers = scene.numbers().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    for relay in relays {
        assert!(relay.stop().await.success());
    }
}
