//! How the instance is, as an operator and a publisher see it: lanes, breakers, and types that nobody knows.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Inlet, Person, Receiver, Server, Signature, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(60);
/// Failures in a row that open a breaker, and a few more.
const EVENTS: usize = 15;

fn shows(page: &tidings_testkit::Answer, words: &str) -> bool {
    String::from_utf8_lossy(&page.body).contains(words)
}

fn lane<'a>(lanes: &'a Value, id: &str) -> Option<&'a Value> {
    lanes["lanes"].as_array().expect("a list").iter().find(|lane| lane["webhook_id"] == id || lane["source_id"] == id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_tell_open_breakers_what_is_held_and_where_most_waits() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let operator = world.operator().clone();
    let quiet = operator.get("/instance/lanes").await.expect(200);
    assert_eq!((&quiet["lanes"], &quiet["breakers_open"], &quiet["held"]), (&json!([]), &json!(0), &json!(0)));

    let mut ids = Vec::new();
    for (path, name) in [("/broken", "CRM mirror"), ("/paused", "desk"), ("/well", "well")] {
        let webhook = world.subscribe(&project, &receiver, path, Signature::Standard, json!({"name": name})).await;
        ids.push(webhook.webhook_id);
    }
    for path in ["/broken", "/forward"] {
        receiver.route(path, Behaviour::Status(500));
    }
    project.api.post(&format!("/webhooks/{}/pause", ids[1]), &json!({})).await.expect(200);
    let forward = json!({"kind": "forward", "url": receiver.url("/forward")});
    let source = json!({"name": "from shop", "kind": "none", "actions": [forward]});
    let acme = operator.clone().with_header("x-organization-id", &project.organization_id);
    let source = acme.with_header("x-project-id", &project.id).post("/sources", &source).await.expect(201);
    Inlet::of(&operator, &source).post(&json!({"n": 1})).await.expect(200);
    for n in 0..EVENTS {
        project.api.post("/events", &json!({"type": EVENT_TYPE, "data": n})).await.expect(202);
    }
    let source_id = source["id"].as_str().expect("an id");
    let lanes = until("an open breaker, and everything that waits", BOUND, async || {
        let lanes = operator.get("/instance/lanes").await.expect(200);
        let is_open = lanes["breakers_open"] == 1 && lane(&lanes, &ids[0])?["waiting"] == EVENTS;
        (is_open && lane(&lanes, source_id)?["waiting"] == 1).then_some(lanes)
    })
    .await;
    let broken = &lanes["lanes"][0];
    let expected = [
        ("webhook_id", json!(ids[0])),
        ("project_id", json!(project.id)),
        ("source_id", Value::Null),
        ("name", json!("CRM mirror")),
        ("status", json!("active")),
        ("breaker", json!("open")),
    ];
    for (member, value) in expected {
        assert_eq!(broken[member], value, "{member} of the first one: {lanes}");
    }
    assert!(broken["next_probe_at"].is_string() && broken["next_due_at"].is_string(), "{broken}");
    let paused = lane(&lanes, &ids[1]).expect("it waits");
    assert_eq!((&paused["status"], &paused["waiting"], &lanes["held"]), (&json!("paused"), &json!(EVENTS), &json!(1)));
    let source = lane(&lanes, source_id).expect("it waits");
    assert_eq!((&source["name"], &source["project_id"]), (&json!("from shop"), &json!(project.id)), "{source}");
    assert_eq!(lane(&lanes, &ids[2]), None, "nothing waits for it");

    let page = Person::operator(&server, "mia@example.com").await.get("/operator/health").await;
    for words in ["1 breaker is open", "1 lane is held", "CRM mirror", "Breaker open", "Paused", "from shop"] {
        assert!(shows(&page, words), "{words}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_nobody_knows_are_counted_for_whoever_published_them() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let (acme, shop) = (world.project("acme", EVENT_TYPE).await, world.project("shop", EVENT_TYPE).await);
    let publish = async |kind: &str| acme.api.post("/events", &json!({"type": kind, "data": 1})).await;
    for (kind, times) in [("order.payed", 3), ("<b>.x", 0), ("order.lost", 1)] {
        for _ in 0..times {
            publish(kind).await.expect_problem(422, "unknown_event_type");
        }
    }
    publish(EVENT_TYPE).await.expect(202);
    let batch = json!({"events": [{"type": "order.payed", "data": 1}, {"type": EVENT_TYPE, "data": 1}]});
    acme.api.post("/events/batch", &batch).await.expect(202);
    let refused = acme.api.get("/refused-types").await.expect(200);
    let rows: Vec<_> =
        refused["data"].as_array().expect("a list").iter().map(|row| (&row["type"], &row["count"])).collect();
    let (payed, lost) = (json!("order.payed"), json!("order.lost"));
    assert_eq!(rows, [(&payed, &json!(4)), (&lost, &json!(1))], "the latest first");
    assert_eq!(shop.api.get("/refused-types").await.expect(200)["data"], json!([]), "nobody else's");

    let ann = Person::member(&server, &acme.organization_id, "ann@example.com", "viewer").await;
    let page = ann.get(&format!("/p/{}/event-types", acme.id)).await;
    assert!(shows(&page, "Refused lately") && shows(&page, "order.payed"), "{page}");
}
