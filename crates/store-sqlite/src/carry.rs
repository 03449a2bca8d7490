//! Everything that a database in a directory keeps, on its way out, and a new database on its way in.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, types::ValueRef};
use tidings_store_sql::{
    Error, Result, Value,
    carry::{Cell, Cells, Inlet, Outlet, RESTORED, Table, cells, clear_text, find, read_text, write_text},
};

use crate::{
    OpenError,
    backend::Found,
    connection::{assert_version, open_snapshot, open_writer},
    error::said,
    lock::{DirectoryLock, lock_directory},
    open::{FILE_NAME, make_directory},
};

/// The new database, before it is whole.
const NEW_FILE_NAME: &str = "tidings.sqlite.restoring";
/// Pages in the log from which on they are copied into the new database.
const PAGES_TO_COPY: i64 = 4_000;

/// All that was committed at one moment, whatever is written meanwhile.
#[derive(Debug)]
pub struct SqliteOutlet {
    connection: Connection,
    schema: u32,
    /// Held where nobody may write meanwhile.
    _lock: Option<DirectoryLock>,
}

/// Opens what a directory keeps at this moment. A server may be at work on it.
pub fn outlet(directory: &Path) -> Result<SqliteOutlet, OpenError> {
    assert_version()?;
    let (connection, schema) = open_snapshot(&directory.join(FILE_NAME))?;
    Ok(SqliteOutlet { connection, schema, _lock: None })
}

/// The same where no server may be at work on it, as long as this is there.
pub fn outlet_alone(directory: &Path) -> Result<SqliteOutlet, OpenError> {
    let lock = lock_directory(directory)?;
    Ok(SqliteOutlet { _lock: Some(lock), ..outlet(directory)? })
}

impl SqliteOutlet {
    /// The version of its tables.
    pub fn schema(&self) -> u32 {
        self.schema
    }

    /// What it remembers under a name.
    pub fn remembered(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        remembered(&self.connection, name)
    }
}

fn remembered(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    let mut prepared = connection.prepare_cached(crate::sql::text(tidings_store_sql::sql::FIND_REMEMBERED));
    let prepared = prepared.as_mut().map_err(|error| Error::Elsewhere(error.to_string().into()))?;
    let mut rows = prepared.query([name]).map_err(said)?;
    rows.next().map_err(said)?.map(|row| row.get(0).map_err(said)).transpose()
}

impl Outlet for SqliteOutlet {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        read(&self.connection, table, after, limit)
    }
}

fn read(connection: &Connection, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
    let mut prepared = connection.prepare_cached(&read_text(table, after.is_none(), limit)).map_err(said)?;
    for (number, cell) in (1..).zip(after.unwrap_or_default()) {
        bind(&mut prepared, number, cell)?;
    }
    let mut rows = prepared.raw_query();
    let mut read = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        read.push(cells(&Found(row), table.columns.len())?);
    }
    Ok(read)
}

/// A database that something is added to, in one transaction, while no server uses it.
#[derive(Debug)]
pub struct SqliteAddition {
    connection: Connection,
    _lock: DirectoryLock,
}

/// Opens a directory for that; a database is made where there is none.
pub fn addition(directory: &Path) -> Result<SqliteAddition, OpenError> {
    assert_version()?;
    make_directory(directory)?;
    let lock = lock_directory(directory)?;
    crate::left::refuse(directory)?;
    let path = directory.join(FILE_NAME);
    crate::open::make_file(&path)?;
    let connection = open_writer(&path)?;
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    begun.map_err(|reason| OpenError::Sqlite { path, reason })?;
    Ok(SqliteAddition { connection, _lock: lock })
}

impl Outlet for SqliteAddition {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        read(&self.connection, table, after, limit)
    }
}

impl Inlet for SqliteAddition {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        insert(&self.connection, table, rows)
    }
}

impl SqliteAddition {
    /// From here on it is there.
    pub fn finish(self) -> Result<()> {
        self.connection.execute_batch("COMMIT").map_err(said)
    }

    /// Leaves everything as it was.
    pub fn discard(self) -> Result<()> {
        self.connection.execute_batch("ROLLBACK").map_err(said)
    }
}

/// A new database that appears in its directory once it is whole.
#[derive(Debug)]
pub struct SqliteInlet {
    connection: Connection,
    directory: PathBuf,
    _lock: DirectoryLock,
}

