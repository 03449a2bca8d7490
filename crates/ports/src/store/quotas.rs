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

    /// What these organizations use of what their plans allow, and how their billing stands, in one read; in no order,
    /// without those that are not there.
    async fn usage_of(&self, ids: Vec<OrganizationId>, at: Timestamp) -> Result<Vec<OrganizationUsage>, StoreError>;

    /// Reports that the month's iterations are used up, unless that was reported before.
    async fn report_used_up(&self, id: OrganizationId, at: Timestamp) -> Result<(), StoreError>;
}

/// What one organization uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationUsage {
    /// Which.
    pub id: OrganizationId,
    /// Webhooks, disabled ones included.
    pub webhooks: u32,
    /// How many its plan allows.
    pub webhooks_max: Option<u32>,
    /// What its plan allows its commands, and what of it is used in the month.
    pub quota: Quota,
    /// How its billing stands; `None` if it never paid.
    pub standing: Option<OrganizationStanding>,
}

/// How an organization's billing stands, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationStanding {
    /// Its status, as it is written.
    pub status: String,
    /// The plan that follows from what is paid for.
    pub plan: Option<String>,
    /// Whether the organization gets that plan.
    pub in_force: bool,
    /// When the plan falls unless something is paid.
    pub grace_until: Option<Timestamp>,
    /// When something about it changed last.
    pub updated_at: Timestamp,
}
