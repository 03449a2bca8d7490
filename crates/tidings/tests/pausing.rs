//! A pause as a customer sees it: over the API, with a receiver that notices nothing of it.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Receiver, Server, Signature, World};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(20);
const HOOK: &str = "/hook";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_webhook_keeps_its_events_and_a_disabled_one_cannot_be_paused() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let request = json!({"max_in_flight": 1});
    let webhook = world.subscribe(&project, &receiver, HOOK, Signature::Standard, request).await;
    let (api, path) = (&project.api, format!("/webhooks/{}", webhook.webhook_id));
    let switch = async |verb: &str| api.post(&format!("{path}/{verb}"), &json!({})).await;

    // Twice is once; reading it and writing it back leaves it paused.
    for _ in 0..2 {
        let paused = switch("pause").await.expect(200);
        assert_eq!((&paused["status"], &paused["enabled"]), (&json!("paused"), &json!(true)));
    }
    assert_eq!(api.patch(&path, &json!({"enabled": true})).await.expect(200)["status"], "paused");
    assert_eq!(switch("enable").await.expect(200)["status"], "paused");

    let mut published = Vec::new();
    for n in 0..5 {
        let event = api.post("/events", &json!({"type": EVENT_TYPE, "data": n})).await.expect(202);
        assert_eq!(event["deliveries"], 1);
        published.push(event["id"].as_str().expect("an id").to_owned());
    }
    assert!(switch("test").await.expect(200)["success"].as_bool().expect("a verdict"), "a paused webhook is tested");
    let held = api.get(&format!("{path}/deliveries?status=pending")).await.expect(200);
    assert_eq!(held["total"], 5);
    assert!(held["data"].as_array().expect("a list").iter().all(|delivery| delivery["waiting_for"] == "held"));
    assert_eq!(receiver.count_at(HOOK), 1, "the test alone");

    assert_eq!(switch("resume").await.expect(200)["status"], "active");
    let arrived = receiver.wait_for(HOOK, 6, BOUND).await;
    let ids: Vec<_> = arrived[1..].iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!(ids, published, "in order of age");

    switch("pause").await.expect(200);
    assert_eq!(switch("disable").await.expect(200)["status"], "disabled");
    for verb in ["pause", "resume"] {
        assert_eq!(switch(verb).await.expect(409)["code"], "webhook_disabled", "{verb}");
    }
    assert_eq!(switch("enable").await.expect(200)["status"], "active", "disabling ended the pause");
    assert_eq!(api.post("/webhooks/wh_0/pause", &json!({})).await.expect(404)["code"], "not_found");
}
