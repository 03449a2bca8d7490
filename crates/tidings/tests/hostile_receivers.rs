//! B8: receivers that send anything at all. Each attempt ends at its deadline at the latest and
//! is on record with a clear word on what was wrong; memory stays bounded, and other customers'
//! deliveries go on (INV-BOUNDED, INV-LANES).

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Behaviour, Hostile, Project, Receiver, Server, Signature, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
/// The shortest deadline that a webhook can have.
const TIMEOUT_MS: u64 = 1_000;
/// How long after its deadline an attempt may end.
const GRACE_MS: u64 = 1_000;
/// Events that every hostile receiver gets.
const EVENTS: usize = 8;
const MEMORY_GROWTH_KIB_MAX: u64 = 64 * 1024;
/// Bytes of an answer's body that are kept.
const KEPT_BYTES: usize = 64 * 1024;
const BOUND: Duration = Duration::from_secs(60);

/// What has to be on record.
enum Record {
    /// An answer with this status, and whether its body went on beyond what is kept.
    Answer { status: u16, truncated: bool },
    /// No usable answer; the error holds one of these words.
    Error(&'static [&'static str]),
}

fn expected(hostile: Hostile) -> Record {
    const TOO_LATE: &[&str] = &["no answer within", "no complete answer within"];
    match hostile {
        Hostile::Reset => Record::Error(&["reset the connection"]),
        Hostile::CloseSilently => Record::Error(&["closed the connection"]),
        Hostile::HalfABody => Record::Error(&["in the middle of the answer's body"]),
        Hostile::Garbage | Hostile::TwoLengths => Record::Error(&["not HTTP"]),
        Hostile::EndlessHeaders => Record::Error(&["head of the answer"]),
        Hostile::HeadWithoutEnd
        | Hostile::DrippingHead
        | Hostile::DrippingBody
        | Hostile::HugeContentLength
        | Hostile::EndlessContinue => Record::Error(TOO_LATE),
        Hostile::EndlessBody | Hostile::GzipBomb => Record::Answer { status: 200, truncated: true },
        Hostile::NonUtf8Headers | Hostile::NonUtf8Body | Hostile::Http10 => {
            Record::Answer { status: 200, truncated: false }
        }
        Hostile::NoContent => Record::Answer { status: 204, truncated: false },
        Hostile::Redirect(_) => Record::Answer { status: 307, truncated: false },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_answer_ends_in_time_and_on_record() {
    let server = Server::start(BINARY).await;
    let (receiver, hostile, elsewhere) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let mut world = World::new(&server);
    let neighbour = world.project("neighbour", EVENT_TYPE).await;
    world.subscribe(&neighbour, &receiver, "/neighbour", Signature::Standard, json!({})).await;
    let project = world.project("hostile", EVENT_TYPE).await;
    let redirect = Hostile::Redirect(elsewhere.url("/redirected").leak());
    let ways: Vec<_> = Hostile::ALL.into_iter().chain([redirect]).collect();
    for (number, way) in ways.iter().enumerate() {
        let path = format!("/{number}");
        let settings = json!({"timeout_ms": TIMEOUT_MS, "retry": {"schedule_s": [0]}});
        world.subscribe(&project, &hostile, &path, Signature::Standard, settings).await;
        hostile.route(&path, Behaviour::Hostile(*way));
    }
    neighbours_are_served(&neighbour, &receiver, 1).await;
    let (memory_before, _) = server.memory_kib();

    for _ in 0..EVENTS {
        let event = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
        assert_eq!(event["deliveries"], ways.len());
        neighbours_are_served(&neighbour, &receiver, 1).await;
    }
    until("the end of all attempts", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;

    let hostile_webhooks = &world.subscriptions[1..];
    let mut slowest_ms: f64 = 0.0;
    for (way, webhook) in ways.iter().zip(hostile_webhooks) {
        for attempt in attempts_of(&project, &webhook.webhook_id).await {
            slowest_ms = slowest_ms.max(attempt["duration_ms"].as_f64().expect("a duration"));
            check(*way, &attempt);
        }
    }
    let (_, memory_most) = server.memory_kib();
    let growth = memory_most.saturating_sub(memory_before);
    println!(
        "B8: {} ways × {EVENTS} events, the slowest attempt took {slowest_ms:.0} ms of {TIMEOUT_MS} + {GRACE_MS}; memory \
         grew from {memory_before} KiB by at most {growth} KiB",
        ways.len()
    );
    assert!(slowest_ms <= (TIMEOUT_MS + GRACE_MS) as f64);
    assert!(growth <= MEMORY_GROWTH_KIB_MAX, "{growth} KiB");
    assert_eq!(elsewhere.arrivals().len(), 0, "a redirect was followed");
}

fn check(way: Hostile, attempt: &Value) {
    match expected(way) {
        Record::Answer { status, truncated } => {
            assert_eq!(attempt["response"]["status"], status, "{way:?}: {attempt}");
            assert_eq!(attempt["response"]["truncated"], truncated, "{way:?}");
            let kept = attempt["response"]["body"].as_str().expect("a body");
            // Bytes that are no text are shown as replacement characters of three bytes each.
            assert!(kept.chars().count() <= KEPT_BYTES, "{way:?} keeps {} characters", kept.len());
            let bytes = &attempt["response"]["body_base64"];
            assert_eq!(bytes.is_string(), kept.contains('\u{fffd}'), "{way:?}: {bytes}");
            if let Hostile::NonUtf8Body = way {
                assert_eq!(bytes, "//4AgMMo", "{attempt}");
            }
        }
        Record::Error(words) => {
            let error = attempt["error"].as_str().unwrap_or_else(|| panic!("{way:?} leaves no error: {attempt}"));
            assert!(words.iter().any(|word| error.contains(word)), "{way:?}: {error}");
            assert_eq!(attempt["response"], Value::Null, "{way:?}");
        }
    }
}

async fn attempts_of(project: &Project, webhook_id: &str) -> Vec<Value> {
    let deliveries = project.api.get(&format!("/webhooks/{webhook_id}/deliveries")).await.expect(200);
    let deliveries = deliveries["data"].as_array().expect("rows").clone();
    assert_eq!(deliveries.len(), EVENTS);
    let mut attempts = Vec::new();
    for delivery in deliveries {
        let path = format!("/deliveries/{}/attempts", delivery["id"].as_str().expect("an id"));
        let shown = project.api.get(&path).await.expect(200);
        assert_eq!(shown["total"], 1, "one attempt each");
        attempts.push(shown["data"][0].clone());
    }
    attempts
}

/// Publishes to another customer's webhook and waits until it has arrived.
async fn neighbours_are_served(neighbour: &Project, receiver: &Receiver, events: usize) {
    let before = receiver.count_at("/neighbour");
    for _ in 0..events {
        neighbour.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
    }
    receiver.wait_for("/neighbour", before + events, BOUND).await;
}
