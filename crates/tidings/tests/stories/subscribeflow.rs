//! SubscribeFlow: webhooks of an organization, limited by its tier, with a log.

use http::Method;
use serde_json::json;
use tidings_testkit::{Answer, Api, Behaviour, Received, Signature, Verifier, operator, unix_seconds, until};

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

const RESEND_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// What Resend sends to the address that the guide names, signed by the library its users have.
async fn resend_sends(scene: &Scene, id: &str, event_type: &str, to: &str, secret: &str) -> Answer {
    let data = json!({"email_id": "4ef9a417", "from": "news@example.com", "to": [to], "subject": "Hello"});
    let body = json!({"type": event_type, "created_at": "2026-05-25T10:00:00.000Z", "data": data}).to_string();
    let now_s = i64::try_from(unix_seconds()).expect("seconds fit");
    let library = svix::webhooks::Webhook::new(secret).expect("a secret");
    let signature = library.sign(id, now_s, body.as_bytes()).expect("a signature");
    let api = Api::anonymous(scene.server.client()).with_base("/webhooks").with_header("svix-id", id);
    let api = api.with_header("svix-timestamp", &now_s.to_string()).with_header("svix-signature", &signature);
    api.send(Method::POST, "/resend", body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounces_complaints_and_deliveries_change_subscribers_and_go_out_as_events() {
    let mut scene = Scene::begin("subscribeflow").await;
    scene.receiver.route("/hook", Behaviour::Ok);
    scene.webhook(json!({"events": ["subscriber.updated"]})).await;
    let project = scene.project_id.clone();
    scene.server.stop().await;
    scene.server.use_flags(&["--allow-http", "--allow-target", "127.0.0.0/8", "--resend-project", &project]);
    scene.server.restart().await;

    // The preset has made the source. It takes nothing in until it has the secret of Resend's webhook.
    let source = scene.api.get("/sources").await.expect(200)["data"][0].clone();
    assert_eq!(
        (&source["name"], &source["kind"], &source["enabled"]),
        (&json!("resend"), &json!("resend"), &json!(false))
    );
    resend_sends(&scene, "msg_0", "email.bounced", "ann@example.com", RESEND_SECRET).await.expect(404);
    let path = format!("/sources/{}", text(&source, "id"));
    let mut change = json!({"name": "resend", "kind": "resend", "actions": source["actions"], "enabled": true});
    assert_eq!(scene.api.put(&path, &change).await.expect(422)["errors"][0]["field"], "secrets");
    change["secrets"] = json!([RESEND_SECRET]);
    scene.api.put(&path, &change).await.expect(200);

    resend_sends(&scene, "msg_1", "email.delivered", "Ann@Example.com", RESEND_SECRET).await.expect(200);
    resend_sends(&scene, "msg_2", "email.delivered", "ann@example.com", RESEND_SECRET).await.expect(200);
    resend_sends(&scene, "msg_2", "email.delivered", "ann@example.com", RESEND_SECRET).await.expect(200);
    resend_sends(&scene, "msg_3", "email.bounced", "ann@example.com", RESEND_SECRET).await.expect(200);
    resend_sends(&scene, "msg_4", "email.complained", "bob@example.com", RESEND_SECRET).await.expect(200);
    let forged =
        resend_sends(&scene, "msg_5", "email.bounced", "bob@example.com", "whsec_Zm9yZ2VkZm9yZ2VkZm9yZ2VkZm9yZ2Vk")
            .await;
    forged.expect(401);
    resend_sends(&scene, "msg_6", "email.opened", "bob@example.com", RESEND_SECRET).await.expect(200);

    let sent = scene.receiver.wait_for("/hook", 4, BOUND).await;
    let told = |request: &Received| {
        let body = request.json();
        let subscriber = &body["data"]["subscriber"];
        format!("{} {} {}", text(&body, "type"), text(subscriber, "email"), subscriber["status"])
    };
    let mut told: Vec<_> = sent.iter().map(told).collect();
    told.sort();
    let expected = [
        "subscriber.updated ann@example.com \"bounced\"",
        "subscriber.updated ann@example.com null",
        "subscriber.updated ann@example.com null",
        "subscriber.updated bob@example.com \"complained\"",
    ];
    assert_eq!(told, expected);
    let record =
        async |key: &str| scene.api.get(&format!("/records/subscriber/{key}")).await.expect(200)["data"].clone();
    let (ann, bob) = (record("ann@example.com").await, record("bob@example.com").await);
    assert_eq!((&ann["status"], &ann["delivered_count"]), (&json!("bounced"), &json!(2)), "{ann}");
    assert_eq!((&bob["status"], &bob["email"]), (&json!("complained"), &json!("bob@example.com")), "{bob}");
}
