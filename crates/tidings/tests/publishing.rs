//! Publishing beyond one event at once: batches, later delivery, bytes that are no JSON.

use std::{fmt::Write as _, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};
use tidings_contract::batch::BATCH_BODY_BYTES_MAX;
use tidings_testkit::{Project, Receiver, Server, Signature, World, raw_exchange, until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "tag.subscribed";
const BOUND: Duration = Duration::from_secs(20);
const HOOK: &str = "/hook";
/// Batches of one project that are under way at a time.
const PROJECT_BATCHES_MAX: usize = 4;
/// More than any socket holds.
const BATCH_BYTES: usize = 7 * 1024 * 1024;

struct Scene {
    receiver: Receiver,
    world: World,
    project: Project,
    server: Server,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        Self { receiver, world, project, server }
    }

    async fn webhook(&mut self) {
        self.world.subscribe(&self.project, &self.receiver, HOOK, Signature::Standard, json!({})).await;
    }
}

fn codes(answer: &Value) -> Vec<String> {
    let item = |item: &Value| match item.get("error") {
        Some(error) => error["code"].as_str().expect("a code").to_owned(),
        None => item["id"].as_str().map(|_| "accepted".to_owned()).expect("an id"),
    };
    answer["data"].as_array().expect("items").iter().map(item).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_accepts_the_good_ones_and_says_why_of_each_bad_one() {
    let mut scene = Scene::begin().await;
    scene.webhook().await;
    let api = &scene.project.api;
    let events = json!([
        {"type": EVENT_TYPE, "data": 1, "id": "mine"},
        {"type": EVENT_TYPE},
        {"type": "no.such", "data": 1},
        {"type": EVENT_TYPE, "data": 1, "id": "mine"},
        {"type": EVENT_TYPE, "data": 1, "colour": "red", "idempotency_key": "x"},
        5,
        {"type": EVENT_TYPE, "data": "x".repeat(256 * 1024)},
        {"type": EVENT_TYPE, "data": 1, "deliver_at": "2999-01-01T00:00:00Z"},
        {"type": EVENT_TYPE, "data": {"last": true}},
    ]);
    let expected = [
        "accepted",
        "validation_failed",
        "unknown_event_type",
        "already_exists",
        "validation_failed",
        "validation_failed",
        "payload_too_large",
        "validation_failed",
        "accepted",
    ];
    let answer = api.post("/events/batch", &json!({"events": events})).await.expect(202);
    assert_eq!(codes(&answer), expected);
    let item = &answer["data"][4];
    assert_eq!((&item["index"], &item["error"]["details"][0]["field"]), (&json!(4), &json!("colour")));
    assert_eq!(answer["data"][7]["error"]["details"][0]["field"], "deliver_at");
    assert_eq!(scene.receiver.wait_for(HOOK, 2, BOUND).await.len(), 2);
    assert_eq!(api.get("/events").await.expect(200)["total"], 2);

    // The same as lines, under a key: the second time is the first time.
    let mut lines = String::new();
    for event in events.as_array().expect("events").iter().skip(1) {
        writeln!(lines, "{event}\r\n").expect("written");
    }
    lines.push_str("{\"type\":");
    let lined = api.clone().with_header("content-type", "application/x-ndjson").with_header("idempotency-key", "i-1");
    let first = lined.send(Method::POST, "/events/batch", lines.clone()).await;
    assert_eq!(codes(&first.expect(202))[6..], ["validation_failed", "accepted", "malformed_json"]);
    let again = lined.send(Method::POST, "/events/batch", lines.clone()).await;
    assert_eq!(again.header("idempotent-replay"), Some("true"));
    assert_eq!(again.expect(202), first.expect(202));
    let other = lined.send(Method::POST, "/events/batch", lines + "\n{}").await;
    assert_eq!(other.expect(409)["code"], "idempotency_conflict");
    assert_eq!(api.get("/events").await.expect(200)["total"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_wrong_as_a_whole_leaves_nothing() {
    let scene = Scene::begin().await;
    let api = &scene.project.api;
    let event = json!({"type": EVENT_TYPE, "data": 1});
    let many = vec![event.clone(); 1_001];
    for (body, status, code) in [
        (json!({"events": []}).to_string(), 422, "validation_failed"),
        (json!({"events": many}).to_string(), 422, "validation_failed"),
        (json!({"events": event}).to_string(), 422, "validation_failed"),
        (json!({"events": [event], "more": 1}).to_string(), 422, "validation_failed"),
        (json!([event]).to_string(), 422, "validation_failed"),
        ("{\"events\":[".to_owned(), 400, "malformed_json"),
        ("[".repeat(100_000), 400, "malformed_json"),
    ] {
        let shown = format!("{body:.60}");
        let answer = api.send(Method::POST, "/events/batch", body).await;
        assert_eq!(answer.expect(status)["code"], code, "{shown}");
    }
    // Refused by its head alone.
    let head =
        format!("POST /api/v1/events/batch HTTP/1.1\r\nHost: a\r\nX-API-Key: {}\r\n", scene.server.operator_key());
    let declared = format!("{head}Content-Length: {}\r\n\r\n", BATCH_BODY_BYTES_MAX + 1);
    let answer = raw_exchange(scene.server.address(), declared.as_bytes(), BOUND).await;
    assert_eq!(answer.statuses(), [413]);
    let text = api.clone().with_header("content-type", "text/plain");
    let refused = text.send(Method::POST, "/events/batch", json!({"events": [event]}).to_string()).await;
    assert_eq!(refused.expect(415)["code"], "unsupported_media_type");
    let lined = api.clone().with_header("content-type", "application/x-ndjson");
    let too_many = format!("{event}\n").repeat(1_001);
    assert_eq!(lined.send(Method::POST, "/events/batch", too_many).await.expect(422)["code"], "validation_failed");
    assert_eq!(api.get("/events").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_event_shows_until_when_it_waits_and_then_goes_out() {
    let mut scene = Scene::begin().await;
    scene.webhook().await;
    let api = &scene.project.api;
    let now = api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202)["created_at"].clone();
    let soon = json!({"type": EVENT_TYPE, "data": 2, "id": "soon", "deliver_at": in_seconds(&now, 2)});
    api.post("/events", &soon).await.expect(202);
    let shown = api.get("/events/soon").await.expect(200);
    assert_eq!(shown["deliver_at"], soon["deliver_at"]);
    assert_eq!(shown["deliveries"][0]["waiting_for"], "schedule");
    until("the scheduled event", BOUND, async || (scene.receiver.count_at(HOOK) == 2).then_some(())).await;
    let requests = scene.receiver.requests_at(HOOK);
    assert!(requests[1].at - requests[0].at >= Duration::from_millis(1_500), "it did not wait");
    let delivered = until("its state", BOUND, async || {
        let event = api.get("/events/soon").await.expect(200);
        (event["deliveries"][0]["status"] == "delivered").then_some(event)
    });
    assert_eq!(delivered.await.get("deliver_at"), None);
    let refused = json!({"type": EVENT_TYPE, "data": 1, "deliver_at": "tomorrow"});
    assert_eq!(api.post("/events", &refused).await.expect(422)["errors"][0]["field"], "deliver_at");
}

/// The same day and hour, some seconds later.
fn in_seconds(time: &Value, seconds: u64) -> String {
    let time = tidings_domain::time::Timestamp::parse(time.as_str().expect("a time")).expect("a time");
    time.plus_millis(seconds * 1_000).rfc3339_millis()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_any_type_are_delivered_as_they_are_and_signed_under_every_profile() {
    let mut scene = Scene::begin().await;
    let profiles = [
        Signature::Standard,
        Signature::BotSubscription,
        Signature::SubscribeFlow,
        Signature::ServerAvatar,
        Signature::Botdog,
    ];
    let mut hooks = Vec::new();
    for (place, signature) in profiles.into_iter().enumerate() {
        let path = format!("/hook-{place}");
        let secret = json!({"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"});
        let hook = scene.world.subscribe(&scene.project, &scene.receiver, &path, signature, secret).await;
        hooks.push((path, hook.verifier));
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let contents: [(&str, &[u8]); 3] = [
        ("application/octet-stream", &bytes),
        ("text/csv; charset=utf-8", b"id;name\n1;x\n"),
        ("application/xml", b""),
    ];
    for (content_type, body) in contents {
        let event = json!({"type": EVENT_TYPE, "content_type": content_type, "body_base64": STANDARD.encode(body)});
        let id = scene.project.api.post("/events", &event).await.expect(202)["id"].clone();
        let shown = scene.project.api.get(&format!("/events/{}", id.as_str().expect("an id"))).await.expect(200);
        assert_eq!((&shown["content_type"], &shown["body_base64"]), (&json!(content_type), &event["body_base64"]));
    }
    for (path, verifier) in hooks {
        let requests = scene.receiver.wait_for(&path, contents.len(), BOUND).await;
        for (content_type, body) in contents {
            let request = requests.iter().find(|request| request.header("content-type") == content_type);
            let request = request.unwrap_or_else(|| panic!("{path}: nothing of the type {content_type}"));
            assert_eq!(request.body, body, "{path}: {content_type}");
            // The library of Standard Webhooks takes text only.
            if path == "/hook-0" && std::str::from_utf8(body).is_err() {
                continue;
            }
            verifier.check(&request.headers, &request.body).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_too_many_is_told_so_even_if_its_sender_reads_nothing_before_it_has_sent_everything() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let organization = world.project("acme", EVENT_TYPE).await.organization_id;
    let maker = world.operator().clone().with_header("x-organization-id", &organization);
    let key = maker.post("/api-keys", &json!({"name": "raw"})).await.expect(201);
    let head = format!(
        "POST /api/v1/events/batch HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\ncontent-type: application/json\r\n\
         content-length: {BATCH_BYTES}\r\n\r\n",
        key["key"].as_str().expect("a key")
    );
    let mut slow = Vec::new();
    let mut whole = head.clone().into_bytes();
    whole.resize(head.len() + BATCH_BYTES, b' ');
    // Batches whose bodies never come take all the places that the project has: whoever is told to go
    // on has one.
    let waiting = head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    for _ in 0..PROJECT_BATCHES_MAX {
        let mut stream = TcpStream::connect(server.address()).await.expect("connected");
        stream.write_all(waiting.as_bytes()).await.expect("sent");
        assert_eq!(&status_line(&mut stream).await, b"HTTP/1.1 100");
        slow.push(stream);
    }
    let mut stream = TcpStream::connect(server.address()).await.expect("connected");
    stream.write_all(&whole).await.expect("everything is taken in");
    assert_eq!(&status_line(&mut stream).await, b"HTTP/1.1 429");
}

async fn status_line(stream: &mut TcpStream) -> [u8; 12] {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    answer
}
