//! One store of each kind, empty, that can be opened again as by a new process.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use async_trait::async_trait;
use tempfile::TempDir;
use tidings_domain::time::Timestamp;
use tidings_ports::store::Store;
use tidings_store_conformance::Home;
use tidings_store_postgres::{LEASE, PostgresSettings};
use tidings_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

/// One for all tests; each has a database of its own.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// A directory with SQLite's file in it.
pub(crate) struct Directory(Mutex<TempDir>);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Self::empty()))
    }

    /// In memory where the system offers that: what is compared is what stores say, not what disks keep.
    fn empty() -> TempDir {
        let directory = TempDir::with_prefix_in("tidings-", "/dev/shm").or_else(|_| TempDir::with_prefix("tidings-"));
        directory.expect("a directory")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.lock().expect("nobody panics with it").path().to_owned()
    }
}

#[async_trait]
impl Home for Directory {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    async fn open(&self, former: Option<Arc<dyn Store>>, _now: Timestamp) -> Arc<dyn Store> {
        match former {
            None => *self.0.lock().expect("nobody panics with it") = Self::empty(),
            Some(former) => {
                former.close().await;
                drop(former);
            }
        }
        Arc::new(tidings_store_sqlite::open(&self.path()).expect("a store"))
    }
}

/// A database of the tests' PostgreSQL.
pub(crate) struct Database {
    url: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { url: cluster().database() }
    }

    /// Another connection to it.
    pub(crate) async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("connects");
        tokio::spawn(connection);
        client
    }

    /// Makes its clock stand at a time.
    pub(crate) async fn set_clock(&self, now: Timestamp) {
        let clock = format!(
            "CREATE OR REPLACE FUNCTION now_ms() RETURNS BIGINT LANGUAGE sql VOLATILE AS 'SELECT {}::bigint'",
            now.as_millis()
        );
        self.client().await.batch_execute(&clock).await.expect("set");
    }

    /// The store as one of the nodes sees it.
    pub(crate) async fn open_as(&self, node: i64, connections: usize) -> Arc<dyn Store> {
        let (url, name) = (self.url.clone(), format!("node {node}"));
        let settings = PostgresSettings { url, connections, node, name, lease: LEASE, event_days: 90 };
        Arc::new(tidings_store_postgres::open(&settings).await.expect("a store"))
    }
}

#[async_trait]
impl Home for Database {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    async fn open(&self, former: Option<Arc<dyn Store>>, now: Timestamp) -> Arc<dyn Store> {
        match former {
            // Quicker than another database, and nothing piles up.
            None => {
                let empty = "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public";
                self.client().await.batch_execute(empty).await.expect("it is emptied");
            }
            Some(former) => {
                // Leases are freed by the database's clock.
                self.set_clock(now).await;
                former.close().await;
            }
        }
        self.open_as(1, 2).await
    }
}
