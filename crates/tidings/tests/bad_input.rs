//! Bodies that are no JSON, too deep, of wrong types, with unknown fields and with control
//! characters anywhere: each gets a clear problem that names the field, and leaves nothing behind.

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Project, Receiver, Server, Signature, World, operator};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const URL: &str = "http://127.0.0.1:9/hook";

/// A server, and a customer with a webhook and a delivery.
struct Scene {
    server: Server,
    receiver: Receiver,
    project: Project,
    admin: Api,
    webhook: String,
    delivery: String,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await.webhook_id;
        let sent = project.api.post(&format!("/webhooks/{webhook}/test"), &json!({})).await.expect(200);
        let delivery = sent["delivery_id"].as_str().expect("an id").to_owned();
        let admin = operator(&server).with_header("x-organization-id", &project.organization_id);
        Self { server, receiver, project, admin, webhook, delivery }
    }

    /// Every operation that reads a body, with one that it would take.
    fn operations(&self) -> Vec<(Method, String, Value)> {
        let (webhook, project) = (&self.webhook, &self.project.id);
        let organization = &self.project.organization_id;
        let named = json!({"name": "name"});
        vec![
            (Method::POST, "/events".to_owned(), event()),
            (Method::POST, "/webhooks".to_owned(), webhook_request()),
            (Method::PUT, format!("/webhooks/{webhook}"), webhook_request()),
            (Method::PATCH, format!("/webhooks/{webhook}"), webhook_request()),
            (Method::POST, "/event-types".to_owned(), event_type_request()),
            (Method::PUT, format!("/event-types/{EVENT_TYPE}"), json!({"group": "group", "description": "text"})),
            (Method::POST, "/organizations".to_owned(), named.clone()),
            (Method::PATCH, format!("/organizations/{organization}"), named.clone()),
            (Method::POST, "/projects".to_owned(), named.clone()),
            (Method::PATCH, format!("/projects/{project}"), named.clone()),
            (Method::POST, "/api-keys".to_owned(), named),
        ]
    }

    /// Operations whose body may be left out.
    fn operations_with_optional_bodies(&self) -> Vec<(Method, String, Value)> {
        vec![
            (Method::POST, format!("/webhooks/{}/test", self.webhook), json!({"event_type": EVENT_TYPE})),
            (Method::POST, format!("/deliveries/{}/retry", self.delivery), json!({"force": false})),
        ]
    }

    /// Sends something bad, and holds the answer against what every refusal has in common.
    async fn refused(&self, method: &Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.admin.send(method.clone(), path, body.into()).await;
        answer.problem();
        answer
    }

    /// Nothing of what was refused has left a trace: `before` is what was there.
    async fn nothing_happened_since(&self, before: &[(&'static str, Value)], arrivals: usize) {
        assert_eq!(self.admin.everything_listed().await, before);
        assert_eq!(self.receiver.arrivals().len(), arrivals, "something was sent");
        self.server.assert_calm_log();
    }
}

fn event() -> Value {
    json!({"type": EVENT_TYPE, "data": 1, "id": "order-1", "scope": ["scope"], "idempotency_key": "key"})
}

fn event_type_request() -> Value {
    json!({"name": "name", "group": "group", "description": "text", "example": {}, "archived": false})
}

fn webhook_request() -> Value {
    json!({
        "url": URL, "events": ["order.*"], "name": "name", "description": "text", "scopes": ["scope"],
        "secret": "a-secret-of-its-own", "profile": "botdog", "headers": {"X-Tenant": "value"},
        "signature": {
            "scheme": "hmac", "header": "X-Acme-Signature", "layout": "t={timestamp},v1={signature}",
            "signed": "{body}", "algorithm": "sha256", "encoding": "hex",
        },
        "retry": {
            "schedule_s": [0, 1], "jitter": 0.1, "rules": [{"outcome": "404", "action": "retry"}], "on_exhausted": "keep",
        },
        "timeout_ms": 5000, "max_in_flight": 5,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_json_is_refused_by_every_operation() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let deep_array = "[".repeat(100_000);
    let deep_object = format!("{}1{}", r#"{"data":"#.repeat(65), "}".repeat(65));
    let no_json: [&[u8]; 12] = [
        b"{", b"nope", b"{\"name\":", b"{\"name\":\"a\"} {}", b"{\"name\":\"a\",}", b"{'name':'a'}", b"\xff\xfe{}",
        b"{\"name\":\"\xc3(\"}", b"{\"name\":NaN}", b"{\"name\":\"a\nb\"}", deep_array.as_bytes(), deep_object.as_bytes(),
    ];
    let mut refused = 0;
    let operations = scene.operations().into_iter().map(|operation| (operation, true));
    let optional = scene.operations_with_optional_bodies().into_iter().map(|operation| (operation, false));
    for ((method, path, _), required) in operations.chain(optional) {
        let empty: Vec<&[u8]> = if required { vec![b"", b"  \n"] } else { Vec::new() };
        for body in no_json.iter().copied().chain(empty) {
            let answer = scene.refused(&method, &path, body).await;
            answer.expect_problem(400, "malformed_json");
            refused += 1;
        }
        for body in ["[]", "null", "5", "\"text\"", "true"] {
            scene.refused(&method, &path, body).await.expect_problem(422, "validation_failed");
            refused += 1;
        }
    }
    println!("bad input: {refused} bodies that are no JSON object, each refused");
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_fields_and_wrong_types_are_named() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let wrong_values = [json!({"unexpected": 1}), json!([[[]]]), json!(1e300), json!(-1), json!(true), json!("\u{1F514}")];
    let mut named = 0;
    for (method, path, good) in scene.operations().into_iter().chain(scene.operations_with_optional_bodies()) {
        let mut unknown = good.clone();
        unknown["unexpected"] = json!(1);
        let answer = scene.refused(&method, &path, unknown.to_string()).await;
        let problem = answer.expect_problem(422, "validation_failed");
        assert_eq!((problem.errors[0].field.as_str(), problem.errors[0].code.as_str()), ("unexpected", "unknown_field"));
        for field in good.as_object().expect("an object").keys() {
            // Any JSON is fine there.
            if matches!(field.as_str(), "data" | "example") {
                continue;
            }
            for wrong in wrong_values.iter().filter(|wrong| !fits(field, wrong)) {
                let mut changed = good.clone();
                changed[field] = wrong.clone();
                let answer = scene.refused(&method, &path, changed.to_string()).await;
                assert_eq!(answer.status, 422, "{path} {field}={wrong}: {answer}");
                let fields: Vec<_> = answer.problem().errors.into_iter().map(|error| error.field).collect();
                assert!(fields.iter().any(|found| found.starts_with(field)), "{path} {field}={wrong}: {fields:?}");
                named += 1;
            }
        }
    }
    println!("bad input: {named} wrong values, each with its field named");
    scene.nothing_happened_since(&before, 1).await;
}

/// Values of the list above that a field may have.
fn fits(field: &str, value: &Value) -> bool {
    match field {
        "name" | "group" | "description" | "scope" => value.is_string(),
        "archived" | "force" => value.is_boolean(),
        _ => false,
    }
}

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
async fn control_characters_are_refused_in_every_text() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let mut refused = 0;
    let with_content_type = json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "YQ=="});
    let more = [
        (Method::POST, "/events".to_owned(), with_content_type),
        (Method::POST, "/events".to_owned(), json!({"type": EVENT_TYPE, "data": 1, "scope": "scope"})),
    ];
    let all = scene.operations().into_iter().chain(scene.operations_with_optional_bodies()).chain(more);
    for (method, path, good) in all {
        for pointer in texts_of(&good) {
            for bad in ["\r\nX-Injected: 1", "\n", "\0", "\u{7f}", "\u{1b}[31m"] {
                let mut changed = good.clone();
                let place = changed.pointer_mut(&pointer).expect("the pointer comes from this body");
                *place = json!(format!("{}{bad}x", place.as_str().expect("a text")));
                let answer = scene.refused(&method, &path, changed.to_string()).await;
                assert_eq!(answer.status, 422, "{method} {path} {pointer} with {bad:?}: {answer}");
                let field = dotted(&pointer);
                let problem = answer.problem();
                assert!(problem.errors.iter().any(|error| error.field.starts_with(&field)), "{field}: {answer}");
                refused += 1;
            }
        }
    }
    for name in ["X-A\r\nX-B", "X-A\0", "X-A:", "X-A\u{7f}"] {
        let request = json!({"url": URL, "headers": {name: "value"}});
        scene.refused(&Method::POST, "/webhooks", request.to_string()).await.expect_problem(422, "validation_failed");
        refused += 1;
    }
    println!("bad input: control characters in {refused} texts, each refused");
    scene.nothing_happened_since(&before, 1).await;
}

/// JSON pointers to all texts in a body, but for those that may hold anything.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::String(_) => vec![String::new()],
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(place, item)| texts_of(item).into_iter().map(move |rest| format!("/{place}{rest}")))
            .collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "data" | "example"))
            .flat_map(|(name, item)| texts_of(item).into_iter().map(move |rest| format!("/{name}{rest}")))
            .collect(),
        _ => Vec::new(),
    }
}

