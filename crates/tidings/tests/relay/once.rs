//! What waits becomes events, each once, in order, and as it was stored.

use serde_json::json;
use tidings_contract::event::EventBody;
use tidings_testkit::until;

use crate::scene::{BOUND, EVENT_TYPE, Platform, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_become_events_once_and_in_order() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    // More than one batch.
    platform.insert(0..1_234).await;
    let (status, report, log) = platform.drain(&scene, &[]).await;
    assert!(status.success(), "{log}");
    assert_eq!(report, json!({"published": 1_234, "refused": 0, "refusals": []}));
    assert_eq!(scene.numbers().await, (0..1_234).collect::<Vec<_>>());
    assert_eq!(platform.count("true").await, 0, "what is published is deleted");
    let (_, report, _) = platform.drain(&scene, &[]).await;
    assert_eq!(report["published"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_stay_and_are_marked_where_that_is_wanted() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&["--acknowledge", "mark"]).await;
    platform.insert(0..10).await;
    for published in [10, 0] {
        let (status, report, log) = platform.drain(&scene, &["--acknowledge", "mark", "--batch", "3"]).await;
        assert!(status.success(), "{log}");
        assert_eq!(report["published"], published);
    }
    assert_eq!(platform.count("published_at IS NOT NULL AND refused_at IS NULL").await, 10);
    assert_eq!(scene.numbers().await, (0..10).collect::<Vec<_>>());
}

/// Every column has its field, and the bytes are those that were stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_reaches_its_field() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&[]).await;
    let other = scene.api.post("/projects", &json!({"name": "x"})).await;
    assert_ne!(other.status, 201, "a key of a project makes none");
    platform.run("ALTER TABLE tidings_outbox ALTER payload TYPE text, ADD content_type text").await;
    let odd = "{\"b\" : 1.0,\n \"a\":[ ] , \"b\":\"\\u00e9\"}";
    let insert = "INSERT INTO tidings_outbox
                  (type, payload, scopes, event_id, idempotency_key, content_type, deliver_at, project)
                  VALUES ($1, $2, '{7,b c}', 'evt-7', 'key-7', NULL, '2026-01-01T00:00:00Z', NULL),
                         ($1, 'a;b', NULL, 'evt-8', NULL, 'text/csv', now() + interval '1 day', $3)";
    let project = &scene.world.projects[0].id;
    platform.client.execute(insert, &[&EVENT_TYPE, &odd, project]).await.expect("rows");
    let (status, _, log) = platform.drain(&scene, &[]).await;
    assert!(status.success(), "{log}");

    let json: EventBody = scene.api.get("/events/evt-7").await.read();
    assert_eq!((json.payload.expect("JSON").get(), json.scope), (odd, vec!["7".to_owned(), "b c".to_owned()]));
    assert_eq!(json.deliver_at, None, "its time is over");
    let bytes: EventBody = scene.api.get("/events/evt-8").await.read();
    assert_eq!((bytes.content_type.as_deref(), bytes.body_base64.as_deref()), (Some("text/csv"), Some("YTti")));
    // The row's own key is the event's: to publish the same by hand is to publish it again.
    let mut same = json!({"type": EVENT_TYPE, "data": 0, "id": "evt-7", "scope": ["7", "b c"]});
    same["idempotency_key"] = json!("key-7");
    same["deliver_at"] = json!("2026-01-01T00:00:00.000Z");
    let body = same.to_string().replace("\"data\":0", &format!("\"data\":{odd}"));
    let again = scene.api.send(http::Method::POST, "/events", body).await;
    assert_eq!(again.status, 202, "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_notified_does_not_wait_for_the_next_look() {
    let scene = Scene::begin().await;
    let platform = Platform::with_outbox(&["--notify"]).await;
    // It would look again in an hour.
    let flags = ["outbox", "--listen", "tidings_outbox", "--poll-ms", "3600000"];
    let relay = scene.relay(&flags, &platform.variables());
    for number in 0..5 {
        platform.insert(number..number + 1).await;
        until("a row to be taken", BOUND, async || (platform.count("true").await == 0).then_some(())).await;
    }
    assert_eq!(scene.numbers().await, [0, 1, 2, 3, 4]);
    assert!(relay.stop().await.success());
}
