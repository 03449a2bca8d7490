//! A customer wants only some of its events: it tries a filter on what was published lately, saves
//! it, changes it, and takes it off again.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Receiver, Server, Signature, World};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(20);
const EVENT_TYPE: &str = "order.paid";
const HOOK: &str = "/hook";

fn big_orders() -> Value {
    json!({"all": [
        {"path": "/data/total", "op": "gte", "value": 100},
        {"not": {"path": "/data/test", "op": "eq", "value": true}},
    ]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_tries_a_filter_saves_it_and_gets_only_what_passes() {
    // Given a project in which events were published already,
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let shop = &project.api;
    let publish =
        async |data: Value| shop.post("/events", &json!({"type": EVENT_TYPE, "data": data})).await.expect(202);
    let small = publish(json!({"total": 99.99})).await;
    let big = publish(json!({"total": 100, "test": false})).await;
    let raw = json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "MTAw", "scope": "eu"});
    let raw = shop.post("/events", &raw).await.expect(202);

    // a filter says before it is saved which of them would have been sent, and why the others not.
    let tried = shop.post("/webhooks/test-filter", &json!({"filter": big_orders()})).await.expect(200);
    assert_eq!((&tried["matched"], &tried["tested"]), (&json!(1), &json!(3)));
    let said = |tried: &Value| -> Vec<(Value, Value)> {
        let rows = tried["data"].as_array().expect("rows").clone();
        rows.into_iter().map(|row| (row["event_id"].clone(), row["reason"].clone())).collect()
    };
    assert_eq!(
        said(&tried),
        [
            (raw["id"].clone(), json!("filter")),
            (big["id"].clone(), json!(null)),
            (small["id"].clone(), json!("filter"))
        ]
    );
    let eu = json!({"filter": {"path": "/type", "op": "exists"}, "events": ["order.*"], "scopes": ["eu"], "limit": 2});
    let tried = shop.post("/webhooks/test-filter", &eu).await.expect(200);
    assert_eq!(said(&tried), [(raw["id"].clone(), json!(null)), (big["id"].clone(), json!("scope"))]);
    let other = json!({"filter": {"path": "/type", "op": "exists"}, "events": ["user.*"], "limit": 1});
    assert_eq!(said(&shop.post("/webhooks/test-filter", &other).await.expect(200))[0].1, "event_type");
    let later = json!({"filter": big_orders(), "since": "2100-01-01T00:00:00Z"});
    assert_eq!(shop.post("/webhooks/test-filter", &later).await.expect(200)["tested"], 0);

    // Saved, it is shown as it was given,
    let webhook =
        world.subscribe(&project, &receiver, HOOK, Signature::Standard, json!({"filter": big_orders()})).await;
    let path = format!("/webhooks/{}", webhook.webhook_id);
    let shown = shop.get(&path).await.expect(200);
    assert_eq!(shown["filter"], big_orders());
    // and lets through what passes: also after the server has read it back.
    for (data, deliveries) in
        [(json!({"total": 1e2}), 1), (json!({"total": 99}), 0), (json!({"total": 500, "test": true}), 0), (json!(1), 0)]
    {
        assert_eq!(publish(data.clone()).await["deliveries"], deliveries, "{data}");
    }
    let changed = shop.patch(&path, &json!({"name": "big orders"})).await.expect(200);
    assert_eq!(changed["filter"], big_orders(), "what is not given stays");
    let request = receiver.wait_for(HOOK, 1, BOUND).await.remove(0);
    assert!(request.body.ends_with(br#""data":{"total":100.0}}"#), "{:?}", request.body);

    // It can be replaced and taken off.
    let by_type = json!({"path": "/type", "op": "suffix", "value": ".refunded"});
    shop.patch(&path, &json!({"filter": by_type})).await.expect(200);
    assert_eq!(publish(json!({"total": 500})).await["deliveries"], 0);
    assert_eq!(shop.patch(&path, &json!({"filter": null})).await.expect(200)["filter"], json!(null));
    assert_eq!(publish(json!({"total": 1})).await["deliveries"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_filter_is_refused_with_the_place_of_each_mistake() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let shop = world.project("acme", EVENT_TYPE).await.api;
    let wrong = json!({"any": [
        {"path": "/data/plan", "op": "like", "value": "p%"},
        {"path": "plan", "op": "eq", "value": 1},
        {"all": []},
    ]});
    let fields = |problem: &Value| -> Vec<String> {
        let errors = problem["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect()
    };
    let expected = ["filter.any[0].op", "filter.any[1].path", "filter.any[2].all"];
    let request = json!({"url": "http://127.0.0.1:9/hook", "filter": wrong});
    let problem = shop.post("/webhooks", &request).await.expect(422);
    assert_eq!(
        (&problem["code"], fields(&problem)),
        (&json!("validation_failed"), expected.map(String::from).to_vec())
    );
    assert_eq!(shop.get("/webhooks").await.expect(200)["total"], 0, "nothing was made");

    let tested = |more: Value| {
        let mut request = json!({"filter": {"path": "/type", "op": "exists"}});
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        request
    };
    for (request, field) in [
        (json!({}), "filter"),
        (tested(json!({"filter": 5})), "filter"),
        (tested(json!({"filter": null})), "filter"),
        (tested(json!({"limit": 0})), "limit"),
        (tested(json!({"limit": 101})), "limit"),
        (tested(json!({"events": ["a b"]})), "events[0]"),
        (tested(json!({"scopes": [""]})), "scopes[0]"),
        (tested(json!({"since": "yesterday"})), "since"),
        (tested(json!({"webhook_id": "wh_1"})), "webhook_id"),
    ] {
        let problem = shop.post("/webhooks/test-filter", &request).await.expect(422);
        assert_eq!(fields(&problem), [field], "{request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn test_events_are_no_events_that_a_filter_is_tried_on() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
    project.api.post(&format!("/webhooks/{}/test", webhook.webhook_id), &json!({})).await.expect(200);
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    let all = json!({"filter": {"path": "/type", "op": "exists"}});
    let tested = project.api.post("/webhooks/test-filter", &all).await.expect(200);
    assert_eq!((&tested["tested"], &tested["matched"]), (&json!(1), &json!(1)), "{tested}");
}
