//! What every delivery keeps: its bytes, its id, its project, its place after a crash.

use std::collections::BTreeSet;

use crate::platform::{Platform, publish, schedule};
use bytes::Bytes;
use tidings_domain::{
    delivery::DeliveryState,
    profile::Profile,
    webhook::{WebhookStatus, check_header},
};
use tidings_engine::{DispatchLimits, IdempotencyKey, Publish, PublishError, Published, RetryError};
use tidings_fakes::Reply;
use tidings_ports::{
    sender::FailureKind,
    store::{Catalog as _, Changed, History as _, WebhookChange},
};

const URL: &str = "https://receiver.example/hook";
const OTHER_URL: &str = "https://other.example/hook";

fn with_key(key: &str, request_hash: [u8; 32]) -> Publish {
    let answer = |accepted: &tidings_engine::Accepted| Bytes::from(accepted.id.clone());
    Publish {
        idempotency: Some(IdempotencyKey { key: key.to_owned(), request_hash, status: 202, answer }),
        ..publish("tag.subscribed")
    }
}

#[tokio::test]
async fn inv_bytes_attempts_differ_in_signature_and_time_only() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Botdog, URL).await;
    platform.sender.script(URL, [Reply::Status(500), Reply::Failure(FailureKind::Timeout)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(180).await;
    let sent = platform.sender.sent_to(URL);
    assert_eq!(sent.len(), 3);
    let bodies: BTreeSet<_> = sent.iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies.len(), 1);
    let header = |name: &str| -> Vec<String> {
        sent.iter().map(|request| request.headers[name].to_str().expect("text").to_owned()).collect()
    };
    assert_eq!(header("x-webhook-signature").iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(header("x-tidings-attempt"), ["1", "2", "3"]);
    assert_eq!(header("x-tidings-delivery").iter().collect::<BTreeSet<_>>().len(), 1);
}

#[tokio::test]
async fn inv_isolation_only_the_owners_webhook_is_called() {
    let platform = Platform::start().await;
    let other = platform.other_project().await;
    platform.webhook(Profile::Standard, URL).await;
    platform.webhook_in(other, Profile::Standard, OTHER_URL, |_| {}).await;
    let id = platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(URL).len(), 1);
    assert_eq!(platform.sender.sent_to(OTHER_URL).len(), 0);
    assert!(platform.store.find_event(platform.project, &id).await.expect("read").is_some());
    assert!(platform.store.find_event(other, &id).await.expect("read").is_none());
}

#[tokio::test]
async fn scopes_and_types_select() {
    let platform = Platform::start().await;
    let scoped = |settings: &mut tidings_domain::webhook::WebhookSettings| {
        settings.scopes = vec!["campaign-42".to_owned()];
        settings.events = vec!["tag.*".parse().expect("a pattern")];
    };
    platform.webhook_with(Profile::Botdog, URL, scoped).await;
    for (event_type, scopes) in [
        ("tag.subscribed", vec!["campaign-42"]),
        ("tag.subscribed", vec!["campaign-7"]),
        ("user.created", vec!["campaign-42"]),
    ] {
        let scopes = scopes.into_iter().map(str::to_owned).collect();
        platform.try_publish(Publish { scopes, ..publish(event_type) }).await.expect("accepted");
    }
    platform.settle().await;
    assert_eq!(platform.sender.sent_to(URL).len(), 1);
}

#[tokio::test]
async fn unknown_types_are_refused_and_leave_nothing() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let refused = platform.try_publish(publish("tag.unknown")).await;
    assert_eq!(refused, Err(PublishError::UnknownEventType("tag.unknown".to_owned())));
    platform.settle().await;
    assert_eq!(platform.sender.sent().len(), 0);
}

