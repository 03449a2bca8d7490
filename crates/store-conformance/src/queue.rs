//! Leases: fenced, freed, claimed in order, given back, cancelled.

use std::sync::Arc;

use tidings_domain::{delivery::DeliveryState, retry::Verdict};
use tidings_ports::store::{Appended, ClaimRequest, DeliveryFilter, Requeued, Settled};

use crate::world::{BYTES_MAX, START, World, newborn, settlement};

pub async fn inv_fence_a_stale_verdict_changes_nothing(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let new = world.event(world.project, "a.b", &[webhook], true);
    world.append(vec![new.clone()], START).await;
    let stale = newborn(&new);
    assert_eq!(world.crash(START).await.len(), 1);
    let want = ClaimRequest { webhook_id: webhook, count: 10 };
    let fresh = world.store.claim(vec![want], BYTES_MAX, START).await.expect("claimed").remove(0).deliveries.remove(0);
    assert!(fresh.epoch > stale.epoch);

    assert_eq!(world.settle(&stale, Verdict::Delivered, START).await, Settled::Stale);
    let view = world.store.find_delivery(world.project, stale.id).await.expect("read").expect("there");
    assert_eq!((view.state, view.attempts_made), (DeliveryState::Pending, 0));

    assert_eq!(world.settle(&fresh, Verdict::Delivered, START).await, Settled::Applied);
    assert_eq!(world.settle(&fresh, Verdict::Exhausted, START).await, Settled::Stale);
    let view = world.store.find_delivery(world.project, fresh.id).await.expect("read").expect("there");
    assert_eq!((view.state, view.attempts_made), (DeliveryState::Delivered, 1));
}

pub async fn inv_fence_holds_over_a_manual_retry(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let new = world.event(world.project, "a.b", &[webhook], true);
    world.append(vec![new.clone()], START).await;
    let first = newborn(&new);
    world.settle(&first, Verdict::Delivered, START).await;
    let again = world.store.requeue(world.project, first.id, false, START).await.expect("written");
    assert!(matches!(again, Requeued::Leased(_)), "{again:?}");
    assert_eq!(world.settle(&first, Verdict::Exhausted, START).await, Settled::Stale);
}

pub async fn due_times_follow_a_wall_clock_that_was_set_once_another_process_starts(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let new = world.event(world.project, "a.b", &[webhook], false);
    world.append(vec![new.clone()], START.plus_millis(60_000)).await;
    let due_at = async |world: &World| world.store.recover(START).await.expect("written")[0].next_due_at;
    assert_eq!(due_at(&world).await, START.plus_millis(60_000));
    world.store.note_step(-500).await.expect("written");
    world.store.note_step(7_000).await.expect("written");
    // Where several processes write, all count by the database's clock, and nobody's wall clock moves anything.
    let moved = if world.store.joined().is_some() { 60_000 } else { 67_000 };
    assert_eq!(due_at(&world).await, START.plus_millis(moved), "what was noted last counts");
    assert_eq!(due_at(&world).await, START.plus_millis(moved), "once");
}

pub async fn claims_are_oldest_first_bounded_and_say_what_is_left(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let mut ids = Vec::new();
    for place in 0..5_u64 {
        let new = world.event(world.project, "a.b", &[webhook], false);
        ids.push(new.deliveries[0].id);
        world.append(vec![new], START.plus_millis(place)).await;
    }
    let want = ClaimRequest { webhook_id: webhook, count: 2 };
    let claimed = world.store.claim(vec![want], BYTES_MAX, START.plus_millis(10)).await.expect("claimed").remove(0);
    assert_eq!(claimed.deliveries.iter().map(|lease| lease.id).collect::<Vec<_>>(), ids[..2]);
    assert_eq!(claimed.next_due_at, Some(START.plus_millis(2)));
    let rest = world
        .store
        .claim(vec![ClaimRequest { count: 9, ..want }], BYTES_MAX, START.plus_millis(3))
        .await
        .expect("claimed");
    assert_eq!(rest[0].deliveries.iter().map(|lease| lease.id).collect::<Vec<_>>(), ids[2..4], "not yet due");
}

