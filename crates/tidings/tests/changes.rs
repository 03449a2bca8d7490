//! Changes at awkward moments: clients that go away, too many at once, what is sent back as it was
//! shown, repetitions after the world has changed, starts without what a start needs.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidings_domain::time::Timestamp;
use tidings_testkit::{
    Answer, Api, Behaviour, Project, Receiver, Server, Signature, World, operator, unix_seconds, until,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(20);
/// Requests beside the lanes that the server carries out at a time, of each kind.
const BESIDE_LANES_MAX: usize = 64;

struct Scene {
    server: Server,
    receiver: Receiver,
    world: World,
    project: Project,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        Self { server, receiver, world, project }
    }

    async fn webhook(&mut self, path: &str, request: Value) -> String {
        self.world.subscribe(&self.project, &self.receiver, path, Signature::Standard, request).await.webhook_id
    }

    /// Asks for something and goes away before the answer, at once or when the server has read it.
    async fn ask_and_leave(&self, line: &str, at_once: bool) {
        let (key, project) = (self.server.operator_key(), &self.project.id);
        let request = format!(
            "{line} HTTP/1.1\r\nhost: tidings.test\r\nx-api-key: {key}\r\nx-project-id: {project}\r\ncontent-length: 0\r\n\r\n"
        );
        let mut stream = TcpStream::connect(self.server.address()).await.expect("the server takes connections");
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        if !at_once {
            self.project.api.get("/event-types").await.expect(200);
        }
    }

    async fn publish(&self, event: Value) -> Value {
        self.project.api.post("/events", &event).await.expect(202)
    }

    /// The webhook's deliveries, once all of them are in this state.
    async fn deliveries_in(&self, webhook: &str, status: &str, count: usize) -> Vec<String> {
        until("the deliveries' state", BOUND, async || {
            let all: Vec<Value> = self.project.api.list(&format!("/webhooks/{webhook}/deliveries")).await;
            let there = all.len() == count && all.iter().all(|delivery| delivery["status"] == status);
            let ids = all.iter().map(|delivery| delivery["id"].as_str().expect("an id").to_owned());
            there.then(|| ids.collect())
        })
        .await
    }
}

/// Sends the same request so many times at once.
async fn at_once(api: &Api, requests: Vec<(String, Value)>) -> Vec<Answer> {
    let sent: Vec<_> = requests
        .into_iter()
        .map(|(path, body)| {
            let api = api.clone();
            tokio::spawn(async move { api.post(&path, &body).await })
        })
        .collect();
    let mut answers = Vec::with_capacity(sent.len());
    for answer in sent {
        answers.push(answer.await.expect("sent"));
    }
    answers
}

