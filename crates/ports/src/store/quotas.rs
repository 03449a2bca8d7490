//! What an organization uses of what its plan allows.

use async_trait::async_trait;
use tidings_domain::{ids::OrganizationId, plan::Quota, time::Timestamp};

use super::StoreError;

/// Counts by organization and month.
#[async_trait]
pub trait Quotas: Send + Sync {
    /// What the organization's plan allows its commands, and what of it is used in the month of this time.
    async fn find_quota(&self, id: OrganizationId, at: Timestamp) -> Result<Quota, StoreError>;

    /// How many webhooks the organization has, disabled ones included, and how many its plan allows.
    async fn count_webhooks_of(&self, id: OrganizationId) -> Result<(u32, Option<u32>), StoreError>;

    /// Reports that the month's iterations are used up, unless that was reported before.
    async fn report_used_up(&self, id: OrganizationId, at: Timestamp) -> Result<(), StoreError>;
}
