//! The embedded store: SQLite in one directory, one writer thread, group commit.
//!
//! Acknowledged means on disk: WAL with `synchronous=FULL`, both read back at start. Whoever
//! writes while a commit runs is in the next one, so that one fsync serves many requests.
//! Deliberately absent: several processes on one directory (a lock refuses the second), and any
//! decision about deliveries — those are made in `domain` and only written down here.

mod backend;
pub mod carry;
mod checkpoint;
mod connection;
mod error;
mod gate;
mod in_memory;
mod left;
mod lock;
mod open;
#[cfg(test)]
mod query_plans;
mod readers;
mod reserve;
mod sql;
mod writer;

pub use backend::{SqliteBackend, SqliteStore, Texts};
pub use connection::sqlite_version;
pub use error::OpenError;
pub use gate::{Gate, verb_of};
pub use in_memory::InMemory;
pub use left::{Left, forget_left, left, note_left, unmigrated};
pub use open::{open, open_inline};

/// Before this version SQLite could lose committed writes when a WAL was reset.
pub const SQLITE_VERSION_MIN: (u32, u32, u32) = (3, 51, 3);
