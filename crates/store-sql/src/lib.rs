//! The store's verbs, written once for all databases that speak SQL.
//!
//! A verb is a function of a [`Session`](session::Session): a transaction that is open, on SQLite or on PostgreSQL.
//! The back ends make the transactions, and say how statements read in their dialect.
//!
//! Deliberately absent: any database's client, threads, sockets, files. What is a matter of one database, how it
//! commits, waits and fails, is not known here.

mod accounts;
mod append;
mod attempt_row;
mod audit;
mod backend;
mod billing;
pub mod carry;
mod catalog;
mod command_store;
mod counters;
mod database;
mod deleted;
mod error;
mod expunge;
mod gaps;
mod history;
mod history_store;
mod jobs;
mod lanes;
mod memory;
mod nodes;
mod portal_store;
mod queue;
mod quotas;
mod receipts;
mod records;
mod reports;
mod retention;
mod row;
mod run_upkeep;
mod runs;
mod schedules;
mod session;
mod settle;
mod source_store;
pub mod sql;
mod statement;
mod states;
mod store;
mod upkeep;
mod value;

pub use backend::{Backend, SqlStore, Writes};
pub use database::{Connection, Database, Next, query_one_by_one};
pub use error::{Error, Result};
pub use memory::{Leases, Mark, Memory};
pub use nodes::{Ended, Fate, LEASE, Meeting, Node, TransactionId};
pub use row::{Columns, Row};
pub use session::{Afterwards, Heads, Session};
pub use sql::Statement;
pub use value::{Kind, Param, Params, Value};
