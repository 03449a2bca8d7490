//! Forgetting events that were kept long enough, with their deliveries, attempts and receipts.
//!
//! What can be dropped as a whole is; the rest goes in small steps, with pauses in which everybody else has their turn.

use std::sync::{Arc, atomic::Ordering};

use tidings_domain::{
    ids::{ProjectId, first_sequence_at},
    time::Timestamp,
};
use tidings_ports::store::StoreError;

use crate::{Engine, engine::DAY_MS};

/// Between two rounds, in milliseconds: an hour.
const ROUND_MS: u64 = 3_600_000;
/// How long a process waits that has nothing to forget for now: another one leads, or nobody has said how long.
const AGAIN_MS: u64 = 30_000;
/// How long it waits after a round that did not come about.
const FAILED_MS: u64 = 300_000;
/// Rows forgotten in one transaction, so that no commit waits long for it.
const STEP_ROWS: u32 = 100;
/// For how many days at least it is known which ids of their providers receipts had, so that what is sent or listed
/// again makes no second receipt.
const PROVIDER_IDS_DAYS: u32 = 60;
/// Projects whose plans are asked for at once.
const PROJECTS_AT_ONCE: u32 = 200;

impl Engine {
    /// Says how long events are kept. Before it is said, none is forgotten.
    pub fn keep_events_for(&self, days: u32) {
        self.events_kept_days.store(days, Ordering::SeqCst);
        self.retention.ask();
    }

    /// For how many days events are kept.
    pub fn event_days(&self) -> u32 {
        self.events_kept_days.load(Ordering::SeqCst)
    }

    /// One round after another, for as long as the process lives.
    pub(crate) async fn run_retention(self: Arc<Self>) {
        loop {
            let answers = self.retention.open();
            let wait = match self.retention_round().await {
                Ok(true) => ROUND_MS,
                Ok(false) => AGAIN_MS,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(error = %error, "what was kept long enough is forgotten in a later round");
                    FAILED_MS
                }
            };
            let next = self.clock.now().plus_millis(wait);
            self.next_retention_at.store(next.as_millis(), Ordering::SeqCst);
            self.retention.close(answers);
            tokio::select! {
                biased;
                () = self.retention.asked() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Returns whether there was one: it is one process's, once it was said how long events are kept.
    async fn retention_round(&self) -> Result<bool, StoreError> {
        let days = self.event_days();
        if days == 0 || !self.standing.leads() {
            return Ok(false);
        }
        // Where somebody has a partition in use for long, the rest is done all the same.
        let rolled = self.store.roll_partitions(self.clock.now(), days).await;
        let mut events = self.forget_events(None, *rolled.as_ref().unwrap_or(&0)).await?;
        let mut after = 0;
        loop {
            let projects = self.store.kept_by_plans(after, PROJECTS_AT_ONCE).await?;
            for &(project_id, of_plan) in &projects {
                if of_plan < days {
                    events += self.forget_events(Some(project_id), first_sequence_at(self.days_ago(of_plan))).await?;
                }
            }
            match projects.last() {
                Some((last, _)) if projects.len() == PROJECTS_AT_ONCE as usize => after = last.sequence(),
                _ => break,
            }
        }
        let before = self.days_ago(days.max(PROVIDER_IDS_DAYS));
        while self.store.expire_provider_ids(before, STEP_ROWS).await? >= STEP_ROWS {}
        if events > 0 {
            tracing::info!(events, "events that were kept long enough are forgotten");
        }
        rolled.map(|_| true)
    }

    /// By the clock that nobody can set: a wall clock that is put forward makes nothing older than it is.
    fn days_ago(&self, days: u32) -> Timestamp {
        let ms = (u64::from(days) * DAY_MS).cast_signed();
        Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(ms))
    }

    /// Forgets events below a sequence, of one project or of all; returns how many.
    async fn forget_events(&self, project_id: Option<ProjectId>, until: i64) -> Result<u64, StoreError> {
        let (mut events, mut after) = (0, Some(0));
        while let Some(from) = after.filter(|_| self.standing.leads()) {
            let begun = self.clock.now();
            let expired = self.store.expire_events(project_id, from, until, STEP_ROWS).await?;
            events += u64::from(expired.events);
            after = expired.next;
            // As long as it took belongs to all others.
            let took = self.clock.now().as_millis() - begun.as_millis();
            if took > 0 && after.is_some() {
                self.clock.sleep_until(self.clock.now().plus_millis(took.cast_unsigned())).await;
            }
        }
        Ok(events)
    }
}
