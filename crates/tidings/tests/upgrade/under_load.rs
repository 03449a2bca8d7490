//! What a program of the next version changes in PostgreSQL while nodes of this one are at work: nobody waits for long,
//! whoever tries twice is served, and nothing is lost.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tidings_store_postgres::{SCHEMA_CHANGES, SchemaChange, bring_up_to_date};
use tidings_testkit::{Latencies, Nodes, Project, Receiver, Server, Signature, World, postgres, until};
use tokio::{task::JoinHandle, time::Instant};
use tokio_postgres::NoTls;

use crate::{BINARY, EVENT_TYPE, STALL_MAX, events, two_days_before};

const PUBLISHERS: usize = 4;
const PATH: &str = "/hook";
const BOUND: Duration = Duration::from_secs(600);
/// Events that show how long one takes, before anything is changed.
const BASELINE: usize = 300;
/// For how long somebody else looks at the tables that are to be changed: longer than anybody may wait.
const LOOKED_AT: Duration = Duration::from_secs(3);

/// What a version to come might change: columns of the largest tables, and indexes of them.
const FURTHER: [SchemaChange; 4] = [
    SchemaChange::Tables("ALTER TABLE event ADD COLUMN later BIGINT NOT NULL DEFAULT 7"),
    SchemaChange::Index { name: "event_by_later", table: "event", of: "(project, later, seq)" },
    SchemaChange::Tables("ALTER TABLE queue ADD COLUMN later TEXT COLLATE \"C\""),
    SchemaChange::Index { name: "queue_by_later", table: "queue", of: "(later) WHERE later IS NOT NULL" },
];
/// How many of them are made first, when nobody else looks at the tables for long.
const FIRST: usize = 2;

/// Events with a delivery that arrived, long ago.
const OLD_EVENTS: &str = "
    INSERT INTO event (seq, tail, project, fanout, type, payload)
    SELECT {first} + n * 262144, 7, (SELECT max(seq) FROM project WHERE hidden = 0), 1, 'order.paid',
           decode(repeat('00', 200), 'hex')
    FROM generate_series(0::bigint, {count} - 1) AS r (n);
    UPDATE ledger SET born = born + {count} WHERE id = (SELECT min(id) FROM ledger);
    UPDATE webhook_state SET delivered = delivered + {count};
    INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at)
    SELECT {first} + n * 262144 + 1, 9, {first} + n * 262144, (SELECT max(seq) FROM webhook),
           (SELECT max(seq) FROM project WHERE hidden = 0), 0, 1, 2, 1, 0
    FROM generate_series(0::bigint, {count} - 1) AS r (n)";

/// Publishers who try a second time, and no third.
struct Publishers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Published>>,
}

/// Events that were acknowledged, when each was first tried, and how long it took; and how many were tried twice.
#[derive(Default)]
struct Published {
    events: Vec<(String, Instant, Duration)>,
    tried_twice: usize,
}

impl Publishers {
    fn start(project: &Project) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..PUBLISHERS).map(|number| tokio::spawn(publish(project.clone(), number, Arc::clone(&stop))));
        Self { stop: Arc::clone(&stop), tasks: tasks.collect() }
    }

    async fn stop(self) -> Published {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Published::default();
        for task in self.tasks {
            let one = task.await.expect("nobody was refused twice");
            all.events.extend(one.events);
            all.tried_twice += one.tried_twice;
        }
        all
    }
}

async fn publish(project: Project, publisher: usize, stop: Arc<AtomicBool>) -> Published {
    let mut published = Published::default();
    let body = Bytes::from(json!({"type": EVENT_TYPE, "data": publisher}).to_string());
    for number in 0_u64.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let api = project.api.clone().with_header("idempotency-key", &format!("{publisher}-{number}"));
        let first_tried = Instant::now();
        let mut answer = api.try_send(Method::POST, "/events", body.clone()).await;
        if !answer.as_ref().is_ok_and(|answer| answer.status == 202) {
            published.tried_twice += 1;
            answer = api.try_send(Method::POST, "/events", body.clone()).await;
        }
        let accepted = answer.unwrap_or_else(|broken| panic!("{broken}")).expect(202);
        let id = accepted["id"].as_str().expect("an id").to_owned();
        published.events.push((id, first_tried, first_tried.elapsed()));
    }
    published
}

/// Somebody who looks at tables for a while, in one transaction.
async fn look_for_a_while(database: &str) -> JoinHandle<()> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.batch_execute("BEGIN; SELECT count(*) FROM event; SELECT count(*) FROM queue").await.expect("looks");
    let on = format!("SELECT pg_sleep({}); COMMIT", LOOKED_AT.as_secs());
    tokio::spawn(async move { client.batch_execute(&on).await.expect("it ends") })
}

