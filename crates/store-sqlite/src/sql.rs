//! Statements as SQLite reads them, where others read them differently.

use tidings_store_sql::Statement;

macro_rules! texts {
    ($($file:literal),* $(,)?) => {
        fn own(name: &str) -> Option<&'static str> {
            match name {
                $($file => Some(include_str!(concat!("../sql/", $file, ".sql"))),)*
                _ => None,
            }
        }
    };
}

texts!(
    "append_delivery",
    "busiest_lanes",
    "claim_due",
    "claim_one",
    "count_running_jobs",
    "events_after",
    "expunge_event",
    "last_sequence",
    "lease",
    "list_events",
    "list_receipts",
    "list_receipts_of_source",
    "next_run_tasks",
    "queued_webhooks",
    "usage_of_organizations",
);

/// How a statement reads.
pub(crate) fn text(statement: Statement) -> &'static str {
    statement
        .text()
        .or_else(|| own(statement.name()))
        .unwrap_or_else(|| unreachable!("{} has no text", statement.name()))
}

#[cfg(test)]
mod tests {
    use tidings_store_sql::sql::{STATEMENTS, STATEMENTS_ALONE};

    #[test]
    fn every_statement_has_a_text_that_can_be_prepared() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = crate::open(directory.path()).expect("a store");
        let connection = rusqlite::Connection::open(directory.path().join("tidings.sqlite")).expect("opens");
        for &statement in STATEMENTS.iter().chain(STATEMENTS_ALONE) {
            let prepared = connection.prepare(super::text(statement));
            assert!(prepared.is_ok(), "{}: {:?}", statement.name(), prepared.err());
        }
        drop(store);
    }
}
