//! From SQLite's errors to what a caller can do.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use tidings_ports::store::StoreError;
use tidings_store_sql::Error;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on the directory.
    #[error("{path} is in use by another tidings process: stop it, or give this one another directory with --data-dir")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// There is a database already where a new one was to be made.
    #[error("{path} exists, and nothing is written over it: name another directory with --data-dir, or move it away")]
    NotEmpty {
        /// The database.
        path: PathBuf,
    },
    /// There is no database.
    #[error("{path} does not exist, so there is nothing to read: name the directory with --data-dir")]
    Nothing {
        /// The database.
        path: PathBuf,
    },
    /// Its tables are older than this program's.
    #[error("{path} has schema version {found}, and this program writes {known}: start the server with it once")]
    OlderSchema {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// What it kept is kept elsewhere now, or about to be.
    #[error("{0}")]
    Left(String),
    /// The directory cannot be used.
    #[error("cannot use the data directory {path}: {reason}")]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The bundled SQLite is too old to keep what it acknowledged.
    #[error("SQLite {found} can lose committed writes; this program needs 3.51.3 or newer")]
    Version {
        /// The version found.
        found: String,
    },
    /// A setting that durability rests on did not take.
    #[error("{path}: {pragma} is {found:?} instead of {wanted:?}; the file system may not support what SQLite needs")]
    Setting {
        /// The database file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What it should be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// Made by a newer version of this program.
    #[error("{path} has schema version {found}, and this program knows {known}: run a newer version")]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// It is no database of this program, or it is damaged.
    #[error(
        "{path} cannot be read: {reason}. The file was left untouched; restore a backup, or try `sqlite3 {path} .recover`"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Anything else SQLite said.
    #[error("{path}: {reason}")]
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        reason: rusqlite::Error,
    },
}

/// What a caller can do about an error of a statement.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        // The index of the write-ahead log could not grow.
        _ if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => StoreError::Full(error.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(error.to_string()),
        Some(
            ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ParameterOutOfRange
            | ErrorCode::Unknown,
        ) => StoreError::Refused(error.to_string()),
        Some(_) => StoreError::Unavailable(error.to_string()),
        // Not SQLite but a value in a row: reading it again changes nothing.
        None => StoreError::Refused(error.to_string()),
    }
}

/// The same, inside a verb.
pub(crate) fn said(error: rusqlite::Error) -> Error {
    Error::Store(store_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        let error = |code| store_error(&rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        for code in [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_FULL] {
            assert!(error(code).passes(), "{code}");
        }
        for code in [rusqlite::ffi::SQLITE_CONSTRAINT, rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_TOOBIG] {
            assert!(!error(code).passes(), "{code}");
        }
        assert!(!store_error(&rusqlite::Error::QueryReturnedNoRows).passes());
    }
}
