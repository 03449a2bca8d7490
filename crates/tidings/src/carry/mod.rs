//! Carrying everything that an instance keeps: into a backup, out of one, and from SQLite to PostgreSQL.
//!
//! The stores are opened beside whatever server uses them, by their own connections; see
//! `tidings_store_sql::carry` for what is carried.

pub(crate) mod archive;
mod backup;
mod configuration;
mod migrate;
mod restore;

use std::path::Path;

use tidings_store_postgres::carry::PostgresAddition;
use tidings_store_postgres::carry::PostgresOutlet;
use tidings_store_sql::{
    Result,
    carry::{Cell, Cells, Inlet, Outlet, Table},
};
use tidings_store_sqlite::carry::{SqliteAddition, SqliteOutlet};
use tokio::runtime::{Builder, Runtime};

use crate::config::ServeConfig;

pub(crate) use backup::backup;
pub(crate) use configuration::{export, import};
pub(crate) use migrate::migrate;
pub(crate) use restore::{check, restore};

/// What a configured store keeps at this moment.
pub(crate) enum Store {
    Sqlite(SqliteOutlet),
    Postgres(PostgresOutlet),
}

impl Store {
    /// Opens it. `runtime`: what its connection works on.
    pub(crate) fn open(config: &ServeConfig, runtime: &Runtime) -> anyhow::Result<Self> {
        Ok(match &config.database_url {
            Some(url) => Self::Postgres(tidings_store_postgres::carry::outlet(&url.0, runtime.handle())?),
            None => Self::Sqlite(tidings_store_sqlite::carry::outlet(&config.data_dir)?),
        })
    }

    /// What it remembers under a name.
    pub(crate) fn remembered(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(outlet) => outlet.remembered(name),
            Self::Postgres(outlet) => outlet.remembered(name),
        }
    }

    fn kind(&self) -> (&'static str, u32) {
        match self {
            Self::Sqlite(outlet) => ("sqlite", outlet.schema()),
            Self::Postgres(outlet) => ("postgresql", outlet.schema()),
        }
    }
}

impl Outlet for Store {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        match self {
            Self::Sqlite(outlet) => outlet.read(table, after, limit),
            Self::Postgres(outlet) => outlet.read(table, after, limit),
        }
    }
}

/// A configured store that something is added to, all of it or nothing.
pub(crate) enum Addition {
    Sqlite(SqliteAddition),
    Postgres(PostgresAddition),
}

impl Addition {
    /// Opens it where no server uses it.
    pub(crate) fn open(config: &ServeConfig, runtime: &Runtime) -> anyhow::Result<Self> {
        Ok(match &config.database_url {
            Some(url) => Self::Postgres(tidings_store_postgres::carry::addition(&url.0, runtime.handle())?),
            None => Self::Sqlite(tidings_store_sqlite::carry::addition(&config.data_dir)?),
        })
    }

    /// From here on it is there.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Sqlite(addition) => addition.finish(),
            Self::Postgres(addition) => addition.finish(),
        }
    }

    /// Leaves everything as it was.
    pub(crate) fn discard(self) -> Result<()> {
        match self {
            Self::Sqlite(addition) => addition.discard(),
            Self::Postgres(addition) => addition.discard(),
        }
    }
}

impl Outlet for Addition {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        match self {
            Self::Sqlite(addition) => addition.read(table, after, limit),
            Self::Postgres(addition) => addition.read(table, after, limit),
        }
    }
}

impl Inlet for Addition {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        match self {
            Self::Sqlite(addition) => addition.write(table, rows),
            Self::Postgres(addition) => addition.write(table, rows),
        }
    }
}

/// Threads for connections: what uses them waits outside.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

/// What is kept in the data directory although another database is named, and the ways out; nothing if it was migrated
/// from there.
pub(crate) fn unused_database(data_dir: &Path) -> Option<(String, &'static str)> {
    let file = tidings_store_sqlite::unmigrated(data_dir)?;
    let found = format!("the data directory holds the database {}, which is not used", file.display());
    let way_out = "leave --database-url and TIDINGS_DATABASE_URL out to use it, carry it over with `tidings migrate` into \
                   an empty database, or move it away";
    Some((found, way_out))
}
