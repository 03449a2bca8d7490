//! A database in memory, for simulations in which several processes share one: transactions come one after another.

use rusqlite::Connection;
use tidings_ports::store::StoreError;
use tidings_store_sql::{self as verbs, Result};

use crate::{
    OpenError,
    backend::{Texts, Transaction},
    connection::open_in_memory,
    error::{said, store_error},
};

/// The tables of a store, and whatever a simulation adds to them.
pub struct InMemory {
    connection: Connection,
    /// How statements read there; `None`: as everywhere else on SQLite.
    own: Texts,
}

impl InMemory {
    /// Makes the tables, and then what `besides` says; statements that `own` knows read as it says.
    pub fn open(besides: &str, own: Texts) -> Result<Self, OpenError> {
        Ok(Self { connection: open_in_memory(besides)?, own })
    }

    /// Runs `work` in one transaction, after what `begin` says.
    pub fn transact<T>(
        &self,
        begin: &str,
        work: impl FnOnce(&verbs::Connection<'_>) -> Result<T>,
    ) -> Result<T, StoreError> {
        let batch = |sql: &str| self.connection.execute_batch(sql).map_err(|error| store_error(&error));
        batch("BEGIN")?;
        let done = batch(begin)
            .and_then(|()| Ok(work(&verbs::Connection::new(&Transaction::reading(&self.connection, self.own)))?));
        batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }

    /// The numbers in the first column that a question of the simulation's own finds.
    pub fn numbers(&self, question: &str) -> Result<Vec<i64>> {
        let mut asked = self.connection.prepare_cached(question).map_err(said)?;
        let rows = asked.query_map((), |row| row.get(0)).map_err(said)?;
        rows.collect::<std::result::Result<_, _>>().map_err(said)
    }
}
