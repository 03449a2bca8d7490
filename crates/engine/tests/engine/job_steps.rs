//! What jobs pass over, what they count, and what becomes of one that cannot go on.

use tidings_domain::{
    ids::{DeliveryId, JobId, WebhookId},
    job::{JobRequest, JobState, JobWork},
    page::PageRequest,
    profile::Profile,
    webhook::WebhookStatus,
};
use tidings_engine::{Publish, RECOVERED_STATES};
use tidings_fakes::Reply;
use tidings_ports::store::{
    Catalog as _, Expunged, History as _, JobRecord, Jobs as _, Maintenance as _, NewDelivery, NewJob, NewReplay,
    ReplayStep, ReplayedDelivery, Stepped, WebhookChange,
};

use crate::platform::{Platform, START, publish, schedule};

const URL: &str = "https://receiver.example/hook";
const LATE_URL: &str = "https://late.example/hook";

fn request(platform: &Platform, work: JobWork) -> JobRequest {
    JobRequest { since: START, until: platform.now().plus_millis(1), event_types: Vec::new(), work }
}

fn recovery(platform: &Platform) -> JobRequest {
    request(platform, JobWork::Recover { states: RECOVERED_STATES.to_vec() })
}

fn replay(platform: &Platform) -> JobRequest {
    request(platform, JobWork::Replay { scopes: Vec::new(), all: false })
}

async fn start(platform: &Platform, webhook: WebhookId, request: JobRequest) -> JobId {
    let id = platform.engine.ids().job();
    platform.engine.create_job(id, platform.project, webhook, request, None).await.expect("made");
    id
}

async fn job(platform: &Platform, id: JobId) -> JobRecord {
    platform.store.find_job(platform.project, id).await.expect("read").expect("there")
}

async fn set(platform: &Platform, webhook: WebhookId, status: WebhookStatus) {
    let record = platform.store.find_webhook(platform.project, webhook).await.expect("read").expect("there");
    let change = WebhookChange {
        project_id: platform.project,
        id: webhook,
        expected_revision: record.revision,
        settings: None,
        sealed: None,
        status: Some(status),
        now: platform.now(),
    };
    platform.store.update_webhook(change).await.expect("written");
    platform.engine.project_changed(platform.project).await;
}

/// A webhook that took none of ten events, which are called 0 to 9, and would take them now.
async fn failed(platform: &Platform) -> WebhookId {
    let once = |settings: &mut tidings_domain::webhook::WebhookSettings| settings.retry = Some(schedule(&[0]));
    let webhook = platform.webhook_with(Profile::Standard, URL, once).await;
    platform.sender.always(URL, Reply::Status(500));
    for id in 0..10 {
        let event = Publish { custom_id: Some(id.to_string()), ..publish("tag.subscribed") };
        platform.try_publish(event).await.expect("accepted");
    }
    platform.advance_s(10).await;
    platform.sender.always(URL, Reply::Status(200));
    webhook
}

async fn expunge(platform: &Platform, ids: &[&str]) {
    for id in ids {
        let event = platform.store.find_event(platform.project, id).await.expect("read").expect("there");
        let expunged = platform.store.expunge_payload(platform.project, event.key, platform.now()).await;
        assert_eq!(expunged, Ok(Expunged::Done));
    }
}

#[tokio::test]
async fn what_is_expunged_while_a_job_waits_is_skipped_and_counted() {
    let platform = Platform::start().await;
    let webhook = failed(&platform).await;
    let late = platform.webhook(Profile::Standard, LATE_URL).await;
    set(&platform, webhook, WebhookStatus::Paused).await;
    set(&platform, late, WebhookStatus::Paused).await;
    let jobs = [start(&platform, webhook, recovery(&platform)).await, start(&platform, late, replay(&platform)).await];
    platform.settle().await;
    expunge(&platform, &["2", "3", "9"]).await;
    set(&platform, webhook, WebhookStatus::Active).await;
    set(&platform, late, WebhookStatus::Active).await;
    platform.advance_s(10).await;
    for id in jobs {
        let job = job(&platform, id).await;
        assert_eq!((job.state, job.done, job.total, job.queued), (JobState::Done, 10, 10, 7), "{}", job.request.kind());
        assert_eq!(job.skipped(), 3);
    }
    assert_eq!(platform.sender.sent_to(LATE_URL).len(), 7);
}

