//! Short reads on connections of their own; they never wait for the writer.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tidings_ports::store::StoreError;
use tidings_store_sql::{self as verbs, Result};
use tokio::sync::Semaphore;

use crate::{
    backend::Transaction,
    connection::open_reader,
    error::said,
    gate::{Gate, verb_of},
};

/// Reads at the same time at most.
const READERS_MAX: usize = 4;

/// A small pool of read-only connections, opened as they are needed.
#[derive(Clone)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    slots: Arc<Semaphore>,
    /// Set in simulations: reads are carried out where they are asked for.
    gate: Option<Arc<dyn Gate>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, gate: Option<Arc<dyn Gate>>) -> Self {
        Self { path, idle: Arc::default(), slots: Arc::new(Semaphore::new(READERS_MAX)), gate }
    }

    /// Runs `read` in one read transaction, so that all its statements see the same state.
    pub(crate) async fn call<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&verbs::Connection<'_>) -> Result<T> + Send + 'static,
    {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        if let Some(gate) = &self.gate {
            let verb = verb_of::<F>();
            gate.enter(verb).await?;
            let result = read_with(&path, &idle, read);
            gate.leave(verb).await;
            return result.map_err(StoreError::from);
        }
        let done = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            read_with(&path, &idle, read)
        });
        match done.await {
            Ok(result) => result.map_err(StoreError::from),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Refuses further reads and closes the idle connections.
    pub(crate) fn close(&self) {
        self.slots.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Reads on a kept connection, or on a new one, and keeps it.
fn read_with<T>(
    path: &Path,
    idle: &Mutex<Vec<Connection>>,
    read: impl FnOnce(&verbs::Connection<'_>) -> Result<T>,
) -> Result<T> {
    let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let connection = match kept {
        Some(connection) => connection,
        None => open_reader(path).map_err(said)?,
    };
    let transaction = connection.unchecked_transaction().map_err(said)?;
    let value = read(&verbs::Connection::new(&Transaction::new(&transaction)))?;
    drop(transaction);
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(value)
}
