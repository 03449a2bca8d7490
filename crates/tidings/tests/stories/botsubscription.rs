//! BotSubscription: members subscribe, pay and lose access, and each project's server hears of its own.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Behaviour, Signature, Verifier};
use tokio::time::Instant;

use crate::{BOUND, Scene, project, text};

const EVENT: &str = "payment-request.completed";

fn payment() -> serde_json::Value {
    json!({"payment_request_id": "p-1", "project_id": "club", "amount": "19.99", "currency": "USD", "settled_at": null})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_01_every_webhook_is_strictly_tied_to_a_single_project() {
    let scene = Scene::begin("botsubscription").await;
    let (other, _) = project(&scene.api, "botsubscription").await;
    for path in ["/own", "/other"] {
        scene.receiver.route(path, Behaviour::Ok);
    }
    scene.webhook(json!({"path": "/own"})).await;
    other.post("/webhooks", &json!({"url": scene.receiver.url("/other")})).await.expect(201);

    let event = scene.publish(EVENT, payment()).await;

    assert_eq!(event["deliveries"], 1);
    scene.delivery(&event, "delivered").await;
    assert_eq!((scene.receiver.count_at("/own"), scene.receiver.count_at("/other")), (1, 0), "no leakage, no fan-out");
    let request = scene.receiver.requests_at("/own").remove(0);
    assert_eq!(request.header("x-project-id"), scene.project_id);
    let body = request.json();
    assert_eq!((&body["event"], &body["schema_version"]), (&json!(EVENT), &json!("v1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_02_events_are_enqueued_instantly_and_pushed_without_blocking_the_checkout() {
    let scene = Scene::begin("botsubscription").await;
    let wait = Duration::from_secs(3);
    scene.receiver.route("/hook", Behaviour::Slow { wait, status: 200 });
    scene.webhook(json!({})).await;

    let began = Instant::now();
    let event = scene.publish(EVENT, payment()).await;

    assert!(began.elapsed() < wait, "the answer waits for nobody's receiver");
    assert_eq!(event["deliveries"], 1);
    scene.delivery(&event, "delivered").await;
    assert!(began.elapsed() >= wait);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_06_a_404_is_retried_with_a_fresh_t_and_the_same_bytes() {
    let scene = Scene::begin("botsubscription").await;
    scene.receiver.route("/hook", Behaviour::Status(404));
    let webhook = scene.webhook(json!({"retry": {"schedule_s": [0, 1.1, 1.1], "jitter": 0}})).await;
    assert_eq!(text(&webhook, "secret").len(), 64);
    let event = scene.publish(EVENT, payment()).await;
    scene.receiver.wait_for("/hook", 2, BOUND).await;
    scene.receiver.route("/hook", Behaviour::Ok);
    scene.delivery(&event, "delivered").await;

    let requests = scene.receiver.requests_at("/hook");
    assert_eq!(requests.len(), 3);
    let verifier = Verifier { signature: Signature::BotSubscription, secret: Some(text(&webhook, "secret")) };
    let mut times = Vec::new();
    for request in &requests {
        assert_eq!(request.body, requests[0].body, "byte for byte identical on every attempt");
        verifier.check(&request.headers, &request.body).expect("a valid signature");
        let signature = request.header("x-webhook-signature");
        assert!(signature.starts_with("v1="), "{signature}");
        times.push(signature.rsplit_once(",t=").expect("a time").1.to_owned());
    }
    assert!(times.windows(2).all(|pair| pair[0] != pair[1]), "t is the time of the attempt: {times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_07_a_422_is_dropped_at_once() {
    let scene = Scene::begin("botsubscription").await;
    scene.receiver.route("/hook", Behaviour::Status(422));
    scene.webhook(json!({})).await;
    let event = scene.publish(EVENT, payment()).await;
    let dropped = scene.delivery(&event, "dropped").await;
    assert_eq!((&dropped["attempt_count"], &dropped["response_status_code"]), (&json!(1), &json!(422)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_08_an_answer_after_the_deadline_is_retried() {
    let scene = Scene::begin("botsubscription").await;
    scene.receiver.route("/hook", Behaviour::Slow { wait: Duration::from_millis(1_500), status: 200 });
    let webhook = scene.webhook(json!({})).await;
    assert_eq!(webhook["timeout_ms"], 10_000, "ten seconds; one is enough to show it");
    let path = format!("/webhooks/{}", text(&webhook, "id"));
    scene.api.put(&path, &json!({"timeout_ms": 1_000})).await.expect(200);
    let event = scene.publish(EVENT, payment()).await;
    let retrying = scene.delivery(&event, "retrying").await;
    assert!(retrying["response_status_code"].is_null() && retrying["error_message"].is_string(), "{retrying}");
}
