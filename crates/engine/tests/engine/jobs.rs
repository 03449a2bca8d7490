//! Recoveries and replays: nothing twice, nothing left out, whatever comes between.

use std::collections::BTreeMap;

use tidings_domain::{
    delivery::DeliveryState,
    ids::{JobId, WebhookId},
    job::{JobRequest, JobState, JobWork},
    operational,
    page::PageRequest,
    profile::Profile,
    retry::DisableReason,
    webhook::{WebhookSettings, WebhookStatus},
};
use tidings_engine::{JobError, PROJECT_JOBS_MAX, Publish, RECOVERED_STATES, RetryError};
use tidings_fakes::Reply;
use tidings_ports::store::{
    Catalog as _, Created, DeliveryFilter, Expunged, History as _, JobRecord, Jobs as _, Maintenance as _,
    WebhookChange,
};

use crate::platform::{Platform, START, publish, schedule};

const URL: &str = "https://receiver.example/hook";
const OTHER_URL: &str = "https://other.example/hook";

fn once(settings: &mut WebhookSettings) {
    settings.retry = Some(schedule(&[0]));
}

fn request(platform: &Platform, work: JobWork) -> JobRequest {
    JobRequest { since: START, until: platform.now().plus_millis(1), event_types: Vec::new(), work }
}

fn recovery(platform: &Platform) -> JobRequest {
    request(platform, JobWork::Recover { states: RECOVERED_STATES.to_vec() })
}

fn replay(platform: &Platform, all: bool) -> JobRequest {
    request(platform, JobWork::Replay { scopes: Vec::new(), all })
}

async fn start(platform: &Platform, webhook: WebhookId, request: JobRequest) -> JobId {
    let id = platform.engine.ids().job();
    let created = platform.engine.create_job(id, platform.project, webhook, request, None).await;
    assert_eq!(created, Ok(Created::Stored));
    id
}

async fn job(platform: &Platform, id: JobId) -> JobRecord {
    platform.store.find_job(platform.project, id).await.expect("read").expect("there")
}

async fn assert_even(platform: &Platform) {
    assert_eq!(platform.store.audit_ledger().await.expect("audited").unaccounted(), 0);
}

async fn states(platform: &Platform) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for state in DeliveryState::ALL {
        let filter = DeliveryFilter { state: Some(state), ..DeliveryFilter::default() };
        let page = platform.store.list_deliveries(platform.project, filter, PageRequest::default()).await;
        if let tidings_domain::page::Total::Exact(count @ 1..) = page.expect("listed").total {
            counts.insert(state.as_str(), count);
        }
    }
    counts
}

async fn publish_many(platform: &Platform, count: usize) {
    let events: Vec<_> = (0..count).map(|_| publish("tag.subscribed")).collect();
    platform.engine.publish_batch(platform.project, &events, None).await.expect("accepted");
    platform.settle().await;
}

/// A webhook that has failed to take so many events, and takes everything from now on.
async fn failed(platform: &Platform, count: usize) -> WebhookId {
    let webhook = platform.webhook_with(Profile::Standard, URL, once).await;
    platform.sender.always(URL, Reply::Status(500));
    publish_many(platform, count).await;
    // A webhook that only fails is asked less and less; an hour gets through.
    for _ in 0..3_600 {
        if states(platform).await.get("failed") == Some(&(count as u64)) {
            break;
        }
        platform.advance_s(10).await;
    }
    platform.sender.always(URL, Reply::Status(200));
    platform.advance_s(60).await;
    webhook
}

/// A replay of so many events that has come to a stop, because its webhook takes nothing.
async fn stalled(platform: &Platform, events: usize, all: bool) -> (WebhookId, JobId) {
    publish_many(platform, events).await;
    platform.advance_s(1).await;
    platform.sender.always(OTHER_URL, Reply::Status(500));
    let late = platform.webhook(Profile::Standard, OTHER_URL).await;
    let id = start(platform, late, replay(platform, all)).await;
    platform.settle().await;
    let job = job(platform, id).await;
    assert!(job.state == JobState::Running && (200..600).contains(&job.done), "{job:?}");
    (late, id)
}

/// The webhook takes everything again, and time enough passes for all that waits.
async fn recovered(platform: &Platform) {
    platform.sender.always(OTHER_URL, Reply::Status(200));
    platform.advance_s(900).await;
}

async fn reports_of_jobs(platform: &Platform) -> usize {
    let reports = platform.store.list_reports(1_000).await.expect("read");
    reports.iter().filter(|report| report.event_type == operational::JOB_FINISHED).count()
}

