//! How PostgreSQL carries out what is asked when much is stored: by index, whatever the tables hold.
//!
//! Plans are those for values as they come, since statements are planned with theirs. `TIDINGS_PLAN_ROWS` says how much is stored; `cargo xtask torture plans` makes it a
//! million rows a table.

use std::collections::BTreeSet;

use tidings_domain::{ids::first_sequence_at, time::Timestamp};
use tidings_store_sql::{
    Kind, Statement,
    carry::{TABLES, Table},
    sql::{self, NODE_STATEMENTS, SHARED_STATEMENTS, STATEMENTS},
};
use tokio_postgres::{Client, NoTls};

use crate::{PostgresSettings, partitions::Partitions, pool, sql::text, sql::text_of_many};

const ROWS: i64 = 100_000;
/// Rows of tables that do not grow with what is accepted.
const ROWS_OF_OTHERS: i64 = 3_000;
const PARTITIONS: i64 = 12;
const DAY_MS: i64 = 86_400_000;
/// From now on, a week a partition.
const START: Timestamp = Timestamp::from_millis(2_000_000_000_000);

/// Tables that grow with what was accepted, or with who is there.
const GROWING: [&str; 24] = [
    "event",
    "queue",
    "delivery",
    "attempt",
    "receipt",
    "custom_id",
    "provider_id",
    "replayed_delivery",
    "idempotency",
    "audit",
    "webhook_hour",
    "job",
    "run",
    "run_task",
    "property",
    "record",
    "record_change",
    "account",
    "member",
    "invite",
    "session",
    "identity",
    "portal_session",
    "webhook_state",
];

/// Statements that look through one, and why that is right.
const LOOKING_THROUGH: &[(Statement, &str, &str)] = &[
    (sql::COUNT_PENDING, "queue", "the operator's count of everything"),
    (sql::HAS_ACCOUNTS, "account", "the first row is enough"),
    (sql::RESUME_CANCELLING, "queue", "once at a start"),
    (sql::FREE_LEASES_OF, "queue", "when a process has died; an index would be written with every delivery"),
    (sql::AUDIT_LEDGER, "queue", "the audit counts rows, once a minute"),
    (sql::AUDIT_LEDGER, "webhook_state", "the audit adds up all of them, once a minute"),
];

/// What stands in a column, where `n` counts rows.
fn value(table: &Table, column: &str, kind: Kind) -> String {
    let spread = format!("{} + n * {{step}}", first_sequence_at(START));
    match (table.name, column) {
        (_, "seq" | "place" | "receipt") | ("custom_id" | "replayed_delivery", "event") => spread,
        ("delivery" | "queue", "event") => format!("{spread} - 1"),
        (_, "delivery" | "delivery_seq") => format!("{spread} + 1"),
        (_, "project") => "1 + n % 1000".to_owned(),
        (_, "organization") => "1 + n % 100".to_owned(),
        ("webhook_state" | "webhook_hour", "webhook") => "n".to_owned(),
        (_, "webhook") => "1 + n % 3000".to_owned(),
        (_, "source") => "1 + n % 500".to_owned(),
        ("queue", "due_at") => "CASE WHEN n % 2 = 0 THEN n END".to_owned(),
        ("run", "status") => "CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END".to_owned(),
        ("run" | "command", "command") => "'/c' || n % 20".to_owned(),
        ("run_task", "schedule_of") => "CASE WHEN n % 100 = 0 THEN n END".to_owned(),
        (_, "deleted_at" | "revoked_at" | "expunged_at") => "NULL".to_owned(),
        (_, "state") => "2 + CASE WHEN n % 20 = 0 THEN 1 ELSE 0 END".to_owned(),
        (_, "operator" | "cancelled" | "hidden" | "is_request") => {
            "CASE WHEN n % 1000 = 0 THEN 1 ELSE 0 END".to_owned()
        }
        _ => match kind {
            Kind::Int => "n".to_owned(),
            Kind::Text => format!("'{column}' || n"),
            Kind::Blob => "decode(md5(n::text), 'hex')".to_owned(),
        },
    }
}

