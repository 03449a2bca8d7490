//! One store of each kind, empty, that can be opened again as by a new process.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tempfile::TempDir;
use tidings_ports::store::Store;
use tidings_store_conformance::Home;
use tidings_store_postgres::PostgresSettings;
use tidings_testkit::postgres::Cluster;

/// One for all tests; each has a database of its own.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// A directory with SQLite's file in it.
pub(crate) struct Directory(pub(crate) TempDir);

impl Directory {
    /// In memory where the system offers that: what is compared is what stores say, not what disks keep.
    pub(crate) fn new() -> Self {
        let directory = TempDir::with_prefix_in("tidings-", "/dev/shm").or_else(|_| TempDir::with_prefix("tidings-"));
        Self(directory.expect("a directory"))
    }
}

#[async_trait]
impl Home for Directory {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    async fn open(&self, former: Option<Arc<dyn Store>>) -> Arc<dyn Store> {
        if let Some(former) = former {
            former.close().await;
            drop(former);
        }
        Arc::new(tidings_store_sqlite::open(self.0.path()).expect("a store"))
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

    /// How it is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    async fn open_as(&self, node: i64, connections: usize) -> Arc<dyn Store> {
        let settings = PostgresSettings { url: self.url.clone(), connections, node };
        Arc::new(tidings_store_postgres::open(&settings).await.expect("a store"))
    }
}

#[async_trait]
impl Home for Database {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    async fn open(&self, former: Option<Arc<dyn Store>>) -> Arc<dyn Store> {
        if let Some(former) = former {
            former.close().await;
        }
        // The same node: what it held was its own.
        self.open_as(1, 2).await
    }
}
