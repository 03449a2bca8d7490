//! Opening connections, with every setting that durability rests on read back.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use crate::{OpenError, SQLITE_VERSION_MIN};

/// Marks our files, so that another program's database is not mistaken for ours ("Tdng").
const APPLICATION_ID: i32 = 0x5464_6e67;
/// How long a statement waits for a lock another process holds before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Statements kept prepared per connection.
const STATEMENTS_CACHED: usize = 128;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i32 = 8 * 1024;
/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i32 = 1024;

const MIGRATIONS: [&str; 9] = [
    include_str!("../sql/migrations/0001_first_light.sql"),
    include_str!("../sql/migrations/0002_send_complete.sql"),
    include_str!("../sql/migrations/0003_mends.sql"),
    include_str!("../sql/migrations/0004_receive.sql"),
    include_str!("../sql/migrations/0005_billing.sql"),
    include_str!("../sql/migrations/0006_gap_fill.sql"),
    include_str!("../sql/migrations/0007_run.sql"),
    include_str!("../sql/migrations/0008_account.sql"),
    include_str!("../sql/migrations/0009_portal.sql"),
];

/// The version of the bundled SQLite, as in `3.51.3`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

pub(crate) fn assert_version() -> Result<(), OpenError> {
    let (major, minor, patch) = SQLITE_VERSION_MIN;
    let wanted = i64::from(major) * 1_000_000 + i64::from(minor) * 1_000 + i64::from(patch);
    if i64::from(rusqlite::version_number()) < wanted {
        return Err(OpenError::Version { found: sqlite_version().to_owned() });
    }
    Ok(())
}

/// Opens the one connection that writes, and brings the schema up to date.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID && tables > 0 {
        let reason = "it is an SQLite database of another program".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), reason });
    }
    set(&connection, path, "journal_mode", "wal")?;
    set(&connection, path, "synchronous", "2")?;
    set(&connection, path, "mmap_size", "0")?;
    // Checkpoints run beside the writer (checkpoint.rs), never inside a commit.
    set(&connection, path, "wal_autocheckpoint", "0")?;
    set(&connection, path, "cache_size", &(-WRITER_CACHE_KIB).to_string())?;
    set(&connection, path, "foreign_keys", "0")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a database that ends with its connection, and runs `besides` on its tables.
#[expect(clippy::disallowed_methods, reason = "a simulation's database outlives all its processes, and no machine")]
pub(crate) fn open_in_memory(besides: &str) -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let failed = |error: rusqlite::Error| open_error(path, error);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    migrate(&mut connection, path)?;
    connection.execute_batch(besides).map_err(failed)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

/// Opens a connection that sees what is committed now, and nothing that comes later; returns the version of its tables
/// as well.
pub(crate) fn open_snapshot(path: &Path) -> Result<(Connection, u32), OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    if !path.exists() {
        return Err(OpenError::Nothing { path: path.to_owned() });
    }
    let connection = open_reader(path).map_err(failed)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    if application != APPLICATION_ID {
        let reason = "it is no database of Tidings".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), reason });
    }
    let known = MIGRATIONS.len() as u32;
    // A read of the file: from here on it stands still for this connection.
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    match found.cmp(&known) {
        std::cmp::Ordering::Greater => Err(OpenError::NewerSchema { path: path.to_owned(), found, known }),
        std::cmp::Ordering::Less => Err(OpenError::OlderSchema { path: path.to_owned(), found, known }),
        std::cmp::Ordering::Equal => Ok((connection, found)),
    }
}

/// Opens the connection that copies the WAL back into the database.
pub(crate) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn set(connection: &Connection, path: &Path, pragma: &'static str, wanted: &str) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    connection.pragma_update(None, pragma, wanted).map_err(failed)?;
    let found = connection
        .pragma_query_value(None, pragma, |row| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        })
        .map_err(failed)?;
    if found != wanted {
        return Err(OpenError::Setting { path: path.to_owned(), pragma, wanted: wanted.to_owned(), found });
    }
    Ok(())
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| open_error(path, error);
    let known = MIGRATIONS.len() as u32;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found, known });
    }
    for (version, migration) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction().map_err(failed)?;
        match found {
            0 => transaction.execute_batch(migration).map_err(failed)?,
            _ => change_what_is_there(&transaction, migration).map_err(failed)?,
        }
        transaction.pragma_update(None, "user_version", version).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// Carries out a migration where there may be much. SQLite looks at every row of a strict table that gets a column, so
