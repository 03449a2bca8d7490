//! Verdicts join one transaction: many attempts, one commit.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tidings_ports::store::Settlement;
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// Settlements in one transaction: few enough that a burst of failures does not hold up the commit
/// of somebody else's event.
const BATCH_MAX: usize = 256;

/// Settlements that wait for a transaction; bounded by the permits they carry.
#[derive(Debug, Default)]
pub(crate) struct Settler {
    waiting: Mutex<Vec<(Settlement, OwnedSemaphorePermit)>>,
    wake: Notify,
    unsettled: AtomicUsize,
}

/// One transaction's worth.
pub(crate) struct Batch {
    pub(crate) settlements: Arc<Vec<Settlement>>,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Settler {
    /// Hands a settlement over.
    pub(crate) fn push(&self, settlement: Settlement, permit: OwnedSemaphorePermit) {
        self.unsettled.fetch_add(1, Ordering::SeqCst);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((settlement, permit));
        let first = waiting.len() == 1;
        drop(waiting);
        if first {
            self.wake.notify_one();
        }
    }

    /// The next batch; waits until there is one.
    pub(crate) async fn next(&self) -> Batch {
        loop {
            let taken = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                if waiting.len() <= BATCH_MAX { mem::take(&mut *waiting) } else { waiting.drain(..BATCH_MAX).collect() }
            };
            if !taken.is_empty() {
                let (settlements, permits) = taken.into_iter().unzip();
                return Batch { settlements: Arc::new(settlements), permits };
            }
            self.wake.notified().await;
        }
    }

    /// A batch is written and its consequences are drawn.
    pub(crate) fn done(&self, batch: Batch) {
        self.unsettled.fetch_sub(batch.permits.len(), Ordering::SeqCst);
    }

    /// Attempts whose verdict is not written yet.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled.load(Ordering::SeqCst)
    }
}
