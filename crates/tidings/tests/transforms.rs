//! Transforms of webhooks as a customer sees them: tried, saved, sent, shown, and wrong ones named.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Project, Receiver, Server, Signature, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(30);
const HOOK: &str = "/hook";

const TO_CHAT: &str = "// What the chat wants.
function handler(webhook) {
  const { data } = webhook.payload;
  if (data.cents < 100) webhook.cancel = true;
  webhook.payload = { text: webhook.eventType + ': ' + data.cents / 100 + ' €', at: Date.now(), dice: Math.random() };
  webhook.headers['X-Team'] = 'shop';
  return webhook;
}";

struct Scene {
    receiver: Receiver,
    project: Project,
    path: String,
    _server: Server,
}

impl Scene {
    async fn begin(transform: &str) -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let headers = json!({"X-Team": "nobody's", "X-Own": "own"});
        let request = json!({"transform": transform, "headers": headers, "retry": {"schedule_s": vec![0.1; 20]}});
        let webhook = world.subscribe(&project, &receiver, HOOK, Signature::Standard, request).await;
        let path = format!("/webhooks/{}", webhook.webhook_id);
        Self { receiver, project, path, _server: server }
    }

    async fn publish(&self, data: Value) -> Value {
        self.project.api.post("/events", &json!({"type": EVENT_TYPE, "data": data})).await.expect(202)
    }

    /// The event's delivery, once it is in this state.
    async fn delivery(&self, event: &Value, status: &str) -> Value {
        let (api, path) = (&self.project.api, format!("/events/{}", event["id"].as_str().expect("an id")));
        until(&format!("a delivery that is {status}"), BOUND, async || {
            let event = api.get(&path).await.expect(200);
            let delivery = event["deliveries"].get(0).filter(|delivery| delivery["status"] == status)?.clone();
            Some(api.get(&format!("/deliveries/{}", delivery["id"].as_str().expect("an id"))).await.expect(200))
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bytes_a_receiver_gets_what_the_transform_makes_the_same_each_time() {
    let scene = Scene::begin(TO_CHAT).await;
    scene.receiver.route(HOOK, Behaviour::Status(500));
    let event = scene.publish(json!({"cents": 700})).await;
    scene.receiver.wait_for(HOOK, 2, BOUND).await;
    scene.receiver.route(HOOK, Behaviour::Ok);
    let delivery = scene.delivery(&event, "delivered").await;
    // The receiver verifies each signature over what it got.
    let requests = scene.receiver.requests_at(HOOK);
    assert!(requests.len() >= 3);
    assert!(requests.windows(2).all(|two| two[0].body == two[1].body), "time stands still and chance repeats itself");
    let body = requests[0].json();
    assert_eq!(body["text"], "order.paid: 7 €");
    let teams: Vec<_> = requests[0].headers.get_all("x-team").iter().collect();
    assert_eq!(
        (teams, requests[0].header("x-own")),
        (vec![&http::HeaderValue::from_static("shop")], "own"),
        "in the place of the webhook's own"
    );
    for attempt in delivery["attempts"].as_array().expect("attempts") {
        let shown: Value = serde_json::from_str(attempt["request"]["body"].as_str().expect("a body")).expect("JSON");
        assert_eq!(shown, body, "history shows what was sent");
        assert_eq!(attempt["request"]["headers"]["x-team"], "********", "{attempt}");
    }
    // What is deleted is deleted as it was sent, too.
    let id = event["id"].as_str().expect("an id");
    scene.project.api.delete(&format!("/events/{id}/payload")).await.expect(204);
    let delivery = scene.delivery(&event, "delivered").await;
    assert!(delivery["attempts"].as_array().expect("attempts").iter().all(|one| one["request"]["body"] == ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_can_cancel_and_a_broken_one_is_mended_before_anything_is_lost() {
    let scene = Scene::begin(TO_CHAT).await;
    let small = scene.publish(json!({"cents": 5})).await;
    let dropped = scene.delivery(&small, "dropped").await;
    assert_eq!(dropped["attempts"][0]["error"], "the transform cancelled this delivery");
    assert_eq!(scene.receiver.count_at(HOOK), 0);

    let api = &scene.project.api;
    let broken = "function handler(webhook) {\n  return webhook.payload.data.items[0].name;\n}";
    let slow = json!({"transform": broken, "retry": {"schedule_s": [0, 3600]}});
    api.patch(&scene.path, &slow).await.expect(200);
    let event = scene.publish(json!({"cents": 700})).await;
    let waiting = scene.delivery(&event, "retrying").await;
    let error = waiting["attempts"][0]["error"].as_str().expect("an error");
    assert!(error.starts_with("the transform failed: TypeError") && error.contains("(line 2, column"), "{error}");
    api.patch(&scene.path, &json!({"transform": null})).await.expect(200);
    api.post(&format!("/deliveries/{}/retry", waiting["id"].as_str().expect("an id")), &json!({})).await.expect(202);
    scene.delivery(&event, "delivered").await;
    assert_eq!(scene.receiver.requests_at(HOOK)[0].json()["data"], json!({"cents": 700}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_is_tried_on_what_was_published_lately() {
    let scene = Scene::begin("function handler(webhook) { return webhook; }").await;
    let api = &scene.project.api;
    let mut events = Vec::new();
    for cents in [700, 5, 300] {
        let event = scene.publish(json!({ "cents": cents })).await;
        scene.delivery(&event, "delivered").await;
        events.push(event["id"].clone());
    }
    let path = format!("{}/test-transform", scene.path);
    let sent = scene.receiver.count_at(HOOK);
    let tried = api.post(&path, &json!({"transform": TO_CHAT, "limit": 2})).await.expect(200);
    let rows = tried["data"].as_array().expect("rows");
    let outcomes: Vec<_> = rows.iter().map(|row| (row["event_id"].clone(), row["outcome"].clone())).collect();
    assert_eq!(outcomes, [(events[2].clone(), json!("sent")), (events[1].clone(), json!("cancelled"))]);
    let after: Value = serde_json::from_str(rows[0]["after"].as_str().expect("a body")).expect("JSON");
    assert_eq!((&after["text"], &rows[0]["headers"]), (&json!("order.paid: 3 €"), &json!({"X-Team": "shop"})));
    assert!(rows[0]["before"].as_str().expect("a body").contains("\"cents\":300"));

    let wrong = "function handler(webhook) {\n  console.log('seen', webhook.eventType);\n  throw new Error('no');\n}";
    let one = json!({"transform": wrong, "event_id": events[0]});
    let tried = api.post(&path, &one).await.expect(200)["data"][0].clone();
    assert_eq!((&tried["outcome"], &tried["error"]["message"]), (&json!("failed"), &json!("no")));
    assert_eq!((&tried["error"]["line"], &tried["console"][0]["text"]), (&json!(3), &json!("seen order.paid")));
    let own = api.post(&path, &json!({})).await.expect(200);
    assert_eq!(own["data"][0]["after"], own["data"][0]["before"], "the webhook's own changes nothing");
    assert_eq!(scene.receiver.count_at(HOOK), sent, "nothing was sent");

    for (request, field) in [
        (json!({"limit": 0}), "limit"),
        (json!({"limit": 21}), "limit"),
        (json!({"event_id": "evt_nobody"}), "event_id"),
        (json!({"transform": "1"}), "transform"),
    ] {
        assert_eq!(api.post(&path, &request).await.expect(422)["errors"][0]["field"], field, "{request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_gets_at_nothing_and_ends() {
    let scene = Scene::begin("function handler(webhook) { return webhook; }").await;
    let api = &scene.project.api;
    let event = scene.publish(json!({"cents": 1})).await;
    scene.delivery(&event, "delivered").await;
    let path = format!("{}/test-transform", scene.path);
    let come_of = async |body: &str| {
        let code = format!("function handler(webhook) {{ {body} }}");
        api.post(&path, &json!({"transform": code, "limit": 1})).await.expect(200)["data"][0].clone()
    };
    for body in [
        "while (true);",
        "return new Promise(() => {})",
        "return Bot.getProperty('x')",
        "HTTP.get({url: 'http://127.0.0.1'}); return webhook",
        "webhook.url = 'http://127.0.0.1/'; return webhook",
        "webhook.headers.Host = 'elsewhere.example'; return webhook",
        "webhook.payload = 'x'.repeat(600000); return webhook",
        "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));",
        "return null",
        "return {payload: undefined}",
    ] {
        let tried = come_of(body).await;
        assert_eq!(tried["outcome"], "failed", "{body}: {tried}");
        assert!(!tried["error"]["message"].as_str().expect("a reason").is_empty());
    }
    // What goes wrong behind the author's lines has no place in them, and what goes wrong in them has.
    for body in ["return {payload: 1n}", "webhook.payload = webhook; return webhook", "return Promise.resolve(webhook)"]
    {
        let error = come_of(body).await["error"].clone();
        assert_eq!((&error["line"], &error["column"]), (&Value::Null, &Value::Null), "{body}: {error}");
    }
    let own = come_of("\nreturn {payload: {toJSON() { throw new Error('own') }}}").await["error"].clone();
    assert_eq!((&own["message"], &own["line"]), (&json!("own"), &json!(2)), "{own}");
    // Halves of characters are mended wherever they stand, whatever a transform does to the language.
    let spoil = "String.prototype.toWellFormed = String.prototype.replace = String.prototype.indexOf = () => 'spoilt';";
    let halves = r"webhook.payload = {'k\ud83d': '\ude00 \\ud83d \u{1f600}'}; console.log('\ud83d'); return webhook";
    let mended = come_of(&format!("{spoil} {halves}")).await;
    assert_eq!(mended["after"], "{\"k\u{fffd}\":\"\u{fffd} \\\\ud83d \u{1f600}\"}", "{mended}");
    assert_eq!(mended["console"][0]["text"], "\u{fffd}");
    // What one leaves behind the next one does not find.
    come_of("Object.prototype.left = 1; globalThis.left = 1; return webhook").await;
    let looked = come_of("webhook.payload = [typeof left, ({}).left === undefined]; return webhook").await;
    assert_eq!(looked["after"], "[\"undefined\",true]");

    // Saving and trying refuse the same.
    for (transform, reason) in [
        ("function handler(", "SyntaxError"),
        ("function handler(webhook) { return webhook; } }); (function(){", "SyntaxError"),
        ("return 1", "must define function handler"),
        ("'handler'", "must define function handler"),
        ("myhandler = (webhook) => webhook", "must define function handler"),
        ("if (handler == 1) handler(1)", "must define function handler"),
    ] {
        let (save, test) = (json!({"transform": transform}), json!({"transform": transform, "limit": 1}));
        for refused in [api.patch(&scene.path, &save).await.expect(422), api.post(&path, &test).await.expect(422)] {
            assert_eq!(refused["errors"][0]["field"], "transform", "{refused}");
            assert!(refused["errors"][0]["message"].as_str().expect("a reason").contains(reason), "{refused}");
        }
    }
    for transform in ["const handler = (webhook) => webhook", "var handler\n=function(webhook) { return webhook; }"] {
        api.patch(&scene.path, &json!({"transform": transform})).await.expect(200);
    }
}