/// The first so many further changes are there from now on.
async fn upgrade(database: &str, count: usize) -> Span {
    let changes = [SCHEMA_CHANGES, &FURTHER[..count]].concat();
    let from = Instant::now();
    // Two nodes of the next version start at the same time.
    let both = tokio::join!(bring_up_to_date(database, &changes), bring_up_to_date(database, &changes));
    both.0.and(both.1).expect("it is brought up to date");
    Span { from, until: Instant::now() }
}

/// When something was changed.
struct Span {
    from: Instant,
    until: Instant,
}

/// What was published, and when it arrived.
struct Times<'a> {
    published: &'a Published,
    arrived: HashMap<String, Vec<Instant>>,
}

impl<'a> Times<'a> {
    fn of(published: &'a Published, receiver: &Receiver) -> Self {
        let mut arrived: HashMap<String, Vec<Instant>> = HashMap::new();
        for arrival in receiver.arrivals_at(PATH) {
            arrived.entry(arrival.event_id).or_default().push(arrival.at);
        }
        let once = |id: &String| arrived.get(id).is_some_and(|times| times.len() == 1);
        assert!(published.events.iter().all(|(id, ..)| once(id)), "each arrives once");
        Self { published, arrived }
    }

    /// How long events took to their receiver that somebody waited for in one of these spans.
    fn within(&self, spans: &[&Span]) -> Latencies {
        let is_in =
            |tried: Instant, took: Duration| spans.iter().any(|span| tried <= span.until && tried + took >= span.from);
        let these = self.published.events.iter().filter(|(_, tried, took)| is_in(*tried, *took));
        Latencies::of(these.map(|(id, tried, _)| self.arrived[id][0] - *tried).collect())
    }
}

/// Two nodes with a customer, much that lies there from before, and publishers at work.
async fn scene() -> (Nodes, Receiver, World) {
    let nodes = Nodes::start(BINARY, 2).await;
    let receiver = Receiver::start().await;
    let mut world = World::of(nodes.operator());
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, PATH, Signature::Standard, json!({})).await;
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "first"})).await.expect(202);
    receiver.wait_for(PATH, 1, BOUND).await;
    until("its verdict", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    let count = events().to_string();
    let last = postgres::run(&nodes.database, "SELECT max(seq) FROM event").parse().expect("a number");
    let text = OLD_EVENTS.replace("{first}", &two_days_before(last).to_string()).replace("{count}", &count);
    postgres::run(&nodes.database, &text);
    (nodes, receiver, world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_go_on_while_the_next_version_changes_their_tables() {
    let (nodes, receiver, world) = scene().await;
    let project = &world.projects[0];
    let publishers = Publishers::start(project);
    let more = async || drop(receiver.wait_for(PATH, receiver.count_at(PATH) + BASELINE, BOUND).await);
    let before = Instant::now();
    more().await;
    let before = Span { from: before, until: Instant::now() };
    let alone = upgrade(&nodes.database, FIRST).await;
    more().await;
    let looking = look_for_a_while(&nodes.database).await;
    let beside = upgrade(&nodes.database, FURTHER.len()).await;
    looking.await.expect("it ended");
    more().await;
    let published = publishers.stop().await;
    until("all deliveries", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    world.assert_ledger_is_even().await;

    let times = Times::of(&published, &receiver);
    println!(
        "A19: PostgreSQL with {} events, {} tried twice; before: {}",
        events(),
        published.tried_twice,
        times.within(&[&before])
    );
    for (what, span) in [("nobody else looks at them", &alone), ("somebody looks at them for 3 s", &beside)] {
        println!("A19: tables changed within {:?} while {what}: {}", span.until - span.from, times.within(&[span]));
    }
    let longest = times.within(&[&before, &alone, &beside]).max;
    assert!(longest <= STALL_MAX, "somebody waited for {longest:?}");
    assert_eq!(postgres::run(&nodes.database, "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    assert_eq!(postgres::run(&nodes.database, "SELECT count(*) FROM event WHERE later IS DISTINCT FROM 7"), "0");
    refuses_to_start(&nodes.database).await;
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "last"})).await.expect(202);
}

/// Those that run go on; none of this version starts any more.
async fn refuses_to_start(database: &str) {
    let mut another = Server::prepare(BINARY, &[]);
    another.give("TIDINGS_DATABASE_URL", database);
    let said = another.refuses_to_start().await;
    let (found, known) = (SCHEMA_CHANGES.len() + FURTHER.len(), SCHEMA_CHANGES.len());
    let wanted =
        format!("the database has schema version {found}, and this program knows {known}: run a newer version");
    assert!(said.contains(&wanted), "{said}");
}
