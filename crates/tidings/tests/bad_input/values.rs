//! Values of the right type that cannot be.

use http::Method;
use serde_json::json;

use crate::{EVENT_TYPE, Scene, URL};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_field_of_a_webhook_is_named_at_once() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    for (request, field) in [
        (json!({"timeout_ms": 999}), "timeout_ms"),
        (json!({"timeout_ms": 30_001}), "timeout_ms"),
        (json!({"max_in_flight": 0}), "max_in_flight"),
        (json!({"events": ["**"]}), "events[0]"),
        (json!({"events": vec!["a"; 257]}), "events"),
        (json!({"scopes": [""]}), "scopes[0]"),
        (json!({"scopes": vec!["a"; 257]}), "scopes"),
        (json!({"name": ""}), "name"),
        (json!({"name": "n".repeat(129)}), "name"),
        (json!({"description": "d".repeat(1_025)}), "description"),
        (json!({"secret": "short"}), "secret"),
        (json!({"secret": "not-of-standard-webhooks"}), "secret"),
        (json!({"profile": "unknown"}), "profile"),
        (json!({"headers": {"Host": "x"}}), "headers.Host"),
        (json!({"headers": {"content-length": "1"}}), "headers.content-length"),
        (json!({"headers": {"Transfer-Encoding": "chunked"}}), "headers.Transfer-Encoding"),
        (json!({"headers": {"Connection": "close"}}), "headers.Connection"),
        (json!({"headers": {"Webhook-Signature": "v1,x"}}), "headers.Webhook-Signature"),
        (json!({"headers": {"X-Webhook-Signature": "x"}}), "headers.X-Webhook-Signature"),
        (json!({"headers": {"X-SubscribeFlow-Signature-Previous": "x"}}), "headers.X-SubscribeFlow-Signature-Previous"),
        (json!({"headers": {"X-Tidings-Event": "x"}}), "headers.X-Tidings-Event"),
        (json!({"headers": {"": "x"}}), "headers."),
        (json!({"headers": {"X Y": "x"}}), "headers.X Y"),
        (json!({"headers": {"X-Y": "ü"}}), "headers.X-Y"),
        (json!({"headers": {"X-Y": "x".repeat(1_025)}}), "headers.X-Y"),
        (json!({"signature": {"scheme": "rsa"}}), "signature.scheme"),
        (json!({"signature": {"scheme": "hmac", "header": "Host"}}), "signature.header"),
        (json!({"signature": {"scheme": "hmac", "layout": "no place"}}), "signature.layout"),
        (json!({"signature": {"scheme": "hmac", "signed": "{nothing}"}}), "signature.signed"),
        (json!({"signature": {"scheme": "hmac", "algorithm": "md5"}}), "signature.algorithm"),
        (json!({"signature": ["standard"]}), "signature"),
        (json!({"retry": [[0, 1]]}), "retry"),
        (json!({"retry": {"formula": [1, 2, 3, 4]}}), "retry.formula"),
        (json!({"retry": {"rules": [["404", "retry"]]}}), "retry.rules[0]"),
        (json!({"retry": {"schedule_s": []}}), "retry.schedule_s"),
        (json!({"retry": {"schedule_s": [-1]}}), "retry.schedule_s[0]"),
        (json!({"retry": {"schedule_s": [1e300]}}), "retry.schedule_s[0]"),
        (json!({"retry": {"jitter": 2}}), "retry.jitter"),
        (json!({"retry": {"rules": [{"outcome": "999", "action": "retry"}]}}), "retry.rules[0].outcome"),
        (json!({"retry": {"rules": [{"outcome": "404", "action": "explode"}]}}), "retry.rules[0].action"),
        (json!({"retry": {"on_exhausted": "explode"}}), "retry.on_exhausted"),
        (json!({"retry": {"formula": {"base_s": 1, "factor": 0, "cap_s": 1, "attempts": 0}}}), "retry.formula"),
    ] {
        let mut whole = request.clone();
        whole["url"] = json!(URL);
        let answer = scene.refused(&Method::POST, "/webhooks", whole.to_string()).await;
        let problem = answer.expect_problem(422, "validation_failed");
        assert!(problem.errors.iter().any(|error| error.field.starts_with(field)), "{request}: {answer}");
        let path = format!("/webhooks/{}", scene.webhook);
        scene.refused(&Method::PATCH, &path, request.to_string()).await.expect_problem(422, "validation_failed");
    }
    let several = json!({"url": "ftp://x", "timeout_ms": 1, "events": ["**"], "profile": "none"});
    let answer = scene.refused(&Method::POST, "/webhooks", several.to_string()).await;
    assert_eq!(answer.problem().errors.len(), 4, "{answer}");
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_must_not_be_called_are_refused_with_the_rule() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let own = format!("http://{}/hook", scene.server.address());
    let long = format!("{URL}?{}", "q".repeat(2_048));
    let addresses = [
        "",
        "nonsense",
        "http://",
        "//127.0.0.1/hook",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1\\@10.0.0.1/",
        "http://127.0.0.1 /",
        "http://a@127.0.0.1@10.0.0.1/",
        "http://127.0.0.1%2f/",
        "https://[fe80::1%25eth0]/",
        "http://_dmarc.127.0.0.1/",
        &own,
        &long,
    ];
    for address in addresses {
        let request = json!({"url": address});
        for (method, path) in
            [(Method::POST, "/webhooks".to_owned()), (Method::PUT, format!("/webhooks/{}", scene.webhook))]
        {
            let answer = scene.refused(&method, &path, request.to_string()).await;
            let problem = answer.expect_problem(422, "url_not_allowed");
            assert_eq!(problem.errors[0].field, "url", "{address}");
            assert!(problem.extra["reason"].is_string(), "{address}: {answer}");
        }
    }
    println!("bad input: {} addresses, each refused with the rule it breaks", addresses.len());
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_cannot_be_are_refused() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    for (request, code, field) in [
        (json!({"data": 1}), "validation_failed", "type"),
        (json!({"type": EVENT_TYPE}), "validation_failed", "data"),
        (json!({"type": "not.in.catalogue", "data": 1}), "unknown_event_type", "type"),
        (json!({"type": "a b", "data": 1}), "validation_failed", "type"),
        (json!({"type": "x".repeat(129), "data": 1}), "validation_failed", "type"),
        (json!({"type": EVENT_TYPE, "data": 1, "id": "a/b"}), "validation_failed", "id"),
        (json!({"type": EVENT_TYPE, "data": 1, "id": "x".repeat(129)}), "validation_failed", "id"),
        (json!({"type": EVENT_TYPE, "data": 1, "id": ""}), "validation_failed", "id"),
        (json!({"type": EVENT_TYPE, "data": 1, "scope": ""}), "validation_failed", "scope"),
        (json!({"type": EVENT_TYPE, "data": 1, "scope": vec!["s"; 1_000]}), "validation_failed", "scope"),
        (json!({"type": EVENT_TYPE, "data": 1, "idempotency_key": ""}), "validation_failed", "idempotency_key"),
        (json!({"type": EVENT_TYPE, "content_type": "text/csv"}), "validation_failed", "data"),
        (json!({"type": EVENT_TYPE, "data": 1, "body_base64": "YQ=="}), "validation_failed", "data"),
        (
            json!({"type": EVENT_TYPE, "content_type": "csv", "body_base64": "YQ=="}),
            "validation_failed",
            "content_type",
        ),
        (
            json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "@"}),
            "validation_failed",
            "body_base64",
        ),
    ] {
        let answer = scene.refused(&Method::POST, "/events", request.to_string()).await;
        let problem = answer.expect_problem(422, code);
        assert_eq!(problem.errors[0].field, field, "{request}: {answer}");
    }
    scene.nothing_happened_since(&before, 1).await;
}
