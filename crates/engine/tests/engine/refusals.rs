//! Settlements that the store refuses for what is in them.

use rusqlite::Connection;
use tidings_domain::{delivery::DeliveryState, profile::Profile};

use crate::platform::Platform;

const URL: &str = "https://receiver.example/hook";
const CURSED_URL: &str = "https://cursed.example/hook";

/// From now on the database refuses to note that a delivery of this webhook has ended.
fn refuse_ends_of(platform: &Platform, webhook: i64) {
    let outside = Connection::open(platform.database_path()).expect("the file can be opened");
    let trigger = format!(
        "CREATE TRIGGER cursed BEFORE INSERT ON delivery WHEN new.webhook = {webhook} BEGIN SELECT raise(ABORT, 'cursed'); END"
    );
    outside.execute_batch(&trigger).expect("made");
}

fn relent(platform: &Platform) {
    let outside = Connection::open(platform.database_path()).expect("the file can be opened");
    outside.execute_batch("DROP TRIGGER cursed").expect("dropped");
}

#[tokio::test]
async fn inv_no_loss_a_verdict_that_cannot_be_written_holds_up_no_other() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    let cursed = platform.webhook(Profile::Standard, CURSED_URL).await;
    refuse_ends_of(&platform, cursed.sequence());
    for _ in 0..20 {
        platform.publish("tag.subscribed").await;
    }
    platform.settle().await;
    let delivered = platform.deliveries(webhook).await;
    assert_eq!(delivered.len(), 20);
    assert!(delivered.iter().all(|view| view.state == DeliveryState::Delivered), "the others are written down");
    let stuck = platform.deliveries(cursed).await;
    assert!(stuck.iter().all(|view| view.state == DeliveryState::Pending), "{:?}", stuck[0].state);
    platform.advance_s(600).await;
    assert_eq!(platform.sender.sent_to(CURSED_URL).len(), 20, "each was sent once and keeps its lease");

    relent(&platform);
    let platform = platform.crash_and_restart().await;
    platform.settle().await;
    let ended = platform.deliveries(cursed).await;
    assert_eq!(ended.iter().filter(|view| view.state == DeliveryState::Delivered).count(), 20);
    assert_eq!(platform.sender.sent_to(CURSED_URL).len(), 40, "each is sent again after the start");
}

#[tokio::test]
async fn a_project_that_cannot_be_loaded_holds_up_nobody() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let other = platform.other_project().await;
    let damaged = platform.webhook_in(other, Profile::Standard, CURSED_URL, |_| {}).await;
    platform.tamper(&format!("UPDATE webhook SET settings = '{{' WHERE seq = {}", damaged.sequence()));
    // Returns although the clock stands still: nobody waits for it to be mended.
    let changed = tokio::time::timeout(std::time::Duration::from_secs(20), platform.engine.project_changed(other));
    changed.await.expect("it is not asked for again and again");
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(URL).len(), 1);
}
