//! What was kept long enough goes with everything that hangs on it, and nothing else does.

use std::sync::Arc;

use tidings_domain::{
    event::Event,
    ids::{DeliveryId, ProjectId, SourceId, first_sequence_at},
    page::PageRequest,
    plan::{Plan, PlanName, Plans},
    retry::Verdict,
    source::Via,
    time::Timestamp,
};
use tidings_ports::store::{
    Appended, DeliveryFilter, EventFilter, LeasedDelivery, NewDelivery, NewEvent, NewReceipt, NewReplay,
    ReplayedDelivery, Requeued,
};

use crate::world::{START, World, newborn};

/// What a query counts, table by table.
const LEFT: &str = "SELECT count(*) FROM event UNION ALL SELECT count(*) FROM delivery \
                    UNION ALL SELECT count(*) FROM attempt UNION ALL SELECT count(*) FROM replayed_delivery \
                    UNION ALL SELECT count(*) FROM custom_id UNION ALL SELECT count(*) FROM receipt";

impl World {
    /// How many events, deliveries, attempts, replays, ids and receipts there are.
    pub async fn left(&self) -> [i64; 6] {
        self.outside.numbers(LEFT).await.try_into().expect("six counts")
    }

    /// Forgets what lies below a sequence; returns how many events that were.
    pub async fn expire(&self, project_id: Option<ProjectId>, until: i64, limit: u32) -> u32 {
        let (mut after, mut events) = (0, 0);
        for _ in 0..1_000 {
            let expired = self.store.expire_events(project_id, after, until, limit).await.expect("written");
            events += expired.events;
            match expired.next {
                Some(next) => after = next,
                None => return events,
            }
        }
        panic!("it does not end");
    }

    /// An event with an id, whose delivery took two attempts and is to be done once more by a replay.
    pub async fn used(&mut self, id: &str) -> NewEvent {
        let webhook = self.webhook(self.project).await;
        let new = with_id(self.event(self.project, "a.b", &[webhook], true), id);
        self.append(vec![new.clone()], START).await;
        let lease = newborn(&new);
        self.settle(&lease, Verdict::Exhausted, START).await;
        let again = self.store.requeue(self.project, lease.id, false, START).await.expect("written");
        let Requeued::Leased(next) = again else { panic!("{again:?}") };
        self.settle(&next, Verdict::Delivered, START).await;
        self.replay(&new).await;
        new
    }

    /// Another delivery of an event, which has not ended.
    pub async fn replay(&mut self, new: &NewEvent) {
        let id = DeliveryId::from_parts(self.sequence(), 9);
        let delivery = NewDelivery { id, leased: false, ..new.deliveries[0] };
        let replayed = ReplayedDelivery { event: new.event.key, delivery };
        let snapshot = self.store.load_snapshot(self.project).await.expect("read").expect("there");
        let all =
            NewReplay { project_id: self.project, snapshot_version: snapshot.version, deliveries: vec![replayed] };
        self.store.replay_event(all, None, START).await.expect("written");
    }
}

/// Above all sequences that there are.
fn end(world: &mut World) -> i64 {
    world.sequence() + 1
}

fn with_id(new: NewEvent, id: &str) -> NewEvent {
    let event = Event { custom_id: Some(id.to_owned()), ..(*new.event).clone() };
    NewEvent { event: Arc::new(event), ..new }
}

pub async fn an_event_that_is_over_goes_with_everything_that_hangs_on_it(mut world: World) {
    let old = world.used("order-1").await;
    let webhook = old.deliveries[0].webhook_id;
    let until = end(&mut world);
    assert_eq!(world.expire(None, until, 100).await, 0, "a replay of it has not ended");
    assert_eq!(world.left().await, [1, 1, 1, 1, 1, 0]);
    world.store.delete_webhook(world.project, webhook, START).await.expect("written");
    world.store.cancel_pending(webhook, 100, START).await.expect("written");
    let new = world.used("order-2").await;
    assert_eq!(world.expire(None, new.event.key.sequence(), 100).await, 1);
    assert_eq!(world.left().await, [1, 1, 1, 1, 1, 0], "what came after it stays");
    assert!(world.store.find_event(world.project, "order-1").await.expect("read").is_none());
    assert!(world.store.find_event(world.project, "order-2").await.expect("read").is_some());
    let page = PageRequest { limit: 50, before: None };
    let events = world.store.list_events(world.project, EventFilter::default(), page).await.expect("read");
    let deliveries = world.store.list_deliveries(world.project, DeliveryFilter::default(), page).await.expect("read");
    assert_eq!((events.rows.len(), deliveries.rows.len()), (1, 2));
    assert_eq!(world.store.audit_ledger().await.expect("read").unaccounted(), 0, "what is forgotten is not lost");
    // Its id can be given again.
    let again = with_id(world.event(world.project, "a.b", &[], false), "order-1");
    world.append(vec![again], START).await;
}

