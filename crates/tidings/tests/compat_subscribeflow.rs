//! SubscribeFlow's API: as its official SDK calls it, and what the SDK does not look at.

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Api, Receiver, Server, operator, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const FLAGS: [&str; 5] =
    ["--allow-http", "--allow-target", "127.0.0.0/8", "--upgrade-url", "https://tidings.example/billing"];
const BOUND: Duration = Duration::from_secs(120);

/// An organization on a plan with a project of the preset, and a key of the project.
async fn project(server: &Server, plan: &str) -> (Api, String) {
    let operator = operator(server);
    let made = operator.post("/organizations", &json!({"name": "acme", "plan": plan})).await.expect(201);
    let organization = made["id"].as_str().expect("an id");
    let acme = operator.clone().with_header("x-organization-id", organization);
    let project = acme.post("/projects", &json!({"name": "mail", "preset": "subscribeflow"})).await.expect(201);
    let request = json!({"name": "sdk", "project_id": project["id"], "scopes": ["webhooks:manage", "events:write"]});
    let key = acme.post("/api-keys", &request).await.expect(201);
    let key = key["key"].as_str().expect("the key, this once").to_owned();
    (operator.with_key(&key), key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the SDK in target/sdk; `cargo xtask test` provides it and runs this"]
async fn the_official_sdk_gets_what_it_expects_from_every_webhook_call() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/sdk/bin/python");
    assert!(python.exists(), "{} does not exist: `cargo xtask test` makes it", python.display());
    let server = Server::start_with(BINARY, &FLAGS).await;
    let (_, key) = project(&server, "starter").await;
    let native = format!("http://{}", server.address());

    let calls = tokio::process::Command::new(python)
        .arg(root.join("crates/tidings/tests/sdk/subscribeflow_calls.py"))
        .args([&format!("{native}/compat/subscribeflow"), &native, &key])
        .env_clear()
        .kill_on_drop(true)
        .output();
    let output = within("the SDK's calls", BOUND, calls).await.expect("python runs");

    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("every call answered"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_and_the_refusals_read_as_the_guide_says() {
    let server = Server::start_with(BINARY, &FLAGS).await;
    let receiver = Receiver::start().await;
    let (native, _) = project(&server, "starter").await;
    let api = native.clone().with_base("/compat/subscribeflow/api/v1");
    let request =
        json!({"url": receiver.url("/hook"), "events": ["subscriber.created"], "secret": "whsec_your-secret-key"});
    let made = api.post("/webhooks", &request).await.expect(201);
    assert_eq!(made["secret"], "whsec_your-secret-key", "the guide lets the caller supply it");
    let path = format!("/webhooks/{}", made["id"].as_str().expect("an id"));
    let keys: BTreeSet<_> = made.as_object().expect("an object").keys().map(String::as_str).collect();
    let known = "created_at description events failure_count id is_active last_triggered_at secret updated_at url";
    assert_eq!(keys, known.split(' ').collect(), "no other fields");

    receiver.route("/hook", tidings_testkit::Behaviour::Status(400));
    native
        .post(
            "/events",
            &json!({"type": "subscriber.created", "data": {"subscriber": {"id": "s", "email": "a@example.com"}}}),
        )
        .await
        .expect(202);
    receiver.wait_for("/hook", 1, BOUND).await;
    let line = tidings_testkit::until("the log's line", BOUND, async || {
        let log = api.get(&format!("{path}/logs")).await.expect(200);
        log["data"].get(0).filter(|line| line["status"] == "failed").cloned()
    })
    .await;
    assert_eq!((&line["event_type"], &line["response_code"]), (&json!("subscriber.created"), &json!(400)));
    assert_eq!(line["retry_count"], 0, "4xx: no retry");

    let other = project(&server, "free").await.0.with_base("/compat/subscribeflow/api/v1");
    let missing = other.get(&path).await.expect(404);
    let nobody = other.get("/webhooks/01890000-0000-7000-8000-000000000000").await.expect(404);
    assert_eq!((&missing["type"], &missing["detail"]), (&nobody["type"], &nobody["detail"]), "foreign is missing");
    let limit = other.post("/webhooks", &request).await.expect(402);
    assert_eq!((&limit["limit"], &limit["current"], &limit["max"]), (&json!("webhooks"), &json!(0), &json!(0)));
    assert_eq!(limit["error"]["code"], "limit_exceeded");

    for (method, path, body, status) in [
        ("POST", "/webhooks", json!({"url": "https://example.com", "events": []}), 422),
        ("POST", "/webhooks", json!({"url": "https://example.com"}), 422),
        ("POST", "/webhooks", json!({"url": "https://example.com", "events": ["a"], "nope": 1}), 422),
        ("PUT", path.as_str(), json!({}), 422),
        ("GET", "/webhooks/deliveries/all?status=lost", Value::Null, 400),
        ("GET", "/webhooks/stats/all?days=0", Value::Null, 400),
        ("GET", "/nothing", Value::Null, 404),
        ("PATCH", path.as_str(), json!({}), 405),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = api.send(method.parse().expect("a method"), path, body).await.expect(status).clone();
        let kind = answer["type"].as_str().expect("a type");
        assert!(kind.starts_with("https://subscribeflow.net/errors/"), "{method} {path}: {answer}");
    }
    assert_eq!(api.without_key().get("/webhooks").await.expect(401)["status"], 401);
}
