//! The waits of every profile, to the second, with a clock moved by hand.

use crate::platform::Platform;
use tidings_domain::{delivery::DeliveryState, profile::Profile, retry::DisableReason, webhook::WebhookStatus};
use tidings_fakes::Reply;
use tidings_ports::sender::FailureKind;

const URL: &str = "https://receiver.example/hook";
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

fn cumulative(waits_s: &[u64]) -> Vec<u64> {
    waits_s
        .iter()
        .scan(0, |at, wait| {
            *at += wait;
            Some(*at)
        })
        .collect()
}

#[tokio::test]
async fn subscribeflow_tries_five_times_and_deactivates() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::SubscribeFlow, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let expected = cumulative(&[0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 24 * HOUR]);

    platform.advance_s(expected[4] - 1).await;
    assert_eq!(platform.seconds_of(URL), expected[..4]);
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active);

    platform.advance_s(1).await;
    assert_eq!(platform.seconds_of(URL), expected);
    assert_eq!(platform.status(webhook).await, WebhookStatus::Disabled(DisableReason::Exhausted));
    assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Failed);

    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(platform.seconds_of(URL).len(), 5, "a disabled webhook gets nothing");
}

#[tokio::test]
async fn botdog_tries_six_times_and_stays_active() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Botdog, URL).await;
    platform.sender.always(URL, Reply::Status(404));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let waits: Vec<u64> = [0, 1, 2, 4, 8, 16].map(|minutes| minutes * MINUTE).to_vec();
    platform.advance_s(40 * MINUTE).await;
    assert_eq!(platform.seconds_of(URL), cumulative(&waits));
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active);
    assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Failed);

    platform.sender.always(URL, Reply::Status(204));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn serveravatar_tries_three_times() {
    let platform = Platform::start().await;
    platform.webhook(Profile::ServerAvatar, URL).await;
    platform.sender.always(URL, Reply::Failure(FailureKind::Network));
    platform.publish("user.created").await;
    platform.settle().await;
    platform.advance_s(10 * MINUTE).await;
    assert_eq!(platform.seconds_of(URL), cumulative(&[0, MINUTE, 5 * MINUTE]));
}

/// Waits with jitter lie between the schedule's and 20 % more.
fn assert_jittered(seconds: &[u64], waits_s: &[u64]) {
    assert_eq!(seconds.len(), waits_s.len(), "{seconds:?}");
    for (number, pair) in seconds.windows(2).enumerate() {
        let (wait, wanted) = (pair[1] - pair[0], waits_s[number + 1]);
        let most = wanted + wanted / 5 + 1;
        assert!((wanted..=most).contains(&wait), "wait {number} is {wait} s instead of {wanted} to {most} s");
    }
}

#[tokio::test]
async fn botsubscription_doubles_from_thirty_seconds_to_an_hour_within_a_day() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::BotSubscription, URL).await;
    platform.sender.always(URL, Reply::Status(503));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(30 * HOUR).await;
    let doubling = [0, 30, 60, 120, 240, 480, 960, 1920];
    let waits: Vec<u64> = doubling.into_iter().chain(std::iter::repeat_n(HOUR, 22)).collect();
    assert!(waits.iter().sum::<u64>() <= 24 * HOUR && waits.iter().sum::<u64>() + HOUR > 24 * HOUR);
    // The breaker, open after a dozen failures, adds at most half a minute to waits of an hour.
    assert_jittered(&platform.seconds_of(URL), &waits);
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active);
}

#[tokio::test]
async fn standard_tries_ten_times_and_keeps_the_webhook() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Failure(FailureKind::Timeout));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(4 * 24 * HOUR).await;
    let waits = [0, 5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    assert_jittered(&platform.seconds_of(URL), &waits);
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active);
}

#[tokio::test]
async fn standard_disables_after_five_days_of_nothing_but_failures() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    for day in 0..6 {
        assert_eq!(platform.status(webhook).await, WebhookStatus::Active, "day {day}");
        platform.publish("tag.subscribed").await;
        platform.settle().await;
        platform.advance_s(20 * HOUR).await;
        platform.advance_s(4 * HOUR).await;
    }
    assert_eq!(platform.status(webhook).await, WebhookStatus::Disabled(DisableReason::Failing));
}

#[tokio::test]
async fn retry_after_is_a_lower_bound() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Botdog, URL).await;
    let wait = |seconds: &str| Reply::StatusWithHeader(429, "retry-after", seconds.to_owned());
    platform.sender.script(URL, [wait("600"), wait("1")]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(20 * MINUTE).await;
    assert_eq!(platform.seconds_of(URL), cumulative(&[0, 600, 2 * MINUTE]));
}

#[tokio::test]
async fn the_same_answer_means_what_each_profile_says() {
    let table = [
        (Profile::BotSubscription, 404, true),
        (Profile::SubscribeFlow, 404, false),
        (Profile::Botdog, 404, true),
        (Profile::Standard, 404, true),
        (Profile::ServerAvatar, 404, false),
        (Profile::BotSubscription, 422, false),
        (Profile::SubscribeFlow, 422, false),
        (Profile::Botdog, 422, true),
        (Profile::SubscribeFlow, 429, false),
        (Profile::ServerAvatar, 429, true),
        (Profile::BotSubscription, 410, true),
        (Profile::Standard, 410, false),
        (Profile::BotSubscription, 301, true),
    ];
    for (profile, status, retried) in table {
        let platform = Platform::start().await;
        let webhook = platform.webhook(profile, URL).await;
        platform.sender.always(URL, Reply::Status(status));
        platform.publish("tag.subscribed").await;
        platform.settle().await;
        let expected = if retried { DeliveryState::Retrying } else { DeliveryState::Dropped };
        assert_eq!(platform.deliveries(webhook).await[0].state, expected, "{profile} {status}");
        let gone = profile == Profile::Standard && status == 410;
        let wanted = if gone { WebhookStatus::Disabled(DisableReason::Gone) } else { WebhookStatus::Active };
        assert_eq!(platform.status(webhook).await, wanted, "{profile} {status}");
    }
}
