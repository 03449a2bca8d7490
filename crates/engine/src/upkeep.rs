//! Small regular work: forgetting old idempotency keys, ending deliveries of deleted webhooks,
//! and looking for due deliveries that nobody has noted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tidings_ports::store::StoreError;

use tokio::sync::Notify;

use crate::{Engine, reporting::AUDIT_EVERY_MS};

/// Between two rounds, in milliseconds.
const ROUND_MS: u64 = 30_000;
/// How long idempotency keys are kept, in milliseconds: 48 h, twice what is promised.
const IDEMPOTENCY_KEPT_MS: u64 = 48 * 3_600_000;
/// Rows changed in one transaction, so that no commit waits long for it.
const STEP_ROWS: u32 = 500;

/// Asks for a round before its time, and says when what was asked for is done.
#[derive(Debug, Default)]
pub(crate) struct UpkeepSignal {
    wanted: AtomicU64,
    finished: AtomicU64,
    asked: Notify,
    answered: Notify,
}

impl UpkeepSignal {
    /// Asks for a round.
    pub(crate) fn ask(&self) {
        self.wanted.fetch_add(1, Ordering::SeqCst);
        self.asked.notify_one();
    }

    fn open(&self) -> u64 {
        self.wanted.load(Ordering::SeqCst)
    }

    fn close(&self, answers: u64) {
        self.finished.store(answers, Ordering::SeqCst);
        self.answered.notify_waiters();
    }

    /// Whether a round was asked for that has not ended.
    pub(crate) fn is_asked(&self) -> bool {
        self.finished.load(Ordering::SeqCst) < self.wanted.load(Ordering::SeqCst)
    }

    /// Completes when every round that was asked for has ended.
    pub(crate) async fn done(&self) {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            if !self.is_asked() {
                return;
            }
            answered.await;
        }
    }
}

impl Engine {
    /// One round after another, for as long as the process lives.
    pub(crate) async fn run_upkeep(self: Arc<Self>) {
        let mut audit_at = self.clock.now();
        loop {
            let now = self.clock.now();
            let next = now.plus_millis(ROUND_MS);
            let answers = self.upkeep.open();
            let audit = now >= audit_at;
            if audit {
                audit_at = now.plus_millis(AUDIT_EVERY_MS);
            }
            if let Err(error) = self.upkeep_round(audit).await {
                if error == StoreError::Closed {
                    return;
                }
                tracing::warn!(error = %error, "upkeep is tried again in its next round");
            }
            self.upkeep.close(answers);
            tokio::select! {
                biased;
                () = self.upkeep.asked.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    async fn upkeep_round(&self, audit: bool) -> Result<(), StoreError> {
        for webhook_id in self.store.webhooks_to_cancel().await? {
            while self.store.cancel_pending(webhook_id, STEP_ROWS, self.clock.now()).await? == STEP_ROWS {}
        }
        let before = tidings_domain::time::Timestamp::from_millis(
            self.clock.now().as_millis().saturating_sub(IDEMPOTENCY_KEPT_MS as i64),
        );
        while self.store.expire_idempotency(before, STEP_ROWS).await? == STEP_ROWS {}
        // Every path that makes a delivery due notes it. This is for the one nobody thought of.
        self.dispatcher.note_backlog(&self.store.backlog().await?);
        self.watch_overdue().await?;
        if audit {
            self.audit_ledger().await?;
        }
        // What a former process did not come to.
        self.reports.notify_one();
        Ok(())
    }
}
