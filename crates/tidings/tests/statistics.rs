//! What pages show of webhooks at a glance: figures by the hour, many webhooks beside each other,
//! and what waits.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Receiver, Server, Signature, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(20);

/// The sum of a list of numbers, and how many there are.
fn sum(numbers: &Value) -> (u64, usize) {
    let numbers = numbers.as_array().expect("a list");
    (numbers.iter().filter_map(Value::as_u64).sum(), numbers.len())
}

/// What `GET /stats` says of a member of `waiting`, once it says so.
async fn until_waiting(api: &Api, member: &str, count: u64) {
    until("as many wait", BOUND, async || {
        let found = api.get("/stats?hours=1").await.expect(200);
        (found["waiting"][member] == count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_by_the_hour_tell_attempts_medians_and_what_waits() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let api = &project.api;
    let good = world.subscribe(&project, &receiver, "/good", Signature::Standard, json!({})).await.webhook_id;
    let retry = json!({"retry": {"schedule_s": [0, 3600]}});
    let bad = world.subscribe(&project, &receiver, "/bad", Signature::Standard, retry).await.webhook_id;
    let quiet = world.subscribe(&project, &receiver, "/quiet", Signature::Standard, json!({})).await.webhook_id;
    receiver.route("/bad", Behaviour::Status(500));
    api.post(&format!("/webhooks/{quiet}/pause"), &json!({})).await.expect(200);
    for n in 0..3 {
        api.post("/events", &json!({"type": EVENT_TYPE, "data": n})).await.expect(202);
    }
    until_waiting(api, "retrying", 3).await;
    until_waiting(api, "pending", 0).await;

    let all = api.get("/stats?hours=24").await.expect(200);
    assert_eq!(all["waiting"], json!({"pending": 0, "retrying": 3, "held": 3, "oldest_due_at": null}));
    assert_eq!((&all["pending_deliveries"], &all["successful_deliveries"]), (&json!(6), &json!(3)));
    let attempts = ["total_attempts", "successful_attempts", "failed_attempts"].map(|name| all[name].clone());
    assert_eq!(attempts, [6, 3, 3].map(Value::from));
    assert!(all["p50_response_time_ms"].as_f64() <= all["p95_response_time_ms"].as_f64(), "{all}");
    let week = api.get(&format!("/webhooks/{bad}/stats?hours=168")).await.expect(200);
    assert_eq!((&week["total_attempts"], &week["waiting"]["held"]), (&json!(3), &json!(0)));
    for (body, hours) in [(&all, 24), (&week, 168)] {
        let series = body["series"].as_array().expect("a list");
        assert_eq!((series.len(), &series[0]["at"]), (hours, &body["since"]), "each hour is there");
    }
    let days = api.get("/stats?days=30").await.expect(200)["series"].as_array().expect("a list").len();
    assert!((30..=31).contains(&days), "{days}: each day is there, the first one whole");

    let beside = api.get(&format!("/stats/webhooks?ids={bad},{good}")).await.expect(200);
    let row = |place: usize, id: &str| {
        let row = &beside["data"][place];
        assert_eq!(row["webhook_id"], id);
        ["delivered", "failed", "retried"].map(|name| sum(&row[name]))
    };
    assert_eq!(row(0, &bad), [(0, 24), (0, 24), (3, 24)]);
    assert_eq!(row(1, &good), [(3, 24), (0, 24), (0, 24)]);
    let page = api.get("/stats/webhooks?limit=2").await.expect(200);
    let listed: Vec<_> = page["data"].as_array().expect("a list").iter().map(|row| &row["webhook_id"]).collect();
    assert_eq!((listed, &page["total"]), (vec![&json!(quiet), &json!(bad)], &json!(3)), "as webhooks are listed");
    assert!(page["cursor"].is_string(), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_that_nobody_can_mean_are_refused_with_the_way_out() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let api = world.project("acme", EVENT_TYPE).await.api;
    let many = vec!["wh_01"; 101].join(",");
    for (path, says) in [
        ("/stats?hours=0", "hours"),
        ("/stats?hours=169", "168"),
        ("/stats?hours=1&days=1", "ask for one of them"),
        ("/stats/webhooks?ids=", "1 to 100 ids"),
        ("/stats/webhooks?ids=wh_1", "1 to 100 ids"),
        (&format!("/stats/webhooks?ids={many}"), "1 to 100 ids"),
    ] {
        let problem = api.get(path).await.expect_problem(400, "malformed_request");
        assert!(problem.detail.contains(says), "{path}: {problem:?}");
    }
}
