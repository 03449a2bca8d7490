//! From PostgreSQL's errors to what a caller can do.

use deadpool_postgres::PoolError;
use tidings_ports::store::StoreError;
use tidings_store_sql::Error;
use tokio_postgres::error::SqlState;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is none.
    #[error("the database URL cannot be used: {0}; it looks like postgres://user:password@host:5432/database")]
    Url(String),
    /// Nobody answered, or not as they should.
    #[error("cannot use the database: {0}")]
    Unreachable(String),
    /// This user may not do what has to be done.
    #[error(
        "permission denied: {user} may make no tables in the database {database}; as its owner or a superuser, there: \
         GRANT USAGE, CREATE ON SCHEMA public TO \"{user}\""
    )]
    Rights {
        /// Who.
        user: String,
        /// Where.
        database: String,
    },
    /// It is too old.
    #[error("PostgreSQL {found} is too old: this program needs 14 or newer")]
    Version {
        /// What it calls itself.
        found: String,
    },
    /// It cannot keep every text.
    #[error(
        "the database keeps texts as {found}, and this program needs UTF8: make another one with \
         createdb -E UTF8 -T template0"
    )]
    Encoding {
        /// How it keeps texts.
        found: String,
    },
    /// Made by a newer version of this program.
    #[error("the database has schema version {found}, and this program knows {known}: run a newer version")]
    NewerSchema {
        /// Its version.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// Its tables are older than this program's.
    #[error("the database has schema version {found}, and this program writes {known}: start a server with it once")]
    OlderSchema {
        /// Its version.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// Somebody has removed tables of ours.
    #[error(
        "the database lacks the tables {missing}, which somebody has dropped: bring them back from a backup of the \
         database, or restore one into an empty database (docs/backup.md)"
    )]
    Incomplete {
        /// Their names.
        missing: String,
    },
    /// Somebody has dropped or altered what belongs to our tables.
    #[error("the database is not as this program has made it: {0}")]
    Altered(String),
    /// It has none of our tables.
    #[error("the database holds nothing of Tidings: name the right one with --database-url")]
    Nothing,
    /// What is there is not everything.
    #[error(
        "a migration into this database was begun and is not done: wait for its end if it is running, or go on with \
         `tidings migrate`; to give it up, name another database"
    )]
    HalfMigrated,
    /// Somebody puts everything into it at this moment.
    #[error(
        "a restore, an import or a migration is writing into this database: wait for its end, and start the server again"
    )]
    WrittenAlone,
    /// Nothing can be put into it.
    #[error("{0}")]
    Target(String),
    /// Somebody else's tables are in the way.
    #[error(
        "the database holds something else already ({0}), and nothing is written beside it: name a database of its own \
         with --database-url"
    )]
    Foreign(String),
    /// Its tables could not be brought up to date.
    #[error("cannot bring the database's tables up to date: {0}")]
    Migration(String),
}

/// Whether an error ends a transaction and nothing else. One that ends the connection says nothing about what was
/// being done: the server crashed or was stopped, or a pooler between lost it.
pub(crate) fn is_over(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|said| !matches!(said.severity(), "FATAL" | "PANIC"))
}

/// What a caller can do about an error of a statement.
pub(crate) fn store_error(error: &tokio_postgres::Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        return StoreError::Unavailable(chain(error));
    };
    let text = said.to_string();
    match said.code() {
        &SqlState::DISK_FULL => StoreError::Full(text),
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => StoreError::Corrupt(format!(
            "{text}; look with pg_amcheck for what else is damaged, and bring it back from a backup of the database"
        )),
        // Values that cannot be stored, and rows that must not stand beside each other.
        code if code.code().starts_with("22") || code.code().starts_with("23") => StoreError::Refused(text),
        _ => StoreError::Unavailable(text),
    }
}

/// The same, inside a verb.
pub(crate) fn said(error: &tokio_postgres::Error) -> Error {
    Error::Store(store_error(error))
}

/// Whether the same transaction may succeed when it is run again at once: it collided with another one.
pub(crate) fn collided(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else { return false };
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        // Somebody else has just added what this one had looked for in vain.
        SqlState::UNIQUE_VIOLATION,
    ]
    .contains(code)
}

/// The sequence of a row for which no partition is made yet.
pub(crate) fn without_partition(error: &tokio_postgres::Error) -> Option<i64> {
    let said = error.as_db_error()?;
    // Of a constraint that has a name another one is meant.
    if *said.code() != SqlState::CHECK_VIOLATION || said.constraint().is_some() {
        return None;
    }
    // "Partition key of the failing row contains (seq) = (123)." in any language.
    let (_, key) = said.detail()?.rsplit_once('(')?;
    key.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Why no connection was to be had.
pub(crate) fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => StoreError::Unavailable(chain(&error)),
        PoolError::Timeout(_) => StoreError::Unavailable("all connections to the database are in use".to_owned()),
        PoolError::Closed => StoreError::Closed,
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// An error with what lies behind it: what PostgreSQL's client says first is seldom the reason.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
