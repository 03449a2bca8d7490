//! Operational events: reports that the store keeps become events of the operator's own project.

use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    operational,
};
use tidings_ports::store::{InstanceCounts, Ledger, Report, StoreError, Waiting};

use crate::{
    Engine,
    publish::{BatchOutcome, BatchPublished, IdempotencyKey, Publish, PublishError},
};

/// Reports turned into events in one go.
const REPORTS_PER_ROUND: u32 = 100;
/// How long the store is left alone after it refused something, in milliseconds.
const REPORT_RETRY_MS: u64 = 1_000;
/// Between two audits of the ledger, in milliseconds.
pub(crate) const AUDIT_EVERY_MS: u64 = 60_000;
/// The answer that a report's idempotency key remembers; nobody reads it.
const ACCEPTED: u16 = 202;

impl Engine {
    /// Says which project operational events belong to. Reports wait until this is known.
    pub fn report_to(&self, project_id: ProjectId) {
        // Only the first call counts: it is made once, while the process starts.
        let _ = self.operations.set(project_id);
        self.reports.ask();
    }

    /// The project that operational events belong to.
    pub fn operations_project(&self) -> Option<ProjectId> {
        self.operations.get().copied()
    }

    /// Turns reports into events, for as long as the process lives.
    pub(crate) async fn run_reporting(self: Arc<Self>) {
        loop {
            self.reports.asked().await;
            let answers = self.reports.open();
            while let Some(project_id) = self.operations_project().filter(|_| self.standing.leads()) {
                match self.publish_reports(project_id).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(StoreError::Closed) => return,
                    Err(error) => {
                        tracing::warn!(error = %error, "reports are turned into events later");
                        self.clock.sleep_until(self.clock.now().plus_millis(REPORT_RETRY_MS)).await;
                    }
                }
            }
            self.reports.close(answers);
        }
    }

    /// One round, in one commit; a report that cannot become an event is dropped and holds up no
    /// other.
    async fn publish_reports(&self, project_id: ProjectId) -> Result<usize, StoreError> {
        let reports = self.store.list_reports(REPORTS_PER_ROUND).await?;
        let events: Vec<_> = reports.iter().map(event_of).collect();
        let outcomes = match self.publish_batch(project_id, &events, None).await {
            Ok(BatchPublished::Done(outcomes)) => outcomes,
            Ok(BatchPublished::Replayed { .. }) => Vec::new(),
            Err(error) if !is_its_own_fault(&error) => return Err(store_error(error)),
            Err(_) => self.publish_one_by_one(project_id, events).await?,
        };
        let mut dropped = 0;
        for (report, outcome) in reports.iter().zip(outcomes) {
            if let Err(refusal) = outcome {
                tracing::warn!(
                    error = %refusal, report.number, report.event_type, report.data, "a report cannot become an event"
                );
                dropped += 1;
            }
        }
        if dropped > 0 {
            tracing::warn!(reports.dropped = dropped, "reports were dropped");
        }
        let count = reports.len();
        self.store.forget_reports(reports.into_iter().map(|report| report.number).collect()).await?;
        Ok(count)
    }

    /// Counts for the operator.
    pub async fn counts(&self) -> Result<InstanceCounts, StoreError> {
        let counts = self.store.counts(self.clock.now()).await?;
        Ok(InstanceCounts { oldest_due_at: counts.oldest_due_at.map(|due_at| self.shown(due_at)), ..counts })
    }

    /// What waits in a project, for one webhook or for all of them together.
    pub async fn waiting(&self, project_id: ProjectId, webhook_id: Option<WebhookId>) -> Result<Waiting, StoreError> {
        let waiting = self.store.waiting(project_id, webhook_id, self.clock.now()).await?;
        Ok(Waiting { oldest_due_at: waiting.oldest_due_at.map(|due_at| self.shown(due_at)), ..waiting })
    }

    async fn publish_one_by_one(
        &self,
        project_id: ProjectId,
        events: Vec<Publish>,
    ) -> Result<Vec<BatchOutcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            match self.publish(project_id, event).await {
                Err(error) if !is_its_own_fault(&error) => return Err(store_error(error)),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }

    /// Reports once that deliveries are overdue, and once that they no longer are.
    pub async fn watch_overdue(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let counts = self.store.counts(now).await?;
        let overdue_ms = counts.oldest_due_at.map_or(0, |due_at| now.millis_since(due_at));
        let is_overdue = overdue_ms >= self.overdue_after_ms;
        if self.overdue.swap(is_overdue, Ordering::SeqCst) == is_overdue {
            return Ok(());
        }
        let data = serde_json::json!({
            "oldest_due_at": counts.oldest_due_at.map(|due_at| self.shown(due_at).rfc3339_millis()),
            "overdue_ms": overdue_ms,
            "pending_deliveries": counts.pending_deliveries,
        });
        if is_overdue {
            tracing::warn!(overdue.ms = overdue_ms, "the oldest due delivery is overdue");
        }
        let event_type = if is_overdue { operational::INSTANCE_OVERDUE } else { operational::INSTANCE_RECOVERED };
        self.report(event_type, &data).await
    }

    /// Compares what was accepted with what has become of it (INV-LEDGER).
    pub async fn audit_ledger(&self) -> Result<Ledger, StoreError> {
        let ledger = self.store.audit_ledger().await?;
        let unaccounted = ledger.unaccounted();
        if self.unaccounted.swap(unaccounted, Ordering::SeqCst) != unaccounted && unaccounted != 0 {
            tracing::error!(ledger.born = ledger.born, ledger.unaccounted = unaccounted, "the ledger is uneven");
            let data = serde_json::json!({"born": ledger.born, "unaccounted": unaccounted});
            self.report(operational::LEDGER_UNEVEN, &data).await?;
        }
        Ok(ledger)
    }

    /// Writes down something to report, and has it published.
    pub(crate) async fn report(&self, event_type: &'static str, data: &serde_json::Value) -> Result<(), StoreError> {
        self.store.add_report(event_type, data.to_string(), self.clock.wall()).await?;
        self.reports.ask();
        Ok(())
    }
}

/// Whether a report would be refused however often it is tried.
fn is_its_own_fault(error: &PublishError) -> bool {
    match error {
        PublishError::Store(error) => !error.passes() && *error != StoreError::Closed,
        PublishError::BacklogFull => false,
        _ => true,
    }
}

fn store_error(error: PublishError) -> StoreError {
    match error {
        PublishError::Store(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// A report is published under a key of its own, so that it becomes one event even if the process
/// ends before it is forgotten.
fn event_of(report: &Report) -> Publish {
    Publish {
        event_type: report.event_type.parse().expect("operational types are types"),
        custom_id: None,
        scopes: Vec::new(),
        content_type: None,
        payload: Bytes::from(report.data.clone().into_bytes()),
        deliver_at: None,
        schema_version: None,
        after_runs: 0,
        idempotency: Some(IdempotencyKey {
            key: format!("tidings:report:{}", report.number),
            request_hash: [0; 32],
            status: ACCEPTED,
            answer: |_| Bytes::new(),
        }),
    }
}
