//! A11, A12: the PostgreSQL that keeps the data is restarted, killed, gone for a while, stands still, is slow, or breaks
//! connections off in the middle of a commit, all under load. What was acknowledged is delivered; meanwhile requests
//! are accepted or answered with 503; afterwards everything goes on by itself.
//!
//! `cargo xtask torture database` sets `TIDINGS_DATABASE_OUTAGES`, the number of restarts.

use std::{sync::Arc, time::Duration};

use tidings_testkit::{
    Behaviour, ClientLedger, Load, Random, Receiver, Seen, Server, UNWELL, View, Watch, World,
    postgres::{Cluster, Rule, Stop, Wire},
    reconcile, setting, three_customers, until,
};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const PUBLISHERS: usize = 8;
/// Events that are acknowledged between two troubles.
const BETWEEN: std::ops::Range<u64> = 20..60;
/// How soon everything is answered as usual once the database is back.
const HEALTHY_WITHIN: Duration = Duration::from_secs(10);
/// A test gives up after this.
const GIVE_UP: Duration = Duration::from_secs(60);
/// Nobody waits longer for an answer, whatever the database does: clients give up after about 30 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How often, in the long form.
fn long() -> Option<usize> {
    setting("TIDINGS_DATABASE_OUTAGES").map(|count| count as usize)
}

/// The same in the long form, or so much.
fn seconds(short: u64, long_form: u64) -> Duration {
    Duration::from_secs(if long().is_some() { long_form } else { short })
}

/// A server with its database, its customers, and whoever publishes.
struct Scene {
    cluster: &'static Cluster,
    database: String,
    wire: Wire,
    server: Server,
    receiver: Receiver,
    world: World,
    ledger: Arc<ClientLedger>,
    random: Random,
    name: &'static str,
    seen: Seen,
}

impl Scene {
    /// `through` the wire, on which answers may be late or get lost.
    async fn start(name: &'static str, through: bool) -> Self {
        let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
        println!("{name}: repeat with TIDINGS_TEST_SEED={seed}");
        let cluster: &'static Cluster = Box::leak(Box::new(Cluster::durable()));
        let database = cluster.database();
        let wire = Wire::to(cluster).await;
        let mut server = Server::prepare(BINARY, &["--allow-http", "--allow-target", "127.0.0.0/8"]);
        server.give("TIDINGS_DATABASE_URL", &if through { wire.lead_to(&database) } else { database.clone() });
        server.restart().await;
        let receiver = Receiver::start().await;
        let world = three_customers(&server, &receiver, EVENT_TYPE).await;
        let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
        let random = Random::seeded(seed);
        Self { cluster, database, wire, server, receiver, world, ledger, random, name, seen: Seen::default() }
    }

    /// Goes through one trouble under load. It ends when the database is there again.
    async fn go_through(&mut self, trouble: impl AsyncFnOnce(&Scene)) {
        self.receiver.route(UNWELL, Behaviour::Status(503));
        let generators = (0..PUBLISHERS).map(|_| Random::seeded(self.random.bits())).collect();
        let load = Load::start(&self.world.projects, EVENT_TYPE, &self.ledger, generators);
        load.wait_for(self.random.within(BETWEEN) as usize).await;
        let watch = Watch::start(&self.world);
        trouble(self).await;
        let back = Instant::now();
        until("an answer of everything", GIVE_UP, async || watch.all_answered_since(back).then_some(())).await;
        // Whoever was refused has come again.
        let more = load.stop().await;
        assert!(more >= PUBLISHERS, "{more} events were acknowledged");
        self.seen.add(watch.stop().await, back);
        self.receiver.route(UNWELL, Behaviour::Ok);
    }

