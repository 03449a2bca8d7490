//! Partitions: there is one for every row, and what is over is dropped whole, unless somebody still wants it.

use std::sync::Arc;

use tidings_domain::{ids::first_sequence_at, retry::Verdict, time::Timestamp};
use tidings_ports::store::{Appended, ClaimRequest, LeasedDelivery, NewEvent, StoreError};
use tidings_store_conformance::{START, World, newborn};

use crate::{Beside, cluster, open, open_in};

const KEPT_DAYS: u32 = 90;

/// Far from the database's own clock, which says where the first partitions end.
fn day(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}T00:00:00Z")).expect("a time")
}

/// Whether the partition of the first week is there.
async fn partition(world: &World) -> i64 {
    world.outside.numbers("SELECT count(*) FROM pg_class WHERE relname = 'event_until_2040_01_08'").await[0]
}

async fn roll(world: &World, now: &str) -> Result<i64, StoreError> {
    world.store.roll_partitions(day(now), KEPT_DAYS).await
}

/// Ends the replay of an event.
async fn end_replay(world: &World, new: &NewEvent) {
    let want = ClaimRequest { webhook_id: new.deliveries[0].webhook_id, count: 9 };
    let claimed = world.store.claim(vec![want], 1 << 20, START).await.expect("claimed").remove(0);
    for lease in &claimed.deliveries {
        world.settle(lease, Verdict::Delivered, START).await;
    }
}

/// An event of each of two weeks, the former with a replay in the latter; both as old as the first of January.
async fn two_weeks(world: &mut World) -> NewEvent {
    world.go_on_at(first_sequence_at(day("2040-01-01")));
    let old = world.used("old").await;
    end_replay(world, &old).await;
    // Made for its row, and as long as all others.
    roll(world, "2040-01-09").await.expect("rolled");
    world.go_on_at(first_sequence_at(day("2040-01-09")));
    let new = world.used("new").await;
    end_replay(world, &new).await;
    world.replay(&old).await;
    old
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_forgets_nothing_that_is_kept() {
    // A new database, whose first partition has no beginning.
    let mut world = open().await;
    let done = world.used("done").await;
    end_replay(&world, &done).await;
    world.used("waits").await;
    let before = world.left().await;
    assert_eq!(before, [2, 3, 2, 2, 2, 0]);
    for _ in 0..2 {
        assert_eq!(roll(&world, "2026-01-02").await, Ok(0));
        assert_eq!(world.left().await, before);
    }
    assert!(world.store.find_event(world.project, "done").await.expect("read").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_is_dropped_whole_with_what_hangs_on_it() {
    let mut world = open().await;
    let old = two_weeks(&mut world).await;
    end_replay(&world, &old).await;
    // Born in front of midnight, with deliveries behind it.
    let midnight = first_sequence_at(day("2040-01-08"));
    let webhook = world.webhook(world.project).await;
    world.go_on_at(midnight - 1);
    let late = world.event(world.project, "a.b", &[webhook, webhook], true);
    assert!(late.event.key.sequence() < midnight && late.deliveries[0].id.sequence() >= midnight);
    world.append(vec![late.clone()], START).await;
    for delivery in &late.deliveries {
        let lease = LeasedDelivery { id: delivery.id, ..newborn(&late) };
        world.settle(&lease, Verdict::Retry { due_at: START }, START).await;
    }
    end_replay(&world, &late).await;
    assert_eq!(roll(&world, "2040-04-06").await, Ok(0));
    assert_eq!(world.left().await[0], 3, "a day too early");
    assert_eq!(partition(&world).await, 1);
    assert_eq!(roll(&world, "2040-04-07").await, Ok(0));
    assert_eq!(partition(&world).await, 0);
    assert_eq!(world.left().await, [1, 2, 1, 1, 1, 0], "what is new stays");
    assert!(world.store.find_event(world.project, "new").await.expect("read").is_some());
    // Whose clock is far behind still has a place.
    world.go_on_at(first_sequence_at(day("2030-01-01")));
    let event = world.event(world.project, "a.b", &[], false);
    world.append(vec![event], START).await;
    assert_eq!(world.left().await[0], 2);
    assert_eq!(world.store.audit_ledger().await.expect("read").unaccounted(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wanted_is_not_dropped() {
    let mut world = open().await;
    let old = two_weeks(&mut world).await;
    let pending = world.left().await;
    let until = roll(&world, "2040-04-07").await.expect("rolled");
    assert_eq!(until, first_sequence_at(day("2040-01-08")), "what is left there is forgotten one by one");
    assert_eq!(world.left().await, pending);
    assert_eq!(world.expire(None, until, 10).await, 0);
    end_replay(&world, &old).await;
    assert_eq!(roll(&world, "2040-04-07").await, Ok(0));
    assert_eq!(world.left().await, [1, 2, 1, 1, 1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_is_waited_for_and_holds_up_nobody_for_long() {
    let url = cluster().database();
    let mut world = open_in(url.clone()).await;
    let old = two_weeks(&mut world).await;
    end_replay(&world, &old).await;
    let mut reader = Beside(url).client().await;
    let reading = reader.transaction().await.expect("begun");
    reading.batch_execute("SELECT FROM event").await.expect("read");
    let refused = roll(&world, "2040-04-07").await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let event = world.event(world.project, "a.b", &[], false);
    world.append(vec![event], START).await;
    drop(reading);
    assert_eq!(roll(&world, "2040-04-07").await, Ok(0));
    assert!(world.store.find_event(world.project, "old").await.expect("read").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_all_times_at_once_find_their_places() {
    let mut world = open().await;
    let mut events = Vec::new();
    for year in [1980, 2031, 2055, 2100, 2033, 2500] {
        world.go_on_at(first_sequence_at(day(&format!("{year}-06-01"))));
        events.push(world.event(world.project, "a.b", &[], false));
    }
    let snapshot = world.store.load_snapshot(world.project).await.expect("read").expect("there");
    let appends = events.into_iter().map(|mut new| {
        new.snapshot_version = snapshot.version;
        let store = Arc::clone(&world.store);
        tokio::spawn(async move { store.append(Arc::new(vec![new]), START).await })
    });
    for append in appends.collect::<Vec<_>>() {
        let appended = append.await.expect("it ends").expect("written");
        assert_eq!(appended, [Appended::Stored]);
    }
    assert_eq!(world.left().await[0], 6);
}
