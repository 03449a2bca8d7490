//! Opening the store: the pool, and the tables brought up to date.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Object;
use tidings_domain::time::Timestamp;
use tidings_store_sql::{Node, SqlStore};

use crate::{
    OpenError, PostgresStore,
    backend::PostgresBackend,
    carry::{refuse_carried, refuse_half_migrated},
    durability,
    error::chain,
    nodes::Forum,
    partitions::Partitions,
    pool,
    reach::Reach,
    schema::{SCHEMA_CHANGES, bring_up_to_date, has_schema, version},
    whole::{refuse_flawed, refuse_foreign, refuse_incomplete},
};

/// The oldest version that is still maintained.
const VERSION_MIN: i64 = 140_000;

/// Connections beside the others: for saying that it lives, and for what follows from that.
const NODE_CONNECTIONS: usize = 3;

/// Where the database is, and how it is used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:5432/database`.
    pub url: String,
    /// Connections at most.
    pub connections: usize,
    /// What this process is called in the database; no other one that lives is called the same.
    pub node: i64,
    /// What people call its machine.
    pub name: String,
    /// For how long after its last word nobody takes over what it leased.
    pub lease: Duration,
    /// For how many days events are kept: partitions are as long as that demands.
    pub event_days: u32,
}

/// Opens the store and brings its tables up to date.
pub async fn open(settings: &PostgresSettings) -> Result<PostgresStore, OpenError> {
    let pool = pool::make(&settings.url, settings.connections)?;
    let mut client = pool::first(&pool, &settings.url).await?;
    check_version(&client).await?;
    let partitions = migrate(&settings.url, &mut client, settings.event_days).await?;
    refuse_carried(&client).await?;
    let beats = pool::make_with(&settings.url, NODE_CONNECTIONS, durability::warn())?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let reach = Arc::new(Reach::new());
    let forum = Forum::open(beats, Arc::clone(&reach), settings.node).await;
    let forum = forum.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let node = Node::join(forum, settings.node, settings.name.clone(), version, settings.lease).await;
    let node = match node {
        Ok(node) => Arc::new(node),
        Err(error) => {
            // Somebody may have begun to put everything into it since.
            refuse_carried(&client).await?;
            return Err(OpenError::Unreachable(error.to_string()));
        }
    };
    // After it has its place: a migration begins only where nobody has one.
    refuse_half_migrated(&client).await?;
    drop(client);
    let partitions = Arc::new(partitions);
    Ok(SqlStore::new(PostgresBackend { pool, reach, node, partitions, heads: Arc::default(), again: Arc::default() }))
}

pub(crate) async fn check_version(client: &Object) -> Result<(), OpenError> {
    let said = |error: tokio_postgres::Error| OpenError::Unreachable(chain(&error));
    let text = "SELECT current_setting('server_version_num')::bigint, version(), current_setting('server_encoding')";
    let row = client.query_typed_one(text, &[]).await.map_err(said)?;
    match (row.get::<_, i64>(0), row.get::<_, &str>(2)) {
        (number, _) if number < VERSION_MIN => Err(OpenError::Version { found: row.get(1) }),
        (_, "UTF8") => Ok(()),
        (_, other) => Err(OpenError::Encoding { found: other.to_owned() }),
    }
}

/// One process changes tables, the others wait for it.
pub(crate) async fn migrate(url: &str, client: &mut Object, event_days: u32) -> Result<Partitions, OpenError> {
    check_rights(client).await?;
    bring_up_to_date(url, SCHEMA_CHANGES).await?;
    refuse_incomplete(&***client).await?;
    refuse_flawed(&***client).await?;
    let said = |error: tokio_postgres::Error| OpenError::Migration(chain(&error));
    let now = client.query_typed_one("SELECT now_ms()", &[]).await.map_err(said)?.get(0);
    let partitions = Partitions::new(event_days);
    partitions.make_ahead(client, Timestamp::from_millis(now)).await.map_err(said)?;
    Ok(partitions)
}

/// Whether this user may make the tables, or somebody has made them.
async fn check_rights(client: &Object) -> Result<(), OpenError> {
    let text = "SELECT to_regclass('tidings_schema') IS NOT NULL
                       OR coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
                       current_user::text, current_database()::text";
    let row = client.query_typed_one(text, &[]).await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    match row.get(0) {
        true => Ok(()),
        false => Err(OpenError::Rights { user: row.get(1), database: row.get(2) }),
    }
}

/// Whether its tables are ours and as this program knows them.
pub(crate) async fn check_schema(client: &Object) -> Result<(), OpenError> {
    let said = |error: tokio_postgres::Error| OpenError::Unreachable(chain(&error));
    let known = SCHEMA_CHANGES.len() as i64;
    let found = match has_schema(client).await? {
        true => version(&***client).await.map_err(said)?,
        false => {
            check_rights(client).await?;
            refuse_foreign(&***client).await?;
            return Err(OpenError::Nothing);
        }
    };
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { found, known }),
        std::cmp::Ordering::Less => Err(OpenError::OlderSchema { found, known }),
        std::cmp::Ordering::Equal => refuse_incomplete(&***client).await,
    }
}
