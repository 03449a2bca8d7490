//! A pause as a customer sees it: over the API, with a receiver that notices nothing of it.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Behaviour, Receiver, Server, Signature, World, until};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_found_by_how_they_are_and_by_what_is_in_them() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    receiver.route("/crm", Behaviour::Ok);
    receiver.route("/broken", Behaviour::Status(500));
    let mut world = World::new(&server);
    let (project, other) = (world.project("acme", EVENT_TYPE).await, world.project("shop", EVENT_TYPE).await);
    let mut ids = Vec::new();
    for (name, path, events) in [
        ("CRM Mirror", "/crm", "order.paid"),
        ("desk", "/Broken", "order.*"),
        ("old", "/paused", "order.paid"),
        ("off", "/off", "tag.added"),
    ] {
        let path = path.to_lowercase();
        let request = json!({"url": receiver.url(&path), "name": name, "events": [events]});
        let made = project.api.post("/webhooks", &request).await.expect(201);
        ids.push(made["id"].as_str().expect("an id").to_owned());
        other.api.post("/webhooks", &request).await.expect(201);
    }
    project.api.post(&format!("/webhooks/{}/pause", ids[2]), &json!({})).await.expect(200);
    project.api.post(&format!("/webhooks/{}/disable", ids[3]), &json!({})).await.expect(200);
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    until("a failed attempt", BOUND, async || {
        let found = project.api.get("/webhooks?failing=true").await.expect(200);
        (found["total"] == 1).then_some(())
    })
    .await;
    for (query, wanted) in [
        ("failing=true", &[1][..]),
        ("status=paused", &[2]),
        ("status=disabled", &[3]),
        ("status=active", &[1, 0]),
        ("status=active&failing=true", &[1]),
        ("status=disabled&failing=true", &[]),
        ("failing=false", &[3, 2, 1, 0]),
        ("q=crm%20m", &[0]),
        ("q=MIRROR", &[0]),
        ("q=%20desk%20", &[1]),
        ("q=/broken", &[1]),
        ("q=order.p", &[2, 0]),
        ("q=tag", &[3]),
        ("q=127.0.0.1", &[3, 2, 1, 0]),
        ("q=", &[3, 2, 1, 0]),
        ("q=%25", &[]),
        ("q=name", &[]),
        ("q=127.0.0.1&status=paused", &[2]),
    ] {
        let found = project.api.get(&format!("/webhooks?{query}")).await.expect(200);
        let rows: Vec<_> = found["data"].as_array().expect("a list").iter().map(|row| row["id"].clone()).collect();
        let expected: Vec<_> = wanted.iter().map(|&place: &usize| json!(ids[place])).collect();
        assert_eq!((rows, &found["total"]), (expected, &json!(wanted.len())), "{query}");
    }
    let by_id = project.api.get(&format!("/webhooks?q={}", ids[2])).await.expect(200);
    assert_eq!((&by_id["total"], &by_id["data"][0]["id"]), (&json!(1), &json!(ids[2])));
    // Page after page.
    let first = project.api.get("/webhooks?q=127.0.0.1&limit=3").await.expect(200);
    let cursor = first["cursor"].as_str().expect("there is more");
    let rest = project.api.get(&format!("/webhooks?q=127.0.0.1&limit=3&cursor={cursor}")).await.expect(200);
    assert_eq!((&first["total"], &rest["data"][0]["id"], &rest["cursor"]), (&json!(4), &json!(ids[0]), &json!(null)));
    for (query, words) in [
        ("failing=yes", "true or false"),
        ("status=broken", "one of active, paused, disabled"),
        (&format!("q={}", "a".repeat(201)), "at most 200 characters"),
    ] {
        let refused = project.api.get(&format!("/webhooks?{query}")).await.expect(400);
        assert!(refused["detail"].as_str().expect("a reason").contains(words), "{refused}");
    }
}
