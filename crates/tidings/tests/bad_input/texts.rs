//! Texts that mean something elsewhere: to SQL, to a shell, to a file system, to a template. Where
//! a text is free they are texts like any other, and come back as they went in.

use http::Method;
use serde_json::json;

use crate::{EVENT_TYPE, Scene, URL};

const MEANINGFUL: [&str; 10] = [
    "'; DROP TABLE webhook; --",
    "\" OR \"\"=\"",
    "../../../../etc/passwd",
    "$(reboot) `reboot` ; reboot",
    "{{7*7}} ${jndi:ldap://127.0.0.1/x} {body} {timestamp}",
    "<script>alert(1)</script>",
    "%00%0d%0a %s%n",
    "\u{202e}gnp.exe \u{200b}\u{feff}",
    "\u{10ffff}\u{fffd}\u{1F468}\u{200d}\u{1F469}",
    "NULL",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_mean_something_elsewhere_are_texts_here() {
    let scene = Scene::begin().await;
    for text in MEANINGFUL {
        let request = json!({"url": URL, "name": text, "description": text, "scopes": [text], "enabled": false});
        let made = scene.admin.post("/webhooks", &request).await.expect(201);
        let read = scene.admin.get(&format!("/webhooks/{}", made["id"].as_str().expect("an id"))).await.expect(200);
        for field in ["name", "description", "scopes"] {
            assert_eq!(read[field], request[field], "{field}");
        }
        let project = scene.admin.post("/projects", &json!({"name": text})).await.expect(201);
        assert_eq!(project["name"], text);
        let event = json!({"type": EVENT_TYPE, "data": {text: text}, "scope": text});
        let sent = scene.admin.post("/events", &event).await.expect(202);
        let read = scene.admin.get(&format!("/events/{}", sent["id"].as_str().expect("an id"))).await.expect(200);
        assert_eq!((&read["payload"], &read["scope"][0]), (&event["data"], &event["scope"]));
        // Where names have an alphabet they are refused.
        for (method, path, body) in [
            (Method::POST, "/event-types", json!({"name": text})),
            (Method::POST, "/events", json!({"type": text, "data": 1})),
            (Method::POST, "/events", json!({"type": EVENT_TYPE, "data": 1, "id": text})),
            (Method::POST, "/webhooks", json!({"url": text})),
            (Method::POST, "/webhooks", json!({"url": URL, "headers": {text: "x"}})),
        ] {
            // "NULL" is a name like any other.
            if text != "NULL" || path == "/webhooks" && body["headers"].is_null() {
                let answer = scene.admin.send(method, path, body.to_string()).await;
                assert_eq!(answer.problem().status, 422, "{path} {body}: {answer}");
            }
        }
    }
    scene.server.assert_calm_log();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_that_cannot_be_are_refused_with_a_reason() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    for time in [
        "",
        "tomorrow",
        "2027-01-01",
        "2027-02-30T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "+29999-01-01T00:00:00Z",
        "-009999-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z",
    ] {
        let request = json!({"name": "key", "expires_at": time});
        let answer = scene.refused(&Method::POST, "/api-keys", request.to_string()).await;
        let problem = answer.expect_problem(422, "validation_failed");
        assert_eq!(problem.errors[0].field, "expires_at", "{answer}");
        let message = &problem.errors[0].message;
        assert!(message.contains("RFC 3339 time") || message.contains("past"), "{time}: {message}");
    }
    for time in [json!(1_900_000_000), json!(1e300), json!(true), json!([]), json!({})] {
        let request = json!({"name": "key", "expires_at": time});
        let problem = scene
            .refused(&Method::POST, "/api-keys", request.to_string())
            .await
            .expect_problem(422, "validation_failed");
        assert_eq!(problem.errors[0].field, "expires_at");
    }
    scene.nothing_happened_since(&before, 1).await;
}
