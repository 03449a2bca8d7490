//! A4 on PostgreSQL: the power of the database's machine is cut under load, again and again, while the server lives on;
//! and that of both at once. PostgreSQL's directory lies on a disk of its own; what was written and not synced when the
//! power went is gone. Whatever was acknowledged by then is there afterwards, and tables and indexes are whole (INV-ACK,
//! INV-NO-LOSS).
//!
//! That the test would notice is shown on databases that do not sync: there, acknowledged events are lost, and the
//! server has warned of it.
//!
//! Three cuts of each kind by default; `cargo xtask torture powercut` sets `TIDINGS_POWER_CUTS`. Needs root.

use std::{sync::Arc, time::Duration};

use tidings_testkit::{
    Behaviour, ClientLedger, Disk, Load, Project, Random, Receiver, Reconciliation, Server, UNWELL, View, World,
    in_namespaces, postgres::Cluster, reconcile, setting, three_customers, until,
};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const FLAGS: [&str; 3] = ["--allow-http", "--allow-target", "127.0.0.0/8"];
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const CUTS_DEFAULT: u64 = 3;
/// Cuts after which everything has to have ended, and the ledgers are compared.
const CUTS_PER_COMPARISON: u64 = 5;
/// Cuts on one disk, so that reading everything back stays cheap in long runs.
const CUTS_PER_DISK: u64 = 25;
const DISK_MEBIBYTES: u32 = 320;
const PUBLISHERS: usize = 8;
/// Events acknowledged between a start and the next cut.
const EVENTS_BEFORE_CUT: std::ops::Range<u64> = 40..300;
/// A request that arrived this long before a cut may be without a verdict on disk.
const VERDICT_WINDOW: Duration = Duration::from_secs(3);
const GIVE_UP: Duration = Duration::from_secs(60);

/// A server, and its database on a disk.
struct Scene {
    cluster: Cluster,
    database: String,
    server: Server,
    receiver: Receiver,
    world: World,
    ledger: Arc<ClientLedger>,
    /// Last, for it can go once nobody uses it any more.
    disk: Disk,
}

impl Scene {
    async fn start() -> Self {
        let disk = Disk::create(DISK_MEBIBYTES);
        let cluster = Cluster::on_disk(&disk.path().join("postgres"), None);
        let database = cluster.database();
        let mut server = Server::prepare(BINARY, &FLAGS);
        server.give("TIDINGS_DATABASE_URL", &database);
        server.give("TIDINGS_MASTER_KEY", MASTER_KEY);
        server.restart().await;
        let receiver = Receiver::start().await;
        let world = three_customers(&server, &receiver, EVENT_TYPE).await;
        let ledger = Arc::new(ClientLedger::create(&server.scratch_path("client-ledger.jsonl")));
        Self { cluster, database, server, receiver, world, ledger, disk }
    }

    /// The power goes, and comes back; PostgreSQL starts on what the disk then holds. The server goes on, or starts
    /// again as well.
    async fn cut(&mut self, both: bool) -> Instant {
        if both {
            self.server.freeze().await;
        }
        let frozen = self.cluster.freeze_for_good();
        let at = Instant::now();
        let what_is_left = self.disk.cut_power();
        if both {
            self.server.kill().await;
        }
        frozen.end();
        self.disk.restore_power(what_is_left);
        self.cluster.keep_data_in(&self.disk.path().join("postgres"));
        self.cluster.launch();
        if both {
            self.server.restart().await;
        }
        at
    }

