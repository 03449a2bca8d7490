//! What is left of a deleted project, table by table: a new table with a column for it takes part by itself.

use rusqlite::{Connection, types::Value};
use tidings_store_conformance::START;

use crate::open_in;

/// Tables whose rows stay when their project is deleted, and why.
const STAYS: [(&str, &str); 11] = [
    ("api_key", "the audit log names it; it is revoked"),
    ("audit", "what was done is history"),
    ("custom_id", "history of events"),
    ("delivery", "history, which the ledger counts"),
    ("event", "history of deliveries"),
    ("job", "history of deliveries"),
    ("queue", "each is cancelled with its webhook, which the ledger counts"),
    ("receipt", "history of events"),
    ("replayed_delivery", "history of deliveries"),
    ("source", "receipts name it; it is marked as deleted"),
    ("webhook", "deliveries name it; it is marked as deleted"),
];
/// Where it is written that there is something left to be deleted.
const AGENDA: &str = "leftover";

struct Column {
    name: String,
    kind: String,
    /// Whether a row needs a value of it.
    wanted: bool,
}

fn columns(database: &Connection, table: &str) -> Vec<Column> {
    let mut info = database.prepare(&format!("PRAGMA table_info({table})")).expect("a table");
    let read = |row: &rusqlite::Row<'_>| {
        let (not_null, default, key): (bool, Option<String>, u32) = (row.get(3)?, row.get(4)?, row.get(5)?);
        Ok(Column { name: row.get(1)?, kind: row.get(2)?, wanted: (not_null && default.is_none()) || key > 0 })
    };
    info.query_map([], read).and_then(Iterator::collect).expect("columns")
}

/// All tables that say in a column `project` whose their rows are.
fn tables(database: &Connection) -> Vec<String> {
    let mut all = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").expect("SQL");
    let names: Vec<String> = all.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("names");
    let has_project = |table: &String| columns(database, table).iter().any(|column| column.name == "project");
    names.into_iter().filter(|table| table != AGENDA && has_project(table)).collect()
}

/// A row of the project's that is not to be told from another one but by its numbers.
fn add_row(database: &Connection, table: &str, project: i64, number: i64) {
    let columns: Vec<_> =
        columns(database, table).into_iter().filter(|column| column.wanted || column.name == "project").collect();
    let value = |column: &Column| match (column.name.as_str(), column.kind.as_str()) {
        ("project", _) => Value::Integer(project),
        (_, "INTEGER") => Value::Integer(number),
        (_, "TEXT") => Value::Text(format!("n{number}")),
        (_, _) => Value::Blob(number.to_be_bytes().to_vec()),
    };
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    let places = vec!["?"; names.len()].join(", ");
    let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
    let values = rusqlite::params_from_iter(columns.iter().map(value));
    database.execute(&insert, values).unwrap_or_else(|error| panic!("{table}: {error}"));
}

fn rows_of(database: &Connection, table: &str, project: i64) -> i64 {
    let count = format!("SELECT count(*) FROM {table} WHERE project = ?1");
    database.query_row(&count, [project], |row| row.get(0)).expect("a number")
}

#[tokio::test]
async fn nothing_but_history_is_left_of_a_deleted_project_in_any_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tidings.sqlite");
    let mut world = open_in(directory).await;
    let (gone, stays) = (world.project, world.new_project().await);
    let database = Connection::open(path).expect("opens");
    let tables = tables(&database);
    for (place, table) in tables.iter().enumerate() {
        for (side, project) in [gone, stays].into_iter().enumerate() {
            let number = 1_000 + i64::try_from(place * 10 + side).expect("small");
            add_row(&database, table, project.sequence(), number);
        }
    }
    assert_eq!(world.store.delete_project(gone, START).await, Ok(true));
    while world.store.expunge_deleted(2).await.expect("written") {}

    for table in &tables {
        let reason = STAYS.iter().find(|(name, _)| name == table).map(|(_, reason)| *reason);
        let left = rows_of(&database, table, gone.sequence());
        match reason {
            Some(reason) => assert_eq!(left, 1, "{table} stays: {reason}"),
            None => assert_eq!(left, 0, "{table} has rows of a deleted project; delete them, or say why they stay"),
        }
        assert_eq!(rows_of(&database, table, stays.sequence()), 1, "{table} of another project");
    }
    let known = |name: &str| tables.iter().any(|table| table == name);
    assert!(STAYS.iter().all(|(name, _)| known(name)) && tables.len() > STAYS.len() + 5, "{tables:?}");
}