    /// Everything ends, and nothing is lost.
    async fn end(self, what: &str) {
        self.world.drain().await;
        self.world.assert_ledger_is_even().await;
        let report = reconcile(&self.world, &self.ledger, &self.receiver.arrivals(), &View::read(&self.world).await);
        let (name, seen) = (self.name, &self.seen);
        println!("{name}: {what}: {report}");
        println!(
            "{name}: answers meanwhile {:?}, the slowest after {} ms; the last 503 {} ms after the database was back",
            seen.statuses,
            seen.slowest.as_millis(),
            seen.last_refusal.as_millis()
        );
        report.assert_clean();
        let others: Vec<_> = seen.statuses.keys().filter(|status| ![200, 503].contains(*status)).collect();
        assert!(others.is_empty(), "answers with {others:?}");
        assert!(seen.last_refusal <= HEALTHY_WITHIN, "refused {} ms afterwards", seen.last_refusal.as_millis());
        assert!(seen.slowest <= ANSWER_WITHIN, "answered after {} ms", seen.slowest.as_millis());
        drop(self.server);
    }
}

/// Does something to the cluster that takes a while.
async fn aside(scene: &Scene, work: impl FnOnce(&'static Cluster) + Send + 'static) {
    let cluster = scene.cluster;
    tokio::task::spawn_blocking(move || work(cluster)).await.expect("it is done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_database_that_is_restarted_under_load_costs_no_event() {
    let mut scene = Scene::start("A11 restarts", false).await;
    let restarts = long().unwrap_or(2);
    for number in 0..restarts {
        let how = if number % 2 == 0 { Stop::Immediate } else { Stop::Fast };
        let restart = async |scene: &Scene| {
            aside(scene, move |cluster| {
                cluster.stop(how);
                cluster.launch();
            })
            .await;
        };
        scene.go_through(restart).await;
    }
    scene.end(&format!("{restarts} restarts")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_database_that_is_killed_under_load_costs_no_event() {
    let mut scene = Scene::start("A11 kills", false).await;
    let kills = long().map_or(2, |restarts| restarts.div_ceil(4));
    for number in 0..kills {
        let (database, place) = (scene.database.clone(), scene.random.within(0..64) as usize);
        let kill = async |scene: &Scene| {
            aside(scene, move |cluster| match number % 2 {
                0 => assert!(cluster.kill_backend(&database, place), "a connection is served"),
                _ => {
                    cluster.kill();
                    cluster.launch();
                }
            })
            .await;
        };
        scene.go_through(kill).await;
    }
    scene.end(&format!("{kills} kills")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_database_that_is_gone_for_a_while_costs_no_event() {
    let mut scene = Scene::start("A12 gone", false).await;
    let gone = seconds(4, 180);
    scene
        .go_through(async |scene: &Scene| {
            aside(scene, move |cluster| cluster.be_gone_for(gone)).await;
        })
        .await;
    scene.end(&format!("gone for {} s", gone.as_secs())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_database_that_stands_still_costs_no_event() {
    let mut scene = Scene::start("A12 still", false).await;
    let still = seconds(11, 60);
    scene
        .go_through(async |scene: &Scene| {
            aside(scene, move |cluster| cluster.stand_still_for(still)).await;
        })
        .await;
    scene.end(&format!("stood still for {} s", still.as_secs())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_a_database_whose_answers_are_late_costs_no_event() {
    let mut scene = Scene::start("A12 slow", true).await;
    let slow = seconds(4, 60);
    scene
        .go_through(async |scene: &Scene| {
            scene.wire.set_for(Rule::Late(Duration::from_secs(2)), slow).await;
        })
        .await;
    scene.end(&format!("answers 2 s late for {} s", slow.as_secs())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_commits_that_are_not_answered_are_acknowledged_if_they_came_about() {
    let mut scene = Scene::start("A11 commits", true).await;
    let each = if long().is_some() { 500 } else { 10 };
    for rule in [Rule::LosesAnswers(4), Rule::LosesCommits(4)] {
        scene
            .go_through(async |scene: &Scene| {
                let enough = scene.wire.broken() + each;
                scene.wire.set(rule);
                let broken = async || (scene.wire.broken() >= enough).then_some(());
                until("broken commits", GIVE_UP * 4, broken).await;
                scene.wire.set(Rule::Open);
            })
            .await;
    }
    let broken = scene.wire.broken();
    scene.end(&format!("{broken} commits without an answer, half of them came about")).await;
}
