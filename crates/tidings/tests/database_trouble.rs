//! A8, A9: another process holds a lock on the database, and a file is damaged.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use rusqlite::Connection;
use serde_json::json;
use tidings_testkit::{DRAIN_BOUND, Project, Receiver, Server, Signature, World, until};
use tokio::{task::JoinSet, time::Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const HOOK: &str = "/hook";
/// Requests at once against a locked database.
const AT_ONCE: usize = 16;
/// A statement waits 2 s for a lock; who comes while another waits may have to wait twice.
const REFUSED_WITHIN: Duration = Duration::from_secs(6);
const NORMAL_WITHIN: Duration = Duration::from_secs(5);

async fn publish(project: &Project) -> (u16, Duration) {
    let started = Instant::now();
    let answer = project.api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await;
    if answer.status == 503 {
        assert_eq!(answer.expect(503)["code"], "unavailable");
        assert!(answer.header("retry-after").is_some(), "{answer}");
    }
    (answer.status.as_u16(), started.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_another_process_is_waited_for_and_then_answered_with_503() {
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, HOOK, Signature::Standard, json!({})).await;
    assert_eq!(publish(&project).await.0, 202);

    let other = Connection::open(server.database_path()).expect("anybody may open the file");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock is free for a moment");
    let mut requests = JoinSet::new();
    for _ in 0..AT_ONCE {
        let project = project.clone();
        requests.spawn(async move { publish(&project).await });
    }
    let mut slowest = Duration::ZERO;
    for (status, took) in requests.join_all().await {
        assert_eq!(status, 503, "while another process holds the lock");
        slowest = slowest.max(took);
    }
    assert!(slowest <= REFUSED_WITHIN, "refused after {} ms", slowest.as_millis());
    // Reading does not need the lock.
    project.api.get("/events").await.expect(200);

    other.execute_batch("ROLLBACK").expect("the lock can be given back");
    drop(other);
    let started = Instant::now();
    until("an accepted event", DRAIN_BOUND, async || (publish(&project).await.0 == 202).then_some(())).await;
    let normal = started.elapsed();
    assert!(normal <= NORMAL_WITHIN, "accepted again after {} ms", normal.as_millis());
    world.drain().await;
    world.assert_ledger_is_even().await;
    println!(
        "A8: {AT_ONCE} requests refused with 503, the slowest after {} ms; accepted {} ms after the lock was free",
        slowest.as_millis(),
        normal.as_millis()
    );
    assert!(server.stop().await.success());
}

/// What a damage does to a file.
type Damage = fn(&mut Vec<u8>);

const DAMAGES: [(&str, Damage); 5] = [
    ("its header overwritten", |bytes| bytes[..100].fill(0xA5)),
    ("its first page zeroed", |bytes| bytes[..4096].fill(0)),
    ("the root of its schema garbled", |bytes| bytes[100..4096].fill(0x5A)),
    ("cut off after two pages", |bytes| bytes.truncate(8192)),
    ("everything but its header garbled", |bytes| bytes[4096..].fill(0x77)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_refused_named_and_left_untouched() {
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, HOOK, Signature::Standard, json!({})).await;
    for _ in 0..50 {
        assert_eq!(publish(&project).await.0, 202);
    }
    world.drain().await;
    assert!(server.stop().await.success());
    let path = server.database_path();
    let whole = fs::read(&path).expect("the file can be read");

    for (what, damage) in DAMAGES {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        fs::write(&path, &damaged).expect("the file can be written");
        let (written, log_before) = (modified(&path), server.log().len());
        assert!(server.try_restart().await.is_none(), "{what}: the server starts");
        let status = server.ended().await;
        let log = server.log().split_off(log_before);
        assert_eq!(status.code(), Some(1), "{what}: {log}");
        for word in [path.to_str().expect("a path is text"), "untouched", "backup", ".recover"] {
            assert!(log.contains(word), "{what}: {word:?} is not in: {log}");
        }
        assert!(!log.contains("panicked"), "{what}: {log}");
        assert!(fs::read(&path).expect("the file can be read") == damaged, "{what}: the file was changed");
        assert_eq!(modified(&path), written, "{what}: the file was written to");
        println!("A9: {what}: {}", log.lines().last().unwrap_or_default());
    }

    // As the message says: with a backup it goes on.
    fs::write(&path, &whole).expect("the file can be written");
    server.restart().await;
    world.assert_ledger_is_even().await;
    assert_eq!(publish(&project).await.0, 202);
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|found| found.modified()).expect("a file has a time")
}