fn assert_bounded(answers: &[Answer], status: u16) {
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == status);
    assert_eq!(done.len(), BESIDE_LANES_MAX, "of {} requests: {refused:?}", answers.len());
    for answer in refused {
        answer.expect_problem(429, "rate_limited");
        assert!(answer.header("retry-after").is_some(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_client_goes_away_is_carried_out_whole() {
    const WEBHOOKS: usize = 24;
    let mut scene = Scene::begin().await;
    let mut webhooks = Vec::new();
    for number in 0..WEBHOOKS {
        let path = format!("/hook-{number}");
        let webhook = scene.webhook(&path, json!({"retry": {"schedule_s": [0, 1], "jitter": 0}})).await;
        scene.receiver.route(&path, Behaviour::FailsFirst(1));
        webhooks.push((path, webhook));
    }
    scene.publish(json!({"type": EVENT_TYPE, "data": 1})).await;
    for (path, webhook) in &webhooks {
        scene.receiver.wait_for(path, 1, BOUND).await;
        scene.project.api.post(&format!("/webhooks/{webhook}/disable"), &json!({})).await.expect(200);
    }
    for (number, (_, webhook)) in webhooks.iter().enumerate() {
        scene.ask_and_leave(&format!("POST /api/v1/webhooks/{webhook}/enable"), number % 2 == 0).await;
    }
    // A request whose client was gone before it was read is not carried out. One that is has all
    // its consequences: what was held goes on.
    let project = &scene.project.api;
    let is_active = async |webhook: &str| {
        let found = project.get(&format!("/webhooks/{webhook}")).await.expect(200);
        found["status"] == "active"
    };
    // Nobody is left to be told when, so the first of them is waited for.
    until("a change whose client went away", BOUND, async || {
        for (_, webhook) in &webhooks {
            if is_active(webhook).await {
                return Some(());
            }
        }
        None
    })
    .await;
    let mut carried_out = 0;
    for (path, webhook) in &webhooks {
        let found = scene.project.api.get(&format!("/webhooks/{webhook}")).await.expect(200);
        if found["status"] == "active" {
            scene.deliveries_in(webhook, "delivered", 1).await;
            assert_eq!(scene.receiver.count_at(path), 2);
            carried_out += 1;
        }
    }
    println!("changes: {carried_out} of {WEBHOOKS} whose client went away were carried out, all of them whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bounded_tests_at_the_same_time_have_a_maximum() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook("/silent", json!({"timeout_ms": 3_000})).await;
    scene.receiver.route("/silent", Behaviour::Silent);
    let test = (format!("/webhooks/{webhook}/test"), json!({}));
    let answers = at_once(&scene.project.api, vec![test; BESIDE_LANES_MAX + 16]).await;
    assert_bounded(&answers, 200);
    scene.deliveries_in(&webhook, "failed", BESIDE_LANES_MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bounded_forced_deliveries_at_the_same_time_have_a_maximum() {
    const EVENTS: usize = BESIDE_LANES_MAX + 6;
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook("/hook", json!({"timeout_ms": 3_000})).await;
    for number in 0..EVENTS {
        scene.publish(json!({"type": EVENT_TYPE, "data": number})).await;
    }
    let deliveries = scene.deliveries_in(&webhook, "delivered", EVENTS).await;
    scene.project.api.post(&format!("/webhooks/{webhook}/disable"), &json!({})).await.expect(200);
    scene.receiver.route("/hook", Behaviour::Silent);
    let forced = deliveries.iter().map(|id| (format!("/deliveries/{id}/retry"), json!({"force": true})));
    let answers = at_once(&scene.project.api, forced.collect()).await;
    assert_bounded(&answers, 202);
    for (id, answer) in deliveries.iter().zip(&answers).filter(|(_, answer)| answer.status == 429) {
        let delivery = scene.project.api.get(&format!("/deliveries/{id}")).await.expect(200);
        assert_eq!((&delivery["status"], &delivery["attempt_count"]), (&json!("delivered"), &json!(1)), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_sent_back_as_it_was_shown_keeps_its_credentials() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook("/hook", json!({})).await;
    let path = format!("/webhooks/{webhook}");
    let with_credentials = scene.receiver.url("/hook").replace("http://", "http://user:pass@");
    scene.project.api.patch(&path, &json!({"url": with_credentials})).await.expect(200);
    let shown = scene.project.api.get(&path).await.expect(200)["url"].as_str().expect("an address").to_owned();
    assert!(!shown.contains("pass") && shown.contains('@'), "{shown}");
    scene.project.api.patch(&path, &json!({"url": shown, "name": "renamed"})).await.expect(200);
    scene.publish(json!({"type": EVENT_TYPE, "data": 1})).await;
    let arrived = scene.receiver.wait_for("/hook", 1, BOUND).await;
    assert_eq!(arrived[0].header("authorization"), "Basic dXNlcjpwYXNz");
    // Masked credentials for another address are nobody's.
    let elsewhere = json!({"url": shown.replace("/hook", "/elsewhere")});
    let problem = scene.project.api.patch(&path, &elsewhere).await.expect_problem(422, "validation_failed");
    assert_eq!(problem.errors[0].field, "url");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_is_answered_before_checks_that_would_fail_now() {
    let scene = Scene::begin().await;
    let admin = operator(&scene.server).with_header("x-organization-id", &scene.project.organization_id);
    let event = json!({"type": EVENT_TYPE, "data": {"order": 1}, "scope": ["a", "b"]});
    let keyed = scene.project.api.clone().with_header("idempotency-key", "order-1");
    let first = keyed.post("/events", &event).await;
    let until_soon = time_in(Duration::from_secs(1));
    let short_lived = json!({"name": "short", "expires_at": until_soon});
    let keyed_admin = admin.clone().with_header("idempotency-key", "key-1");
    let made = keyed_admin.post("/api-keys", &short_lived).await;
    let short = scene.project.api.clone().with_key(made.expect(201)["key"].as_str().expect("a key"));
    admin.put(&format!("/event-types/{EVENT_TYPE}"), &json!({"archived": true})).await.expect(200);
    until("the end of the key", BOUND, async || (short.get("/webhooks").await.status == 401).then_some(())).await;

    let in_body = json!({"idempotency_key": "order-1", "scope": ["a", "b"], "data": {"order": 1}, "type": EVENT_TYPE});
    let repeated = [keyed.post("/events", &event).await, scene.project.api.post("/events", &in_body).await];
    for again in repeated {
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{again}");
        assert_eq!(again.header("idempotent-replay"), Some("true"));
    }
    let again = keyed_admin.post("/api-keys", &short_lived).await;
    assert_eq!((again.status, &again.body), (made.status, &made.body), "{again}");
    // Another request under the key is none of these.
    let other = json!({"type": EVENT_TYPE, "data": {"order": 1}, "scope": ["ab"]});
    let refused = keyed.send(Method::POST, "/events", other.to_string()).await;
    assert!([409, 422].contains(&refused.problem().status), "{refused}");
    let other = json!({"name": "other", "expires_at": until_soon});
    keyed_admin.post("/api-keys", &other).await.expect_problem(409, "idempotency_conflict");
}

/// A time from now as the API reads it.
fn time_in(wait: Duration) -> String {
    let now_ms = i64::try_from(unix_seconds() * 1_000).expect("before the end of time");
    // The clock's fraction is cut off; a second more keeps the time in the future.
    Timestamp::from_millis(now_ms + 1_000).plus_millis(u64::try_from(wait.as_millis()).expect("short")).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_master_key_is_refused_and_not_made_anew() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook("/hook", json!({})).await;
    assert!(scene.server.stop().await.success());
    let path = scene.server.data_directory().join("master.key");
    let kept = std::fs::read(&path).expect("the first start made a master key");
    std::fs::remove_file(&path).expect("removed");
    let said = scene.server.refuses_to_start().await;
    assert!(said.contains("master key") || said.contains("master.key"), "{said}");
    assert!(!path.exists(), "a new one would make all secrets unreadable");
    let mut other = kept.clone();
    other[0] = if other[0] == b'A' { b'B' } else { b'A' };
    std::fs::write(&path, other).expect("written");
    let said = scene.server.refuses_to_start().await;
    assert!(said.contains("master key"), "{said}");
    std::fs::write(&path, kept).expect("written");
    scene.server.restart().await;
    let tested = scene.project.api.post(&format!("/webhooks/{webhook}/test"), &json!({})).await.expect(200);
    assert_eq!(tested["success"], true, "{tested}");
    assert!(scene.receiver.arrivals_at("/hook").iter().all(|arrival| arrival.signature.is_ok()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_operator_key_is_not_installed_again() {
    let mut scene = Scene::begin().await;
    let operator = operator(&scene.server);
    let second = operator.post("/api-keys", &json!({"name": "second", "operator": true})).await.expect(201);
    let second = operator.clone().with_key(second["key"].as_str().expect("a key"));
    let keys = second.get("/api-keys?operator=true").await.expect(200);
    let keys = keys["data"].as_array().expect("a list");
    let given = keys.iter().find(|key| key["name"] == "TIDINGS_OPERATOR_KEY").expect("the one given at the start");
    second.delete(&format!("/api-keys/{}", given["id"].as_str().expect("an id"))).await.expect(204);
    operator.get("/instance").await.expect_problem(401, "api_key_revoked");
    assert!(scene.server.stop().await.success());
    let said = scene.server.refuses_to_start().await;
    assert!(said.contains("TIDINGS_OPERATOR_KEY was revoked"), "{said}");
}