pub async fn steps_are_small_however_many_webhooks_an_event_went_to(mut world: World) {
    let webhook = world.webhook(world.project).await;
    let mut until = 0;
    for fanout in [1, 0, 7, 25, 1] {
        let new = world.event(world.project, "a.b", &vec![webhook; fanout], true);
        world.append(vec![new.clone()], START).await;
        for delivery in &new.deliveries {
            let lease = LeasedDelivery { id: delivery.id, ..newborn(&new) };
            world.settle(&lease, Verdict::Delivered, START).await;
        }
        until = end(&mut world);
    }
    let (mut after, mut steps) = (0, Vec::new());
    let mut rows: i64 = world.left().await.iter().sum();
    for _ in 0..100 {
        let expired = world.store.expire_events(None, after, until, 10).await.expect("written");
        let now = world.left().await.iter().sum::<i64>();
        steps.push(rows - now);
        rows = now;
        let Some(next) = expired.next else { break };
        after = next;
    }
    assert_eq!(rows, 0, "all of it is gone");
    assert!(steps.iter().all(|rows| *rows <= 12) && steps.len() >= 5, "{steps:?}");
}

pub async fn what_is_wanted_does_not_hold_up_what_is_not(mut world: World) {
    let webhook = world.webhook(world.project).await;
    for round in 0..9 {
        let new = world.event(world.project, "a.b", &[webhook], true);
        world.append(vec![new.clone()], START).await;
        if round % 3 != 0 {
            world.settle(&newborn(&new), Verdict::Delivered, START).await;
        }
    }
    let until = end(&mut world);
    assert_eq!(world.expire(None, until, 2).await, 6);
    assert_eq!(world.left().await, [3, 0, 0, 0, 0, 0]);
}

pub async fn a_project_loses_its_own_alone(mut world: World) {
    let other = world.new_project().await;
    let events = vec![world.event(world.project, "a.b", &[], false), world.event(other, "a.b", &[], false)];
    for event in events {
        world.append(vec![event], START).await;
    }
    let until = end(&mut world);
    assert_eq!(world.expire(Some(other), until, 10).await, 1);
    let page = PageRequest { limit: 50, before: None };
    let left = world.store.list_events(world.project, EventFilter::default(), page).await.expect("read");
    assert_eq!(left.rows.len(), 1);
}

pub async fn what_a_provider_sends_again_is_known_for_longer_than_its_receipt(mut world: World) {
    let source_id = SourceId::from_parts(world.sequence(), 1);
    let until = first_sequence_at(START.plus_millis(1_000));
    let receive = async |world: &mut World| {
        let mut new = world.event(world.project, "a.b", &[], false);
        new.receipt = Some(NewReceipt {
            project_id: world.project,
            source_id,
            provider_id: Some("evt_1".to_owned()),
            event_type: None,
            address: "203.0.113.7".to_owned(),
            headers: String::new(),
            revision: 1,
            via: Via::Webhook,
        });
        let snapshot = world.store.load_snapshot(world.project).await.expect("read").expect("there");
        new.snapshot_version = snapshot.version;
        world.store.append(Arc::new(vec![new]), START).await.expect("written").remove(0)
    };
    assert_eq!(receive(&mut world).await, Appended::Stored);
    assert_eq!(world.expire(None, until, 10).await, 1);
    assert_eq!(world.left().await, [0; 6]);
    assert_eq!(receive(&mut world).await, Appended::AlreadyExists);
    let forget = async |before: Timestamp| world.store.expire_provider_ids(before, 10).await.expect("written");
    assert_eq!((forget(START).await, forget(START.plus_millis(1_000)).await), (0, 1));
    assert_eq!(receive(&mut world).await, Appended::Stored);
}

pub async fn a_plan_says_how_long_its_organizations_events_are_kept(mut world: World) {
    let named = |name: &str| name.parse::<PlanName>().expect("a name");
    let mut plans = Plans::default();
    assert!(plans.put(Plan { event_days: Some(7), ..Plan::new(named("week"), None) }));
    world.store.set_plans(Arc::new(plans.clone()), START).await.expect("written");
    let (other, third) = (world.new_project().await, world.new_project().await);
    let kept = async |world: &World, after| world.store.kept_by_plans(after, 10).await.expect("read");
    assert_eq!(kept(&world, 0).await, []);
    let project = world.store.find_project(other).await.expect("read").expect("there").project;
    world.store.set_plan(project.organization_id, named("week"), START).await.expect("written").expect("there");
    assert_eq!(kept(&world, 0).await, [(other, 7)]);
    assert_eq!(kept(&world, other.sequence()).await, []);
    // Whoever was given none has the plan of all.
    assert!(plans.set_default("week"));
    world.store.set_plans(Arc::new(plans), START).await.expect("written");
    assert_eq!(kept(&world, 0).await, [(world.project, 7), (other, 7), (third, 7)]);
    assert_eq!(world.store.kept_by_plans(0, 2).await.expect("read"), [(world.project, 7), (other, 7)]);
}
