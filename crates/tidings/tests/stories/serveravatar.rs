//! ServerAvatar: a table of webhooks with a toggle, a last event, a history with details, and a test.

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Signature, Verifier};

use crate::{BOUND, Scene, text};

const EVENTS: [&str; 12] = [
    "user.created",
    "user.updated",
    "user.deleted",
    "server.created",
    "server.deleted",
    "transaction.created",
    "transaction.success",
    "transaction.failed",
    "transaction.refunded",
    "ticket.created",
    "ticket.closed",
    "ticket.reopened",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_16_twelve_events_trigger_a_webhook_that_shows_the_last_of_them() {
    let scene = Scene::begin("serveravatar").await;
    scene.receiver.route("/hook", Behaviour::Ok);
    let webhook = scene.webhook(json!({"name": "Billing Update Hook", "events": EVENTS})).await;
    let mut last = Value::Null;
    for event_type in EVENTS {
        last = scene.publish(event_type, json!({"id": 17})).await;
        scene.delivery(&last, "delivered").await;
    }
    let types: Vec<_> =
        scene.receiver.requests_at("/hook").iter().map(|request| text(&request.json(), "type")).collect();
    assert_eq!(types, EVENTS);
    let shown = scene.api.get(&format!("/webhooks/{}", text(&webhook, "id"))).await.expect(200);
    assert_eq!(shown["last_event"]["type"], "ticket.reopened");
    assert!(shown["last_event"]["at"].as_str().expect("a time") >= text(&last, "created_at").as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_12_without_a_secret_there_is_no_signature_and_with_one_there_is() {
    let scene = Scene::begin("serveravatar").await;
    for path in ["/open", "/signed"] {
        scene.receiver.route(path, Behaviour::Ok);
    }
    let open = scene.webhook(json!({"path": "/open"})).await;
    assert_eq!((&open["signed"], open.get("secret")), (&json!(false), None));
    scene.webhook(json!({"path": "/signed", "secret": "a-secret-key"})).await;
    scene.publish("user.created", json!({"id": 17})).await;
    let unsigned = scene.receiver.wait_for("/open", 1, BOUND).await.remove(0);
    assert!(!unsigned.headers.contains_key("x-webhook-signature"));
    let signed = scene.receiver.wait_for("/signed", 1, BOUND).await.remove(0);
    Verifier { signature: Signature::ServerAvatar, secret: Some("a-secret-key".to_owned()) }
        .check(&signed.headers, &signed.body)
        .expect("a valid signature");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_13_a_test_is_in_the_history_with_payload_headers_and_response() {
    let scene = Scene::begin("serveravatar").await;
    scene.receiver.route("/hook", Behaviour::Reply { status: 200, headers: &[("x-seen", "yes")], body: "noted" });
    let webhook = scene.webhook(json!({})).await;
    let path = format!("/webhooks/{}", text(&webhook, "id"));

    let tested = scene.api.post(&format!("{path}/test"), &json!({})).await.expect(200);

    let history = scene.api.get(&format!("{path}/deliveries")).await.expect(200);
    let row = &history["data"][0];
    assert_eq!((&row["event_type"], &row["response_status_code"]), (&json!("test.webhook"), &json!(200)));
    let detail = scene.api.get(&format!("/deliveries/{}", text(&tested, "delivery_id"))).await.expect(200);
    let attempt = &detail["attempts"][0];
    assert!(text(&attempt["request"], "body").contains("test.webhook"));
    assert_eq!(attempt["request"]["headers"]["content-type"], "application/json");
    assert_eq!(attempt["response"]["body"], "noted");
    assert!(attempt["response"]["headers"].as_array().expect("headers").contains(&json!(["x-seen", "yes"])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_14_the_toggle_stops_notifications_and_lets_them_go_on() {
    let scene = Scene::begin("serveravatar").await;
    scene.receiver.route("/hook", Behaviour::Ok);
    let webhook = scene.webhook(json!({"enabled": false})).await;
    let path = format!("/webhooks/{}", text(&webhook, "id"));
    assert_eq!(scene.publish("user.created", json!({"id": 1})).await["deliveries"], 0);
    scene.api.post(&format!("{path}/enable"), &json!({})).await.expect(200);
    let event = scene.publish("user.created", json!({"id": 2})).await;
    scene.delivery(&event, "delivered").await;
    assert_eq!(scene.receiver.count_at("/hook"), 1);
    scene.api.delete(&path).await.expect(204);
    assert_eq!(scene.publish("user.created", json!({"id": 3})).await["deliveries"], 0, "deleted for good");
}
