//! A file that an earlier version has left, with much in it: it is brought up to date at the start, and everything is
//! there, and what waited is sent.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use rusqlite::Connection;
use serde_json::json;
use tidings_testkit::{Project, Receiver, Server, Signature, World, setting, until};

use crate::{BINARY, EVENT_TYPE, STALL_MAX, events, two_days_before};

/// Marks our files ("Tdng").
const APPLICATION_ID: i64 = 0x5464_6e67;
/// Deliveries that wait.
const WAITING: u64 = 200;
const PATH: &str = "/hook";
const BOUND: Duration = Duration::from_secs(60);

/// One every eight milliseconds, each with a delivery like the one that is there and every tenth with an attempt before
/// that, as the first version has kept them; then some whose delivery waits.
const OLD_EVENTS: &str = r#"
    CREATE TEMP TABLE numbers AS
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} + {waiting} - 1)
    SELECT n, {first} + n * 262144 AS seq FROM numbers;
    CREATE TEMP TABLE one AS SELECT * FROM delivery;
    INSERT INTO event (seq, tail, project, fanout, type, payload)
    SELECT n.seq, 7, project, 1, 'order.paid', CAST('{"number":' || n || '}' AS BLOB) FROM numbers AS n, one;
    INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at, started_at,
                          status, dns_us, connect_us, tls_us, first_byte_us, total_us, reused, head, response_headers,
                          response_truncated, response_body)
    SELECT n.seq + 1, 9, n.seq, webhook, project, rendering, epoch, state, 1 + (n % 10 = 0), 1, started_at, status,
           dns_us, connect_us, tls_us, first_byte_us, total_us, reused, head, response_headers, 0, CAST('ok' AS BLOB)
    FROM numbers AS n, one WHERE n < {count};
    INSERT INTO attempt (delivery, number, rendering, started_at, status, dns_us, connect_us, tls_us, first_byte_us,
                         total_us, reused, head, response_headers, response_truncated, response_body)
    SELECT n.seq + 1, 1, rendering, started_at, 503, dns_us, connect_us, tls_us, first_byte_us, total_us, reused, head,
           response_headers, 0, CAST('later' AS BLOB)
    FROM numbers AS n, one WHERE n < {count} AND n % 10 = 0;
    INSERT INTO queue (seq, tail, event, webhook, project, rendering, epoch, attempts, manual, due_at)
    SELECT n.seq + 1, 9, n.seq, webhook, project, rendering, 0, 0, 0, 0 FROM numbers AS n, one WHERE n >= {count};"#;
/// What later versions have counted meanwhile; earlier ones are counted by their successor.
const COUNTS: &str = "
    UPDATE ledger SET born = (SELECT count(*) FROM delivery) + (SELECT count(*) FROM queue);
    INSERT OR IGNORE INTO webhook_state (webhook, failure_count) SELECT DISTINCT webhook, 0 FROM delivery;
    UPDATE webhook_state SET delivered = (SELECT count(*) FROM delivery AS d WHERE d.webhook = webhook_state.webhook);";

/// What each version of the schema has added, in their order.
fn changes() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store-sqlite/sql/migrations");
    let mut files: Vec<_> = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a text")).collect()
}

fn names(connection: &Connection, text: &str) -> Vec<String> {
    let mut statement = connection.prepare(text).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a name")).collect()
}

fn number(connection: &Connection, text: &str) -> i64 {
    connection.query_row(text, [], |row| row.get(0)).expect("a number")
}

/// Puts a file in the place of a database that has what those first versions know of it.
fn turn_back(path: &Path, changes: &[String]) {
    let present = path.with_extension("present");
    fs::rename(path, &present).expect("it is moved");
    let old = Connection::open(path).expect("it is made");
    old.execute_batch("PRAGMA journal_mode = WAL; BEGIN").expect("set");
    for change in changes {
        old.execute_batch(change).expect("a version");
    }
    old.pragma_update(None, "user_version", changes.len() as u32).expect("set");
    old.pragma_update(None, "application_id", APPLICATION_ID).expect("set");
    old.execute_batch("COMMIT").expect("committed");
    old.execute("ATTACH ?1 AS present", [present.to_str().expect("text")]).expect("attached");
    for table in names(&old, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let known = format!(
            "SELECT o.name FROM pragma_table_info('{table}', 'main') AS o \
             JOIN pragma_table_info('{table}', 'present') AS p ON p.name = o.name"
        );
        let columns = names(&old, &known).join(", ");
        let copy = format!("INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} FROM present.{table}");
        old.execute_batch(&copy).expect("copied");
    }
    old.execute_batch("DETACH present").expect("detached");
    fs::remove_file(present).expect("removed");
}