async fn fill(client: &Client, table: &Table, rows: i64) {
    let step = (PARTITIONS - 1) * 7 * (first_sequence_at(Timestamp::from_millis(DAY_MS))) / rows;
    let names: Vec<_> = table.names().collect();
    let values: Vec<_> = table.columns.iter().map(|column| value(table, column.name, column.kind)).collect();
    let text = format!(
        "INSERT INTO {} ({}) SELECT {} FROM generate_series(1::bigint, {rows}) AS r (n) ON CONFLICT DO NOTHING",
        table.name,
        names.join(", "),
        values.join(", ").replace("{step}", &step.to_string()),
    );
    client.batch_execute(&text).await.unwrap_or_else(|error| panic!("{}: {error:?}", table.name));
}

/// A database with so much in it, and a connection that plans for any values.
async fn filled(rows: i64) -> Client {
    let url = tidings_testkit::cluster().database();
    let settings = PostgresSettings {
        url: url.clone(),
        connections: 2,
        node: 1,
        name: "here".to_owned(),
        lease: crate::LEASE,
        event_days: 84,
    };
    drop(crate::open(&settings).await.expect("a store"));
    let pool = pool::make(&url, 1).expect("a pool");
    let partitions = Partitions::new(84);
    for week in 0..PARTITIONS {
        let at = Timestamp::from_millis(START.as_millis() + week * 7 * DAY_MS);
        partitions.make_for(&pool, first_sequence_at(at)).await.expect("made");
    }
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    for table in TABLES.iter() {
        fill(&client, table, if GROWING.contains(&table.name) { rows } else { ROWS_OF_OTHERS }).await;
    }
    drop_small_partitions(&client).await;
    client.batch_execute("ANALYZE; SET plan_cache_mode = force_custom_plan").await.expect("analyzed");
    client
}

/// One in which hardly anything lies is looked through at no cost, and would stand in every plan.
async fn drop_small_partitions(client: &Client) {
    for row in client.query(crate::sql::partition_text("list"), &[]).await.expect("partitions") {
        let name: &str = row.get(1);
        if client.query(&format!("SELECT FROM {name} OFFSET 200 LIMIT 1"), &[]).await.expect("rows").is_empty() {
            client.batch_execute(&format!("DROP TABLE {name}")).await.expect("dropped");
        }
    }
}

/// A value for a parameter, by what it stands beside.
fn given(text: &str, number: usize, is_text: bool) -> String {
    let parameter = format!("${number}");
    let mut before = Vec::new();
    for (place, _) in text.match_indices(&parameter) {
        let follows = text[place + parameter.len()..].chars().next();
        if follows.is_none_or(|next| !next.is_ascii_digit()) {
            before.push(&text[..place]);
        }
    }
    let words = before.iter().map(|before| before.split_whitespace().rev().take(2).collect::<Vec<_>>());
    let beside: Vec<_> = words.flatten().map(|word| word.rsplit('.').next().unwrap_or(word).to_lowercase()).collect();
    let has = |names: &[&str]| beside.iter().any(|word| names.contains(&word.trim_matches(['(', ')', ','])));
    let middle = first_sequence_at(Timestamp::from_millis(START.as_millis() + 40 * DAY_MS));
    match () {
        () if is_text && text.contains(&format!("{parameter}::json")) => "'[500, 501]'".to_owned(),
        () if is_text => "'name500'".to_owned(),
        () if has(&["limit"]) => "100".to_owned(),
        () if has(&["between"]) => (middle + 1).to_string(),
        () if has(&["seq", "event", "delivery", "place", "receipt", "parent_seq", "delivery_seq"]) => {
            middle.to_string()
        }
        () if has(&["and"]) => (middle + 9).to_string(),
        () => "500".to_owned(),
    }
}

