//! From one call to a signed, retried, visible delivery: what a platform, its customer and the
//! receiver see, told in the order in which they would try it.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{
    Api, Behaviour, Project, Receiver, Server, Signature, Subscription, Verifier, World, operator, until,
};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "tag.subscribed";
/// Everything here takes milliseconds; the rest is for a machine that is busy with other things.
const BOUND: Duration = Duration::from_secs(20);
const HOOK: &str = "/hook";

/// A server, a receiver, and a customer with an event type in its catalogue.
struct Scene {
    receiver: Receiver,
    world: World,
    project: Project,
    // Both end when the story does.
    _server: Server,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        Self { receiver, world, project, _server: server }
    }

    async fn webhook(&mut self, request: Value) -> Subscription {
        self.world.subscribe(&self.project, &self.receiver, HOOK, Signature::Standard, request).await
    }

    async fn publish(&self) -> Value {
        self.project.api.post("/events", &json!({"type": EVENT_TYPE, "data": {"tag": "vip"}})).await.expect(202)
    }

    /// Waits until the event's only delivery is in this state, and returns it with its attempts.
    async fn delivery(&self, event: &Value, status: &str) -> Value {
        delivery_in(&self.project.api, event["id"].as_str().expect("an id"), status).await
    }

    async fn webhook_now(&self, webhook: &Subscription) -> Value {
        self.project.api.get(&format!("/webhooks/{}", webhook.webhook_id)).await.expect(200)
    }

    async fn post_to(&self, webhook: &Subscription, action: &str) -> Value {
        self.project.api.post(&format!("/webhooks/{}/{action}", webhook.webhook_id), &json!({})).await.expect(200)
    }
}

