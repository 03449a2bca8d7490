//! What several tests do to a server's file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Holds that a server's file is whole, by SQLite's own check.
///
/// # Panics
///
/// It is not; the message says after what.
pub(crate) fn check_integrity(database: &Path, after: &str) {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the file opens");
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("the file can be checked");
    assert_eq!(verdict, "ok", "after {after}");
}
