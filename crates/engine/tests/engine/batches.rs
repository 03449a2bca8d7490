//! Batches: one commit, one answer, each event by itself.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use tidings_domain::profile::Profile;
use tidings_engine::{
    BatchIdempotency, BatchOutcome, BatchPublished, IdempotencyKey, Publish, PublishError, Published,
};
use tidings_ports::store::{Catalog as _, Maintenance as _};

use crate::platform::{Platform, publish};

const URL: &str = "https://receiver.example/hook";
const OTHER_URL: &str = "https://other.example/hook";

/// An answer that names every event's id, and every refusal.
fn answer(outcomes: &[BatchOutcome]) -> Bytes {
    let text = |outcome: &BatchOutcome| match outcome {
        Ok(Published::Accepted(accepted)) => accepted.id.clone(),
        Ok(Published::Replayed { response, .. }) => String::from_utf8_lossy(response).into_owned(),
        Err(error) => error.to_string(),
    };
    Bytes::from(outcomes.iter().map(text).collect::<Vec<_>>().join("\n"))
}

fn key(request_hash: [u8; 32]) -> BatchIdempotency {
    BatchIdempotency { key: "import-1".to_owned(), request_hash, status: 202, answer: Arc::new(answer) }
}

fn with_id(id: &str) -> Publish {
    Publish { custom_id: Some(id.to_owned()), ..publish("tag.subscribed") }
}

fn with_key(id: &str) -> Publish {
    let answer = |accepted: &tidings_engine::Accepted| Bytes::from(accepted.id.clone());
    let idempotency = IdempotencyKey { key: id.to_owned(), request_hash: [9; 32], status: 202, answer };
    Publish { idempotency: Some(idempotency), ..publish("tag.subscribed") }
}

async fn unaccounted(platform: &Platform) -> i64 {
    platform.store.audit_ledger().await.expect("audited").unaccounted()
}

#[tokio::test]
async fn the_good_ones_are_accepted_and_each_bad_one_says_why() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.try_publish(with_id("taken")).await.expect("accepted");
    let events = [
        with_id("a"),
        publish("tag.unknown"),
        with_id("taken"),
        with_id("a"),
        with_key("k"),
        with_key("k"),
        publish("user.created"),
    ];
    let published = platform.engine.publish_batch(platform.project, &events, None).await;
    let BatchPublished::Done(outcomes) = published.expect("done") else { panic!("replayed without a key") };
    assert!(
        matches!(&outcomes[0], Ok(Published::Accepted(accepted)) if accepted.id == "a" && accepted.deliveries == 1)
    );
    assert_eq!(outcomes[1], Err(PublishError::UnknownEventType("tag.unknown".to_owned())));
    assert_eq!(outcomes[2], Err(PublishError::AlreadyExists("taken".to_owned())));
    assert_eq!(outcomes[3], Err(PublishError::AlreadyExists("a".to_owned())));
    let Ok(Published::Accepted(first)) = &outcomes[4] else { panic!("{:?}", outcomes[4]) };
    let again = Published::Replayed { status: 202, response: Bytes::from(first.id.clone()) };
    assert_eq!(outcomes[5], Ok(again));
    assert!(matches!(outcomes[6], Ok(Published::Accepted(_))));
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(URL).len(), 4);
    assert_eq!(unaccounted(&platform).await, 0);
}

#[tokio::test]
async fn a_repeated_batch_answers_as_the_first_time_also_after_a_crash() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let events = [with_id("a"), publish("tag.unknown"), publish("tag.subscribed")];
    let batch = async |platform: &Platform, hash| {
        platform.engine.publish_batch(platform.project, &events, Some(&key(hash))).await
    };
    let (left, right) = tokio::join!(batch(&platform, [1; 32]), batch(&platform, [1; 32]));
    let (mut done, mut repeated) = (left.expect("accepted"), right.expect("accepted"));
    if matches!(done, BatchPublished::Replayed { .. }) {
        std::mem::swap(&mut done, &mut repeated);
    }
    let BatchPublished::Done(outcomes) = done else { panic!("nobody was first") };
    let first = BatchPublished::Replayed { status: 202, response: answer(&outcomes) };
    assert_eq!(repeated, first);
    assert_eq!(batch(&platform, [1; 32]).await, Ok(first.clone()));
    let platform = platform.crash_and_restart().await;
    assert_eq!(batch(&platform, [1; 32]).await, Ok(first));
    assert_eq!(batch(&platform, [2; 32]).await, Err(PublishError::IdempotencyConflict));
    platform.settle().await;
    let sent = platform.sender.sent();
    let ids: BTreeSet<_> = sent.iter().map(|sent| sent.headers["webhook-id"].clone().as_bytes().to_vec()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(unaccounted(&platform).await, 0);
}

#[tokio::test]
async fn a_batch_without_a_good_event_is_repeated_as_well() {
    let platform = Platform::start().await;
    let events = [publish("tag.unknown")];
    let key = key([1; 32]);
    let batch = || platform.engine.publish_batch(platform.project, &events, Some(&key));
    let BatchPublished::Done(outcomes) = batch().await.expect("done") else { panic!("replayed at first") };
    let again = BatchPublished::Replayed { status: 202, response: answer(&outcomes) };
    assert_eq!(batch().await, Ok(again));
}

#[tokio::test]
async fn inv_fanout_a_batch_knows_of_every_webhook_that_was_created_before_it() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.publish("tag.subscribed").await;
    // The second webhook exists in the store, and the engine was not told of it.
    let id = platform.engine.ids().webhook();
    let record = platform.store.list_webhooks(platform.project, tidings_domain::page::PageRequest::default()).await;
    let mut record = record.expect("listed").rows.remove(0);
    record.webhook.id = id;
    record.webhook.settings.url = OTHER_URL.to_owned();
    let sealed = tidings_engine::seal_secrets(
        &tidings_domain::seal::MasterKey::from_bytes(&[7; 32]),
        id,
        &tidings_domain::webhook::WebhookSecrets::default(),
        platform.engine.ids().nonce(),
    );
    let new = tidings_ports::store::NewWebhook { webhook: record.webhook, sealed };
    platform.store.create_webhook(new, None).await.expect("stored");
    let events: Vec<_> = (0..3).map(|_| publish("tag.subscribed")).collect();
    platform.engine.publish_batch(platform.project, &events, None).await.expect("accepted");
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(OTHER_URL).len(), 3);
}
