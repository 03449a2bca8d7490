//! A21: somebody sets the wall clock, forward or back by hours. What waits goes on waiting as long
//! as it was to wait, and everybody outside is told the time that the wall clock shows.

use tidings_domain::{
    delivery::DeliveryState, profile::Profile, retry::DisableReason, time::Timestamp, webhook::WebhookStatus,
};
use tidings_engine::Publish;
use tidings_fakes::Reply;
use tidings_ports::{Clock as _, store::Maintenance as _};

use crate::platform::{Platform, START, publish, schedule};

const URL: &str = "https://receiver.example/hook";
const HOUR_MS: i64 = 3_600_000;

/// Seconds from the start that the signatures of all requests name.
fn signed_seconds(platform: &Platform) -> Vec<i64> {
    let sent = platform.sender.sent_to(URL);
    let signed = sent.iter().map(|request| request.headers["webhook-timestamp"].to_str().expect("text"));
    signed.map(|text| text.parse::<i64>().expect("a number") - START.as_seconds()).collect()
}

/// Upkeep, whose round has come, is not waited for by anybody else.
async fn until_noted(platform: &Platform) {
    while platform.store.find_remembered("stepped_ms").await.expect("read").is_none() {
        tokio::task::yield_now().await;
    }
}

async fn with_schedule(platform: &Platform, waits_ms: &'static [u64]) -> tidings_domain::ids::WebhookId {
    platform.webhook_with(Profile::Standard, URL, |settings| settings.retry = Some(schedule(waits_ms))).await
}

#[tokio::test]
async fn waits_are_as_long_as_the_schedule_says_however_the_wall_clock_is_set() {
    let platform = Platform::start().await;
    with_schedule(&platform, &[0, 600_000, 600_000]).await;
    platform.sender.always(URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.clock.step_wall_ms(5 * HOUR_MS);
    platform.advance_s(599).await;
    assert_eq!(platform.seconds_of(URL), [0], "no early retry");
    platform.advance_s(1).await;
    assert_eq!(platform.seconds_of(URL), [0, 600]);
    platform.clock.step_wall_ms(-9 * HOUR_MS);
    platform.advance_s(601).await;
    assert_eq!(platform.seconds_of(URL), [0, 600, 1_200], "no retry is held up");
    assert_eq!(signed_seconds(&platform), [0, 600 + 5 * 3_600, 1_200 - 4 * 3_600]);
}

#[tokio::test]
async fn a_wall_clock_put_forward_makes_no_burst() {
    let platform = Platform::start().await;
    with_schedule(&platform, &[0, 600_000]).await;
    platform.sender.script(URL, vec![Reply::Status(500); 10]);
    for _ in 0..10 {
        platform.publish("tag.subscribed").await;
        platform.settle().await;
        platform.advance_s(60).await;
    }
    platform.clock.step_wall_ms(24 * HOUR_MS);
    platform.settle().await;
    let seconds: Vec<_> = (0..10).map(|number| number * 60).collect();
    // The first is due by now, whatever the wall clock shows.
    assert_eq!(platform.seconds_of(URL), [&seconds[..], &[600]].concat());
    platform.advance_s(600).await;
    let again = seconds.iter().map(|second| second + 600);
    assert_eq!(platform.seconds_of(URL), seconds.iter().copied().chain(again).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wall_clock_put_back_holds_up_neither_breaker_nor_backlog() {
    let platform = Platform::start().await;
    let webhook = with_schedule(&platform, &[0, 10_000, 10_000, 10_000]).await;
    platform.sender.always(URL, Reply::Status(500));
    for _ in 0..20 {
        platform.publish("tag.subscribed").await;
        platform.settle().await;
    }
    assert!(platform.engine.lane(webhook).is_some_and(|lane| lane.breaker_open));
    platform.clock.step_wall_ms(-10 * HOUR_MS);
    platform.sender.always(URL, Reply::Status(200));
    platform.advance_s(40).await;
    let states: Vec<_> = platform.deliveries(webhook).await.into_iter().map(|view| view.state).collect();
    assert_eq!(states, [DeliveryState::Delivered; 20]);
}

#[tokio::test]
async fn a_wall_clock_put_forward_disables_nobody() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    // More than the five days of nothing but failures that the profile bears.
    platform.clock.step_wall_ms(6 * 24 * HOUR_MS);
    platform.advance_s(60).await;
    assert!(platform.seconds_of(URL).len() >= 2);
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active, "not {:?}", DisableReason::Failing);
}

#[tokio::test]
async fn a_receiver_that_names_a_time_means_the_wall_clocks() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Botdog, URL).await;
    platform.clock.step_wall_ms(24 * HOUR_MS);
    let named = "Fri, 02 Jan 2026 00:10:00 GMT".to_owned();
    platform.sender.script(URL, [Reply::StatusWithHeader(503, "retry-after", named)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(700).await;
    assert_eq!(platform.seconds_of(URL), [0, 600]);
}

#[tokio::test]
async fn what_is_to_be_delivered_later_is_shown_by_the_wall_clock() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.clock.step_wall_ms(2 * HOUR_MS);
    let deliver_at = platform.clock.wall().plus_millis(90_000);
    let later = Publish { deliver_at: Some(deliver_at), ..publish("tag.subscribed") };
    platform.try_publish(later).await.expect("accepted");
    platform.settle().await;
    let due_at = platform.deliveries(webhook).await[0].due_at.expect("it waits");
    assert_eq!(platform.engine.shown(due_at), deliver_at);
    platform.advance_s(89).await;
    assert_eq!(platform.seconds_of(URL), [0_u64; 0]);
    platform.advance_s(1).await;
    assert_eq!(platform.seconds_of(URL), [90]);
}

#[tokio::test]
async fn a_restart_after_the_wall_clock_was_set_changes_no_wait() {
    for step_ms in [7 * HOUR_MS, -7 * HOUR_MS] {
        let platform = Platform::start().await;
        with_schedule(&platform, &[0, 600_000]).await;
        platform.sender.always(URL, Reply::Status(500));
        platform.publish("tag.subscribed").await;
        platform.settle().await;
        platform.clock.step_wall_ms(step_ms);
        platform.advance_s(100).await;
        until_noted(&platform).await;
        let platform = platform.crash_and_restart_by_the_wall_clock().await;
        platform.settle().await;
        let restarted_at = Timestamp::from_millis(START.as_millis() + step_ms).plus_millis(100_000);
        assert_eq!(platform.now(), restarted_at, "the new process starts with what the wall clock shows");
        platform.advance_s(499).await;
        assert_eq!(platform.sender.sent_to(URL).len(), 0, "{step_ms}: no early retry");
        platform.advance_s(1).await;
        assert_eq!(platform.sender.sent_to(URL).len(), 1, "{step_ms}: no late retry");
    }
}