/// columns are added as it would add them, but without that look: each has a default, or may be missing.
fn change_what_is_there(connection: &Connection, migration: &str) -> rusqlite::Result<()> {
    let mut before = String::new();
    for line in migration.lines() {
        let added =
            line.strip_prefix("ALTER TABLE ").and_then(|rest| rest.strip_suffix(';')?.split_once(" ADD COLUMN "));
        match added {
            Some((table, column)) => {
                connection.execute_batch(&std::mem::take(&mut before))?;
                if !add_column(connection, table, column)? {
                    connection.execute_batch(line)?;
                }
            }
            None => before.extend([line, "\n"]),
        }
    }
    connection.execute_batch(&before)
}

/// Writes a column into the description of its table, as <https://www.sqlite.org/lang_altertable.html> says for what
/// changes no row. False: nothing was done, since the description does not end with the last column.
fn add_column(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<bool> {
    let find = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let description: String = connection.query_row(find, [table], |row| row.get(0))?;
    let columns = description.strip_suffix("\n) STRICT");
    let constraint = |line: &str| {
        let words = ["PRIMARY KEY", "UNIQUE", "CHECK", "FOREIGN KEY", "CONSTRAINT"];
        words.iter().any(|word| line.trim_start().starts_with(word))
    };
    // A column would not stand behind a condition of the table.
    let columns = columns.filter(|columns| !columns.lines().any(constraint));
    let Some(columns) = columns else { return Ok(false) };
    let version: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    let write = "UPDATE sqlite_schema SET sql = ?2 WHERE type = 'table' AND name = ?1";
    connection.execute(write, [table, &format!("{columns}\n, {column}) STRICT")])?;
    connection.execute_batch(&format!("PRAGMA schema_version = {}; PRAGMA writable_schema = RESET", version + 1))?;
    Ok(true)
}

fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => OpenError::Damaged { path: path.to_owned(), reason: error.to_string() },
        _ => OpenError::Sqlite { path: path.to_owned(), reason: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is described in a database whose tables were made by the first so many migrations at once, and by the
    /// others where much may be.
    fn described(first: usize) -> Vec<(String, String)> {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = Connection::open(directory.path().join("tidings.sqlite")).expect("a database");
        for migration in &MIGRATIONS[..first] {
            connection.execute_batch(migration).expect("made");
        }
        let row = "INSERT INTO event (seq, tail, project, fanout, type, payload) VALUES (1, 2, 3, 4, 'a', x'05')";
        connection.execute(row, []).expect("written");
        for migration in &MIGRATIONS[first..] {
            change_what_is_there(&connection, migration).expect("changed");
        }
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        assert_eq!(check, "ok");
        let mut statement =
            connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").expect("read");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
        rows.map(|row| row.expect("a description")).collect()
    }

    #[test]
    fn what_is_changed_where_much_may_be_is_what_is_made_anew() {
        let anew = described(MIGRATIONS.len());
        for first in 1..MIGRATIONS.len() {
            assert_eq!(described(first), anew, "from version {first}");
        }
    }

    /// `synchronous` is 2 for FULL: every commit waits until the log is on disk. A setting of the
    /// connection, so it can be seen on the connection alone.
    #[test]
    fn commits_are_on_disk_before_they_are_acknowledged() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tidings.sqlite");
        let writer = open_writer(&path).expect("a writer");
        let mode: String = writer.query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("a mode");
        assert_eq!(mode, "wal");
        for connection in [writer, open_checkpointer(&path).expect("a checkpointer")] {
            let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).expect("a number");
            assert_eq!(synchronous, 2);
        }
    }
}
