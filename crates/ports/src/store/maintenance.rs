//! What keeps a store healthy and what an operator wants to know about it.

use async_trait::async_trait;
use tidings_domain::time::Timestamp;

use super::StoreError;

/// The name under which a store remembers that it was restored from a backup, and may send nothing before its operator
/// says so.
pub const RESTORED: &str = "restored";

/// Upkeep and health.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Forgets idempotency keys older than `before`, at most `limit` in one go; returns how many.
    async fn expire_idempotency(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Forgets statistics of hours before `before`, at most `limit` rows in one go; returns how many.
    async fn expire_hours(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Forgets entries of the audit log from before `before`, at most `limit` in one go; returns how
    /// many.
    async fn expire_audit(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Counts for the operator.
    async fn counts(&self, now: Timestamp) -> Result<InstanceCounts, StoreError>;

    /// Everything that was born and what has become of it, at one point in time (INV-LEDGER).
    async fn audit_ledger(&self) -> Result<Ledger, StoreError>;

    /// Writes down something to report.
    async fn add_report(&self, event_type: &'static str, data: String, now: Timestamp) -> Result<(), StoreError>;

    /// The oldest reports that have not become events, at most `limit`.
    async fn list_reports(&self, limit: u32) -> Result<Vec<Report>, StoreError>;

    /// Forgets reports that have become events.
    async fn forget_reports(&self, numbers: Vec<i64>) -> Result<(), StoreError>;

    /// The highest id sequence in use, so that a new process goes on behind it.
    async fn last_sequence(&self) -> Result<i64, StoreError>;

    /// The value that [`Maintenance::remember_once`] stored under a name.
    async fn find_remembered(&self, name: &'static str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a value under a name unless there is one already; returns the one that is stored.
    async fn remember_once(&self, name: &'static str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// Forgets what is stored under a name; returns whether anything was.
    async fn forget_remembered(&self, name: &'static str) -> Result<bool, StoreError>;

    /// Writes everything that is pending and closes; later calls fail with [`StoreError::Closed`].
    async fn close(&self);
}

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstanceCounts {
    /// Deliveries that have not ended.
    pub pending_deliveries: u64,
    /// When the oldest delivery that is due became due, those of paused and disabled webhooks left
    /// out: nobody expects them to be sent.
    pub oldest_due_at: Option<Timestamp>,
}

/// Deliveries by where they are: the two sides of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Ever accepted, counted as they were born.
    pub born: u64,
    /// Taken by their receivers.
    pub delivered: u64,
    /// Used up their attempts.
    pub failed: u64,
    /// Ended by a receiver's answer.
    pub dropped: u64,
    /// Ended with their webhook.
    pub cancelled: u64,
    /// Waiting or being sent: rows that were looked at, not a counter.
    pub unfinished: u64,
}

impl Ledger {
    /// Deliveries that are missing, or negative: too many. Always 0, or something was lost.
    pub fn unaccounted(&self) -> i64 {
        let found = self.delivered + self.failed + self.dropped + self.cancelled + self.unfinished;
        self.born.cast_signed().wrapping_sub(found.cast_signed())
    }
}

/// Something that Tidings reports and that has not become an event yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Counts reports.
    pub number: i64,
    /// One of [`tidings_domain::operational::TYPES`].
    pub event_type: String,
    /// Its data, as JSON.
    pub data: String,
    /// When it happened.
    pub created_at: Timestamp,
}
