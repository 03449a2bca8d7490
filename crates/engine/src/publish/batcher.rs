//! Many requests, one transaction: whoever publishes while a commit runs is in the next one.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use tidings_ports::{
    Clock,
    store::{Appended, NewEvent, Store, StoreError},
};
use tokio::sync::{Notify, oneshot};

use crate::dispatch::Dispatcher;

/// Events that may wait for a transaction.
const WAITING_MAX: usize = 20_000;
/// Events in one transaction.
const BATCH_EVENTS_MAX: usize = 1_000;
/// Payload bytes in one transaction.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

struct Waiting {
    new: NewEvent,
    reply: oneshot::Sender<Result<Appended, StoreError>>,
}

/// Gathers events for the log.
pub(crate) struct Batcher {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    dispatcher: Arc<Dispatcher>,
    waiting: Mutex<Vec<Waiting>>,
    wake: Notify,
}

/// Too many events are waiting; the given one is handed back.
pub(crate) struct Full;

impl Batcher {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, dispatcher: Arc<Dispatcher>) -> Self {
        Self { store, clock, dispatcher, waiting: Mutex::default(), wake: Notify::new() }
    }

    /// Hands an event over; the answer comes after its commit.
    pub(crate) fn submit(&self, new: NewEvent) -> Result<oneshot::Receiver<Result<Appended, StoreError>>, Full> {
        let (reply, answer) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            drop(waiting);
            self.dispatcher.unreserve(&new.deliveries, new.event.payload.len());
            return Err(Full);
        }
        waiting.push(Waiting { new, reply });
        let first = waiting.len() == 1;
        drop(waiting);
        if first {
            self.wake.notify_one();
        }
        Ok(answer)
    }

    /// Writes batch after batch, for as long as the process lives.
    pub(crate) async fn run(&self) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                self.wake.notified().await;
                continue;
            }
            self.write(batch).await;
        }
    }

    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut count, mut bytes) = (0, 0);
        for one in waiting.iter() {
            bytes += one.new.event.payload.len();
            if count == BATCH_EVENTS_MAX || (count > 0 && bytes > BATCH_BYTES_MAX) {
                break;
            }
            count += 1;
        }
        if count == waiting.len() {
            return mem::take(&mut *waiting);
        }
        waiting.drain(..count).collect()
    }

    async fn write(&self, batch: Vec<Waiting>) {
        let (events, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.new, one.reply)).unzip();
        let events = Arc::new(events);
        let term = self.dispatcher.term();
        let appended = self.store.append(Arc::clone(&events), self.clock.now()).await;
        match appended {
            Ok(results) => {
                self.dispatcher.accepted(&events, &results, term);
                for (reply, result) in replies.into_iter().zip(results) {
                    // A client that went away is not waited for; its event is kept all the same.
                    let _ = reply.send(Ok(result));
                }
            }
            Err(error) => {
                for new in events.iter() {
                    self.dispatcher.unreserve(&new.deliveries, new.event.payload.len());
                }
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }
}
