//! Forgetting what was kept long enough.

use async_trait::async_trait;
use tidings_domain::{ids::ProjectId, time::Timestamp};

use super::StoreError;

/// Events, and everything that hangs on them, for as long as they are kept.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Where events lie in partitions by time: makes those that will be needed, and drops those that are older than
    /// `days` as a whole, unless a delivery of their events has not ended. Returns below which sequence what is left
    /// is to be forgotten one by one.
    async fn roll_partitions(&self, now: Timestamp, days: u32) -> Result<i64, StoreError>;

    /// Forgets events with their deliveries, attempts and receipts, all of whose deliveries have ended: the oldest
    /// ones with sequences behind `after` and below `until`, of one project or of all, and at most about `limit` rows
    /// in one go.
    async fn expire_events(
        &self,
        project_id: Option<ProjectId>,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Expired, StoreError>;

    /// Forgets which ids of their providers receipts had that came before `before`, at most `limit` in one go;
    /// returns how many.
    async fn expire_provider_ids(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Projects whose plan says for how many days events are kept, and that: at most `limit` with sequences behind
    /// `after`.
    async fn kept_by_plans(&self, after: i64, limit: u32) -> Result<Vec<(ProjectId, u32)>, StoreError>;
}

/// What was forgotten in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Events.
    pub events: u32,
    /// Behind which sequence it goes on; `None`: nothing is left.
    pub next: Option<i64>,
}