    /// Goes through so many cuts.
    async fn torture(&mut self, random: &mut Random, cuts: u64, both: bool) -> Reconciliation {
        let mut times = Vec::new();
        let mut last = Reconciliation::default();
        for number in 1..=cuts {
            self.receiver.route(UNWELL, Behaviour::Status(503));
            let generators = (0..PUBLISHERS).map(|_| Random::seeded(random.bits())).collect();
            let load = Load::start(&self.world.projects, EVENT_TYPE, &self.ledger, generators);
            load.wait_for(random.within(EVENTS_BEFORE_CUT) as usize).await;
            times.push(self.cut(both).await);
            load.stop().await;
            self.cluster.check_integrity(&self.database, &format!("cut {number}"));
            self.receiver.route(UNWELL, Behaviour::Ok);
            if number % CUTS_PER_COMPARISON == 0 || number == cuts {
                self.world.drain().await;
                self.world.assert_ledger_is_even().await;
                last = reconcile(&self.world, &self.ledger, &self.receiver.arrivals(), &View::read(&self.world).await);
                println!("A4, PostgreSQL: after cut {number}: {last}");
                last.assert_clean();
                last.assert_sent_again_only_around(&times, VERDICT_WINDOW);
            }
        }
        last
    }
}

async fn cuts(what: &str, both: bool) {
    let cuts = setting("TIDINGS_POWER_CUTS").unwrap_or(CUTS_DEFAULT);
    let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
    println!("A4, {what}: {cuts} power cuts; repeat with TIDINGS_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let (mut done, mut acknowledged, mut duplicates) = (0, 0, 0);
    while done < cuts {
        let round = CUTS_PER_DISK.min(cuts - done);
        let mut scene = Scene::start().await;
        let last = scene.torture(&mut random, round, both).await;
        assert!(scene.server.stop().await.success());
        done += round;
        acknowledged += last.acknowledged;
        duplicates += last.duplicates.len();
    }
    println!("A4, {what}: {done} power cuts, {acknowledged} events acknowledged, lost 0, {duplicates} duplicates");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_nothing_acknowledged_is_lost_when_the_power_of_the_database_is_cut() {
    if in_namespaces("inv_ack_nothing_acknowledged_is_lost_when_the_power_of_the_database_is_cut", &["-m"]).await {
        cuts("PostgreSQL's machine", false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_nothing_acknowledged_is_lost_when_the_power_of_database_and_server_is_cut() {
    if in_namespaces("inv_ack_nothing_acknowledged_is_lost_when_the_power_of_database_and_server_is_cut", &["-m"]).await
    {
        cuts("PostgreSQL's machine and the server's", true).await;
    }
}

/// What a database is set to that loses something, and what the server says of it.
const CARELESS: [(&str, &str); 2] = [
    // Nobody writes the log by himself as long as this test takes.
    ("-c synchronous_commit=off -c wal_writer_delay=10s", "synchronous_commit = off"),
    ("-c fsync=off", "fsync = off"),
];

/// The tests above are worth something: a database that does not sync would fail them. The server has warned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_sync_is_warned_of_and_found_out() {
    if !in_namespaces("a_database_that_does_not_sync_is_warned_of_and_found_out", &["-m"]).await {
        return;
    }
    for (settings, name) in CARELESS {
        let mut scene = Scene::start().await;
        assert!(!scene.server.log().contains("the database runs with"), "{}", scene.server.log());
        scene.cluster.restart_with(settings);
        let load =
            Load::start(&scene.world.projects, EVENT_TYPE, &scene.ledger, vec![Random::seeded(1), Random::seeded(2)]);
        load.wait_for(50).await;
        let warned = async || scene.server.log().contains(&format!("the database runs with {name}")).then_some(());
        until("a warning", GIVE_UP, warned).await;
        scene.cut(false).await;
        let acknowledged = scene.ledger.acknowledged();
        load.stop().await;
        let mut lost = 0;
        for event in &acknowledged {
            let project = scene.world.projects.iter().find(|project| project.id == event.project_id);
            lost += usize::from(is_missing(project.expect("one of the three"), &event.event_id).await);
        }
        println!("A4, PostgreSQL with {name}: {lost} of {} acknowledged events are lost", acknowledged.len());
        assert!(lost > 0, "{name}: nothing is lost although nothing was synced: the cut cuts nothing");
    }
}

async fn is_missing(project: &Project, event_id: &str) -> bool {
    project.api.get(&format!("/events/{event_id}")).await.status == 404
}