pub async fn inv_bounded_a_claim_stops_at_the_bytes_it_may_take(mut world: World) {
    let webhook = world.webhook(world.project).await;
    for _ in 0..5 {
        let new = world.event(world.project, "a.b", &[webhook], false);
        world.append(vec![new], START).await;
    }
    // Every payload has two bytes: the third delivery is the one that exceeds four.
    let want = ClaimRequest { webhook_id: webhook, count: 10 };
    let claimed = world.store.claim(vec![want], 5, START).await.expect("claimed").remove(0);
    assert_eq!(claimed.deliveries.len(), 3);
    assert_eq!(claimed.next_due_at, Some(START));
}

pub async fn a_released_lease_is_due_again_and_a_deleted_webhooks_is_cancelled(mut world: World) {
    let (kept, deleted) = (world.webhook(world.project).await, world.webhook(world.project).await);
    let new = world.event(world.project, "a.b", &[kept, deleted], true);
    world.append(vec![new.clone()], START).await;
    assert!(world.store.delete_webhook(world.project, deleted, START).await.expect("written"));
    let leases = new.deliveries.iter().map(|delivery| (delivery.id, 1)).collect();
    world.store.release(leases, START).await.expect("written");
    let mut states = Vec::new();
    for delivery in &new.deliveries {
        let view = world.store.find_delivery(world.project, delivery.id).await.expect("read").expect("there");
        states.push(view.state);
    }
    assert_eq!(states, [DeliveryState::Pending, DeliveryState::Cancelled]);
    assert_eq!(world.store.backlog().await.expect("read").len(), 1);
}

pub async fn a_retry_of_a_deleted_webhooks_delivery_becomes_a_cancellation(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let new = world.event(world.project, "a.b", &[webhook], true);
    world.append(vec![new.clone()], START).await;
    world.store.delete_webhook(world.project, webhook, START).await.expect("written");
    let verdict = Verdict::Retry { due_at: START.plus_millis(1_000) };
    assert_eq!(world.settle(&newborn(&new), verdict, START).await, Settled::Applied);
    let view = world.store.find_delivery(world.project, new.deliveries[0].id).await.expect("read").expect("there");
    assert_eq!((view.state, view.attempts_made), (DeliveryState::Cancelled, 1));
}

pub async fn inv_fanout_a_changed_project_takes_no_event_that_does_not_know_of_it(mut world: World) {
    let new = world.event(world.project, "a.b", &[], true);
    let snapshot = world.store.load_snapshot(world.project).await.expect("read").expect("there");
    world.webhook(world.project).await;
    let stale = tidings_ports::store::NewEvent { snapshot_version: snapshot.version, ..new };
    let appended = world.store.append(Arc::new(vec![stale]), START).await.expect("written");
    assert_eq!(appended, [Appended::StaleSnapshot]);
    let page = tidings_domain::page::PageRequest::default();
    let filter = DeliveryFilter::default();
    assert!(world.store.list_deliveries(world.project, filter, page).await.expect("read").rows.is_empty());
}

pub async fn a_request_head_that_was_rolled_back_is_not_taken_for_another(mut world: World) {
    let (good, cursed) = (world.webhook(world.project).await, world.webhook(world.project).await);
    world.outside.refuse("delivery", &format!("new.webhook = {}", cursed.sequence())).await;
    let mut leases = Vec::new();
    for webhook in [good, good, cursed, good] {
        let new = world.event(world.project, "a.b", &[webhook], true);
        world.append(vec![new.clone()], START).await;
        leases.push(newborn(&new));
    }
    let verdict = |lease: usize, head: &str| {
        let mut settlement = settlement(&leases[lease], Verdict::Delivered, START);
        settlement.attempt.request_head = head.into();
        settlement
    };
    // The first two share a head that is new; the third takes all of them back.
    let lost = vec![verdict(0, "x-head: first\n"), verdict(1, "x-head: first\n"), verdict(2, "x-head: first\n")];
    world.store.settle(Arc::new(lost)).await.expect_err("refused");
    for (lease, head) in [(3, "x-head: second\n"), (0, "x-head: first\n")] {
        world.store.settle(Arc::new(vec![verdict(lease, head)])).await.expect("written");
        let attempts = world.store.attempts_of(world.project, leases[lease].id).await.expect("read");
        assert!(attempts[0].attempt.request_head.contains(head.trim()), "{head}: {}", attempts[0].attempt.request_head);
    }
}
