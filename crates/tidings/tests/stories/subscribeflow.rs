//! SubscribeFlow: webhooks of an organization, limited by its tier, with a log.

use serde_json::json;
use tidings_testkit::{Behaviour, Signature, Verifier, operator, until};

use crate::{BOUND, Scene, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_supplies_the_secret_and_gets_what_the_guide_shows() {
    let scene = Scene::begin("subscribeflow").await;
    scene.receiver.route("/hook", Behaviour::Ok);
    let secret = "whsec_your-secret-key";
    let webhook = scene.webhook(json!({"events": ["subscriber.created", "tag.subscribed"], "secret": secret})).await;
    assert_eq!(webhook["profile"], "subscribeflow");
    let data = json!({"subscriber": {"id": "sub_abc123", "email": "user@example.com"},
        "tag": {"id": "tag_xyz789", "name": "product-updates"}, "source": "preference_center"});

    let event = scene.publish("tag.subscribed", data.clone()).await;
    assert_eq!(
        scene.publish("subscriber.updated", json!({"subscriber": {"id": "s", "email": "e@example.com"}})).await["deliveries"],
        0
    );

    let request = scene.receiver.wait_for("/hook", 1, BOUND).await.remove(0);
    Verifier { signature: Signature::SubscribeFlow, secret: Some(secret.to_owned()) }
        .check(&request.headers, &request.body)
        .expect("the guide's verification accepts it");
    let body = request.json();
    assert_eq!((&body["id"], &body["type"], &body["data"]), (&event["id"], &json!("tag.subscribed"), &data));
    assert_eq!(text(&body, "created_at").len(), "2024-01-15T10:30:00Z".len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_failed_attempts_deactivate_the_webhook_and_the_log_tells() {
    let scene = Scene::begin("subscribeflow").await;
    scene.receiver.route("/hook", Behaviour::Status(500));
    let webhook = scene.webhook(json!({})).await;
    let path = format!("/webhooks/{}", text(&webhook, "id"));
    assert_eq!(webhook["retry"]["schedule_s"], json!([0.0, 300.0, 1_800.0, 7_200.0, 86_400.0]));
    let soon = json!({"retry": {"schedule_s": [0, 0.1, 0.1, 0.1, 0.1]}});
    scene.api.put(&path, &soon).await.expect(200);

    let event = scene.publish("subscriber.deleted", json!({"subscriber": {"id": "s", "email": "e@example.com"}})).await;

    assert_eq!(scene.delivery(&event, "failed").await["attempt_count"], 5);
    let shown = until("the deactivation", BOUND, async || {
        Some(scene.api.get(&path).await.expect(200)).filter(|shown| shown["status"] == "disabled")
    })
    .await;
    assert_eq!(shown["disabled_reason"], "exhausted");
    let logs =
        scene.api.clone().with_base("/compat/subscribeflow/api/v1").get(&format!("{path}/logs")).await.expect(200);
    let line = &logs["data"][0];
    assert_eq!((&line["event_type"], &line["status"]), (&json!("subscriber.deleted"), &json!("failed")));
    assert_eq!((&line["response_code"], &line["retry_count"]), (&json!(500), &json!(4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiers_limit_webhooks_and_a_4xx_is_not_retried() {
    let scene = Scene::begin("subscribeflow").await;
    let plan = format!("/organizations/{}/plan", scene.organization_id);
    operator(&scene.server).put(&plan, &json!({"plan": "free"})).await.expect(200);
    let request = json!({"url": scene.receiver.url("/hook")});
    assert_eq!(scene.api.post("/webhooks", &request).await.expect(403)["code"], "limit_exceeded");

    operator(&scene.server).put(&plan, &json!({"plan": "starter"})).await.expect(200);
    scene.receiver.route("/hook", Behaviour::Status(404));
    scene.webhook(json!({})).await;
    let event = scene
        .publish(
            "tag.unsubscribed",
            json!({"subscriber": {"id": "s", "email": "e@example.com"}, "tag": {"id": "t", "name": "n"}}),
        )
        .await;
    assert_eq!(scene.delivery(&event, "dropped").await["attempt_count"], 1);
}
