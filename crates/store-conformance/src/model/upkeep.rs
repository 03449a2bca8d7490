//! Counts, and what is forgotten.

use tidings_domain::{delivery::DeliveryState, statistics::hour_of, time::Timestamp};
use tidings_ports::store::{InstanceCounts, Ledger};

use super::Model;

impl Model {
    /// Keys older than this are forgotten; how many.
    pub fn expire_idempotency(&mut self, before: Timestamp) -> u32 {
        let there = self.keys.len();
        self.keys.retain(|_, (_, created_at)| *created_at >= before);
        (there - self.keys.len()) as u32
    }

    /// Hours before this one are forgotten; how many.
    pub fn expire_hours(&mut self, before: Timestamp) -> u32 {
        let there = self.hours.len();
        self.hours.retain(|(_, hour), _| *hour >= hour_of(before));
        (there - self.hours.len()) as u32
    }

    /// What has not ended, and since when the oldest of it is due that nobody holds.
    pub fn counts(&self, now: Timestamp) -> InstanceCounts {
        let unfinished = self.deliveries.values().filter(|row| row.is_unfinished());
        let due = unfinished.clone().filter(|row| self.is_active(row.webhook_id)).filter_map(|row| row.due_at());
        InstanceCounts {
            pending_deliveries: unfinished.count() as u64,
            oldest_due_at: due.filter(|due_at| *due_at <= now).min(),
        }
    }

    /// What was born, and what has become of it.
    pub fn audit_ledger(&self) -> Ledger {
        let count = |state| self.deliveries.values().filter(|row| row.state() == state).count() as u64;
        Ledger {
            born: self.born,
            delivered: count(DeliveryState::Delivered),
            failed: count(DeliveryState::Failed),
            dropped: count(DeliveryState::Dropped),
            cancelled: count(DeliveryState::Cancelled),
            unfinished: count(DeliveryState::Pending) + count(DeliveryState::Retrying),
        }
    }
}
