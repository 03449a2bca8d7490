//! Verdicts join one transaction: many attempts, one commit.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tidings_domain::time::Timestamp;
use tidings_ports::store::Settlement;
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// Settlements in one transaction: few enough that a burst of failures does not hold up the commit
/// of somebody else's event.
const BATCH_MAX: usize = 256;

/// Settlements that wait for a transaction; bounded by the permits they carry.
#[derive(Debug, Default)]
pub(crate) struct Settler {
    waiting: Mutex<Waiting>,
    wake: Notify,
    unsettled: AtomicUsize,
}

#[derive(Debug, Default)]
struct Waiting {
    list: Vec<(Settlement, OwnedSemaphorePermit)>,
    /// Those that are being written.
    in_hand: Arc<Vec<Settlement>>,
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
        waiting.list.push((settlement, permit));
        let first = waiting.list.len() == 1;
        drop(waiting);
        if first {
            self.wake.notify_one();
        }
    }

    /// The next batch; waits until there is one.
    pub(crate) async fn next(&self) -> Batch {
        loop {
            if let Some(batch) = self.take() {
                return batch;
            }
            self.wake.notified().await;
        }
    }

    fn take(&self) -> Option<Batch> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let list = &mut waiting.list;
        let taken = if list.len() <= BATCH_MAX { mem::take(list) } else { list.drain(..BATCH_MAX).collect() };
        if taken.is_empty() {
            return None;
        }
        let (settlements, permits): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
        let settlements = Arc::new(settlements);
        waiting.in_hand = Arc::clone(&settlements);
        Some(Batch { settlements, permits })
    }

    /// A batch is written and its consequences are drawn.
    pub(crate) fn done(&self, batch: Batch) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).in_hand = Arc::default();
        self.unsettled.fetch_sub(batch.permits.len(), Ordering::SeqCst);
    }

    /// Whether the verdict on an attempt that ended before then is not written yet.
    pub(crate) fn has_unwritten(&self, ended_before: Timestamp) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unwritten = waiting.list.iter().map(|(settlement, _)| settlement).chain(waiting.in_hand.iter());
        unwritten.any(|settlement| settlement.ended_at < ended_before)
    }

    /// Attempts whose verdict is not written yet.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled.load(Ordering::SeqCst)
    }
}
