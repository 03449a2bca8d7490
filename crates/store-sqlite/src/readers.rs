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

    /// Refuses further reads, waits for those under way, and closes their connections: the writer's has to be the last
    /// one, for only that one copies the write-ahead log back and takes it away.
    pub(crate) async fn close(&self) {
        // In a simulation nothing is under way but where somebody waits for this.
        if self.gate.is_none() {
            // Fails only where it was closed before.
            drop(self.slots.acquire_many(READERS_MAX as u32).await);
        }
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

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, sync::mpsc, task::Poll};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn closing_waits_for_a_read_that_is_under_way_and_leaves_no_connection_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("tidings.sqlite");
        let made = Connection::open(&path).expect("it is made");
        made.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE one (id INTEGER)").expect("a table");
        let readers = Readers::new(path, None);
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = mpsc::sync_channel(1);
        let reading = readers.clone();
        let reading = tokio::spawn(async move {
            let read = reading.call(move |_| {
                begun.send(()).expect("somebody waits");
                may_go_on.recv().expect("somebody says so");
                Ok(())
            });
            read.await
        });
        has_begun.await.expect("it begins");
        let mut closing = pin!(readers.close());
        let waits = poll_fn(|context| Poll::Ready(closing.as_mut().poll(context).is_pending())).await;
        assert!(waits, "a read is under way");
        go_on.send(()).expect("it waits");
        closing.await;
        reading.await.expect("it ends").expect("it has read");
        assert!(readers.idle.lock().expect("whole").is_empty());
        assert!(matches!(readers.call(|_| Ok(())).await, Err(StoreError::Closed)));
    }
}
