//! What is told to processes that have somebody who listens, and what is left of it when nobody takes it any more.
//! SQLite's process tells itself, and keeps nothing of it.

use std::sync::Arc;

use tidings_domain::{ids::ProjectId, time::Timestamp};
use tidings_ports::store::{Exchange, Exchanged, Store};
use tidings_store_conformance::{Home as _, START};

use crate::stores::{Database, Directory};

/// Longer than a listener is told of a project after it was heard of last, in milliseconds, and than anybody lives who
/// does not say so.
const GONE_MS: u64 = 11_000;
/// Longer than what was told is kept after that.
const FORGOTTEN_MS: u64 = 45_000;
/// Between two looks at it: a node that lives has said so meanwhile.
const STEP_MS: u64 = 1_000;
/// Beats within a step: with each tenth a node says that it lives.
const BEATS: usize = 10;

fn project() -> ProjectId {
    ProjectId::from_parts(7, 1)
}

fn listening() -> Exchange {
    Exchange { listened: vec![project()], told: Vec::new() }
}

fn telling(news: &str) -> Exchange {
    Exchange { listened: Vec::new(), told: vec![(project(), news.to_owned())] }
}

/// Rows of news, and of those for whom they are.
async fn kept(database: &Database) -> (i64, i64) {
    let question = "SELECT (SELECT count(*) FROM news), (SELECT count(*) FROM listener)";
    let row = database.client().await.query_one(question, &[]).await.expect("counted");
    (row.get(0), row.get(1))
}

/// Nodes live on for a while, of which nobody tells or listens.
async fn live_for(database: &Database, nodes: &[&Arc<dyn Store>], (from, ms): (Timestamp, u64)) -> Timestamp {
    let mut now = from;
    for _ in 0..ms / STEP_MS {
        now = now.plus_millis(STEP_MS);
        database.set_clock(now).await;
        for _ in 0..BEATS {
            for node in nodes {
                node.beat(0).await.expect("it is heard");
            }
        }
    }
    now
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_to_a_node_that_was_killed_is_forgotten_though_nobody_listens_again() {
    let database = Database::new();
    let (killed, lives) = (database.open_as(1, 2).await, database.open_as(2, 2).await);
    database.set_clock(START).await;
    killed.exchange(listening()).await.expect("it is said");
    lives.exchange(telling("[1]")).await.expect("it is told");
    assert_eq!(kept(&database).await, (1, 1), "nobody has taken it yet");
    // It says nothing any more, and takes nothing.
    let now = live_for(&database, &[&lives], (START, GONE_MS)).await;
    assert_eq!(kept(&database).await, (1, 1), "somebody might just be telling something");
    live_for(&database, &[&lives], (now, FORGOTTEN_MS)).await;
    assert_eq!(kept(&database).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_after_the_last_listener_left_is_forgotten_while_others_listen_on() {
    let database = Database::new();
    let (left, listens) = (database.open_as(1, 2).await, database.open_as(2, 2).await);
    database.set_clock(START).await;
    left.exchange(listening()).await.expect("it is said");
    listens.exchange(telling("[1]")).await.expect("it is told");
    let mut now = START;
    for round in 0..FORGOTTEN_MS / GONE_MS + 2 {
        now = live_for(&database, &[&left, &listens], (now, GONE_MS)).await;
        listens.exchange(listening()).await.expect("it is said");
        left.exchange(telling("[2]")).await.expect("it is told");
        let taken = listens.exchange(listening()).await.expect("it is heard");
        assert_eq!(taken.told, [(project(), "[2]".to_owned())], "round {round}");
    }
    assert_eq!(kept(&database).await, (0, 1), "of news, and of who listens");
}

#[tokio::test]
async fn a_store_of_one_process_has_nobody_to_tell_and_keeps_nothing() {
    let directory = Directory::new();
    let store = directory.open(None, START).await;
    assert_eq!(store.exchange(listening()).await, Ok(Exchanged::default()));
    assert_eq!(store.exchange(telling("[1]")).await, Ok(Exchanged::default()));
    assert_eq!(store.exchange(listening()).await, Ok(Exchanged::default()));
}