#[tokio::test]
async fn a_repeated_idempotency_key_answers_as_the_first_time_also_after_a_crash() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let first = platform.try_publish(with_key("order-1", [1; 32])).await.expect("accepted");
    let Published::Accepted(first) = first else { panic!("replayed at first") };
    let replayed = Published::Replayed { status: 202, response: Bytes::from(first.id) };
    assert_eq!(platform.try_publish(with_key("order-1", [1; 32])).await, Ok(replayed.clone()));
    let platform = platform.crash_and_restart().await;
    assert_eq!(platform.try_publish(with_key("order-1", [1; 32])).await, Ok(replayed));
    let conflict = platform.try_publish(with_key("order-1", [2; 32])).await;
    assert_eq!(conflict, Err(PublishError::IdempotencyConflict));
    platform.settle().await;
    let ids: BTreeSet<_> = platform
        .sender
        .sent()
        .iter()
        .map(|sent| sent.headers["webhook-id"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn two_requests_with_one_key_at_once_make_one_event() {
    let platform = Platform::start().await;
    platform.webhook(Profile::Standard, URL).await;
    let (left, right) = tokio::join!(
        platform.try_publish(with_key("order-1", [1; 32])),
        platform.try_publish(with_key("order-1", [1; 32]))
    );
    let accepted = [left, right].into_iter().filter(|result| matches!(result, Ok(Published::Accepted(_)))).count();
    assert_eq!(accepted, 1);
    platform.settle().await;
    assert_eq!(platform.sender.sent().len(), 1);
}

#[tokio::test]
async fn an_id_can_be_given_once() {
    let platform = Platform::start().await;
    let with_id = || Publish { custom_id: Some("order.42".to_owned()), ..publish("tag.subscribed") };
    platform.try_publish(with_id()).await.expect("accepted");
    assert_eq!(platform.try_publish(with_id()).await, Err(PublishError::AlreadyExists("order.42".to_owned())));
    let generated = platform.publish("tag.subscribed").await;
    let spelled = Publish { custom_id: Some(generated.clone()), ..publish("tag.subscribed") };
    assert_eq!(platform.try_publish(spelled).await, Err(PublishError::AlreadyExists(generated)));
}

#[tokio::test]
async fn inv_no_loss_what_memory_has_no_room_for_is_claimed_from_the_store() {
    let limits = DispatchLimits {
        jobs_max: 4,
        lane_jobs_max: 2,
        in_flight_max: 2,
        in_flight_reserved: 1,
        ..DispatchLimits::default()
    };
    let platform = Platform::with_limits(limits).await;
    platform.webhook(Profile::Standard, URL).await;
    for _ in 0..100 {
        platform.publish("tag.subscribed").await;
    }
    platform.settle().await;
    let ids: BTreeSet<_> = platform
        .sender
        .sent()
        .iter()
        .map(|sent| sent.headers["webhook-id"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!((platform.sender.sent().len(), ids.len()), (100, 100));
}

#[tokio::test]
async fn inv_no_loss_a_crash_leaves_leases_that_are_taken_up_again() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Botdog, URL).await;
    // No answer comes before the process ends, so that every lease is left behind.
    platform.sender.always(URL, Reply::StatusAfter(600_000, 500));
    for _ in 0..10 {
        platform.publish("tag.subscribed").await;
    }
    let platform = platform.crash_and_restart().await;
    platform.sender.always(URL, Reply::Status(200));
    platform.settle().await;
    platform.advance_s(60).await;
    let states: Vec<_> = platform.deliveries(webhook).await.into_iter().map(|view| view.state).collect();
    assert_eq!(states, [DeliveryState::Delivered; 10]);
}

#[tokio::test]
async fn disabling_holds_what_is_pending_and_enabling_goes_on() {
    let platform = Platform::start().await;
    let quick = |settings: &mut tidings_domain::webhook::WebhookSettings| settings.retry = Some(schedule(&[0, 10_000]));
    let webhook = platform.webhook_with(Profile::Standard, URL, quick).await;
    platform.sender.script(URL, [Reply::Status(500)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    set_status(&platform, webhook, WebhookStatus::Disabled(tidings_domain::retry::DisableReason::Manual)).await;
    platform.publish("tag.subscribed").await;
    platform.advance_s(60).await;
    assert_eq!(platform.sender.sent().len(), 1);
    assert!(platform.deliveries(webhook).await[0].held);
    set_status(&platform, webhook, WebhookStatus::Active).await;
    platform.settle().await;
    assert_eq!(platform.sender.sent().len(), 2);
    assert_eq!(platform.deliveries(webhook).await.len(), 1, "what was published meanwhile passed it by");
}

#[tokio::test]
async fn a_disabled_webhooks_deliveries_stay_held_over_a_restart() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    for _ in 0..3 {
        platform.publish("tag.subscribed").await;
    }
    platform.settle().await;
    set_status(&platform, webhook, WebhookStatus::Disabled(tidings_domain::retry::DisableReason::Manual)).await;
    let platform = platform.crash_and_restart().await;
    platform.advance_s(600).await;
    assert_eq!(platform.sender.sent().len(), 3);
    set_status(&platform, webhook, WebhookStatus::Active).await;
    platform.settle().await;
    assert_eq!(platform.sender.sent().len(), 6);
}

pub(crate) async fn set_status(platform: &Platform, id: tidings_domain::ids::WebhookId, status: WebhookStatus) {
    let record = platform.store.find_webhook(platform.project, id).await.expect("read").expect("there");
    let change = WebhookChange {
        project_id: platform.project,
        id,
        expected_revision: record.revision,
        settings: None,
        sealed: None,
        status: Some(status),
        now: platform.now(),
    };
    let changed = platform.store.update_webhook(change).await.expect("written");
    assert!(matches!(changed, Changed::Stored(_)), "{changed:?}");
    platform.engine.project_changed(platform.project).await;
}

#[tokio::test]
async fn a_deleted_webhooks_deliveries_are_cancelled() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    assert!(platform.store.delete_webhook(platform.project, webhook, platform.now()).await.expect("written"));
    platform.engine.project_changed(platform.project).await;
    platform.advance_s(60).await;
    assert_eq!(platform.sender.sent().len(), 1);
    let view = platform.deliveries(webhook).await.remove(0);
    assert_eq!((view.state, view.attempts_made), (DeliveryState::Cancelled, 1));
    assert_eq!(platform.engine.retry(platform.project, view.id, true).await, Err(RetryError::WebhookDeleted));
}

#[tokio::test]
async fn a_finished_delivery_can_be_sent_again_any_number_of_times() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::SubscribeFlow, URL).await;
    platform.sender.script(URL, [Reply::Status(400), Reply::Status(500), Reply::Status(200)]);
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let view = platform.deliveries(webhook).await.remove(0);
    assert_eq!(view.state, DeliveryState::Dropped);
    for expected in [DeliveryState::Failed, DeliveryState::Delivered, DeliveryState::Delivered] {
        platform.engine.retry(platform.project, view.id, false).await.expect("queued");
        platform.settle().await;
        assert_eq!(platform.deliveries(webhook).await[0].state, expected);
    }
    assert_eq!(platform.status(webhook).await, WebhookStatus::Active, "a manual retry never deactivates");
    let attempts = platform.store.attempts_of(platform.project, view.id).await.expect("read");
    assert_eq!(attempts.iter().map(|view| view.attempt.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_disabled_webhook_is_sent_to_only_by_force() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Standard, URL).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let view = platform.deliveries(webhook).await.remove(0);
    set_status(&platform, webhook, WebhookStatus::Disabled(tidings_domain::retry::DisableReason::Manual)).await;
    assert_eq!(platform.engine.retry(platform.project, view.id, false).await, Err(RetryError::WebhookDisabled));
    platform.engine.retry(platform.project, view.id, true).await.expect("queued");
    platform.settle().await;
    assert_eq!(platform.sender.sent().len(), 2);
}

#[tokio::test]
async fn a_test_is_one_attempt_in_the_history_that_never_counts() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::SubscribeFlow, URL).await;
    platform.sender.always(URL, Reply::Status(500));
    let outcome = platform.engine.send_test(platform.project, webhook, None).await.expect("sent");
    assert_eq!((outcome.delivered, outcome.status), (false, Some(500)));
    platform.advance_s(600).await;
    assert_eq!(platform.sender.sent().len(), 1);
    let view = platform.deliveries(webhook).await.remove(0);
    assert_eq!((view.id, view.event_type.as_str()), (outcome.delivery_id, "test.webhook"));
    let record = platform.store.find_webhook(platform.project, webhook).await.expect("read").expect("there");
    assert_eq!(record.state.failure_count, 0);
}

#[test]
fn profiles_headers_cannot_be_taken_by_custom_ones() {
    for profile in Profile::ALL {
        for name in profile.signature().header_names() {
            assert!(check_header(&name, "x", &Profile::Standard.signature()).is_err(), "{name}");
        }
    }
}
