//! What a customer does after an outage, and for a webhook that came late, over the API.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Project, Receiver, Server, Signature, Subscription, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "tag.subscribed";
const BOUND: Duration = Duration::from_secs(30);
const HOOK: &str = "/hook";
const LATE: &str = "/late";
const SINCE: &str = "2020-01-01T00:00:00Z";

struct Scene {
    receiver: Receiver,
    world: World,
    project: Project,
    _server: Server,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        Self { receiver, world, project, _server: server }
    }

    async fn webhook(&mut self, path: &str) -> Subscription {
        let once = json!({"retry": {"schedule_s": [0]}});
        self.world.subscribe(&self.project, &self.receiver, path, Signature::Standard, once).await
    }

    async fn publish(&self, count: usize) {
        let events: Vec<_> = (0..count).map(|n| json!({"type": EVENT_TYPE, "data": n})).collect();
        self.project.api.post("/events/batch", &json!({"events": events})).await.expect(202);
    }
}

async fn ended(api: &Api, id: &Value) -> Value {
    until("the end of the job", BOUND, async || {
        let job = api.get(&format!("/jobs/{}", id.as_str()?)).await.expect(200);
        (job["state"] != "running").then_some(job)
    })
    .await
}

async fn total(api: &Api, path: &str) -> u64 {
    api.get(path).await.expect(200)["total"].as_u64().expect("a total")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_everything_that_failed_is_sent_again() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(HOOK).await;
    scene.receiver.route(HOOK, Behaviour::Status(500));
    scene.publish(8).await;
    let api = scene.project.api.clone();
    until("failures", BOUND, async || (total(&api, "/deliveries?status=failed").await == 8).then_some(())).await;
    scene.receiver.route(HOOK, Behaviour::Ok);
    let recover = format!("/webhooks/{}/recover", webhook.webhook_id);

    let counted = api.post(&recover, &json!({"since": SINCE, "dry_run": true})).await.expect(202);
    assert_eq!(counted, json!({"count": 8}));
    let keyed = api.clone().with_header("idempotency-key", "outage-1");
    let started = keyed.post(&recover, &json!({"since": SINCE})).await.expect(202);
    let again = keyed.post(&recover, &json!({"since": SINCE})).await;
    assert_eq!((again.expect(202), again.header("idempotent-replay")), (started.clone(), Some("true")));

    let job = ended(&api, &started["job_id"]).await;
    for (field, value) in
        [("kind", json!("recover")), ("state", json!("done")), ("done", json!(8)), ("total", json!(8))]
    {
        assert_eq!(job[field], value, "{field}");
    }
    until("arrivals", BOUND, async || (total(&api, "/deliveries?status=delivered").await == 8).then_some(())).await;
    assert_eq!(api.get("/jobs").await.expect(200)["data"], json!([job]));
    assert_eq!(scene.world.operator().get("/instance").await.expect(200)["ledger"]["unaccounted"], 0);
    scene.receiver.wait_for(HOOK, 16, BOUND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_webhook_gets_the_past_and_an_event_is_sent_again_to_one() {
    let mut scene = Scene::begin().await;
    scene.webhook(HOOK).await;
    scene.publish(5).await;
    let api = scene.project.api.clone();
    let late = scene.webhook(LATE).await;
    let replay = format!("/webhooks/{}/replay", late.webhook_id);
    let started = api.post(&replay, &json!({"since": SINCE, "event_types": ["tag.*"]})).await.expect(202);
    assert_eq!(ended(&api, &started["job_id"]).await["queued"], 5);
    let requests = scene.receiver.wait_for(LATE, 5, BOUND).await;
    requests.iter().for_each(|request| late.verifier.check(&request.headers, &request.body).expect("signed"));

    let newest = api.get("/events?limit=1").await.expect(200)["data"][0].clone();
    assert_eq!(newest["deliveries"], 2);
    let path = format!("/events/{}", newest["id"].as_str().expect("an id"));
    let replayed = api.post(&format!("{path}/replay"), &json!({"webhook_id": late.webhook_id})).await.expect(202);
    let shown = api.get(&path).await.expect(200);
    assert_eq!(shown["deliveries"][2]["id"], replayed["deliveries"][0]["delivery_id"]);
    scene.receiver.wait_for(LATE, 6, BOUND).await;
    assert_eq!(total(&api, &format!("/webhooks/{}/deliveries", late.webhook_id)).await, 6);
    assert_eq!(total(&api, "/deliveries").await, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_say_what_is_wrong_and_leave_no_job() {
    let mut scene = Scene::begin().await;
    let webhook = scene.webhook(HOOK).await;
    let other = scene.world.project("other", EVENT_TYPE).await;
    let api = scene.project.api.clone();
    let own = format!("/webhooks/{}", webhook.webhook_id);
    for (path, body, field) in [
        ("recover", json!({}), "since"),
        ("recover", json!({"since": "yesterday"}), "since"),
        ("recover", json!({"since": "2999-01-01T00:00:00Z"}), "since"),
        ("recover", json!({"since": SINCE, "statuses": ["pending"]}), "statuses"),
        ("recover", json!({"since": SINCE, "statuses": []}), "statuses"),
        ("recover", json!({"since": SINCE, "event_types": ["no spaces"]}), "event_types[0]"),
        ("replay", json!({"since": SINCE, "scopes": [""]}), "scopes"),
        ("replay", json!({"since": SINCE, "statuses": ["failed"]}), "statuses"),
    ] {
        let answer = api.post(&format!("{own}/{path}"), &body).await.expect(422);
        assert_eq!(answer["errors"][0]["field"], field, "{body}: {answer}");
    }
    for path in ["recover", "replay"] {
        let foreign = other.api.post(&format!("{own}/{path}"), &json!({"since": SINCE})).await;
        assert_eq!(foreign.expect(404)["code"], "not_found");
    }
    api.post(&format!("{own}/disable"), &json!({})).await.expect(200);
    let refused = api.post(&format!("{own}/recover"), &json!({"since": SINCE})).await.expect(409);
    assert_eq!(refused["code"], "webhook_disabled");
    for path in ["/jobs/job_00000000000000000000000000", "/jobs/nonsense"] {
        api.get(path).await.expect(404);
        api.delete(path).await.expect(404);
    }
    api.post("/events/none/replay", &json!({})).await.expect(404);
    assert_eq!(total(&api, "/jobs").await, 0);
}
