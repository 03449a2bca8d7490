//! Opening the store: the pool, and the tables brought up to date.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::Object;
use tidings_domain::time::Timestamp;
use tidings_store_sql::{Node, SqlStore};
use tokio_postgres::{GenericClient, types::Type};

use crate::{
    OpenError, PostgresStore,
    backend::PostgresBackend,
    carry::refuse_half_migrated,
    durability,
    error::chain,
    nodes::Forum,
    partitions::Partitions,
    pool,
    reach::Reach,
    schema::{SCHEMA_CHANGES, SchemaChange, bring_up_to_date, has_schema, version},
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
    let beats = pool::make_with(&settings.url, NODE_CONNECTIONS, durability::warn())?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let reach = Arc::new(Reach::new());
    let forum = Forum::open(beats, Arc::clone(&reach), settings.node).await;
    let forum = forum.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let node = Node::join(forum, settings.node, settings.name.clone(), version, settings.lease).await;
    let node = Arc::new(node.map_err(|error| OpenError::Unreachable(error.to_string()))?);
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

/// Whether all tables are there that migrations have made: whoever misses one fails here, and not in the middle of work.
async fn refuse_incomplete(client: &impl GenericClient) -> Result<(), OpenError> {
    let text = "SELECT name FROM unnest($1) AS name WHERE to_regclass(name) IS NULL ORDER BY name";
    let made: Vec<_> = SCHEMA_CHANGES.iter().flat_map(tables_of).collect();
    let rows = client.query_typed(text, &[(&made, Type::TEXT_ARRAY)]).await;
    let rows = rows.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    let missing: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Incomplete { missing: missing.join(", ") }),
    }
}

fn tables_of(change: &SchemaChange) -> impl Iterator<Item = &'static str> {
    let text = match change {
        SchemaChange::Tables(text) => text,
        SchemaChange::Index { .. } => "",
    };
    let made = |line| str::strip_prefix(line, "CREATE TABLE ").or_else(|| line.strip_prefix("CREATE UNLOGGED TABLE "));
    text.lines().filter_map(made).filter_map(|rest| rest.split([' ', '(']).next())
}

/// Whether its tables are ours and as this program knows them.
pub(crate) async fn check_schema(client: &Object) -> Result<(), OpenError> {
    let said = |error: tokio_postgres::Error| OpenError::Unreachable(chain(&error));
    if !has_schema(client).await.map_err(said)? {
        check_rights(client).await?;
        return Err(OpenError::Nothing);
    }
    let (found, known) = (version(&***client).await.map_err(said)?, SCHEMA_CHANGES.len() as i64);
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { found, known }),
        std::cmp::Ordering::Less => Err(OpenError::OlderSchema { found, known }),
        std::cmp::Ordering::Equal => refuse_incomplete(&***client).await,
    }
}