/// What may not change of what was filled in: how much there is, and of what.
fn sums(path: &Path) -> [i64; 3] {
    let connection = Connection::open(path).expect("it opens");
    [
        "SELECT count(*) + sum(seq % 1000003) + sum(length(payload)) FROM event WHERE tail = 7",
        "SELECT count(*) + sum(seq % 1000003) + sum(attempts) FROM delivery WHERE finished_at = 1",
        "SELECT count(*) + sum(delivery % 1000003) + sum(length(response_body)) FROM attempt",
    ]
    .map(|text| number(&connection, text))
}

fn fill(path: &Path, version: usize, count: u64) {
    let connection = Connection::open(path).expect("it opens");
    let first = two_days_before(number(&connection, "SELECT max(seq) FROM event"));
    let text = OLD_EVENTS
        .replace("{count}", &count.to_string())
        .replace("{waiting}", &WAITING.to_string())
        .replace("{first}", &first.to_string());
    connection.execute_batch(&format!("BEGIN; {text} COMMIT")).expect("filled");
    if version > 1 {
        connection.execute_batch(COUNTS).expect("counted");
    }
}

/// An instance with a customer and a webhook that has got something, stopped, as this version has left it.
async fn present_instance(receiver: &Receiver) -> (Server, World) {
    let mut server = Server::prepare(BINARY, &["--allow-http", "--allow-target", "127.0.0.0/8"]);
    server.keep_data_in_a_file();
    server.restart().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, receiver, PATH, Signature::Standard, json!({})).await;
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "before"})).await.expect(202);
    receiver.wait_for(PATH, 1, BOUND).await;
    until("its verdict", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    (server, world)
}

/// Returns how long it took until it was ready, and how long that takes without a change.
async fn comes_from(version: usize, changes: &[String], count: u64) -> (Duration, Duration) {
    let receiver = Receiver::start().await;
    let (mut server, world) = present_instance(&receiver).await;
    assert!(server.stop().await.success());
    let path = server.database_path();
    turn_back(&path, &changes[..version]);
    fill(&path, version, count);
    let before = sums(&path);
    let upgraded = server.restart().await;
    let project = &world.projects[0];
    project.api.post("/events", &json!({"type": EVENT_TYPE, "data": "after"})).await.expect(202);
    until("what waited, and what is new", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    world.assert_ledger_is_even().await;
    let arrivals = receiver.arrivals_at(PATH);
    let arrived: HashSet<_> = arrivals.iter().map(|arrival| &arrival.event_id).collect();
    let wanted = 2 + WAITING as usize;
    assert_eq!((arrivals.len(), arrived.len()), (wanted, wanted), "from version {version}: each once");
    assert!(arrivals.iter().all(|arrival| arrival.signature.is_ok()), "from version {version}: with the same secret");
    look_back(project, count).await;
    assert!(server.stop().await.success());
    assert_eq!(sums(&path), before, "from version {version}");
    assert_eq!(number(&Connection::open(&path).expect("it opens"), "PRAGMA user_version"), changes.len() as i64);
    let again = server.restart().await;
    println!(
        "A19: SQLite, version {version} of {} with {count} events: ready after {} ms, and after {} ms the next time",
        changes.len(),
        upgraded.as_millis(),
        again.as_millis()
    );
    (upgraded, again)
}

/// The old events show how they were delivered.
async fn look_back(project: &Project, count: u64) {
    let mut path = "/events?limit=100".to_owned();
    // Past what waited.
    for _ in 0..WAITING / 100 + 1 {
        let page = project.api.get(&path).await.expect(200);
        path = format!("/events?limit=100&cursor={}", page["cursor"].as_str().expect("there are more"));
    }
    let page = project.api.get(&path).await.expect(200);
    for event in page["data"].as_array().expect("a list").iter().take(10) {
        let event = project.api.get(&format!("/events/{}", event["id"].as_str().expect("an id"))).await.expect(200);
        let number = event["payload"]["number"].as_u64().expect("a number");
        let delivery = &event["deliveries"][0];
        assert!(number < count && delivery["status"] == "delivered", "{event}");
        let attempts = format!("/deliveries/{}/attempts", delivery["id"].as_str().expect("an id"));
        let attempts = project.api.get(&attempts).await.expect(200)["data"].clone();
        let bodies: Vec<_> = attempts.as_array().expect("a list").iter().map(|one| &one["response"]["body"]).collect();
        match number % 10 {
            0 => assert_eq!(bodies, ["later", "ok"], "{attempts}"),
            _ => assert_eq!(bodies, ["ok"], "{attempts}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_what_an_earlier_version_has_left_is_there_and_what_waited_is_sent() {
    let changes = changes();
    assert!(changes.len() >= 9, "the file's versions were found");
    // The first has the longest way; a long run takes that one alone.
    let last = if setting("TIDINGS_UPGRADE_EVENTS").is_some() { 1 } else { changes.len() - 1 };
    for version in 1..=last {
        let (upgraded, again) = comes_from(version, &changes, events()).await;
        assert!(upgraded <= again + STALL_MAX, "from version {version}: ready after {upgraded:?}, else {again:?}");
    }
}
