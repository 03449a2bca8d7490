//! How SQLite carries out what is asked while much is pending: by index, whatever the tables hold.

use rusqlite::Connection;

use crate::{SqliteStore, sql};

/// Tables that grow with what was accepted.
const GROWING: [&str; 4] = ["queue", "event", "delivery", "attempt"];

/// What `EXPLAIN QUERY PLAN` says, line by line.
fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).expect("a statement");
    let lines = explain.query_map(rusqlite::params_from_iter(vec![1; explain_parameters(statement)]), |row| row.get(3));
    lines.expect("a plan").collect::<Result<_, _>>().expect("lines")
}

fn explain_parameters(statement: &str) -> usize {
    (1..=20).rev().find(|number| statement.contains(&format!("?{number}"))).unwrap_or(0)
}

/// The tables that stand behind a plan's short names.
fn names_growing_table(statement: &str, name: &str) -> bool {
    GROWING.iter().any(|table| name == *table || statement.contains(&format!("{table} AS {name}")))
}

#[test]
fn no_statement_of_claims_and_verdicts_looks_through_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path()).expect("a store");
    let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
    let statements = [
        sql::CLAIM_DUE,
        sql::LEASE,
        sql::NEXT_DUE,
        sql::COUNT_DUE,
        sql::LIST_BACKLOG,
        sql::OLDEST_DUE,
        sql::RELEASE_LEASE,
        sql::FINISH_LEASE,
        sql::SCHEDULE_RETRY,
        sql::FIND_QUEUED_WEBHOOK,
        sql::FIND_CANCELLABLE,
    ];
    for statement in statements {
        for line in plan(&connection, statement) {
            let scanned = line.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            assert!(!scanned.is_some_and(|name| names_growing_table(statement, name)), "{line} in\n{statement}");
            // What is sorted is read to its end before the first row is there.
            assert!(!line.contains("TEMP B-TREE"), "{line} in\n{statement}");
        }
    }
    let claim = plan(&connection, sql::CLAIM_DUE);
    assert_eq!(claim[0], "SEARCH q USING INDEX queue_by_due (webhook=? AND due_at<?)");
    drop(store);
}
