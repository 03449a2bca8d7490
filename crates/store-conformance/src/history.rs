//! Lists: every delivery once, newest first, whatever its state and place; nothing of others.

use tidings_domain::{
    delivery::DeliveryState,
    ids::{DeliveryId, WebhookId, sequence_after},
    page::{Page, PageRequest, Total},
    retry::Verdict,
};
use tidings_ports::store::{ClaimRequest, DeliveryFilter, DeliveryView, EventFilter, LeasedDelivery, Requeued};

use crate::world::{BYTES_MAX, START, World, newborn};

/// Deliveries in every state, of two webhooks, in turns.
async fn mixed(world: &mut World) -> [WebhookId; 2] {
    let webhooks = [world.webhook(world.project).await, world.webhook(world.project).await];
    for round in 0..12 {
        for (place, &webhook) in webhooks.iter().enumerate() {
            let name = if round % 2 == 0 { "tag.added" } else { "user.made" };
            let new = world.event(world.project, name, &[webhook], round % 6 != 5);
            world.append(vec![new.clone()], START).await;
            let lease = newborn(&new);
            match (round + place) % 6 {
                0 => drop(world.settle(&lease, Verdict::Delivered, START).await),
                1 => drop(world.settle(&lease, Verdict::Exhausted, START).await),
                2 => drop(world.settle(&lease, Verdict::Dropped, START).await),
                3 => drop(world.settle(&lease, Verdict::Retry { due_at: START.plus_millis(9) }, START).await),
                _ => {}
            }
        }
    }
    webhooks
}

async fn all_pages(world: &World, filter: &DeliveryFilter) -> (Vec<DeliveryView>, Total) {
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let request = PageRequest { limit: 5, before };
        let page: Page<DeliveryView> =
            world.store.list_deliveries(world.project, filter.clone(), request).await.expect("read");
        rows.extend(page.rows);
        before = page.next_before;
        if before.is_none() {
            return (rows, page.total);
        }
        assert!(rows.len() < 1_000, "paging ends");
    }
}

pub async fn every_filter_gives_what_looking_at_everything_gives(mut world: World) {
    let webhooks = mixed(&mut world).await;
    let (everything, _) = all_pages(&world, &DeliveryFilter::default()).await;
    assert_eq!(everything.len(), 24);
    let types = [None, Some("tag.added"), Some("user.made"), Some("no.such")];
    let states = DeliveryState::ALL.into_iter().map(Some).chain([None]);
    for state in states {
        for name in types {
            for webhook_id in [None, Some(webhooks[0]), Some(webhooks[1])] {
                let event_type = name.map(|name| name.parse().expect("a type"));
                let filter = DeliveryFilter { webhook_id, event_type, state, ..DeliveryFilter::default() };
                let expected: Vec<_> = everything
                    .iter()
                    .filter(|view| webhook_id.is_none_or(|id| view.webhook_id == id))
                    .filter(|view| name.is_none_or(|name| view.event_type.as_str() == name))
                    .filter(|view| state.is_none_or(|state| view.state == state))
                    .cloned()
                    .collect();
                let (found, total) = all_pages(&world, &filter).await;
                assert_eq!(found, expected, "{filter:?}");
                assert_eq!(total, Total::Exact(expected.len() as u64), "{filter:?}");
            }
        }
    }
    assert!(everything.is_sorted_by(|left, right| left.id > right.id));
}

pub async fn a_list_of_events_says_how_much_of_each_arrived(mut world: World) {
    let _ = mixed(&mut world).await;
    let page = PageRequest { limit: 50, before: None };
    let events = world.store.list_events(world.project, EventFilter::default(), page).await.expect("read").rows;
    let (deliveries, _) = all_pages(&world, &DeliveryFilter::default()).await;
    for view in &events {
        let of_it = deliveries.iter().filter(|delivery| delivery.event_id == view.event.id());
        let arrived = of_it.filter(|delivery| delivery.state == DeliveryState::Delivered).count();
        assert_eq!(view.delivered, u32::try_from(arrived).ok());
    }
    assert!(events.iter().any(|view| view.delivered == Some(1)) && events.iter().any(|view| view.delivered == Some(0)));
}

