//! Why did this webhook not get that event, and why does this delivery wait? The API says so.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Receiver, Server, Signature, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(20);
const EVENT_TYPE: &str = "order.paid";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_says_who_got_it_and_why_the_others_did_not() {
    // Given webhooks of which one selects the event, and each other one does not for a reason of its own,
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let shop = &project.api;
    let hook = async |more: Value| {
        let mut request = json!({"url": receiver.url("/hook")});
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        shop.post("/webhooks", &request).await.expect(201)["id"].clone()
    };
    receiver.route("/hook", Behaviour::Ok);
    let matching = hook(json!({})).await;
    let other_type = hook(json!({"events": ["user.*"]})).await;
    let other_scope = hook(json!({"scopes": ["us"]})).await;
    let picky = hook(json!({"filter": {"path": "/data/total", "op": "gt", "value": 100}})).await;
    let disabled = hook(json!({"enabled": false})).await;
    let reopened = hook(json!({"enabled": false})).await;

    // when an event is published, and webhooks are made and changed afterwards,
    let event =
        shop.post("/events", &json!({"type": EVENT_TYPE, "data": {"total": 5}, "scope": "eu"})).await.expect(202);
    assert_eq!(event["deliveries"], 1);
    let later = hook(json!({})).await;
    shop.post(&format!("/webhooks/{}/enable", reopened.as_str().expect("an id")), &json!({})).await.expect(200);

    // then the event explains each of them,
    let path = format!("/events/{}", event["id"].as_str().expect("an id"));
    let explained = async |id: &Value| {
        let event = shop.get(&path).await.expect(200);
        let rows = event["explanation"].as_array().expect("rows").clone();
        rows.into_iter().find(|row| row["webhook_id"] == *id).expect("a row for the webhook")
    };
    for (id, reason) in [
        (&other_type, "event_type"),
        (&other_scope, "scope"),
        (&picky, "filter"),
        (&disabled, "disabled"),
        (&reopened, "changed_later"),
        (&later, "created_later"),
    ] {
        let row = explained(id).await;
        assert_eq!((&row["matched"], &row["reason"]), (&json!(false), &json!(reason)), "{row}");
        assert!(row["detail"].as_str().is_some_and(|detail| detail.contains("webhook")), "{row}");
        assert_eq!(row["changed_at"].is_string(), reason == "changed_later", "{row}");
    }
    let row = explained(&matching).await;
    assert_eq!((&row["matched"], &row["reason"], &row["detail"]), (&json!(true), &json!(null), &json!(null)));
    assert_eq!(shop.get("/events").await.expect(200)["data"][0].get("explanation"), None, "lists stay short");

    // also after a change that would make it another reason, and after the webhook's end.
    let change = json!({"events": ["user.*"]});
    shop.patch(&format!("/webhooks/{}", picky.as_str().expect("an id")), &change).await.expect(200);
    let row = explained(&picky).await;
    assert_eq!((&row["reason"], row["changed_at"].is_string()), (&json!("event_type"), true), "{row}");
    shop.delete(&format!("/webhooks/{}", matching.as_str().expect("an id"))).await.expect(204);
    assert_eq!(explained(&matching).await["matched"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_says_what_it_waits_for_and_until_when() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let retry = json!({"retry": {"schedule_s": [0, 3600], "jitter": 0}});
    let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, retry).await;
    receiver.route("/hook", Behaviour::Status(500));
    let event = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    let path = format!("/events/{}", event["id"].as_str().expect("an id"));
    let delivery = async |waiting_for: &str| {
        until("a delivery that waits", BOUND, async || {
            let event = project.api.get(&path).await.expect(200);
            event["deliveries"].get(0).filter(|delivery| delivery["waiting_for"] == waiting_for).cloned()
        })
        .await
    };
    let scheduled = delivery("schedule").await;
    assert!(scheduled["waiting_until"].is_string(), "{scheduled}");
    assert_eq!(scheduled["waiting_until"], scheduled["next_retry_at"]);
    project.api.post(&format!("/webhooks/{}/disable", webhook.webhook_id), &json!({})).await.expect(200);
    assert_eq!(delivery("held").await["waiting_until"], json!(null));
}