/// Makes a new database for a directory that has none.
pub fn inlet(directory: &Path) -> Result<SqliteInlet, OpenError> {
    assert_version()?;
    make_directory(directory)?;
    let lock = lock_directory(directory)?;
    let path = directory.join(FILE_NAME);
    let failed = |reason| OpenError::Directory { path: path.clone(), reason };
    if path.exists() {
        return Err(OpenError::NotEmpty { path });
    }
    // What a restore that was cut off has left.
    remove_unfinished(directory).map_err(failed)?;
    let new = directory.join(NEW_FILE_NAME);
    crate::open::make_file(&new)?;
    let connection = open_writer(&new)?;
    let slack = |connection: &Connection| {
        // Until it has its name nobody relies on it; then it is on disk.
        connection.pragma_update(None, "synchronous", 1)?;
        connection.pragma_update(None, "wal_autocheckpoint", PAGES_TO_COPY)?;
        let ledger = find("ledger").expect("it is a table");
        connection.execute(&clear_text(ledger), []).map(drop)
    };
    slack(&connection).map_err(|reason| OpenError::Sqlite { path: new, reason })?;
    Ok(SqliteInlet { connection, directory: directory.to_owned(), _lock: lock })
}

fn remove_unfinished(directory: &Path) -> io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        match fs::remove_file(directory.join(format!("{NEW_FILE_NAME}{end}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl Inlet for SqliteInlet {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        let transaction = self.connection.transaction().map_err(said)?;
        insert(&transaction, table, rows)?;
        transaction.commit().map_err(said)
    }
}

fn insert(connection: &Connection, table: &Table, rows: &[Cells]) -> Result<()> {
    let mut prepared = connection.prepare_cached(&write_text(table)).map_err(said)?;
    for row in rows {
        for (number, cell) in (1..).zip(row) {
            bind(&mut prepared, number, cell)?;
        }
        prepared.raw_execute().map_err(said)?;
    }
    Ok(())
}

impl SqliteInlet {
    /// Gives the database its name: from here on it is there. `mark`: what it remembers as having been restored.
    pub fn finish(self, mark: &[u8]) -> Result<()> {
        let failed = |error: io::Error| Error::Elsewhere(error.into());
        let remember = crate::sql::text(tidings_store_sql::sql::REMEMBER);
        self.connection.execute(remember, (RESTORED, mark)).map_err(said)?;
        let busy: i64 =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(said)?;
        self.connection.close().map_err(|(_, error)| said(error))?;
        if busy != 0 {
            return Err(Error::Elsewhere("another process has the new database open".into()));
        }
        let (new, path) = (self.directory.join(NEW_FILE_NAME), self.directory.join(FILE_NAME));
        File::open(&new).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)?;
        File::open(&self.directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }

    /// Leaves the directory as it was.
    pub fn discard(self) -> Result<()> {
        self.connection.close().map_err(|(_, error)| said(error))?;
        remove_unfinished(&self.directory).map_err(|error| Error::Elsewhere(error.into()))
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, number: usize, cell: &Cell) -> Result<()> {
    let value = match cell.value(tidings_store_sql::Kind::Int) {
        Value::Null(_) => ValueRef::Null,
        Value::Int(number) => ValueRef::Integer(number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    };
    prepared.raw_bind_parameter(number, rusqlite::types::ToSqlOutput::Borrowed(value)).map_err(said)
}

#[cfg(test)]
mod tests {
    use tidings_store_sql::carry::TABLES;

    use super::*;

    #[test]
    fn every_table_and_column_is_carried() {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = open_writer(&directory.path().join(FILE_NAME)).expect("a database");
        let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("prepared");
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        let tables: Vec<_> =
            tables.map(|name| name.expect("a name")).filter(|name| !name.starts_with("sqlite_")).collect();
        assert_eq!(tables.len(), TABLES.len());
        for name in tables {
            let carried =
                find(&name).unwrap_or_else(|| panic!("{name} is not carried: name it in store-sql's carry/tables.rs"));
            let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info(?1)").expect("prepared");
            let columns = columns.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
            let mut columns: Vec<(String, String)> = columns.map(|column| column.expect("a column")).collect();
            let kind = |kind| match kind {
                tidings_store_sql::Kind::Int => "INTEGER",
                tidings_store_sql::Kind::Text => "TEXT",
                tidings_store_sql::Kind::Blob => "BLOB",
            };
            let mut known: Vec<_> =
                carried.columns.iter().map(|column| (column.name.to_owned(), kind(column.kind).to_owned())).collect();
            columns.sort();
            known.sort();
            assert_eq!(columns, known, "{name}");
            let keys: i64 = connection
                .query_row("SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0", [&name], |row| row.get(0))
                .expect("a count");
            assert_eq!(usize::try_from(keys).expect("few"), carried.key, "{name}");
        }
    }
}
