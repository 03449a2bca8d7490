//! A8, A9 on PostgreSQL: somebody else has locked a table, tables are gone, and a page is damaged. What needs them is
//! refused within a bound, everything else goes on, and nothing is acknowledged that is not kept.

use std::{
    fs::File,
    os::unix::fs::{FileExt as _, PermissionsExt},
    process::Command,
    time::Duration,
};

use serde_json::json;
use tidings_testkit::{
    Answer, Behaviour, DRAIN_BOUND, Project, Receiver, Server, Signature, World, cluster,
    postgres::{self, Cluster, Stop},
    until,
};
use tokio::{task::JoinSet, time::Instant};
use tokio_postgres::{Client, NoTls};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const FLAGS: [&str; 3] = ["--allow-http", "--allow-target", "127.0.0.0/8"];
const MASTER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const HOOK: &str = "/hook";
/// Requests at once that need a locked table: of each kind so many.
const AT_ONCE: usize = 4;
/// A statement waits 10 s for a lock; who comes while another waits may have to wait twice.
const REFUSED_WITHIN: Duration = Duration::from_secs(22);
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
/// Events in several pages of a table, of which the first one is damaged.
const EVENTS: usize = 60;

/// A server, and a project with a webhook.
struct Scene {
    server: Server,
    receiver: Receiver,
    world: World,
    project: Project,
    database: String,
}

impl Scene {
    async fn start(database: String) -> Self {
        let mut server = Server::prepare(BINARY, &FLAGS);
        server.give("TIDINGS_DATABASE_URL", &database);
        server.give("TIDINGS_MASTER_KEY", MASTER_KEY);
        server.restart().await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("shop", EVENT_TYPE).await;
        world.subscribe(&project, &receiver, HOOK, Signature::Standard, json!({})).await;
        Self { server, receiver, world, project, database }
    }

    /// Somebody else's connection.
    async fn other(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.database, NoTls).await.expect("connects");
        tokio::spawn(connection);
        client
    }

    async fn is_kept(&self, accepted: usize) {
        self.world.drain().await;
        self.world.assert_ledger_is_even().await;
        let events = self.project.api.get("/events?limit=1").await.expect(200);
        assert_eq!(events["total"], accepted, "what was refused is not there, and what was accepted is");
        assert_eq!(self.receiver.arrivals().len(), accepted, "each arrived, and once");
    }

    /// Whether the doctor is content, and what it says of the database.
    fn doctor(&self) -> (bool, String) {
        let (content, said) = self.examined();
        let line = said.lines().find(|line| line.contains(" database ")).unwrap_or_default();
        (content, line.to_owned())
    }

    /// What it says of what belongs to the tables.
    fn of_tables(&self) -> Vec<String> {
        let (_, said) = self.examined();
        said.lines().filter(|line| line.contains(" tables  ")).map(str::to_owned).collect()
    }

    fn examined(&self) -> (bool, String) {
        let examined = Command::new(BINARY)
            .args(["doctor", "--database-url", &self.database, "--data-dir"])
            .arg(self.server.scratch_path("data"))
            .env_clear()
            .env("TIDINGS_MASTER_KEY", MASTER_KEY)
            .output()
            .expect("it runs");
        (examined.status.success(), String::from_utf8_lossy(&examined.stdout).into_owned())
    }
}

async fn publish(project: &Project) -> Answer {
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "0123456789".repeat(100)})).await
}

async fn published(project: &Project) -> String {
    publish(project).await.expect(202)["id"].as_str().expect("an id").to_owned()
}

async fn is_unavailable(answer: Answer) {
    assert_eq!(answer.expect(503)["code"], "unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer}");
}

