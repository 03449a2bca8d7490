//! The rules of lanes, without a clock, a store or a network.

use std::sync::Arc;

use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    lane::Load,
    profile::Profile,
    render::Rendering,
    seal::MasterKey,
    time::Timestamp,
    webhook::{Webhook, WebhookSecrets, WebhookSettings, WebhookStatus},
};
use tidings_ports::store::{Claimed, LeasedDelivery, WebhookRecord, WebhookState};

use super::{
    DispatchLimits,
    lanes::{Finished, Job, Lanes},
};
use crate::{secrets::seal_secrets, snapshot::Target};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const LIMITS: DispatchLimits = DispatchLimits {
    in_flight_max: 8,
    in_flight_reserved: 4,
    jobs_max: 1_000,
    job_bytes_max: 1 << 20,
    lane_jobs_max: 100,
    unsettled_max: 100,
};

pub(super) fn webhook(number: i64) -> WebhookId {
    WebhookId::from_parts(number, 0)
}

pub(super) fn project(number: i64) -> ProjectId {
    ProjectId::from_parts(number, 0)
}

pub(super) fn lease(number: i64, webhook_id: WebhookId, project_id: ProjectId) -> LeasedDelivery {
    let event = Event {
        key: EventKey::from_parts(number, 0),
        custom_id: None,
        project_id,
        event_type: "a.b".parse().expect("a type"),
        scopes: Vec::new(),
        content_type: None,
        label: None,
        schema_version: None,
        payload: Bytes::from_static(b"{}"),
    };
    LeasedDelivery {
        id: DeliveryId::from_parts(number, 0),
        epoch: 1,
        webhook_id,
        project_id,
        rendering: Rendering::Standard,
        attempts_made: 0,
        manual: false,
        event: Arc::new(event),
    }
}

/// A webhook whose owner lets it have so many requests at a time.
fn target(id: WebhookId, project_id: ProjectId, max_in_flight: Option<u32>) -> Arc<Target> {
    let mut settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::SubscribeFlow);
    settings.max_in_flight = max_in_flight;
    let (master, secrets) = (MasterKey::from_bytes(&[7; 32]), WebhookSecrets::default());
    let record = WebhookRecord {
        webhook: Webhook { id, project_id, settings, status: WebhookStatus::Active },
        sealed: seal_secrets(&master, id, &secrets, [0; 12]),
        revision: 1,
        updated_at: NOW,
        state: WebhookState::default(),
    };
    Arc::new(Target::new(record, &master, "Tidings/test").expect("a usable webhook"))
}

/// Lets a webhook that is known have `count` deliveries in memory, as a claim does.
fn fill(lanes: &mut Lanes, webhook_id: WebhookId, project_id: ProjectId, count: i64) {
    lanes.note_due(webhook_id, project_id, NOW);
    lanes.reconfigure(webhook_id, Some(&target(webhook_id, project_id, None)));
    claim(lanes, webhook_id, project_id, count);
}

fn claim(lanes: &mut Lanes, webhook_id: WebhookId, project_id: ProjectId, count: i64) {
    let wants = lanes.due(NOW);
    assert_eq!(wants.len(), 1, "one webhook wants to claim");
    let deliveries = (0..count).map(|number| lease(webhook_id.sequence() * 1_000 + number, webhook_id, project_id));
    let claimed = Claimed { webhook_id, deliveries: deliveries.collect(), next_due_at: None };
    lanes.claimed(wants[0], Some(claimed), NOW);
}

fn end(lanes: &mut Lanes, job: &Job, load: Load, succeeded: bool, now: Timestamp) {
    lanes.finish(job.lease.webhook_id, 2, Some(Finished { load, succeeded: Some(succeeded) }), now);
}

fn receivers(jobs: &[Job]) -> Vec<i64> {
    jobs.iter().map(|job| job.lease.webhook_id.sequence()).collect()
}

#[test]
fn inv_lanes_silent_receivers_leave_slots_for_those_that_answer() {
    let mut lanes = Lanes::new(LIMITS);
    fill(&mut lanes, webhook(1), project(1), 10);
    let healthy = lanes.start(NOW);
    for job in &healthy {
        end(&mut lanes, job, Load::Answered(1), true, NOW);
    }
    for number in 2..10 {
        fill(&mut lanes, webhook(number), project(number), 10);
    }
    let jobs = lanes.start(NOW);
    assert_eq!(jobs.len(), 8, "all slots are in use");
    let unknown = jobs.iter().filter(|job| job.lease.webhook_id != webhook(1)).count();
    assert_eq!(unknown, 4, "webhooks that never answered have their share and no more");
}

#[test]
fn inv_lanes_answering_slowly_or_with_failures_earns_no_reserved_slot() {
    for (load, succeeded) in [(Load::Answered(5_000), true), (Load::Answered(1), false), (Load::TooMuch, false)] {
        let mut lanes = Lanes::new(LIMITS);
        for number in 1..10 {
            fill(&mut lanes, webhook(number), project(number), 10);
        }
        for _ in 0..5 {
            let jobs = lanes.start(NOW);
            assert!(jobs.len() <= 4, "{load:?}: {} in flight", jobs.len());
            for job in &jobs {
                end(&mut lanes, job, load, succeeded, NOW);
            }
        }
    }
}

#[test]
fn a_webhook_that_is_not_known_yet_gets_one_request_and_then_as_many_as_its_owner_allows() {
    let mut lanes = Lanes::new(LIMITS);
    lanes.note_due(webhook(1), project(1), NOW);
    claim(&mut lanes, webhook(1), project(1), 10);
    assert_eq!(lanes.start(NOW).len(), 1, "it is found out what the webhook allows");
    lanes.reconfigure(webhook(1), Some(&target(webhook(1), project(1), Some(2))));
    assert_eq!(lanes.start(NOW).len(), 1, "two at a time");
}

