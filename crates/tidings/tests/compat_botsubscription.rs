//! BotSubscription's API: its envelope, its projects, its keys.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Receiver, Server, Signature, Verifier, operator, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BASE: &str = "/compat/botsubscription/v2";
const BOUND: Duration = Duration::from_secs(20);

async fn organization(server: &Server) -> (Api, String) {
    let operator = operator(server);
    let made = operator.post("/organizations", &json!({"name": "acme"})).await.expect(201);
    let key = organization_key(&operator, made["id"].as_str().expect("an id"), &json!({"name": "acme"})).await;
    let project = key.post("/projects", &json!({"name": "club", "preset": "botsubscription"})).await.expect(201);
    (key, project["id"].as_str().expect("an id").to_owned())
}

fn data(answer: &Value) -> &Value {
    assert_eq!((&answer["ok"], &answer["code"]), (&json!(true), &json!(200)), "{answer}");
    &answer["data"]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_registers_inspects_tests_and_rotates_its_webhook() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    receiver.route("/hook", Behaviour::Ok);
    let (native, project) = organization(&server).await;
    let api = native.clone().with_base(BASE);
    let webhooks = format!("/projects/{project}/integrations/webhooks");

    let request = json!({"url": receiver.url("/hook")});
    let answer = api.clone().with_header("x-request-id", "r-1").post(&webhooks, &request).await.expect(200).clone();
    for (member, value) in [
        ("request_id", json!("r-1")),
        ("method", json!("POST")),
        ("path", json!(format!("/v2{webhooks}"))),
        ("message", json!("Webhook created successfully")),
    ] {
        assert_eq!(answer[member], value, "{member}");
    }
    let made = data(&answer).as_object().expect("an object");
    assert_eq!(made.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(["id", "secret", "url"]));
    let (id, secret) = (text(&made["id"]), text(&made["secret"]));
    assert_eq!((id.len(), secret.len()), (36, 64));
    assert!(secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
    let path = format!("{webhooks}/{id}");

    let looked = api.get(&path).await.expect(200).clone();
    assert_eq!(data(&looked)["secret"], json!(secret), "issued when created or inspected");
    let tested = api.post(&format!("{path}/test"), &json!({})).await.expect(200).clone();
    assert_eq!(data(&tested)["success"], true);
    let native_project = native.clone().with_header("x-project-id", &project);
    let event = json!({"type": "payment-request.completed", "data": {"amount": "19.99", "currency": "USD",
        "payment_request_id": "p", "project_id": "x"}});
    native_project.post("/events", &event).await.expect(202);
    let requests = receiver.wait_for("/hook", 2, BOUND).await;
    let verifier = |secret: &str| Verifier { signature: Signature::BotSubscription, secret: Some(secret.to_owned()) };
    for request in &requests {
        verifier(&secret).check(&request.headers, &request.body).expect("a valid signature");
    }
    assert_eq!(requests[1].header("x-project-id"), project);

    let rotated = text(&data(&api.post(&format!("{path}/rotate"), &json!({})).await.expect(200).clone())["secret"]);
    api.post(&format!("{path}/test"), &json!({})).await.expect(200);
    let request = receiver.wait_for("/hook", 3, BOUND).await.remove(2);
    verifier(&rotated).check(&request.headers, &request.body).expect("signed with the new secret");
    assert!(verifier(&secret).check(&request.headers, &request.body).is_err(), "not with the old one");

    let off = api.put(&path, &json!({"enabled": false})).await.expect(200).clone();
    assert_eq!(data(&off)["enabled"], false);
    for number in 0..3 {
        api.post(&webhooks, &json!({"url": receiver.url(&format!("/{number}"))})).await.expect(200);
    }
    let list = async |query: &str| data(&api.get(&format!("{webhooks}{query}")).await.expect(200).clone()).clone();
    assert_eq!(list("").await.as_array().map(Vec::len), Some(4));
    let second = list("?limit=2&offset=2").await;
    assert_eq!((second.as_array().map(Vec::len), &second[1]["id"]), (Some(2), &json!(id)), "newest first");
    assert_eq!(list("?offset=4").await, json!([]));
    assert_eq!(data(&api.delete(&path).await.expect(200).clone()), &json!({}));
    assert_eq!(api.get(&path).await.expect(404)["error"]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_crosses_a_project_and_refusals_stand_in_the_envelope() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let (acme, project) = organization(&server).await;
    let (other, foreign) = organization(&server).await;
    let api = acme.clone().with_base(BASE);
    let made = api
        .post(&format!("/projects/{project}/integrations/webhooks"), &json!({"url": receiver.url("/hook")}))
        .await
        .expect(200)
        .clone();
    let id = text(&data(&made)["id"]);

    for path in [
        format!("/projects/{foreign}/integrations/webhooks"),
        format!("/projects/{foreign}/integrations/webhooks/{id}"),
        "/projects/nobody/integrations/webhooks".to_owned(),
        format!("/projects/{project}/integrations/webhooks/nobody"),
    ] {
        let answer = api.get(&path).await.expect(404).clone();
        assert_eq!((&answer["code"], &answer["error"]["code"]), (&json!(404), &json!("NOT_FOUND")), "{path}");
    }
    let stranger = other.with_base(BASE);
    assert_eq!(stranger.get(&format!("/projects/{project}/integrations/webhooks/{id}")).await.status, 404);

    let webhooks = format!("/projects/{project}/integrations/webhooks");
    for (body, status) in [
        (json!({}), 422),
        (json!({"url": "https://10.0.0.1/"}), 422),
        (json!({"url": "https://a.example", "x": 1}), 422),
    ] {
        let answer = api.post(&webhooks, &body).await.expect(status).clone();
        assert_eq!(answer["ok"], false);
        assert!(answer["request_id"].is_string() && answer["error"]["message"].is_string(), "{answer}");
    }
    assert_eq!(api.clone().without_key().get(&webhooks).await.expect(401)["error"]["code"], "MISSING_CREDENTIALS");

    let keys = format!("/projects/{project}/integrations/api-keys");
    let made = api.post(&keys, &json!({"label": "staging bot"})).await.expect(200).clone();
    let bot = acme.clone().without_key().with_header("authorization", &format!("Bearer {}", text(&data(&made)["key"])));
    let bot = bot.with_base(BASE);
    bot.get(&webhooks).await.expect(200);
    assert_eq!(bot.get(&format!("/projects/{foreign}/integrations/webhooks")).await.status, 404);
    let elsewhere = acme.post("/api-keys", &json!({"name": "of the whole organization"})).await.expect(201);
    assert_eq!(api.delete(&format!("{keys}/{}", text(&elsewhere["id"]))).await.status, 404, "not this project's");
    api.delete(&format!("{keys}/{}", text(&data(&made)["id"]))).await.expect(200);
    assert_eq!(bot.get(&webhooks).await.expect(401)["error"]["code"], "API_KEY_REVOKED");
}
