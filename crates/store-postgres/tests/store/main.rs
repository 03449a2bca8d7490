//! The store on PostgreSQL: what any store must do.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tidings_store_conformance::{Outside, World, conformance};
use tidings_store_postgres::PostgresSettings;
use tidings_testkit::postgres::Cluster;
use tokio_postgres::NoTls;

conformance!(crate::open);

/// One for all tests; each has a database of its own.
fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

async fn open() -> World {
    let url = cluster().database();
    let settings = PostgresSettings { url: url.clone(), connections: 4, node: 1 };
    let store = tidings_store_postgres::open(&settings).await.expect("a store");
    World::new(Arc::new(store), Box::new(Beside(url))).await
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

    fn no_bytes(&self) -> &'static str {
        "''::bytea"
    }
}
