//! The embedded store: what any store must do, and what is asserted, refused and kept when it is opened.

mod left_of_projects;
mod opening;

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tidings_store_conformance::{Outside, World, conformance};

conformance!(crate::open);

async fn open() -> World {
    open_in(tempfile::tempdir().expect("a directory")).await
}

async fn open_in(directory: TempDir) -> World {
    let store = tidings_store_sqlite::open(directory.path()).expect("a store");
    World::new(Arc::new(store), Box::new(Beside(directory))).await
}

/// Another connection to the same file.
struct Beside(TempDir);

impl Beside {
    fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.path().join("tidings.sqlite")).expect("opens")
    }
}

#[async_trait]
impl Outside for Beside {
    async fn run(&self, sql: &str) {
        self.connection().execute_batch(sql).expect("runs");
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("numbers")
    }

    async fn refuse(&self, table: &str, condition: &str) {
        let body = "BEGIN SELECT raise(ABORT, 'refused from outside'); END";
        self.run(&format!("CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN {condition} {body}")).await;
    }

    fn no_bytes(&self) -> &'static str {
        "x''"
    }
}
