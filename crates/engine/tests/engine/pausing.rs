//! A paused webhook: events are kept for it, nothing is sent, and everything goes on in order of age.

use crate::{
    delivery::set_status,
    platform::{Platform, schedule},
};
use tidings_domain::{
    delivery::DeliveryState,
    ids::WebhookId,
    profile::Profile,
    retry::DisableReason,
    webhook::{WebhookSettings, WebhookStatus},
};
use tidings_engine::DispatchLimits;
use tidings_fakes::Reply;
use tidings_ports::store::{Catalog as _, History as _};

const URL: &str = "https://receiver.example/hook";
const PAUSED: WebhookStatus = WebhookStatus::Paused;
const ACTIVE: WebhookStatus = WebhookStatus::Active;
/// A task that can run has run after this many turns of the runtime.
const TURNS_MAX: usize = 100_000;

/// One request at a time, so that the order of requests is the order of the lane; retried after 10 s.
fn one_by_one(settings: &mut WebhookSettings) {
    settings.max_in_flight = Some(1);
    settings.retry = Some(schedule(&[0, 10_000, 10_000]));
}

/// The ids of the events that were sent, in order, from request `first` on.
fn sent(platform: &Platform, first: usize) -> Vec<String> {
    let requests = platform.sender.sent_to(URL).into_iter().skip(first);
    requests.map(|request| request.headers["webhook-id"].to_str().expect("text").to_owned()).collect()
}

async fn failures(platform: &Platform, webhook: WebhookId) -> u32 {
    platform.store.find_webhook(platform.project, webhook).await.expect("read").expect("there").state.failure_count
}

#[tokio::test]
async fn pausing_keeps_new_pending_and_retried_deliveries_and_resuming_sends_them_in_order_of_age() {
    let platform = Platform::start().await;
    let webhook = platform.webhook_with(Profile::Standard, URL, one_by_one).await;
    platform.sender.script(URL, [Reply::Status(500)]);
    let retried = platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!((sent(&platform, 0).len(), failures(&platform, webhook).await), (1, 1));

    set_status(&platform, webhook, PAUSED).await;
    let mut published = vec![retried];
    for _ in 0..3 {
        // The retry's time comes between the first of them and the second.
        platform.advance_s(6).await;
        published.push(platform.publish("tag.subscribed").await);
    }
    platform.advance_s(600).await;
    assert_eq!(sent(&platform, 0).len(), 1, "nothing is sent while it is paused");
    let views = platform.deliveries(webhook).await;
    assert_eq!(views.len(), 4);
    assert!(views.iter().all(|view| view.held && !view.state.is_final()));

    set_status(&platform, webhook, ACTIVE).await;
    assert_eq!(failures(&platform, webhook).await, 0);
    platform.settle().await;
    published.swap(0, 1);
    assert_eq!(sent(&platform, 1), published, "each since it was accepted, the retry since its time came");
    let states: Vec<_> = platform.deliveries(webhook).await.into_iter().map(|view| view.state).collect();
    assert_eq!(states, [DeliveryState::Delivered; 4]);
}

/// Memory takes one delivery in flight and two that wait, of a webhook that has not proven itself;
/// the others wait in the store.
fn little_memory() -> DispatchLimits {
    DispatchLimits { jobs_max: 6, ..DispatchLimits::default() }
}

/// Publishes six events, 100 ms apart, of which the first is in flight from then on.
async fn six(platform: &Platform) -> Vec<String> {
    let mut published = Vec::new();
    for _ in 0..6 {
        published.push(platform.publish("tag.subscribed").await);
        platform.clock.advance_ms(100);
    }
    assert_eq!(sent(platform, 0), published[..1], "the others wait");
    published
}