/// Prepares a statement and says what its parameters are: that follows from where they stand, or is tried out, for
/// verbs say it with each.
async fn prepare(client: &Client, text: &str, parameters: usize) -> Vec<String> {
    let mut types = vec!["unknown".to_owned(); parameters];
    for tried in 0..3_usize.pow(4) {
        let types_of = if parameters > 0 { format!("({})", types.join(", ")) } else { String::new() };
        if let Err(error) = client.batch_execute(&format!("PREPARE asked {types_of} AS {text}")).await {
            let said = error.as_db_error().map_or_else(String::new, |said| said.message().to_owned());
            match said.split_once(" parameter $").and_then(|(_, number)| number.parse::<usize>().ok()) {
                Some(number) => types[number - 1] = "bigint".to_owned(),
                None => {
                    assert!(types.iter().any(|kind| kind != "unknown"), "{text}: {said}");
                    let mut choice = tried;
                    for kind in types.iter_mut().filter(|kind| *kind != "unknown") {
                        *kind = ["bigint", "text", "bytea"][choice % 3].to_owned();
                        choice /= 3;
                    }
                }
            }
            continue;
        }
        let found = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'asked'";
        let found: Vec<String> = client.query_one(found, &[]).await.expect("it is there").get(0);
        let is_ours = |kind: &String| ["bigint", "text", "bytea"].contains(&kind.trim_end_matches("[]"));
        if found.iter().all(is_ours) {
            return found;
        }
        client.batch_execute("DEALLOCATE asked").await.expect("forgotten");
        let ours = |kind: &String| match kind.as_str() {
            _ if is_ours(kind) => kind.clone(),
            "integer" => "bigint".to_owned(),
            _ => "text".to_owned(),
        };
        types = found.iter().map(ours).collect();
    }
    panic!("cannot be prepared: {text}");
}

/// A plan, line by line, and how long it took to make, in milliseconds.
async fn plan(client: &Client, text: &str) -> (Vec<String>, f64) {
    let parameters = (1..=30).rev().find(|number| text.contains(&format!("${number}"))).unwrap_or(0);
    let types = prepare(client, text, parameters).await;
    let values = (1..).zip(&types).map(|(number, kind)| match kind.as_str() {
        "bigint" | "text" => given(text, number, kind == "text"),
        "bytea" => "'\\x00'".to_owned(),
        "bytea[]" => "array_fill('\\x00'::bytea, ARRAY[100])".to_owned(),
        many => format!(
            "array_fill({}::{}, ARRAY[100])",
            given(text, number, many == "text[]"),
            many.trim_end_matches("[]")
        ),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    let explained = client.query(&format!("EXPLAIN (COSTS OFF, SUMMARY ON) EXECUTE asked{values}"), &[]).await;
    let mut lines: Vec<String> = explained.expect("a plan").iter().map(|row| row.get(0)).collect();
    client.batch_execute("DEALLOCATE asked").await.expect("forgotten");
    let took = lines.pop().expect("a summary");
    let took = took.trim_start_matches("Planning Time: ").trim_end_matches(" ms").parse().expect("a number");
    (lines, took)
}

/// The tables that a plan looks through from the first row to the last.
fn looked_through(plan: &[String]) -> BTreeSet<&'static str> {
    let scanned = plan.iter().filter_map(|line| line.split_once("Seq Scan on ").map(|(_, name)| name));
    let table = |name: &str| {
        let name = name.split_whitespace().next().unwrap_or_default();
        let name = name.split_once("_until_").map_or(name, |(table, _)| table);
        GROWING.into_iter().find(|table| *table == name)
    };
    scanned.filter_map(table).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_looks_through_what_grows() {
    let rows = tidings_testkit::setting("TIDINGS_PLAN_ROWS").map_or(ROWS, u64::cast_signed);
    let client = filled(rows).await;
    let (mut wrong, mut slowest) = (Vec::new(), (0.0, ""));
    let mut count = 0;
    let texts = STATEMENTS.iter().chain(SHARED_STATEMENTS).chain(NODE_STATEMENTS).flat_map(|statement| {
        [Some(text(*statement)), text_of_many(*statement)].into_iter().flatten().map(|text| (*statement, text))
    });
    for (statement, text) in texts {
        let (lines, took) = plan(&client, text).await;
        count += 1;
        if took > slowest.0 {
            slowest = (took, statement.name());
        }
        for table in looked_through(&lines) {
            if !LOOKING_THROUGH.iter().any(|(known, of, _)| *known == statement && *of == table) {
                wrong.push(format!("{} looks through {table}:\n{}", statement.name(), lines.join("\n")));
            }
        }
    }
    println!(
        "{count} plans with {rows} rows a table, {PARTITIONS} partitions and more: the slowest was made within {} ms \
         ({})",
        slowest.0, slowest.1
    );
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
}
