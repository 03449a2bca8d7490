//! A20: what was kept long enough goes, while everybody else goes on. `cargo xtask torture retention` makes it a million
//! events.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Latencies, Probe, Server, World, cluster, setting, until};
use tokio::time::Instant;
use tokio_postgres::NoTls;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const OLD: u64 = 6_000;
/// Events of the probe.
const SAMPLES: usize = 200;
const SAMPLES_LONG: usize = 2_000;
const BOUND: Duration = Duration::from_secs(600);
const FLAGS: [&str; 5] = ["--allow-http", "--allow-target", "127.0.0.0/8", "--event-days", "30"];

/// A hundred days ago and later, one every eight milliseconds, each with a delivery that arrived and every tenth with an
/// attempt before that. `{series}` makes the numbers `n`.
const OLD_EVENTS: &str = "
    INSERT INTO event (seq, tail, project, fanout, type, payload)
    SELECT {first} + n * 262144, 7, (SELECT max(seq) FROM project WHERE hidden = 0), 1, 'order.paid', {payload}
    FROM {series};
    INSERT INTO delivery (seq, tail, event, webhook, project, rendering, epoch, state, attempts, finished_at)
    SELECT {first} + n * 262144 + 1, 9, {first} + n * 262144, (SELECT max(seq) FROM webhook),
           (SELECT max(seq) FROM project WHERE hidden = 0), 0, 1, 2, 1, 0
    FROM {series};
    INSERT INTO attempt (delivery, number, rendering, started_at, dns_us, connect_us, tls_us, first_byte_us, total_us,
                         reused, head, response_headers, response_truncated, response_body)
    SELECT {first} + n * 262144 + 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, '', 0, {payload} FROM {series} WHERE n % 10 = 0;";

/// Bits of a sequence below its milliseconds.
const BITS: u32 = 15;
const DAY_MS: i64 = 86_400_000;

/// The sequence so many days before another one.
const fn before(now: i64, days: i64) -> i64 {
    now - ((days * DAY_MS) << BITS)
}

fn old_events(now: i64, count: i64, payload: &str, series: &str) -> String {
    let text = OLD_EVENTS.replace("{first}", &before(now, 100).to_string()).replace("{payload}", payload);
    text.replace("{series}", &series.replace("{count}", &count.to_string()))
}

/// What lies in a database, whichever it is.
enum Database {
    Sqlite(std::path::PathBuf),
    Postgres(String),
}

impl Database {
    async fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("opens");
                connection.busy_timeout(Duration::from_secs(30)).expect("set");
                connection.execute_batch(sql).expect("runs");
            }
            Self::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
                let connection = tokio::spawn(connection);
                client.batch_execute(sql).await.expect("runs");
                drop(client);
                connection.await.expect("it ends").expect("it ended well");
            }
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("opens");
                connection.busy_timeout(Duration::from_secs(30)).expect("set");
                connection.query_row(sql, (), |row| row.get(0)).expect("a number")
            }
            Self::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
                tokio::spawn(connection);
                client.query_one(sql, &[]).await.expect("a number").get(0)
            }
        }
    }

    /// Attempts, deliveries and events from before a day before `now`.
    async fn old_rows(&self, now: i64) -> [i64; 3] {
        let mut counts = [0; 3];
        for (count, rows) in counts.iter_mut().zip(["attempt WHERE delivery", "delivery WHERE seq", "event WHERE seq"])
        {
            *count = self.number(&format!("SELECT count(*) FROM {rows} < {}", before(now, 1))).await;
        }
        counts
    }
}

/// The old events lie in a partition of their own, as if it had been made back then.
async fn make_old_partitions(database: &Database, end: i64) {
    let Database::Postgres(url) = database else { return };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    for table in ["event", "receipt", "delivery", "attempt"] {
        let row = client
            .query_one(
                "SELECT c.relname::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits AS i JOIN pg_class AS c \
                 ON c.oid = i.inhrelid WHERE i.inhparent = $1::text::regclass AND \
                 pg_get_expr(c.relpartbound, c.oid) LIKE '%MINVALUE%'",
                &[&table],
            )
            .await
            .expect("the first partition");
        let (name, bound): (String, String) = (row.get(0), row.get(1));
        let until = bound.rsplit_once(" TO ").expect("a bound").1;
        let text = format!(
            "ALTER TABLE {table} DETACH PARTITION {name}; ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM \
             ({end}) TO {until}; CREATE TABLE {table}_of_old (LIKE {table} INCLUDING ALL); ALTER TABLE {table} ATTACH \
             PARTITION {table}_of_old FOR VALUES FROM (MINVALUE) TO ({end})"
        );
        client.batch_execute(&text).await.expect("divided");
    }
}

async fn forgets(mut server: Server, database: Option<String>) {
    let count = setting("TIDINGS_OLD_EVENTS").unwrap_or(OLD).cast_signed();
    match &database {
        Some(url) => server.give("TIDINGS_DATABASE_URL", url),
        None => server.keep_data_in_a_file(),
    }
    server.restart().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let store = if database.is_some() { "PostgreSQL" } else { "SQLite" };
    // A tail that is held against that of a long run is one of as many.
    let alone = probe.measure(if setting("TIDINGS_OLD_EVENTS").is_some() { SAMPLES_LONG } else { SAMPLES }).await;
    let database = database.map_or_else(|| Database::Sqlite(server.database_path()), Database::Postgres);
    let now = database.number("SELECT max(seq) FROM event").await;
    make_old_partitions(&database, before(now, 99)).await;
    let text = match &database {
        Database::Sqlite(_) => old_events(
            now,
            count,
            "zeroblob(500)",
            "(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1) SELECT n FROM \
             numbers) AS r",
        ),
        Database::Postgres(_) => old_events(
            now,
            count,
            "decode(repeat('00', 500), 'hex')",
            "generate_series(0::bigint, {count} - 1) AS r (n)",
        ),
    };
    database.run(&text).await;
    assert_eq!(database.old_rows(now).await, [(count + 9) / 10, count, count]);
    // A round begins with the start.
    server.stop().await;
    server.restart().await;
    let started = Instant::now();
    let (mut beside, mut worst) = (Vec::new(), Duration::ZERO);
    until("the old events to be gone", BOUND, async || {
        let measured = probe.times(SAMPLES).await;
        beside.extend_from_slice(&measured);
        worst = worst.max(Latencies::of(measured).p99);
        (database.old_rows(now).await == [0; 3]).then_some(())
    })
    .await;
    let took = started.elapsed();
    let beside = Latencies::of(beside);
    println!(
        "A20: {store}: {count} events, deliveries and a tenth as many attempts were forgotten within {took:?}; another \
         webhook alone: {alone}; beside: {beside}; the worst p99 of {SAMPLES}: {worst:?}"
    );
    let instance = world.operator().get("/instance").await.expect(200);
    assert_eq!(instance["ledger"]["unaccounted"], json!(0), "{instance}");
    // Whatever is new is there.
    assert!(probe.measure(SAMPLES).await.count == SAMPLES);
    assert!(beside.max <= Duration::from_secs(2) + alone.max, "a stall: {beside}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_forgets_step_by_step_while_events_flow() {
    forgets(Server::prepare(BINARY, &FLAGS), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_drops_partitions_while_events_flow() {
    forgets(Server::prepare(BINARY, &FLAGS), Some(cluster().database())).await;
}