#[tokio::test]
async fn a_recovery_sends_everything_that_failed_again_and_says_how_far_it_is() {
    let platform = Platform::start().await;
    let webhook = failed(&platform, 30).await;
    let counted = platform.engine.count_job(platform.project, webhook, &recovery(&platform)).await.expect("counted");
    assert_eq!((counted.count, counted.at_least), (30, false));
    assert_eq!(states(&platform).await, BTreeMap::from([("failed", 30)]), "a dry run changes nothing");
    let id = start(&platform, webhook, recovery(&platform)).await;
    platform.settle().await;
    platform.advance_s(2).await;
    let done = job(&platform, id).await;
    assert_eq!((done.state, done.done, done.total, done.queued), (JobState::Done, 30, 30, 30));
    assert!(done.finished_at.is_some());
    assert_eq!(states(&platform).await, BTreeMap::from([("delivered", 30)]));
    assert_eq!(reports_of_jobs(&platform).await, 1);
    assert_even(&platform).await;
    // Nothing is left for a second one.
    let id = start(&platform, webhook, recovery(&platform)).await;
    platform.settle().await;
    assert_eq!(job(&platform, id).await.queued, 0);
}

#[tokio::test]
async fn a_recovery_of_what_fails_again_ends_all_the_same() {
    let platform = Platform::start().await;
    let webhook = failed(&platform, 5).await;
    platform.sender.always(URL, Reply::Status(500));
    let id = start(&platform, webhook, recovery(&platform)).await;
    platform.settle().await;
    platform.advance_s(300).await;
    assert_eq!((job(&platform, id).await.state, job(&platform, id).await.queued), (JobState::Done, 5));
    assert!(platform.deliveries(webhook).await.iter().all(|view| view.attempts_made == 2));
    assert_even(&platform).await;
}

#[tokio::test]
async fn a_webhook_that_came_later_gets_what_it_selects_and_nothing_twice() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    publish_many(&platform, 250).await;
    platform
        .engine
        .send_test(platform.project, platform.webhook(Profile::Standard, URL).await, None)
        .await
        .expect("sent");
    platform.try_publish(publish("user.created")).await.expect("accepted");
    platform.advance_s(1).await;
    let only_tags = |settings: &mut WebhookSettings| settings.events = vec!["tag.*".parse().expect("a pattern")];
    let late = platform.webhook_with(Profile::Standard, OTHER_URL, only_tags).await;
    // One event reaches it by itself, and is not for the replay.
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let counted = platform.engine.count_job(platform.project, late, &replay(&platform, false)).await.expect("counted");
    assert_eq!(counted.count, 250);
    let id = start(&platform, late, replay(&platform, false)).await;
    platform.settle().await;
    platform.advance_s(3).await;
    let done = job(&platform, id).await;
    assert_eq!((done.state, done.queued, done.done, done.total), (JobState::Done, 250, 253, 253));
    let sent = platform.sender.sent_to(OTHER_URL);
    let ids: std::collections::BTreeSet<_> =
        sent.iter().map(|sent| sent.headers["webhook-id"].to_str().expect("text").to_owned()).collect();
    assert_eq!((sent.len(), ids.len()), (251, 251));
    // Once more finds nothing new; with `all`, everything goes out again.
    let again = start(&platform, late, replay(&platform, false)).await;
    platform.settle().await;
    platform.advance_s(1).await;
    assert_eq!(job(&platform, again).await.queued, 0);
    let all = start(&platform, late, replay(&platform, true)).await;
    platform.settle().await;
    platform.advance_s(3).await;
    assert_eq!(job(&platform, all).await.queued, 251);
    assert_eq!(platform.sender.sent_to(OTHER_URL).len(), 502);
    assert_even(&platform).await;
}

#[tokio::test]
async fn inv_no_loss_a_job_goes_on_where_the_last_commit_stood() {
    let platform = Platform::start().await;
    let (_, id) = stalled(&platform, 1_000, false).await;
    let platform = platform.crash_and_restart().await;
    recovered(&platform).await;
    let done = job(&platform, id).await;
    assert_eq!((done.state, done.done, done.queued), (JobState::Done, 1_000, 1_000));
    assert_eq!(states(&platform).await, BTreeMap::from([("delivered", 1_000)]));
    assert_even(&platform).await;
}

#[tokio::test]
async fn fresh_events_are_not_far_behind_a_replay() {
    let platform = Platform::start().await;
    let (_, id) = stalled(&platform, 2_000, false).await;
    let fresh = platform.publish("tag.subscribed").await;
    recovered(&platform).await;
    let sent = platform.sender.sent_to(OTHER_URL);
    let before =
        sent.iter().map(|sent| sent.headers["webhook-id"].to_str().expect("text")).take_while(|id| *id != fresh);
    let before = before.collect::<std::collections::BTreeSet<_>>().len();
    assert!(before < 700, "{before} events went first");
    assert_eq!(job(&platform, id).await.state, JobState::Done);
    assert_eq!(states(&platform).await, BTreeMap::from([("delivered", 2_001)]));
    assert_even(&platform).await;
}

