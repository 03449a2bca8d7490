//! Asking a loop for a round of its work, and knowing when that is done.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Asks for a round before its time, and says when what was asked for is done.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    wanted: AtomicU64,
    finished: AtomicU64,
    wake: Notify,
    answered: Notify,
}

impl Signal {
    /// Asks for a round.
    pub(crate) fn ask(&self) {
        self.wanted.fetch_add(1, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// How many rounds were asked for: what a round that begins now answers.
    pub(crate) fn open(&self) -> u64 {
        self.wanted.load(Ordering::SeqCst)
    }

    /// A round has ended that answers so many.
    pub(crate) fn close(&self, answers: u64) {
        self.finished.store(answers, Ordering::SeqCst);
        self.answered.notify_waiters();
    }

    /// Completes when a round was asked for since the last time.
    pub(crate) async fn asked(&self) {
        self.wake.notified().await;
    }

    /// Whether a round was asked for that has not ended.
    pub(crate) fn is_asked(&self) -> bool {
        self.finished.load(Ordering::SeqCst) < self.wanted.load(Ordering::SeqCst)
    }

    /// Completes when every round that was asked for has ended.
    pub(crate) async fn done(&self) {
        self.until(|| !self.is_asked()).await;
    }

    /// Completes when something holds that only the end of a round changes.
    pub(crate) async fn until(&self, holds: impl Fn() -> bool) {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            if holds() {
                return;
            }
            answered.await;
        }
    }
}
