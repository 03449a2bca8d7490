//! The store on PostgreSQL: what any store must do.

mod collisions;
mod commits;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tidings_ports::store::Maintenance as _;
use tidings_store_conformance::{Outside, World, conformance};
use tidings_store_postgres::{LEASE, PostgresSettings};
use tidings_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

mod partitions;
mod schema;
mod turns;

conformance!(crate::open);

/// One for all tests; each has a database of its own.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

async fn open() -> World {
    open_in(cluster().database()).await
}

async fn open_in(url: String) -> World {
    let store = tidings_store_postgres::open(&settings(&url)).await.expect("a store");
    World::new(Arc::new(store), Box::new(Beside(url))).await
}

fn settings(url: &str) -> PostgresSettings {
    PostgresSettings {
        url: url.to_owned(),
        connections: 4,
        node: 1,
        name: "here".to_owned(),
        lease: LEASE,
        event_days: 90,
    }
}

/// Another connection to the same database.
struct Beside(String);

impl Beside {
    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.0, NoTls).await.expect("connects");
        tokio::spawn(connection);
        client
    }
}

#[async_trait]
impl Outside for Beside {
    async fn run(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.expect("runs");
    }

    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let rows = self.client().await.query(sql, &[]).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn refuse(&self, table: &str, condition: &str) {
        self.run(&format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'refused from outside'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse()"
        ))
        .await;
    }

    async fn crash(&self) {
        self.run("UPDATE node SET until = 0").await;
        // Whoever comes next finds it dead.
        let settings = PostgresSettings { node: 2, ..settings(&self.0) };
        tidings_store_postgres::open(&settings).await.expect("a store").close().await;
    }

    fn no_bytes(&self) -> &'static str {
        "''::bytea"
    }
}
