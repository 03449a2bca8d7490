//! Writing verdicts down, and what follows from them.
//!
//! A store that fails for the moment is asked again with the same batch. One that refuses a batch
//! for what is in it gets the halves of it, and so on down to the settlement at fault, which then
//! holds up nobody else.

use std::sync::{Arc, atomic::Ordering};

use tidings_domain::{ids::ProjectId, retry::Verdict};
use tidings_ports::{
    clock::STEP_MS_MIN,
    store::{Settled, Settlement, StoreError},
};

use super::dispatcher::{Dispatcher, STORE_RETRY_MS};
use crate::feed::ends;

impl Dispatcher {
    /// Writes verdicts down, batch after batch, for as long as the process lives.
    pub(crate) async fn run_settling(self: Arc<Self>) {
        loop {
            let batch = self.settler.next().await;
            // Before times are written down that the next process takes for its own.
            if let Err(error) = self.note_step().await {
                tracing::warn!(error = %error, "that the wall clock was set is not noted yet");
            }
            if self.settle_piece_by_piece(Arc::clone(&batch.settlements)).await == Err(StoreError::Closed) {
                return;
            }
            self.settler.done(batch);
            self.note_progress();
        }
    }

    /// Has the next process know of a wall clock that was set: its own waits begin by that.
    pub(crate) async fn note_step(&self) -> Result<(), StoreError> {
        let (noted_ms, stepped_ms) = (self.stepped_ms.load(Ordering::SeqCst), self.parts.clock.stepped_ms());
        if noted_ms.abs_diff(stepped_ms) >= STEP_MS_MIN {
            self.parts.store.note_step(stepped_ms).await?;
            self.stepped_ms.store(stepped_ms, Ordering::SeqCst);
            tracing::warn!(stepped.ms = stepped_ms, "the wall clock was set; waits go on as they were");
        }
        Ok(())
    }

    /// Settles all that can be settled of a batch. What cannot keeps its lease, which the next
    /// start frees: the delivery is then sent again (INV-NO-LOSS).
    async fn settle_piece_by_piece(self: &Arc<Self>, batch: Arc<Vec<Settlement>>) -> Result<(), StoreError> {
        let mut pieces = vec![batch];
        while let Some(piece) = pieces.pop() {
            match self.settle(&piece).await {
                Ok(settled) => self.draw_consequences(&piece, &settled).await,
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => match piece.as_slice() {
                    [] => {}
                    [one] => tracing::error!(
                        error = %error, delivery.id = %one.delivery_id, webhook.id = %one.webhook_id,
                        "a verdict cannot be written; the delivery is sent again after the next start"
                    ),
                    several => {
                        let (earlier, later) = several.split_at(several.len() / 2);
                        pieces.extend([later, earlier].map(|half| Arc::new(half.to_vec())));
                    }
                },
            }
        }
        Ok(())
    }

    /// One transaction; repeated while the store fails for reasons that pass.
    async fn settle(&self, settlements: &Arc<Vec<Settlement>>) -> Result<Vec<Settled>, StoreError> {
        loop {
            match self.parts.store.settle(Arc::clone(settlements)).await {
                Err(error) if error.passes() => {
                    tracing::warn!(error = %error, attempts = settlements.len(), "verdicts not written yet");
                    self.parts.clock.sleep_until(self.now().plus_millis(STORE_RETRY_MS)).await;
                }
                settled => return settled,
            }
        }
    }

    async fn draw_consequences(self: &Arc<Self>, settlements: &[Settlement], settled: &[Settled]) {
        let mut disabled: Vec<ProjectId> = Vec::new();
        let mut reported = false;
        self.with_lanes(|lanes| {
            for (settlement, settled) in settlements.iter().zip(settled) {
                reported |= settlement.decision.verdict == Verdict::Exhausted;
                if *settled == Settled::AppliedAndDisabled {
                    reported = true;
                    disabled.push(settlement.project_id);
                }
                if let (Some(next), Verdict::Delivered) = (settlement.next, settlement.decision.verdict) {
                    let due_at = next.due_at.unwrap_or(settlement.ended_at);
                    lanes.note_due(next.webhook_id, settlement.project_id, due_at);
                }
                if let (Verdict::Retry { due_at }, true) = (settlement.decision.verdict, *settled != Settled::Stale) {
                    lanes.note_due(settlement.webhook_id, settlement.project_id, due_at);
                }
            }
        });
        if reported {
            self.parts.reports.ask();
        }
        self.parts.feed.tell(|| ends(settlements, settled));
        disabled.dedup();
        for project_id in disabled {
            self.project_changed(project_id).await;
        }
    }
}