#[tokio::test]
async fn inv_bounded_a_count_looks_at_so_many_rows_and_reads_no_payload_that_nobody_wants() {
    let platform = Platform::start().await;
    let webhook = failed(&platform).await;
    let wanted = recovery(&platform);
    let unwanted = JobRequest { event_types: vec!["user.*".parse().expect("a pattern")], ..wanted.clone() };
    let count = async |request: &JobRequest, rows: u32| {
        let counted = platform.store.count_recoverable(webhook, request.clone(), platform.now(), rows).await;
        let counted = counted.expect("read");
        (counted.count, counted.at_least)
    };
    assert_eq!((count(&wanted, 100).await, count(&wanted, 4).await), ((10, false), (4, true)));
    assert_eq!((count(&unwanted, 100).await, count(&unwanted, 4).await), ((0, false), (0, true)));

    expunge(&platform, &["0", "1"]).await;
    let after = async |rows: u32, bytes: Option<usize>| {
        platform.store.events_after(platform.project, 0, platform.now(), rows, bytes).await.expect("read")
    };
    let first = after(3, None).await;
    assert_eq!(
        (first.looked_at, first.events.len(), first.payload_bytes),
        (3, 1, 0),
        "expunged ones are looked at too"
    );
    assert!(first.events[0].payload.is_empty());
    let whole = after(100, Some(1 << 20)).await;
    assert_eq!((whole.looked_at, whole.events.len(), whole.payload_bytes), (10, 8, 8 * br#"{"n":1}"#.len()));
    assert_eq!(after(100, Some(1)).await.events.len(), 1, "no more than one beyond the bytes");
}

#[tokio::test]
async fn a_replay_makes_nothing_of_what_is_expunged_between_its_look_and_its_step() {
    let platform = Platform::start().await;
    failed(&platform).await;
    let late = platform.webhook(Profile::Standard, LATE_URL).await;
    let (id, request) = (platform.engine.ids().job(), replay(&platform));
    let new = NewJob { id, project_id: platform.project, webhook_id: late, request, total: 10 };
    platform.store.create_job(new, 4, None).await.expect("made");
    let (from, now) = (job(&platform, id).await.place, platform.now());
    let found = platform.store.events_after(platform.project, from, now, 100, None).await.expect("read");
    expunge(&platform, &["4"]).await;
    let snapshot = platform.store.load_snapshot(platform.project).await.expect("read").expect("there");
    let rendering = Profile::Standard.rendering();
    let next = platform.engine.ids().job().sequence() + 1;
    let deliveries = found.events.iter().zip(next..).map(|(event, seq)| {
        let id = DeliveryId::from_parts(seq, 1);
        let delivery = NewDelivery { id, webhook_id: late, rendering, leased: false, due_at: None };
        ReplayedDelivery { event: event.key, delivery }
    });
    let step = ReplayStep {
        job_id: id,
        from,
        to: found.place,
        looked_at: found.looked_at,
        is_last: false,
        only_new: true,
        replay: NewReplay {
            project_id: platform.project,
            snapshot_version: snapshot.version,
            deliveries: deliveries.collect(),
        },
    };
    assert_eq!(platform.store.step_replay(step, now).await, Ok(Stepped::Queued(9)));
}

#[tokio::test]
async fn a_job_that_cannot_go_on_fails_alone() {
    let platform = Platform::start().await;
    let webhook = failed(&platform).await;
    let late = platform.webhook(Profile::Standard, LATE_URL).await;
    for webhook in [webhook, late] {
        set(&platform, webhook, WebhookStatus::Paused).await;
    }
    let cursed = start(&platform, webhook, recovery(&platform)).await;
    let other = start(&platform, late, replay(&platform)).await;
    platform.tamper(&format!(
        "CREATE TRIGGER cursed BEFORE UPDATE ON job WHEN new.seq = {} AND new.state = 0
         BEGIN SELECT raise(ABORT, 'cursed'); END",
        cursed.sequence()
    ));
    for webhook in [webhook, late] {
        set(&platform, webhook, WebhookStatus::Active).await;
    }
    platform.advance_s(10).await;
    let (cursed, other) = (job(&platform, cursed).await, job(&platform, other).await);
    assert_eq!((cursed.state, cursed.queued), (JobState::Failed, 0));
    assert!(cursed.error.expect("a reason").contains("cursed"));
    assert_eq!((other.state, other.queued), (JobState::Done, 10));
    let listed = platform.store.list_jobs(platform.project, PageRequest::default()).await.expect("listed");
    assert_eq!(listed.rows.len(), 2);
}

#[tokio::test]
async fn a_recovery_waits_for_verdicts_that_cannot_be_written_yet() {
    let platform = Platform::start().await;
    let once = |settings: &mut tidings_domain::webhook::WebhookSettings| settings.retry = Some(schedule(&[0]));
    let webhook = platform.webhook_with(Profile::Standard, URL, once).await;
    platform.sender.script(URL, [Reply::StatusAfter(5_000, 500), Reply::Status(200)]);
    platform.publish("tag.subscribed").await;
    while platform.sender.sent_to(URL).is_empty() {
        tokio::task::yield_now().await;
    }
    // The receiver answers while somebody else holds the database for longer than anybody waits.
    let other = rusqlite::Connection::open(platform.database_path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock is free");
    platform.clock.advance_ms(5_000);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    platform.store.forget_reports(vec![0]).await.expect_err("the lock is taken");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").expect("given back");
    platform.clock.advance_ms(10);
    let id = start(&platform, webhook, recovery(&platform)).await;
    // Time enough for a step, if one were made.
    for _ in 0..200 {
        assert_eq!(job(&platform, id).await.state, JobState::Running);
    }
    platform.advance_s(5).await;
    let job = job(&platform, id).await;
    assert_eq!((job.state, job.queued), (JobState::Done, 1));
    assert_eq!(platform.sender.sent_to(URL).len(), 2);
}