#[tokio::test]
async fn what_waits_in_memory_when_its_webhook_is_paused_keeps_its_place_by_age() {
    let platform = Platform::with_limits(little_memory()).await;
    let webhook = platform.webhook_with(Profile::Standard, URL, one_by_one).await;
    platform.sender.script(URL, [Reply::StatusAfter(5_000, 200)]);
    let published = six(&platform).await;
    set_status(&platform, webhook, PAUSED).await;
    platform.clock.advance_ms(5_000);
    platform.advance_s(60).await;
    assert_eq!(sent(&platform, 0), published[..1], "what was in flight");
    set_status(&platform, webhook, ACTIVE).await;
    platform.settle().await;
    assert_eq!(sent(&platform, 0), published);
}

#[tokio::test]
async fn what_was_leased_when_the_process_ended_keeps_its_place_by_age() {
    let platform = Platform::with_limits(little_memory()).await;
    platform.webhook_with(Profile::Standard, URL, one_by_one).await;
    platform.sender.script(URL, [Reply::StatusAfter(3_600_000, 200)]);
    let published = six(&platform).await;
    let platform = platform.crash_and_restart().await;
    platform.settle().await;
    assert_eq!(sent(&platform, 1), published, "the one in flight is sent again, before all others");
}

#[tokio::test]
async fn a_paused_webhook_stays_paused_over_a_restart() {
    let platform = Platform::start().await;
    let webhook = platform.webhook_with(Profile::Standard, URL, one_by_one).await;
    set_status(&platform, webhook, PAUSED).await;
    let mut published = vec![platform.publish("tag.subscribed").await, platform.publish("tag.subscribed").await];
    let platform = platform.crash_and_restart().await;
    published.push(platform.publish("tag.subscribed").await);
    platform.advance_s(600).await;
    assert_eq!(sent(&platform, 0).len(), 0, "nothing is sent while it is paused");
    set_status(&platform, webhook, ACTIVE).await;
    platform.settle().await;
    assert_eq!(sent(&platform, 0), published);
}

#[tokio::test]
async fn what_is_in_flight_when_its_webhook_is_paused_ends_normally() {
    for (status, state) in [(200, DeliveryState::Delivered), (500, DeliveryState::Retrying)] {
        let platform = Platform::start().await;
        let webhook = platform.webhook_with(Profile::Standard, URL, one_by_one).await;
        platform.sender.script(URL, [Reply::StatusAfter(5_000, status)]);
        platform.publish("tag.subscribed").await;
        for _ in 0..TURNS_MAX {
            if sent(&platform, 0).is_empty() {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(sent(&platform, 0).len(), 1, "it is in flight");
        set_status(&platform, webhook, PAUSED).await;
        platform.clock.advance_ms(5_000);
        platform.advance_s(60).await;
        let view = platform.deliveries(webhook).await.remove(0);
        assert_eq!((view.state, view.attempts_made), (state, 1), "{status}");
        assert_eq!(sent(&platform, 0).len(), 1, "{status}");
        set_status(&platform, webhook, ACTIVE).await;
        platform.settle().await;
        assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Delivered, "{status}");
    }
}

#[tokio::test]
async fn a_paused_webhook_is_tested_and_forced_but_a_retry_waits_for_it() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let view = platform.deliveries(webhook).await.remove(0);
    set_status(&platform, webhook, PAUSED).await;
    assert!(platform.engine.send_test(platform.project, webhook, None).await.expect("sent").delivered);
    assert_eq!(sent(&platform, 0).len(), 2);
    platform.engine.retry(platform.project, view.id, false).await.expect("queued");
    platform.advance_s(60).await;
    assert_eq!(sent(&platform, 0).len(), 2, "it is kept");
    platform.engine.retry(platform.project, view.id, true).await.expect("queued");
    platform.settle().await;
    assert_eq!(sent(&platform, 0).len(), 3, "it is forced");
    platform.engine.retry(platform.project, view.id, false).await.expect("queued");
    platform.settle().await;
    set_status(&platform, webhook, WebhookStatus::Disabled(DisableReason::Manual)).await;
    set_status(&platform, webhook, ACTIVE).await;
    platform.settle().await;
    assert_eq!(sent(&platform, 0).len(), 4, "disabling and enabling ends the pause");
    let attempts = platform.store.attempts_of(platform.project, view.id).await.expect("read");
    assert_eq!(attempts.len(), 3);
}
