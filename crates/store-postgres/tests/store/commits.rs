//! Commits that nobody answers: whoever waits for one is told what became of it, or that this is not known; and what
//! it leased does not stay with a process that knows nothing of it.

use std::{sync::Arc, time::Duration};

use tidings_ports::store::{Appended, Catalog as _, Log as _, NewEvent, Nodes as _, StoreError};
use tidings_store_conformance::{Outside as _, START, World};
use tidings_store_postgres::PostgresStore;
use tidings_testkit::{
    postgres::{Cluster, Rule, Wire},
    until,
};

use super::{Beside, cluster, settings};

const BOUND: Duration = Duration::from_secs(30);
const BEAT: Duration = Duration::from_millis(200);
/// More transactions than a test has before.
const MANY: usize = 300;

/// A store whose way to the database breaks, and an event with a leased delivery for it.
struct Scene {
    store: Arc<PostgresStore>,
    outside: Beside,
    wire: Wire,
    event: NewEvent,
}

impl Scene {
    async fn start(cluster: &Cluster) -> Self {
        let database = cluster.database();
        let wire = Wire::to(cluster).await;
        let store = tidings_store_postgres::open(&settings(&wire.lead_to(&database))).await.expect("a store");
        let store = Arc::new(store);
        let mut world = World::new(Arc::clone(&store) as _, Box::new(Beside(database.clone()))).await;
        let webhook = world.webhook(world.project).await;
        let mut event = world.event(world.project, "order.paid", &[webhook], true);
        let snapshot = store.load_snapshot(world.project).await.expect("read").expect("there");
        event.snapshot_version = snapshot.version;
        Self { store, outside: Beside(database), wire, event }
    }

    async fn append(&self) -> Result<Vec<Appended>, StoreError> {
        self.store.append(Arc::new(vec![self.event.clone()]), START).await
    }

    async fn events(&self) -> i64 {
        self.outside.numbers("SELECT count(*) FROM event").await[0]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_a_commit_whose_answer_is_lost_is_known_to_have_come_about() {
    let scene = Scene::start(cluster()).await;
    scene.wire.set(Rule::LosesAnswers(1));
    assert_eq!(scene.append().await, Ok(vec![Appended::Stored]));
    assert_eq!((scene.events().await, scene.wire.broken()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_a_commit_that_is_lost_itself_is_known_not_to_have_come_about() {
    let scene = Scene::start(cluster()).await;
    scene.wire.set(Rule::LosesCommits(1));
    let refused = scene.append().await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!((scene.events().await, scene.wire.broken()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_leases_of_a_commit_whose_fate_nobody_learned_in_time_are_given_back() {
    let scene = Scene::start(cluster()).await;
    // As in every process that lives: by its beats it knows whether the database is there.
    let mut beats = tokio::time::interval(BEAT);
    let beating = Arc::clone(&scene.store);
    tokio::spawn(async move {
        loop {
            beats.tick().await;
            drop(beating.beat(0).await);
        }
    });
    scene.wire.set(Rule::GoesAway);
    let refused = scene.append().await;
    assert!(matches!(refused, Err(StoreError::Uncertain(_))), "{refused:?}");
    let leased = "SELECT count(*) FROM queue WHERE due_at IS NULL";
    assert_eq!(scene.outside.numbers(leased).await, [1], "it came about, and nobody knows of the lease");
    scene.wire.set(Rule::Open);
    until("the end of the lease", BOUND, async || (scene.outside.numbers(leased).await == [0]).then_some(())).await;
    assert_eq!(scene.events().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_a_number_that_a_crash_has_given_to_another_transaction_acknowledges_nothing() {
    // What this one has answered is on disk seconds later.
    let cluster = Arc::new(Cluster::start_with("-c wal_writer_delay=10s"));
    let scene = Scene::start(&cluster).await;
    scene.outside.run("CHECKPOINT").await;
    scene.wire.set(Rule::GoesAway);
    let crash = async {
        until("the commit", BOUND, async || (scene.events().await == 1).then_some(())).await;
        let restarted = Arc::clone(&cluster);
        tokio::task::spawn_blocking(move || restarted.restart()).await.expect("it restarts");
        assert_eq!(scene.events().await, 0, "what was committed was lost");
        let others = scene.outside.client().await;
        for _ in 0..MANY {
            others.batch_execute("SELECT txid_current()").await.expect("it is answered");
        }
        scene.wire.set(Rule::Open);
    };
    let (refused, ()) = tokio::join!(scene.append(), crash);
    assert!(refused.is_err(), "{refused:?} is acknowledged, and it is lost");
}