async fn delivery_in(api: &Api, event_id: &str, status: &str) -> Value {
    until(&format!("a delivery that is {status}"), BOUND, async || {
        let event = api.get(&format!("/events/{event_id}")).await.expect(200);
        let delivery = event["deliveries"].get(0).filter(|delivery| delivery["status"] == status)?.clone();
        Some(api.get(&format!("/deliveries/{}", delivery["id"].as_str()?)).await.expect(200))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_publishes_and_its_customer_receives_a_signed_request() {
    // Given a platform's operator, who makes a customer with a project and a key for it,
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let organization = operator(&server).post("/organizations", &json!({"name": "acme"})).await.expect(201);
    let acme = operator(&server).with_header("x-organization-id", organization["id"].as_str().expect("an id"));
    let project = acme.post("/projects", &json!({"name": "shop"})).await.expect(201);
    let made = acme.post("/api-keys", &json!({"name": "shop", "project_id": project["id"]})).await.expect(201);
    assert_eq!(acme.get("/api-keys").await.expect(200)["data"][0].get("key"), None, "a key is shown once");
    let shop = acme.clone().with_key(made["key"].as_str().expect("the key, this once"));

    // an event type, and a webhook whose secret is shown once,
    acme.post("/event-types", &json!({"name": EVENT_TYPE, "description": "Tag subscribed"})).await.expect(201);
    let request = json!({"url": receiver.url(HOOK), "events": ["tag.*"], "headers": {"X-Tenant": "acme-42"}});
    let webhook = shop.post("/webhooks", &request).await.expect(201);
    let secret = webhook["secret"].as_str().expect("the secret, this once").to_owned();
    let path = format!("/webhooks/{}", webhook["id"].as_str().expect("an id"));
    assert_eq!(shop.get(&path).await.expect(200).get("secret"), None, "a secret is shown once");
    receiver.route(HOOK, Behaviour::Ok);

    // when it publishes with one call,
    let data = r#"{"amount":1.0,  "tag":"vip \u00fc"}"#;
    let body = format!(r#"{{"type":"{EVENT_TYPE}","data":{data}}}"#);
    let event = shop.send(http::Method::POST, "/events", body).await.expect(202);
    assert_eq!((&event["type"], &event["deliveries"]), (&json!(EVENT_TYPE), &json!(1)));

    // then the receiver gets the published bytes in their envelope, with a signature that holds,
    let request = receiver.wait_for(HOOK, 1, BOUND).await.remove(0);
    let (id, created_at) = (event["id"].as_str().expect("an id"), event["created_at"].as_str().expect("a time"));
    let envelope = format!(r#"{{"id":"{id}","type":"{EVENT_TYPE}","created_at":"{created_at}","data":{data}}}"#);
    assert_eq!(request.method, "POST");
    assert_eq!(request.body, envelope);
    Verifier { signature: Signature::Standard, secret: Some(secret.clone()) }
        .check(&request.headers, &request.body)
        .expect("a valid signature");
    for (name, value) in [
        ("webhook-id", id),
        ("content-type", "application/json"),
        ("x-tidings-event", EVENT_TYPE),
        ("x-tidings-event-id", id),
        ("x-tidings-attempt", "1"),
        ("x-tenant", "acme-42"),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert!(request.header("user-agent").starts_with("Tidings/"));

    // and the customer sees what was sent, without what is secret.
    let delivery = delivery_in(&shop, id, "delivered").await;
    let sent = &delivery["attempts"][0]["request"];
    assert_eq!(sent["url"], receiver.url(HOOK));
    assert_eq!(sent["body"], envelope.as_str());
    assert_eq!(sent["headers"]["webhook-signature"], "v1,********");
    assert_eq!(sent["headers"]["x-tenant"], "********");
    assert_eq!(sent["headers"]["webhook-timestamp"], request.header("webhook-timestamp"));
    assert!(!delivery.to_string().contains(secret.trim_start_matches("whsec_")));
    assert_eq!(shop.get(&path).await.expect(200)["last_event"]["type"], EVENT_TYPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_repeated_is_the_same_event() {
    let mut scene = Scene::begin().await;
    scene.webhook(json!({})).await;
    let shop = scene.project.api.clone().with_header("idempotency-key", "order-4711");

    let first = shop.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await;
    let again = shop.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await;
    assert_eq!(again.expect(202), first.expect(202));
    assert_eq!((first.header("idempotent-replay"), again.header("idempotent-replay")), (None, Some("true")));

    let other = shop.post("/events", &json!({"type": EVENT_TYPE, "data": 2})).await.expect(409);
    assert_eq!(other["code"], "idempotency_conflict");

    scene.delivery(&first.json(), "delivered").await;
    assert_eq!(scene.receiver.count_at(HOOK), 1);
    assert_eq!(scene.project.api.get("/events").await.expect(200)["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_endpoint_is_retried_with_the_same_bytes_and_each_attempt_is_on_record() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(json!({"retry": {"schedule_s": [0, 0.2, 0.2], "jitter": 0}})).await;
    scene.receiver.route(HOOK, Behaviour::FailsFirst(2));

    let event = scene.publish().await;

    let requests = scene.receiver.wait_for(HOOK, 3, BOUND).await;
    assert!(requests.windows(2).all(|pair| pair[1].body == pair[0].body), "every attempt sends the same bytes");
    for name in ["webhook-id", "x-tidings-delivery"] {
        assert!(requests.windows(2).all(|pair| pair[1].header(name) == pair[0].header(name)), "{name}");
    }
    let waits: Vec<_> = requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(200)), "{waits:?}");

    let delivery = scene.delivery(&event, "delivered").await;
    let attempts = delivery["attempts"].as_array().expect("attempts");
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["response"]["status"].clone()).collect();
    assert_eq!(statuses, [503, 503, 200]);
    assert_eq!((&delivery["attempt_count"], &delivery["next_retry_at"]), (&json!(3), &Value::Null));
    assert_eq!(scene.webhook_now(&webhook).await["failure_count"], 0, "a success forgives failures");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_stays_broken_ends_as_failed_and_shows_what_it_answered() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(json!({"retry": {"schedule_s": [0, 0.1, 0.1], "jitter": 0}})).await;
    let headers = &[("x-request-cost", "12"), ("content-type", "text/plain")];
    scene.receiver.route(HOOK, Behaviour::Reply { status: 500, headers, body: "out of order" });

    let event = scene.publish().await;

    let delivery = scene.delivery(&event, "failed").await;
    assert_eq!((&delivery["attempt_count"], &delivery["response_status_code"]), (&json!(3), &json!(500)));
    let response = &delivery["attempts"][2]["response"];
    assert_eq!((&response["body"], &response["truncated"]), (&json!("out of order"), &json!(false)));
    assert!(response["headers"].as_array().expect("headers").contains(&json!(["x-request-cost", "12"])), "{response}");
    let shown = scene.webhook_now(&webhook).await;
    assert_eq!((&shown["failure_count"], &shown["status"]), (&json!(3), &json!("active")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_webhook_holds_what_is_pending_and_goes_on_when_it_is_enabled() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(json!({"retry": {"schedule_s": [0, 2], "jitter": 0}})).await;
    scene.receiver.route(HOOK, Behaviour::FailsFirst(1));
    let pending = scene.publish().await;
    let delivery = scene.delivery(&pending, "retrying").await;

    let disabled = scene.post_to(&webhook, "disable").await;
    assert_eq!((&disabled["status"], &disabled["disabled_reason"]), (&json!("disabled"), &json!("manual")));
    assert_eq!(scene.publish().await["deliveries"], 0, "new events pass a disabled webhook by");
    let path = format!("/deliveries/{}", delivery["id"].as_str().expect("an id"));
    assert_eq!(scene.project.api.get(&path).await.expect(200)["waiting_for"], "held");
    let refused = scene.project.api.post(&format!("{path}/retry"), &json!({})).await.expect(409);
    assert_eq!(refused["code"], "webhook_disabled");

    let enabled_at = Instant::now();
    assert_eq!(scene.post_to(&webhook, "enable").await["status"], "active");
    scene.delivery(&pending, "delivered").await;
    let requests = scene.receiver.requests_at(HOOK);
    assert_eq!(requests.len(), 2);
    assert!(requests[1].at >= enabled_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_event_is_sent_at_once_and_counts_against_nobody() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(json!({"enabled": false})).await;

    let good = scene.post_to(&webhook, "test").await;
    assert_eq!((&good["success"], &good["status_code"], &good["error"]), (&json!(true), &json!(200), &Value::Null));
    let request = scene.receiver.wait_for(HOOK, 1, BOUND).await.remove(0);
    assert_eq!(request.json()["type"], "test.webhook");
    webhook.verifier.check(&request.headers, &request.body).expect("a valid signature");

    scene.receiver.route(HOOK, Behaviour::Status(500));
    let bad = scene.post_to(&webhook, "test").await;
    assert_eq!((&bad["success"], &bad["status_code"]), (&json!(false), &json!(500)));
    assert_eq!(scene.webhook_now(&webhook).await["failure_count"], 0);

    let history = format!("/webhooks/{}/deliveries", webhook.webhook_id);
    let history = scene.project.api.get(&history).await.expect(200);
    let newest_first: Vec<_> = history["data"].as_array().expect("rows").iter().map(|row| &row["id"]).collect();
    assert_eq!(newest_first, [&bad["delivery_id"], &good["delivery_id"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_sent_again_as_often_as_somebody_asks() {
    let mut scene = Scene::begin().await;
    scene.webhook(json!({"retry": {"schedule_s": [0]}})).await;
    scene.receiver.route(HOOK, Behaviour::Status(500));
    let event = scene.publish().await;
    let failed = scene.delivery(&event, "failed").await;
    let retry = format!("/deliveries/{}/retry", failed["id"].as_str().expect("an id"));

    scene.receiver.route(HOOK, Behaviour::Ok);
    scene.project.api.post(&retry, &json!({})).await.expect(202);
    let delivered = scene.delivery(&event, "delivered").await;
    assert_eq!(delivered["attempt_count"], 2);

    scene.project.api.post(&retry, &json!({})).await.expect(202);
    let requests = scene.receiver.wait_for(HOOK, 3, BOUND).await;
    let attempts: Vec<_> = requests.iter().map(|request| request.header("x-tidings-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    assert!(requests.iter().all(|request| request.body == requests[0].body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_webhook_cancels_what_is_pending() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(json!({"retry": {"schedule_s": [0, 3600]}})).await;
    scene.receiver.route(HOOK, Behaviour::Status(500));
    let event = scene.publish().await;
    let pending = scene.delivery(&event, "retrying").await;
    let path = format!("/webhooks/{}", webhook.webhook_id);

    scene.project.api.delete(&path).await.expect(204);

    assert_eq!(scene.project.api.get(&path).await.expect(404)["code"], "not_found");
    let cancelled = scene.delivery(&event, "cancelled").await;
    assert_eq!(cancelled["attempts"], pending["attempts"], "its history stays");
    let retry = format!("/deliveries/{}/retry", pending["id"].as_str().expect("an id"));
    assert_eq!(scene.project.api.post(&retry, &json!({})).await.expect(409)["code"], "webhook_disabled");
    assert_eq!(scene.publish().await["deliveries"], 0);
    assert_eq!(scene.receiver.count_at(HOOK), 1);
}
