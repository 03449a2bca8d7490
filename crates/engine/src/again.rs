//! Deliveries that somebody wants sent again.

use std::sync::Arc;

use tidings_domain::ids::{DeliveryId, ProjectId};
use tidings_ports::store::{Requeued, StoreError};

use crate::Engine;

/// Why a delivery is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// The project has no such delivery.
    #[error("the project has no such delivery")]
    NotFound,
    /// Its webhook is disabled.
    #[error("the webhook is disabled")]
    WebhookDisabled,
    /// Its webhook was deleted.
    #[error("the webhook was deleted")]
    WebhookDeleted,
    /// Its event's payload was deleted.
    #[error("the event's payload was deleted")]
    Expunged,
    /// As many deliveries of held webhooks are being sent as may be at a time.
    #[error("too many deliveries of disabled webhooks are being sent already")]
    Busy,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Sends a delivery again, at once and as often as asked.
    pub async fn retry(&self, project_id: ProjectId, id: DeliveryId, force: bool) -> Result<(), RetryError> {
        // Taken before anything changes, so that a refusal leaves nothing half done.
        let slot = match force {
            true => Some(Arc::clone(&self.forced_slots).try_acquire_owned().map_err(|_| RetryError::Busy)?),
            false => None,
        };
        let term = self.dispatcher.term();
        match self.store.requeue(project_id, id, force, self.clock.now()).await? {
            Requeued::Leased(lease) => {
                self.dispatcher.send_again(*lease, slot, term).await;
                Ok(())
            }
            Requeued::InFlight => Ok(()),
            Requeued::NotFound => Err(RetryError::NotFound),
            Requeued::WebhookDisabled => Err(RetryError::WebhookDisabled),
            Requeued::WebhookDeleted => Err(RetryError::WebhookDeleted),
            Requeued::Expunged => Err(RetryError::Expunged),
        }
    }
}