#[test]
fn projects_take_turns() {
    let mut lanes = Lanes::new(DispatchLimits { in_flight_reserved: 0, in_flight_max: 4, ..LIMITS });
    for number in 1..=3 {
        fill(&mut lanes, webhook(number), project(1), 10);
    }
    fill(&mut lanes, webhook(9), project(9), 10);
    let started = receivers(&lanes.start(NOW));
    assert_eq!(started.iter().filter(|&&number| number == 9).count(), 2, "{started:?}");
}

#[test]
fn an_open_breaker_lets_one_probe_through_at_a_time() {
    let mut lanes = Lanes::new(LIMITS);
    fill(&mut lanes, webhook(1), project(1), 100);
    let mut failed = 0;
    while lanes.next_timer().is_none() {
        let jobs = lanes.start(NOW);
        for job in &jobs {
            end(&mut lanes, job, Load::Silent, false, NOW);
        }
        failed += jobs.len();
        assert!(failed <= 100, "the breaker opens");
    }
    assert!(lanes.start(NOW).is_empty());
    let later = lanes.next_timer().expect("the pause ends");
    assert_eq!(later, NOW.plus_millis(1_000));
    lanes.note_due(webhook(1), project(1), later.plus_millis(300_000));
    assert_eq!(lanes.next_timer(), Some(later), "a later retry does not lengthen the pause");
    lanes.note_due(webhook(1), project(1), NOW);
    assert_eq!(lanes.next_timer(), Some(later), "nor does an earlier one shorten it");
    assert!(lanes.due(later).is_empty(), "what is in memory goes first");
    let probe = lanes.start(later);
    assert_eq!(probe.len(), 1);
    assert!(lanes.start(later).is_empty());
    end(&mut lanes, &probe[0], Load::Answered(1), true, later);
    assert!(!lanes.start(later).is_empty(), "one success lets all through");
}

#[test]
fn what_somebody_wants_now_is_the_breakers_probe() {
    let mut lanes = Lanes::new(LIMITS);
    fill(&mut lanes, webhook(1), project(1), 100);
    while lanes.next_timer().is_none() {
        for job in &lanes.start(NOW) {
            end(&mut lanes, job, Load::Silent, false, NOW);
        }
    }
    let pause_ends = lanes.next_timer();
    assert!(lanes.start(NOW).is_empty(), "the breaker pauses");
    for number in [7, 8] {
        assert!(lanes.push_first(lease(number, webhook(1), project(1))).is_none(), "it waits in its lane");
    }
    for number in [8, 7] {
        let probes = lanes.start(NOW);
        assert_eq!(probes.iter().map(|job| job.lease.id.sequence()).collect::<Vec<_>>(), [number]);
        end(&mut lanes, &probes[0], Load::Silent, false, NOW);
    }
    assert!(lanes.start(NOW).is_empty(), "the others wait for the pause to end");
    assert_eq!(lanes.next_timer(), pause_ends, "which the probes did not move");
}

#[test]
fn what_becomes_due_during_a_claim_is_not_forgotten() {
    let mut lanes = Lanes::new(LIMITS);
    lanes.note_due(webhook(1), project(1), NOW);
    let wants = lanes.due(NOW);
    let soon = NOW.plus_millis(5);
    lanes.note_due(webhook(1), project(1), soon);
    lanes.claimed(wants[0], Some(Claimed { webhook_id: webhook(1), deliveries: Vec::new(), next_due_at: None }), NOW);
    assert_eq!(lanes.next_timer(), Some(soon));
}

#[test]
fn a_failed_claim_is_repeated() {
    let mut lanes = Lanes::new(LIMITS);
    lanes.note_due(webhook(1), project(1), NOW);
    let wants = lanes.due(NOW);
    let later = NOW.plus_millis(250);
    lanes.claimed(wants[0], None, later);
    assert_eq!(lanes.next_timer(), Some(later));
    assert!(lanes.is_idle(NOW));
}

#[test]
fn inv_bounded_a_claim_never_asks_for_more_than_memory_has_room_for() {
    // Half of it, as none of these is known to answer.
    let mut lanes = Lanes::new(DispatchLimits { jobs_max: 20, ..LIMITS });
    fill(&mut lanes, webhook(1), project(1), 7);
    lanes.note_due(webhook(2), project(2), NOW);
    assert_eq!(lanes.due(NOW)[0].count, 3);
    lanes.note_due(webhook(3), project(3), NOW);
    assert!(lanes.due(NOW).is_empty());
    assert!(lanes.next_timer().is_some_and(|at| at > NOW), "it looks again a little later");
}

#[test]
fn inv_bounded_one_claim_is_small_however_many_webhooks_have_something_due() {
    let mut lanes = Lanes::new(DispatchLimits { jobs_max: 10_000, ..LIMITS });
    (1..=10).for_each(|number| lanes.note_due(webhook(number), project(number), NOW));
    let claims: Vec<u32> = (0..4).map(|_| lanes.due(NOW).iter().map(|want| want.count).sum()).collect();
    assert_eq!(claims, [512, 512, 256, 0]);
}

#[test]
fn stopping_gives_everything_back_and_starts_nothing() {
    let mut lanes = Lanes::new(LIMITS);
    fill(&mut lanes, webhook(1), project(1), 10);
    lanes.note_due(webhook(2), project(2), NOW);
    let running = lanes.start(NOW).len();
    assert_eq!(lanes.stop().len() + running, 10);
    assert!(lanes.start(NOW).is_empty());
    assert_eq!(lanes.in_flight(), running);
    lanes.note_due(webhook(3), project(3), NOW);
    assert_eq!(lanes.next_timer(), None, "nobody is woken for what is not done any more");
}
