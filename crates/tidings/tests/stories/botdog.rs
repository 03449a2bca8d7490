//! Botdog: lead events of campaigns, in flat bodies, to webhooks with a scope.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tidings_domain::{delivery::DeliveryState, profile::Profile};
use tidings_testkit::{Behaviour, Signature, Verifier};

use crate::{BOUND, Scene, text};

impl Scene {
    async fn lead(&self, campaign: &str) -> Value {
        let data = json!({"campaignId": campaign, "contactLinkedinUrl": "https://www.linkedin.com/in/grace-example"});
        let request = json!({"type": "LEAD_MESSAGE_REPLIED", "data": data, "scope": campaign});
        self.api.post("/events", &request).await.expect(202)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_20_a_webhook_gets_the_events_of_its_campaigns_only() {
    let scene = Scene::begin("botdog").await;
    for path in ["/some", "/all"] {
        scene.receiver.route(path, Behaviour::Ok);
    }
    let some = scene.webhook(json!({"path": "/some", "scopes": ["spring"]})).await;
    scene.webhook(json!({"path": "/all"})).await;
    assert_eq!(scene.lead("autumn").await["deliveries"], 1);
    assert_eq!(scene.lead("spring").await["deliveries"], 2);

    scene.receiver.wait_for("/all", 2, BOUND).await;
    let request = scene.receiver.wait_for("/some", 1, BOUND).await.remove(0);
    let body = request.json();
    assert_eq!(body["campaignId"], "spring");
    assert_eq!(
        (&body["eventType"], &body["humanReadableEventName"]),
        (&json!("LEAD_MESSAGE_REPLIED"), &json!("Received a reply"))
    );
    assert_eq!(body["id"], json!(request.header("x-tidings-delivery")), "the delivery's id");
    Verifier { signature: Signature::Botdog, secret: Some(text(&some, "secret")) }
        .check(&request.headers, &request.body)
        .expect("a valid signature");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_11_the_secret_is_shown_once() {
    let scene = Scene::begin("botdog").await;
    let webhook = scene.webhook(json!({})).await;
    let secret = text(&webhook, "secret");
    let path = format!("/webhooks/{}", text(&webhook, "id"));
    for place in [path.as_str(), "/webhooks"] {
        let shown = scene.api.get(place).await.expect(200).to_string();
        assert!(!shown.contains(secret.trim_start_matches("whsec_")), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_attempts_fail_the_delivery_and_the_webhook_stays_active() {
    let scene = Scene::begin("botdog").await;
    scene.receiver.route("/hook", Behaviour::Status(422));
    let webhook = scene.webhook(json!({})).await;
    let path = format!("/webhooks/{}", text(&webhook, "id"));
    let waits = [0.0, 60.0, 120.0, 240.0, 480.0, 960.0];
    assert_eq!(webhook["retry"]["schedule_s"], json!(waits));
    let soon = json!({"retry": {"schedule_s": [0, 0.1, 0.1, 0.1, 0.1, 0.1]}});
    scene.api.put(&path, &soon).await.expect(200);

    let event = scene.lead("spring").await;

    assert_eq!(scene.delivery(&event, "failed").await["attempt_count"], 6, "every answer but 2xx is tried again");
    let ids: BTreeSet<_> =
        scene.receiver.requests_at("/hook").iter().map(|request| text(&request.json(), "id")).collect();
    assert_eq!(ids.len(), 1, "one id to deduplicate by");
    assert_eq!(scene.api.get(&path).await.expect(200)["status"], "active");
    scene.receiver.route("/hook", Behaviour::Ok);
    let next = scene.lead("spring").await;
    scene.delivery(&next, "delivered").await;

    let words = [DeliveryState::Pending, DeliveryState::Retrying, DeliveryState::Delivered, DeliveryState::Failed];
    assert_eq!(words.map(|state| Profile::Botdog.state_word(state)), ["PENDING", "RETRYING", "SUCCESS", "FAILED"]);
}