#[tokio::test]
async fn cancelling_stops_a_job_and_leaves_what_it_queued() {
    let platform = Platform::start().await;
    let (_, id) = stalled(&platform, 1_000, false).await;
    let cancelled = platform.engine.cancel_job(platform.project, id).await.expect("written").expect("there");
    assert_eq!(cancelled.state, JobState::Cancelled);
    recovered(&platform).await;
    let after = job(&platform, id).await;
    assert_eq!((after.done, after.queued), (cancelled.done, cancelled.queued));
    assert_eq!(states(&platform).await, BTreeMap::from([("delivered", u64::from(after.queued))]));
    assert!(after.queued < 1_000);
    let again = platform.engine.cancel_job(platform.project, id).await.expect("read").expect("there");
    assert_eq!(again.finished_at, cancelled.finished_at, "what has ended ends once");
    let other = platform.other_project().await;
    assert_eq!(platform.engine.cancel_job(other, id).await, Ok(None));
    assert_eq!(reports_of_jobs(&platform).await, 1);
    assert_even(&platform).await;
}

#[tokio::test]
async fn the_job_of_a_deleted_webhook_fails_and_says_why() {
    let platform = Platform::start().await;
    let (late, id) = stalled(&platform, 1_000, false).await;
    platform.store.delete_webhook(platform.project, late, platform.now()).await.expect("deleted");
    platform.engine.project_changed(platform.project).await;
    platform.advance_s(60).await;
    let failed = job(&platform, id).await;
    assert_eq!((failed.state, failed.error.as_deref()), (JobState::Failed, Some("the webhook was deleted")));
    let new = platform.engine.ids().job();
    let refused = platform.engine.create_job(new, platform.project, late, replay(&platform, false), None).await;
    assert_eq!(refused, Err(JobError::NoWebhook));
    assert_even(&platform).await;
}

#[tokio::test]
async fn a_disabled_webhooks_job_waits_and_new_ones_are_refused() {
    let platform = Platform::start().await;
    let (late, id) = stalled(&platform, 1_000, false).await;
    let set = async |status| {
        let record = platform.store.find_webhook(platform.project, late).await.expect("read").expect("there");
        let change = WebhookChange {
            project_id: platform.project,
            id: late,
            expected_revision: record.revision,
            settings: None,
            sealed: None,
            status: Some(status),
            now: platform.now(),
        };
        platform.store.update_webhook(change).await.expect("written");
        platform.engine.project_changed(platform.project).await;
    };
    set(WebhookStatus::Disabled(DisableReason::Manual)).await;
    platform.advance_s(60).await;
    assert_eq!(job(&platform, id).await.state, JobState::Running);
    let new = platform.engine.ids().job();
    let refused = platform.engine.create_job(new, platform.project, late, replay(&platform, false), None).await;
    assert_eq!(refused, Err(JobError::WebhookDisabled));
    set(WebhookStatus::Active).await;
    recovered(&platform).await;
    assert_eq!((job(&platform, id).await.state, job(&platform, id).await.queued), (JobState::Done, 1_000));
}

#[tokio::test]
async fn inv_bounded_a_project_has_a_few_running_jobs_at_most() {
    let platform = Platform::start().await;
    let (late, _) = stalled(&platform, 700, true).await;
    for _ in 1..PROJECT_JOBS_MAX {
        start(&platform, late, replay(&platform, true)).await;
    }
    let new = platform.engine.ids().job();
    let refused = platform.engine.create_job(new, platform.project, late, replay(&platform, true), None).await;
    assert_eq!(refused, Err(JobError::TooMany));
    recovered(&platform).await;
    assert_eq!(states(&platform).await, BTreeMap::from([("delivered", 2_800)]));
    assert_even(&platform).await;
}