async fn somebody_locks(table: &str, reads: &'static [&'static str], others: &[&str]) {
    let mut scene = Scene::start(cluster().database()).await;
    scene.receiver.route(HOOK, Behaviour::Slow { wait: Duration::from_secs(1), status: 200 });
    // Under way when the lock is taken: what becomes of it has to wait.
    published(&scene.project).await;
    let other = scene.other().await;
    let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    other.batch_execute(&lock).await.expect("the lock is free for a moment");

    let mut requests = JoinSet::new();
    for number in 0..AT_ONCE * (reads.len() + 1) {
        let project = scene.project.clone();
        requests.spawn(async move {
            let started = Instant::now();
            let answer = match reads.get(number / AT_ONCE) {
                Some(path) => project.api.get(path).await,
                None => publish(&project).await,
            };
            is_unavailable(answer).await;
            started.elapsed()
        });
    }
    for path in others {
        scene.project.api.get(path).await.expect(200);
    }
    let slowest = requests.join_all().await.into_iter().max().unwrap_or_default();
    assert!(slowest <= REFUSED_WITHIN, "{table}: refused after {} ms", slowest.as_millis());

    other.batch_execute("ROLLBACK").await.expect("the lock can be given back");
    let started = Instant::now();
    until("an accepted event", DRAIN_BOUND, async || (publish(&scene.project).await.status == 202).then_some(())).await;
    let normal = started.elapsed();
    assert!(normal <= NORMAL_WITHIN, "{table}: accepted again after {} ms", normal.as_millis());
    scene.is_kept(2).await;
    println!(
        "A8, PostgreSQL, {table} locked: {} requests refused with 503, the slowest after {} ms; accepted {} ms after \
         the lock was free",
        AT_ONCE * (reads.len() + 1),
        slowest.as_millis(),
        normal.as_millis()
    );
    assert!(scene.server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bounded_a_table_that_somebody_locks_is_waited_for_and_then_answered_with_503() {
    tokio::join!(
        somebody_locks("event", &["/events", "/deliveries"], &["/webhooks", "/event-types"]),
        somebody_locks("queue", &["/deliveries"], &["/webhooks", "/events"]),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_are_gone_are_named_and_nothing_is_accepted_that_would_need_them() {
    let mut scene = Scene::start(cluster().database()).await;
    published(&scene.project).await;
    scene.is_kept(1).await;
    let other = scene.other().await;
    other.batch_execute("ALTER TABLE queue RENAME TO gone").await.expect("it is renamed");
    for _ in 0..3 {
        is_unavailable(publish(&scene.project).await).await;
    }
    scene.project.api.get("/webhooks").await.expect(200);
    let log = scene.server.log();
    assert!(log.contains(r#"relation \"queue\" does not exist"#) && !log.contains("panicked"), "{log}");
    let (content, said) = scene.doctor();
    assert!(!content && said.contains("lacks the tables queue") && said.contains("backup"), "{said}");
    println!("A9, PostgreSQL, a table is gone: {said}");

    // Who starts now is told, and changes nothing.
    scene.server.kill().await;
    let said = scene.server.refuses_to_start().await;
    assert!(said.contains("lacks the tables queue") && said.contains("docs/backup.md"), "{said}");
    other.batch_execute("ALTER TABLE gone RENAME TO queue").await.expect("it is renamed");
    scene.server.restart().await;
    published(&scene.project).await;
    scene.is_kept(2).await;
    assert!(scene.server.stop().await.success());
}

/// What somebody does to a database by hand, and what is said of it: the words `ok`, `warn` or `fail`, the thing, the way
/// out.
const ALTERED: [(&str, [&str; 3]); 6] = [
    ("DROP INDEX queue_by_due", ["warn", "queue_by_due of queue is missing", "CREATE INDEX CONCURRENTLY queue_by_due"]),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'queue_by_due'::regclass",
        ["warn", "queue_by_due of queue is not valid", "REINDEX INDEX CONCURRENTLY queue_by_due"],
    ),
    (
        "DROP INDEX event_by_project; CREATE INDEX event_by_project ON queue (project)",
        ["warn", "is an index of queue", "ALTER INDEX event_by_project RENAME TO event_by_project_of_other"],
    ),
    (
        "ALTER TABLE custom_id DROP CONSTRAINT custom_id_pkey",
        ["fail", "custom_id_pkey of custom_id is missing", "ALTER TABLE custom_id ADD PRIMARY KEY (project, id)"],
    ),
    ("DROP FUNCTION now_ms", ["fail", "the function now_ms is missing", "CREATE FUNCTION now_ms() RETURNS BIGINT"]),
    ("DROP TABLE {today}", ["warn", "no partition of event has a place for", "a backup of the database"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indexes_functions_and_partitions_that_are_gone_are_named_with_what_makes_them_anew() {
    let mut scene = Scene::start(cluster().database()).await;
    let content = scene.of_tables();
    assert!(matches!(&*content, [line] if line.starts_with("ok ")), "{content:?}");
    // As PostgreSQL calls a key whose name is taken.
    let renamed =
        "ALTER INDEX session_pkey RENAME TO session_pkey1; ALTER INDEX node_number_key RENAME TO node_number_key1";
    postgres::run(&scene.database, renamed);
    assert_eq!(scene.of_tables(), content);
    let today = "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'event'::regclass";
    let today = postgres::run(&scene.database, today);
    scene.server.stop().await;
    for (altered, [verdict, thing, way_out]) in ALTERED {
        // Each from what was made, in a database of its own.
        let copy = cluster().copy_of(&scene.database);
        postgres::run(&copy, &altered.replace("{today}", &today));
        let original = std::mem::replace(&mut scene.database, copy.clone());
        scene.server.give("TIDINGS_DATABASE_URL", &copy);
        let said = scene.of_tables();
        let [line] = &*said else { panic!("{altered}: {said:?}") };
        println!("{line}");
        assert!([verdict, thing, way_out].iter().all(|word| line.contains(word)), "{altered}: {line}");
        let said_before = scene.server.log().len();
        if verdict == "fail" {
            scene.server.refuses_to_start().await;
        } else {
            scene.server.restart().await;
            assert_eq!(publish(&scene.project).await.status, 202, "{altered}");
            scene.server.stop().await;
        }
        let log = &scene.server.log()[said_before..];
        assert!(altered.contains("{today}") || log.contains(thing) && log.contains(way_out), "{altered}: {log}");
        scene.database = original;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_fails_what_lies_on_it_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let for_all = PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), for_all).expect("it is set");
    // With checksums, as one on a disk is made.
    let cluster = Cluster::on_disk(&directory.path().join("postgres"), None);
    let mut scene = Scene::start(cluster.database()).await;
    let first = published(&scene.project).await;
    for _ in 1..EVENTS {
        published(&scene.project).await;
    }
    scene.is_kept(EVENTS).await;
    let text = "SELECT pg_relation_filepath(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'event'::regclass
                ORDER BY pg_relation_size(inhrelid) DESC LIMIT 1";
    let path: String = scene.other().await.query_one(text, &[]).await.expect("a row").get(0);
    cluster.stop(Stop::Fast);
    let file = File::options().write(true).open(cluster.directory().join("data").join(path)).expect("it is there");
    file.write_all_at(&[0x5a; 512], 4096).expect("it is written");
    cluster.launch();

    let event = format!("/events/{first}");
    let until_damaged = async || scene.server.log().contains("damaged").then_some(());
    until("the damage to be found", DRAIN_BOUND, async || {
        is_unavailable(scene.project.api.get(&event).await).await;
        until_damaged().await
    })
    .await;
    let log = scene.server.log();
    let line = log.lines().find(|line| line.contains("invalid page in block 0 of relation")).unwrap_or_default();
    assert!(line.contains("pg_amcheck") && line.contains("backup"), "{line}");
    println!("A9, PostgreSQL, a damaged page: {line}");
    // Everything else is as before, also for a server that starts now.
    for starts_again in [false, true] {
        if starts_again {
            assert!(scene.server.stop().await.success());
            scene.server.restart().await;
        }
        let later = published(&scene.project).await;
        scene.world.drain().await;
        scene.project.api.get(&format!("/events/{later}")).await.expect(200);
        scene.project.api.get("/webhooks").await.expect(200);
        is_unavailable(scene.project.api.get(&event).await).await;
    }
    assert_eq!(scene.receiver.arrivals().len(), EVENTS + 2, "each arrived, and once");
    assert!(!scene.server.log().contains("panicked"));
    assert!(scene.server.stop().await.success());
}
