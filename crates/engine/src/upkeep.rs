//! Small regular work: forgetting old idempotency keys, statistics, acts and runs, ending deliveries of
//! deleted webhooks, and looking for due deliveries that nobody has noted.

use std::sync::{Arc, atomic::Ordering};

use tidings_domain::{account::SESSION_IDLE_MS, portal::PORTAL_SESSION_KEPT_MS, time::Timestamp};
use tidings_ports::store::StoreError;

use crate::{Engine, engine::DAY_MS, reporting::AUDIT_EVERY_MS};

/// Between two rounds, in milliseconds.
const ROUND_MS: u64 = 30_000;
/// How long idempotency keys are kept, in milliseconds: 48 h, twice what is promised.
const IDEMPOTENCY_KEPT_MS: u64 = 48 * 3_600_000;
/// How long statistics by the hour are kept, in milliseconds: 400 days, a little more than anybody
/// can ask for.
const HOURS_KEPT_MS: u64 = 400 * 86_400_000;
/// Rows changed in one transaction, so that no commit waits long for it.
const STEP_ROWS: u32 = 500;

impl Engine {
    /// Says how long entries of the audit log are kept.
    pub fn keep_audit_for(&self, days: u32) {
        self.audit_kept_ms.store(u64::from(days) * DAY_MS, Ordering::SeqCst);
    }

    /// Says how long runs of commands are kept.
    pub fn keep_runs_for(&self, days: u32) {
        self.runs_kept_ms.store(u64::from(days) * DAY_MS, Ordering::SeqCst);
    }

    /// One round after another, for as long as the process lives.
    pub(crate) async fn run_upkeep(self: Arc<Self>) {
        let mut audit_at = self.clock.now();
        loop {
            let now = self.clock.now();
            let next = now.plus_millis(ROUND_MS);
            self.next_upkeep_at.store(next.as_millis(), Ordering::SeqCst);
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
                () = self.upkeep.asked() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    fn ago(&self, ms: u64) -> Timestamp {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(ms))
    }

    async fn upkeep_round(&self, audit: bool) -> Result<(), StoreError> {
        self.dispatcher.note_step().await?;
        self.feed.tidy();
        // Every path that makes a delivery due notes it. This is for the one nobody thought of.
        self.dispatcher.note_backlog(&self.store.backlog().await?);
        self.write_turned_away().await;
        if self.standing.leads() {
            self.upkeep_of_all(audit).await?;
        }
        // What a former process did not come to.
        self.reports.ask();
        Ok(())
    }

    /// What one process does for all that share the store.
    async fn upkeep_of_all(&self, audit: bool) -> Result<(), StoreError> {
        for webhook_id in self.store.webhooks_to_cancel().await? {
            while self.store.cancel_pending(webhook_id, STEP_ROWS, self.clock.now()).await? == STEP_ROWS {}
        }
        let before = self.ago(IDEMPOTENCY_KEPT_MS);
        while self.store.expire_idempotency(before, STEP_ROWS).await? == STEP_ROWS {}
        let hours = self.ago(HOURS_KEPT_MS);
        while self.store.expire_hours(hours, STEP_ROWS).await? == STEP_ROWS {}
        let acts = self.ago(self.audit_kept_ms.load(Ordering::SeqCst));
        while self.store.expire_audit(acts, STEP_ROWS).await? == STEP_ROWS {}
        let runs = self.ago(self.runs_kept_ms.load(Ordering::SeqCst));
        while self.store.expire_runs(runs, STEP_ROWS).await? == STEP_ROWS {}
        let (now, idle) = (self.clock.wall(), self.clock.wall().as_millis() - SESSION_IDLE_MS.cast_signed());
        while self.store.expire_accounts(now, Timestamp::from_millis(idle), STEP_ROWS).await? >= STEP_ROWS {}
        let ended = Timestamp::from_millis(now.as_millis() - PORTAL_SESSION_KEPT_MS.cast_signed());
        while self.store.expire_portal_sessions(ended, STEP_ROWS).await? >= STEP_ROWS {}
        while self.store.expunge_deleted(STEP_ROWS).await? {}
        self.review_billing().await?;
        self.watch_overdue().await?;
        if audit {
            self.audit_ledger().await?;
        }
        Ok(())
    }
}
