//! What can go wrong inside a verb.

use tidings_ports::store::StoreError;

type Reason = Box<dyn std::error::Error + Send + Sync>;

/// Why a verb did not come to its end.
#[derive(Debug)]
pub enum Error {
    /// The database said no.
    Store(StoreError),
    /// A row that has to be there is not.
    NoRow,
    /// A value in a row is none that was ever written there.
    Unreadable {
        /// Which one, from 0.
        column: usize,
        /// What is wrong with it.
        reason: Reason,
    },
    /// A value cannot be written.
    Unwritable(Reason),
    /// It is not the database: what its rows are for went wrong.
    Elsewhere(Reason),
}

/// What a verb ends in.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A value in a row cannot be read.
    pub fn unreadable(column: usize, reason: impl Into<Reason>) -> Self {
        Self::Unreadable { column, reason: reason.into() }
    }

    /// A value cannot be written.
    pub(crate) fn unwritable(reason: impl Into<Reason>) -> Self {
        Self::Unwritable(reason.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoRow => f.write_str("a row is missing"),
            Self::Unreadable { column, reason } => write!(f, "column {column} cannot be read: {reason}"),
            Self::Unwritable(reason) => write!(f, "a value cannot be written: {reason}"),
            Self::Elsewhere(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Where a row may be missing.
pub(crate) trait Optional<T> {
    /// `None` if there is no row.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> Optional<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::NoRow) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
