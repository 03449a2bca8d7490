//! Knowing when nothing more happens before the clock moves on.

use std::sync::atomic::Ordering;

use crate::Engine;

impl Engine {
    /// Completes when nothing can be done before the clock moves on: for tests.
    pub async fn idle(&self) {
        loop {
            let now = self.clock.now();
            // Whoever sleeps until a time that has come may not have woken yet.
            if now.as_millis() >= self.next_upkeep_at.load(Ordering::SeqCst) {
                self.upkeep.ask();
            }
            if now.as_millis() >= self.next_retention_at.load(Ordering::SeqCst) {
                self.retention.ask();
            }
            self.upkeep.done().await;
            self.retention.done().await;
            self.jobs.done(now).await;
            self.fills.done(now).await;
            self.tasks_done(now).await;
            if self.operations.get().is_some() {
                self.reports.done().await;
            }
            self.dispatcher.idle().await;
            let reporting = self.operations.get().is_some() && self.reports.is_asked();
            let working = self.jobs.is_busy(now) || self.fills.is_busy(now) || self.has_tasks(now);
            if !self.upkeep.is_asked() && !self.retention.is_asked() && !working && !reporting {
                return;
            }
        }
    }
}