/// A node that has made so many ids in a millisecond goes on in the next one, behind those of the other nodes.
pub async fn an_event_is_not_taken_for_one_of_another_node(mut world: World) {
    const IDS: i64 = 1_024;
    let mut webhooks = Vec::new();
    for _ in 0..3 {
        webhooks.push(world.webhook(world.project).await);
    }
    let first = (START.as_millis() + 1_000) << 15;
    for (seq, arrive) in [(first + IDS - 2, 3), (first + IDS, 1), (first + 2 * IDS, 0)] {
        world.go_on_at(seq);
        let mut new = world.event(world.project, "tag.added", &webhooks, true);
        for (place, delivery) in (1..).zip(&mut new.deliveries) {
            delivery.id = DeliveryId::from_parts(sequence_after(seq, place), 9);
        }
        world.append(vec![new.clone()], START).await;
        for delivery in &new.deliveries[..arrive] {
            let lease = LeasedDelivery { id: delivery.id, webhook_id: delivery.webhook_id, ..newborn(&new) };
            world.settle(&lease, Verdict::Delivered, START).await;
        }
    }
    let page = PageRequest { limit: 50, before: None };
    let events = world.store.list_events(world.project, EventFilter::default(), page).await.expect("read");
    let arrived: Vec<_> = events.rows.iter().map(|view| (view.deliveries, view.delivered)).collect();
    assert_eq!(arrived, [(3, Some(0)), (3, Some(1)), (3, Some(3))]);
    for view in &events.rows {
        let deliveries = world.store.deliveries_of(&view.event).await.expect("read");
        assert_eq!(deliveries.len(), 3, "{deliveries:?}");
        assert!(deliveries.iter().all(|delivery| delivery.event_id == view.event.id()), "{deliveries:?}");
    }
    let (deliveries, total) = all_pages(&world, &DeliveryFilter::default()).await;
    assert_eq!((deliveries.len(), total), (9, Total::Exact(9)));
    assert!(deliveries.is_sorted_by(|left, right| left.id > right.id));
}

pub async fn inv_isolation_nothing_of_another_project_is_found(mut world: World) {
    let other = world.new_project().await;
    let webhook = world.webhook(other).await;
    let new = world.event(other, "a.b", &[webhook], true);
    world.append(vec![new.clone()], START).await;
    let id = new.deliveries[0].id;
    let (store, mine) = (&world.store, world.project);
    assert!(store.find_event(mine, &new.event.id()).await.expect("read").is_none());
    assert!(store.find_delivery(mine, id).await.expect("read").is_none());
    assert!(store.attempts_of(mine, id).await.expect("read").is_empty());
    assert!(store.find_webhook(mine, webhook).await.expect("read").is_none());
    let page = PageRequest::default();
    assert!(store.list_events(mine, EventFilter::default(), page).await.expect("read").rows.is_empty());
    let filter = DeliveryFilter { webhook_id: Some(webhook), ..DeliveryFilter::default() };
    assert!(store.list_deliveries(mine, filter, page).await.expect("read").rows.is_empty());
    assert!(!store.delete_webhook(mine, webhook, START).await.expect("written"));
    assert!(store.find_event(other, &new.event.id()).await.expect("read").is_some());
}

pub async fn attempts_stay_in_order_over_retries_and_manual_ones(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let new = world.event(world.project, "a.b", &[webhook], true);
    world.append(vec![new.clone()], START).await;
    let id = new.deliveries[0].id;
    world.settle(&newborn(&new), Verdict::Retry { due_at: START }, START).await;
    let want = ClaimRequest { webhook_id: webhook, count: 1 };
    let claimed = world.store.claim(vec![want], BYTES_MAX, START).await.expect("claimed").remove(0);
    let mut lease = claimed.deliveries[0].clone();
    for verdict in [Verdict::Exhausted, Verdict::Delivered] {
        world.settle(&lease, verdict, START).await;
        let again = world.store.requeue(world.project, id, false, START).await.expect("written");
        let Requeued::Leased(next) = again else { panic!("{again:?}") };
        lease = *next;
    }
    let attempts = world.store.attempts_of(world.project, id).await.expect("read");
    assert_eq!(attempts.iter().map(|view| view.attempt.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(attempts[0].attempt.response_body, "answer");
    let view = world.store.find_delivery(world.project, id).await.expect("read").expect("there");
    assert_eq!((view.state, view.attempts_made), (DeliveryState::Retrying, 3));
}
