//! The embedded store: SQLite in one directory, one writer thread, group commit.
//!
//! Acknowledged means on disk: WAL with `synchronous=FULL`, both read back at start. Whoever
//! writes while a commit runs is in the next one, so that one fsync serves many requests.
//! Deliberately absent: several processes on one directory (a lock refuses the second), and any
//! decision about deliveries — those are made in `domain` and only written down here.

mod accounts;
mod act;
mod append;
mod attempt_row;
mod audit;
mod billing;
mod catalog;
mod checkpoint;
mod command_store;
mod connection;
mod counters;
mod deleted;
mod error;
mod expunge;
mod gaps;
mod gate;
mod history;
mod history_store;
mod jobs;
mod lock;
mod memory;
mod open;
mod portal_store;
#[cfg(test)]
mod query_plans;
mod queue;
mod quotas;
mod readers;
mod receipts;
mod records;
mod reports;
mod reserve;
mod run_upkeep;
mod runs;
mod schedules;
mod settle;
mod source_store;
mod sql;
mod states;
mod store;
mod upkeep;
mod writer;

pub use connection::sqlite_version;
pub use error::OpenError;
pub use gate::Gate;
pub use store::SqliteStore;

/// Before this version SQLite could lose committed writes when a WAL was reset.
pub const SQLITE_VERSION_MIN: (u32, u32, u32) = (3, 51, 3);
