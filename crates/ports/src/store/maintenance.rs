//! What keeps a store healthy and what an operator wants to know about it.

use async_trait::async_trait;
use tidings_domain::time::Timestamp;

use super::StoreError;

/// Upkeep and health.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Forgets idempotency keys older than `before`, at most `limit` in one go; returns how many.
    async fn expire_idempotency(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Counts for the operator.
    async fn counts(&self, now: Timestamp) -> Result<InstanceCounts, StoreError>;

    /// The highest id sequence in use, so that a new process goes on behind it.
    async fn last_sequence(&self) -> Result<i64, StoreError>;

    /// The value that [`Maintenance::remember_once`] stored under a name.
    async fn find_remembered(&self, name: &'static str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a value under a name unless there is one already; returns the one that is stored.
    async fn remember_once(&self, name: &'static str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// Writes everything that is pending and closes; later calls fail with [`StoreError::Closed`].
    async fn close(&self);
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstanceCounts {
    /// Deliveries that have not ended.
    pub pending_deliveries: u64,
    /// When the oldest delivery that is due became due.
    pub oldest_due_at: Option<Timestamp>,
}
