//! Runs that come one after the other, whichever process is asked.

use std::sync::Arc;

use tidings_domain::ids::{CommandId, ProjectId, RunId};
use tidings_ports::store::{FinishedRun, RunFinished, Runs as _, Turn, TurnTaken};
use tidings_store_conformance::{START, World, runs::template};

use crate::{Beside, cluster, settings};

fn turn(ticket: i64, supersedes: bool) -> Turn {
    Turn { command_id: CommandId::from_parts(5, 5), ticket, supersedes }
}

fn finished(project_id: ProjectId, number: i64, turn: Turn) -> FinishedRun {
    let run = template(RunId::from_parts(number, 1), project_id, "/count", START);
    let (properties, records, tasks) = (Vec::new(), Vec::new(), Vec::new());
    FinishedRun { run, properties, records, tasks, iteration: true, turn: Some(turn) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_fence_a_run_whose_turn_is_over_changes_nothing() {
    let url = cluster().database();
    let store = Arc::new(tidings_store_postgres::open(&settings(&url)).await.expect("a store"));
    let world = World::new(Arc::clone(&store) as _, Box::new(Beside(url))).await;
    let (first, second) = (turn(1, false), turn(2, false));
    assert_eq!(store.take_turn(first, true).await, Ok(TurnTaken::Mine));
    assert_eq!(store.take_turn(second, true).await, Ok(TurnTaken::Waits));
    let early = store.finish_run(finished(world.project, 1, second)).await;
    assert_eq!(early, Ok(RunFinished::TurnOver), "it is not its turn yet");
    // Others took the process for dead that had it.
    store.leave_turn(first).await.expect("left");
    assert_eq!(store.take_turn(second, false).await, Ok(TurnTaken::Mine));
    assert_eq!(store.finish_run(finished(world.project, 2, first)).await, Ok(RunFinished::TurnOver));
    assert_eq!(store.finish_run(finished(world.project, 3, second)).await, Ok(RunFinished::Stored));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_turns_that_wait_only_the_latest_stays_in_whatever_order_they_are_asked_for() {
    let url = cluster().database();
    let store = tidings_store_postgres::open(&settings(&url)).await.expect("a store");
    let [running, early, middle, late] = [1, 2, 3, 4].map(|ticket| turn(ticket, true));
    assert_eq!(store.take_turn(running, true).await, Ok(TurnTaken::Mine));
    assert_eq!(store.take_turn(middle, true).await, Ok(TurnTaken::Waits));
    assert_eq!(store.take_turn(early, true).await, Ok(TurnTaken::Gone), "it waited elsewhere until now");
    assert_eq!(store.take_turn(late, true).await, Ok(TurnTaken::Waits));
    assert_eq!(store.take_turn(middle, false).await, Ok(TurnTaken::Gone));
    store.leave_turn(running).await.expect("left");
    assert_eq!(store.take_turn(late, false).await, Ok(TurnTaken::Mine));
}