/// `/retry/rules/0/outcome` as problems write it: `retry.rules[0].outcome`; lists of texts are
/// named as a whole where their entries are not told apart.
fn dotted(pointer: &str) -> String {
    let mut field = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(_) if matches!(field.as_str(), "scope") => {}
            Ok(place) => field.push_str(&format!("[{place}]")),
            Err(_) if field.is_empty() => field.push_str(part),
            Err(_) => field.push_str(&format!(".{part}")),
        }
    }
    field
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_must_not_be_called_are_refused_with_the_rule() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let own = format!("http://{}/hook", scene.server.address());
    let long = format!("{URL}?{}", "q".repeat(2_048));
    let addresses = [
        "", "nonsense", "http://", "//127.0.0.1/hook", "ftp://127.0.0.1/", "file:///etc/passwd", "javascript:alert(1)",
        "http://10.0.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/",
        "http://127.0.0.1\\@10.0.0.1/", "http://127.0.0.1 /", "http://a@127.0.0.1@10.0.0.1/", "http://127.0.0.1%2f/",
        "https://[fe80::1%25eth0]/", "http://_dmarc.127.0.0.1/", &own, &long,
    ];
    for address in addresses {
        let request = json!({"url": address});
        for (method, path) in [(Method::POST, "/webhooks".to_owned()), (Method::PUT, format!("/webhooks/{}", scene.webhook))] {
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
        (json!({"type": EVENT_TYPE, "content_type": "csv", "body_base64": "YQ=="}), "validation_failed", "content_type"),
        (json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "@"}), "validation_failed", "body_base64"),
    ] {
        let answer = scene.refused(&Method::POST, "/events", request.to_string()).await;
        let problem = answer.expect_problem(422, code);
        assert_eq!(problem.errors[0].field, field, "{request}: {answer}");
    }
    scene.nothing_happened_since(&before, 1).await;
}
