//! The store on PostgreSQL, shared by any number of processes.
//!
//! What changes the configuration runs in serializable transactions and is repeated where they collide. What every
//! event passes through runs statement by statement and holds just the rows it has to.
//!
//! Deliberately absent: rules. What a verb does stands in `store-sql`; here is how transactions come about.

mod backend;
pub mod carry;
mod durability;
mod error;
mod made;
mod nodes;
mod open;
mod partitions;
mod pool;
mod reach;
mod reasons;
mod schema;
mod sql;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod transaction;
mod whole;

pub use backend::{PostgresBackend, PostgresStore};
pub use durability::{Risk, risks};
pub use error::OpenError;
pub use open::{PostgresSettings, open};
pub use pool::{config, tls};
pub use schema::{SCHEMA_CHANGES, SchemaChange, bring_up_to_date};
pub use tidings_store_sql::LEASE;
pub use tokio_postgres_rustls::MakeRustlsConnect;
pub use whole::{Flaw, flaws};