#[tokio::test]
async fn a_replayed_event_has_new_deliveries_that_every_list_shows() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Botdog, URL).await;
    let scoped = |settings: &mut WebhookSettings| settings.scopes = vec!["campaign-1".to_owned()];
    let elsewhere = platform.webhook_with(Profile::Standard, OTHER_URL, scoped).await;
    let with_id = Publish { custom_id: Some("mine".to_owned()), ..publish("tag.subscribed") };
    platform.try_publish(with_id).await.expect("accepted");
    platform.settle().await;
    platform.publish("user.created").await;
    platform.advance_s(1).await;
    let (created, new) =
        platform.engine.replay_event(platform.project, "mine", None, |_| None).await.expect("replayed");
    assert_eq!((created, new.len()), (Created::Stored, 1));
    let one = platform.engine.replay_event(platform.project, "mine", Some(webhook), |_| None).await.expect("replayed");
    platform.settle().await;
    let not = platform.engine.replay_event(platform.project, "mine", Some(elsewhere), |_| None).await;
    assert!(matches!(not, Err(JobError::NotSelected(_))), "{not:?}");
    let missing = platform.engine.replay_event(platform.project, "other", None, |_| None).await;
    assert!(matches!(missing, Err(JobError::NoEvent)), "{missing:?}");

    let event = platform.store.find_event(platform.project, "mine").await.expect("read").expect("there");
    let of_event = platform.store.deliveries_of(&event).await.expect("read");
    assert_eq!(of_event.iter().filter(|view| view.state == DeliveryState::Delivered).count(), 3);
    assert_eq!(of_event[1..].iter().map(|view| view.id).collect::<Vec<_>>(), [new[0].id, one.1[0].id]);
    let per_webhook: Vec<_> = platform.deliveries(webhook).await.iter().map(|view| view.id).collect();
    assert_eq!((per_webhook.len(), per_webhook[0]), (4, one.1[0].id));
    let whole = DeliveryFilter::default();
    let all = platform.store.list_deliveries(platform.project, whole, PageRequest::default()).await.expect("listed");
    assert_eq!(all.rows.iter().map(|view| view.id).collect::<Vec<_>>(), per_webhook);
    // Page by page as well.
    let page = PageRequest { limit: 2, before: None };
    let first =
        platform.store.list_deliveries(platform.project, DeliveryFilter::default(), page).await.expect("listed");
    let page = PageRequest { limit: 2, before: first.next_before };
    let second =
        platform.store.list_deliveries(platform.project, DeliveryFilter::default(), page).await.expect("listed");
    let paged: Vec<_> = first.rows.iter().chain(&second.rows).map(|view| view.id).collect();
    assert_eq!((paged, second.next_before), (per_webhook, None));
    // A new process goes on behind them.
    assert!(platform.store.last_sequence().await.expect("read") >= one.1[0].id.sequence());
    assert_even(&platform).await;
}

#[tokio::test]
async fn an_expunged_payload_is_gone_and_is_never_sent_again() {
    let platform = Platform::start().await;
    let later = |settings: &mut WebhookSettings| settings.retry = Some(schedule(&[0, 3_600_000]));
    let webhook = platform.webhook_with(Profile::Standard, URL, later).await;
    platform.sender.script(URL, [Reply::Status(200), Reply::Status(500)]);
    for id in ["sent", "waits"] {
        let with_id = Publish { custom_id: Some(id.to_owned()), ..publish("tag.subscribed") };
        platform.try_publish(with_id).await.expect("accepted");
        platform.settle().await;
    }
    platform.advance_s(1).await;
    for id in ["sent", "waits"] {
        let event = platform.store.find_event(platform.project, id).await.expect("read").expect("there");
        let foreign = platform.other_project().await;
        let now = platform.now();
        assert_eq!(platform.store.expunge_payload(foreign, event.key, now).await, Ok(Expunged::NotFound));
        assert_eq!(platform.store.expunge_payload(platform.project, event.key, now).await, Ok(Expunged::Done));
        let event = platform.store.find_event(platform.project, id).await.expect("read").expect("there");
        assert!(event.payload.is_empty());
        assert_eq!(platform.store.expunged_at(platform.project, event.key).await, Ok(Some(now)));
        let again = platform.engine.replay_event(platform.project, id, None, |_| None).await;
        assert!(matches!(again, Err(JobError::Expunged)), "{again:?}");
    }
    let views = platform.deliveries(webhook).await;
    assert_eq!(
        views.iter().map(|view| view.state).collect::<Vec<_>>(),
        [DeliveryState::Cancelled, DeliveryState::Delivered]
    );
    for view in &views {
        assert_eq!(platform.engine.retry(platform.project, view.id, false).await, Err(RetryError::Expunged));
    }
    let every = JobWork::Recover { states: vec![DeliveryState::Delivered, DeliveryState::Cancelled] };
    let recover = start(&platform, webhook, request(&platform, every)).await;
    let replay = start(&platform, webhook, replay(&platform, true)).await;
    platform.advance_s(7_200).await;
    assert_eq!((job(&platform, recover).await.queued, job(&platform, replay).await.queued), (0, 0));
    assert_eq!(platform.sender.sent_to(URL).len(), 2);
    assert_even(&platform).await;
}
