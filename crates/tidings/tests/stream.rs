//! What happens to deliveries, heard over a socket while it happens.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tidings_client::{Client, DeliveryStream, StreamEvent, contract::stream::DeliveryNews};
use tidings_testkit::{Api, Receiver, Server, Signature, World, organization_key, raw_exchange, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(20);
/// Streams that one project may have.
const STREAMS_MAX: usize = 32;

/// A project with a webhook, and a client with its key.
struct Scene {
    server: Server,
    api: Api,
    client: Client,
    other: Api,
    key: String,
    webhook_id: String,
    // Ends with the scene.
    _receiver: Receiver,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        let webhook = world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
        let other = world.project("other", EVENT_TYPE).await;
        world.subscribe(&other, &receiver, "/other", Signature::Standard, json!({})).await;
        let made = json!({"name": "listens", "scopes": ["deliveries:read"], "project_id": project.id});
        let admin = organization_key(world.operator(), &project.organization_id, &json!({"name": "admin"})).await;
        let key = admin.post("/api-keys", &made).await.expect(201)["key"].as_str().expect("a key").to_owned();
        let client = Client::builder(format!("http://{}", server.address())).api_key(key.clone());
        let client = client.build().expect("a client");
        let webhook_id = webhook.webhook_id;
        Self { server, api: project.api, client, other: other.api, key, webhook_id, _receiver: receiver }
    }

    async fn publish(&self) -> Value {
        self.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202)
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

async fn next(stream: &mut DeliveryStream) -> Option<StreamEvent> {
    let next = tokio::time::timeout(BOUND, stream.next()).await.expect("something comes in time");
    next.expect("an unbroken stream")
}

async fn news(stream: &mut DeliveryStream) -> DeliveryNews {
    match next(stream).await {
        Some(StreamEvent::Delivery(news)) => news,
        other => panic!("{other:?} in place of news"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_told_as_they_happen_and_those_of_others_are_not() {
    let scene = Scene::begin().await;
    let mut stream = scene.client.stream(None).await.expect("a stream");
    let foreign = scene.other.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    scene.other.delivered(foreign["id"].as_str().expect("an id")).await;
    let event = scene.publish().await;
    for (change, status, attempts) in [("accepted", "pending", 0), ("ended", "delivered", 1)] {
        let news = news(&mut stream).await;
        assert_eq!((news.change.as_str(), news.status.as_str(), news.attempt_count), (change, status, attempts));
        assert_eq!((&json!(news.event_id), news.webhook_id.to_string()), (&event["id"], scene.webhook_id.clone()));
    }
    let place = stream.place().expect("a place").to_owned();
    drop(stream);

    scene.publish().await;
    let mut again = scene.client.stream(Some(&place)).await.expect("a stream");
    assert_eq!(news(&mut again).await.change, "accepted", "what came in between is told");
    for nobodys in ["no-such-place", "1"] {
        let mut stream = scene.client.stream(Some(nobodys)).await.expect("a stream");
        assert_eq!(next(&mut stream).await, Some(StreamEvent::Reset), "{nobodys}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_what_the_standard_says_and_a_key_without_the_scope_gets_none() {
    let scene = Scene::begin().await;
    let request = format!("GET /api/v1/stream HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\n\r\n", scene.key);
    let answer = raw_exchange(scene.address(), request.as_bytes(), Duration::from_millis(500)).await;
    let text = String::from_utf8(answer.bytes).expect("text");
    assert!(!answer.closed, "it has no end of its own: {text}");
    for part in
        ["HTTP/1.1 200", "content-type: text/event-stream\r\n", "cache-control: no-store\r\n", "retry: 1000\nid: "]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    scene.api.clone().without_key().get("/stream").await.expect_problem(401, "missing_credentials");
    let weak = json!({"name": "weak", "scopes": ["events:write"]});
    let weak = scene.api.post("/api-keys", &weak).await.expect(201);
    let weak = scene.api.clone().with_key(weak["key"].as_str().expect("a key"));
    weak.get("/stream").await.expect_problem(403, "insufficient_scope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bounded_streams_are_counted_and_a_stop_ends_them() {
    let mut scene = Scene::begin().await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(scene.client.stream(None).await.expect("a stream"));
    }
    let refused = scene.client.stream(None).await.expect_err("one too many");
    assert_eq!(refused.code(), Some("rate_limited"), "{refused}");
    assert!(refused.to_string().contains("32 open streams"), "{refused}");
    drop(streams.pop());
    let freed = until("a place", BOUND, async || scene.client.stream(None).await.ok()).await;
    streams.push(freed);
    assert!(scene.server.stop().await.success());
    for stream in &mut streams {
        assert_eq!(next(stream).await, None, "ended, not broken off");
    }
}
