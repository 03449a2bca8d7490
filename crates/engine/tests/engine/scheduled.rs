//! Events that are to be delivered later: not a second earlier, and whatever comes between.

use tidings_domain::{delivery::DeliveryState, profile::Profile};
use tidings_engine::Publish;
use tidings_ports::store::{Catalog as _, Maintenance as _};

use crate::platform::{Platform, START, publish};

const URL: &str = "https://receiver.example/hook";

fn in_s(seconds: u64) -> Publish {
    Publish { deliver_at: Some(START.plus_millis(seconds * 1_000)), ..publish("tag.subscribed") }
}

#[tokio::test]
async fn a_scheduled_event_goes_out_at_its_second_and_not_before() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.try_publish(in_s(90)).await.expect("accepted");
    platform.settle().await;
    let waiting = platform.deliveries(webhook).await.remove(0);
    assert_eq!((waiting.state, waiting.due_at), (DeliveryState::Pending, Some(START.plus_millis(90_000))));
    // What comes meanwhile does not wait for it.
    platform.advance_s(10).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(platform.seconds_of(URL), [10]);
    platform.advance_s(79).await;
    assert_eq!(platform.seconds_of(URL), [10]);
    platform.advance_s(1).await;
    assert_eq!(platform.seconds_of(URL), [10, 90]);
}

#[tokio::test]
async fn a_time_that_has_passed_means_now() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.advance_s(5).await;
    platform.try_publish(in_s(2)).await.expect("accepted");
    platform.settle().await;
    assert_eq!(platform.seconds_of(URL), [5]);
}

#[tokio::test]
async fn a_restart_does_not_change_when_it_goes_out() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let batch = [in_s(30), in_s(20)];
    platform.engine.publish_batch(platform.project, &batch, None).await.expect("accepted");
    platform.advance_s(10).await;
    let platform = platform.crash_and_restart().await;
    platform.settle().await;
    platform.advance_s(25).await;
    // The former process lives on in this test, and sends what its own copy of the store holds.
    let mut seconds = platform.seconds_of(URL);
    seconds.dedup();
    assert_eq!(seconds, [20, 30]);
    assert_eq!(platform.store.audit_ledger().await.expect("audited").unaccounted(), 0);
}

#[tokio::test]
async fn deleting_its_webhook_cancels_it() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.try_publish(in_s(30)).await.expect("accepted");
    platform.store.delete_webhook(platform.project, webhook, platform.now()).await.expect("deleted");
    platform.engine.project_changed(platform.project).await;
    platform.advance_s(40).await;
    assert_eq!(platform.seconds_of(URL), [0_u64; 0]);
    assert_eq!(platform.deliveries(webhook).await[0].state, DeliveryState::Cancelled);
    assert_eq!(platform.store.audit_ledger().await.expect("audited").unaccounted(), 0);
}
