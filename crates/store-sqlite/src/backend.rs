//! SQLite as the verbs see it: one writer with a thread of its own, and readers beside it.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use tidings_ports::store::StoreError;
use tidings_store_sql::{
    Backend, Columns, Connection, Database, Error, Kind, Leases, Next, Params, Result, Row, Session, SqlStore,
    Statement, Value, Writes,
};

use crate::{error::said, lock::DirectoryLock, readers::Readers, sql, writer::Writer};

/// The embedded store.
pub type SqliteStore = SqlStore<SqliteBackend>;

/// A database in a directory.
#[derive(Clone)]
pub struct SqliteBackend {
    pub(crate) writer: Arc<Writer>,
    pub(crate) readers: Readers,
    pub(crate) leases: Arc<Leases>,
    /// Held as long as anybody works on the directory.
    pub(crate) _lock: Arc<DirectoryLock>,
}

impl Backend for SqliteBackend {
    async fn write<T, F>(&self, kind: Writes, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        match kind {
            Writes::More | Writes::Events => self.writer.call_adding(work).await,
            Writes::Changes | Writes::Leases => self.writer.call(work).await,
        }
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.readers.call(read).await
    }

    fn leases(&self) -> Option<Arc<Leases>> {
        Some(Arc::clone(&self.leases))
    }

    async fn close(&self) {
        self.readers.close().await;
        if self.writer.is_inline() {
            return self.writer.close();
        }
        let writer = Arc::clone(&self.writer);
        // The thread may be in the middle of a commit; waiting for it must not block the runtime.
        let _ = tokio::task::spawn_blocking(move || writer.close()).await;
    }
}

/// How statements read, where that is not as usual.
pub type Texts = fn(Statement) -> Option<&'static str>;

/// A connection inside a transaction.
pub(crate) struct Transaction<'a> {
    connection: &'a rusqlite::Connection,
    own: Option<Texts>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(connection: &'a rusqlite::Connection) -> Self {
        Self { connection, own: None }
    }

    /// Where some statements read in a way of their own.
    pub(crate) fn reading(connection: &'a rusqlite::Connection, own: Texts) -> Self {
        Self { connection, own: Some(own) }
    }
}

impl Transaction<'_> {
    fn prepare(&self, statement: Statement) -> Result<rusqlite::CachedStatement<'_>> {
        let own = self.own.and_then(|own| own(statement));
        self.connection.prepare_cached(own.unwrap_or_else(|| sql::text(statement))).map_err(said)
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, params: &dyn Params) -> Result<()> {
    let mut number = 0;
    params.each(&mut |value| {
        number += 1;
        let value = match value {
            Value::Null(_) => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        };
        prepared.raw_bind_parameter(number, ToSqlOutput::Borrowed(value)).map_err(said)
    })
}

impl Database for Transaction<'_> {
    fn execute(&self, statement: Statement, params: &dyn Params) -> Result<usize> {
        let mut prepared = self.prepare(statement)?;
        bind(&mut prepared, params)?;
        prepared.raw_execute().map_err(said)
    }

    fn execute_many(&self, statement: Statement, rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        let mut prepared = self.prepare(statement)?;
        let mut each = |row| {
            bind(&mut prepared, row)?;
            prepared.raw_execute().map_err(said)
        };
        rows.iter().map(|row| each(row as &dyn Params)).collect()
    }

    fn query(
        &self,
        statement: Statement,
        params: &dyn Params,
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        let mut prepared = self.prepare(statement)?;
        bind(&mut prepared, params)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(said)? {
            if each(&Row::new(&Found(row)))? == Next::Enough {
                break;
            }
        }
        Ok(())
    }
}

/// A row of SQLite's.
pub(crate) struct Found<'a>(pub(crate) &'a rusqlite::Row<'a>);

impl Columns for Found<'_> {
    fn value(&self, column: usize) -> Result<Value<'_>> {
        Ok(match self.0.get_ref(column).map_err(said)? {
            ValueRef::Null => Value::Null(Kind::Int),
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Text(text) => {
                Value::Text(std::str::from_utf8(text).map_err(|error| Error::unreadable(column, error))?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes),
            ValueRef::Real(_) => return Err(Error::unreadable(column, "no column holds such numbers")),
        })
    }
}
