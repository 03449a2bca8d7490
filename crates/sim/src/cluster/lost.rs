//! What follows where a node hears nothing of single calls, and of all others.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tidings_domain::{
    command::{Command, CommandName, Concurrency, RunEnd, RunInput},
    ids::ProjectId,
};
use tidings_engine::{Call, DispatchLimits, Listener, Publish, RunError};
use tidings_fakes::Random;
use tidings_ports::store::Created;

use super::{Cluster, Database, node::Running};
use crate::{
    clock::SimClock,
    gate::SimGate,
    life::Process,
    operations::{EVENT_TYPES, Operator},
    run::START,
    world::World,
};

/// A little more than a beat or an exchange of news takes to come round, in milliseconds.
const ROUND_MS: i64 = 250;

/// Two nodes, with a webhook that takes everything.
fn two_nodes() -> (Cluster, ProjectId) {
    let clock = Arc::new(SimClock::at(START));
    clock.share(super::DRIFT_PPM_MAX.cast_signed());
    let database = Arc::new(Database::new(Arc::clone(&clock)));
    let world = Arc::new(World::of_nodes(clock, Random::new(1, 1), Arc::clone(&database)));
    world.heal_network();
    let mut cluster = Cluster::new(Arc::clone(&world), database, 2, DispatchLimits::default(), Random::new(1, 2));
    cluster.start(0);
    cluster.pass(100);
    let found = cluster.complete(0, |world, process| async move {
        Operator::new(&world, &process).found(&mut Random::new(1, 3)).await;
    });
    found.expect("the first node is up");
    cluster.start(1);
    cluster.pass(1_000);
    assert_eq!(cluster.up(), [0, 1]);
    let project = world.model().projects[0];
    (cluster, project)
}

impl Cluster {
    fn process_at(&self, place: usize) -> Arc<Process> {
        self.at(place).and_then(Running::process).expect("it is up")
    }

    fn gate_at(&self, place: usize) -> &SimGate {
        &self.at(place).expect("it is up").gate
    }

    fn rows_of(&self, table: &str) -> i64 {
        self.database.numbers(&format!("SELECT count(*) FROM {table}"))[0]
    }

    /// Lets time pass, not a millisecond more than it takes.
    fn pass_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..ROUND_MS {
            if holds(self) {
                return;
            }
            self.pass(1);
        }
        panic!("within {ROUND_MS} ms it does not come to this: {what}");
    }

    fn publish_at(&mut self, place: usize, project: ProjectId) {
        let publish = Publish {
            event_type: EVENT_TYPES[0].parse().expect("a type"),
            custom_id: None,
            scopes: Vec::new(),
            content_type: None,
            schema_version: None,
            after_runs: 0,
            payload: Bytes::from_static(b"{}"),
            deliver_at: None,
            idempotency: None,
        };
        let published =
            self.complete(place, move |_, process| async move { process.engine.publish(project, publish).await });
        published.expect("it is up").expect("accepted");
    }

    /// Runs the command; returns how it ended, and how long that took.
    fn run_at(&mut self, place: usize, project: ProjectId) -> (Result<RunEnd, RunError>, i64) {
        let began = self.world.clock.elapsed_ms();
        let call = Call::new(name(), None, RunInput::default());
        let ran =
            self.complete(place, move |_, process| async move { process.engine.run_command(project, call).await });
        (ran.expect("it is up").map(|run| run.end), self.world.clock.elapsed_ms() - began)
    }
}

fn name() -> CommandName {
    "/count".to_owned().try_into().expect("a name")
}

fn make_command(cluster: &mut Cluster, project_id: ProjectId) {
    let created = cluster.complete(0, move |_, process| async move {
        let id = process.engine.ids().command();
        let command = Command {
            id,
            project_id,
            name: name(),
            code: json!({}).to_string(),
            timeout_ms: 1_000,
            concurrency: Concurrency::OneAtATime,
            schedule: None,
            next_run_at: None,
            revision: 1,
            updated_at: id.timestamp(),
        };
        process.store.create_command(command, None).await
    });
    assert_eq!(created, Some(Ok(Created::Stored)));
}

/// What became of a turn whose end the store did not note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnLost {
    /// How each of three runs ended: the first one lost nothing, the third one was another node's.
    pub ended: [Result<RunEnd, RunError>; 3],
    /// Turns that the store knew of after each.
    pub turns_left: [i64; 3],
    /// How long the third one took, most of which it waited, in milliseconds.
    pub waited_ms: i64,
}

/// Has a node run a command that does not run beside itself, while the store does not note that the run is over: not at
/// its end, and not with the beat that follows.
///
/// # Panics
///
/// If a node is not up.
pub fn lose_the_end_of_a_turn() -> TurnLost {
    let (mut cluster, project) = two_nodes();
    make_command(&mut cluster, project);
    let (first, _) = cluster.run_at(0, project);
    let after_first = cluster.rows_of("command_turn");
    cluster.gate_at(0).lose_calls("leave_turn", 2);
    let (second, _) = cluster.run_at(0, project);
    let after_second = cluster.rows_of("command_turn");
    let (third, waited_ms) = cluster.run_at(1, project);
    cluster.pass(ROUND_MS);
    let turns_left = [after_first, after_second, cluster.rows_of("command_turn")];
    TurnLost { ended: [first, second, third], turns_left, waited_ms }
}

/// What somebody hears who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardOf {
    /// How often something was missing.
    pub resets: usize,
    /// News.
    pub news: usize,
}

/// Listens while time passes, and looks so often that no two resets are one.
fn hear_for(cluster: &mut Cluster, listener: &mut Listener, ms: i64) -> HeardOf {
    let mut all = HeardOf { resets: 0, news: 0 };
    for _ in 0..ms / 10 {
        cluster.pass(10);
        let heard = listener.hear();
        all.resets += usize::from(heard.missed);
        all.news += heard.news.len();
    }
    all
}

/// Has somebody listen to one node while the other one delivers, and so many answers to exchanges be lost, of which the
/// first one holds news. Returns what was heard before, meanwhile (for `ms`), and after the next event.
///
/// # Panics
///
/// If a node is not up, or nothing is exchanged.
pub fn lose_news(answers: u32, ms: i64) -> [HeardOf; 3] {
    let (mut cluster, project) = two_nodes();
    let feed = Arc::clone(cluster.process_at(0).engine.feed());
    let mut listener = feed.listen(project, None).expect("there is room");
    // The other node hears with a beat that somebody listens, and with an exchange to what.
    cluster.pass(2_000);
    cluster.publish_at(1, project);
    let before = hear_for(&mut cluster, &mut listener, 1_000);
    cluster.publish_at(1, project);
    cluster.pass_until("the other node has told", |cluster| cluster.rows_of("news") > 0);
    cluster.gate_at(0).lose_answers("exchange", answers);
    cluster.pass_until("what it told is taken", |cluster| cluster.rows_of("news") == 0);
    let meanwhile = hear_for(&mut cluster, &mut listener, ms);
    cluster.publish_at(1, project);
    [before, meanwhile, hear_for(&mut cluster, &mut listener, 2_000)]
}
