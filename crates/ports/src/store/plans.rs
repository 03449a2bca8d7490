//! Plans: the limits of organizations, where the store checks them.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    plan::{PlanName, Plans},
    time::Timestamp,
};

use super::StoreError;

/// Limits, and what they do to webhooks that exist.
#[async_trait]
pub trait PlanLimits: Send + Sync {
    /// Replaces the plans that limits are checked against, and applies them to every
    /// organization. To be called once, before anything else is asked for.
    async fn set_plans(&self, plans: Arc<Plans>, now: Timestamp) -> Result<PlansSet, StoreError>;

    /// Gives an organization another plan, and disables or enables webhooks accordingly, in one
    /// transaction. Returns the projects whose webhooks changed; `None` if there is no such
    /// organization.
    async fn set_plan(
        &self,
        id: OrganizationId,
        plan: PlanName,
        now: Timestamp,
    ) -> Result<Option<Vec<ProjectId>>, StoreError>;

    /// Enables webhooks that their plan's limit had disabled and that stand within it now, because
    /// others were deleted. Returns the projects whose webhooks changed.
    async fn apply_plan(&self, id: OrganizationId, now: Timestamp) -> Result<Vec<ProjectId>, StoreError>;
}

/// What came of the plans at the start of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlansSet {
    /// Webhooks that were disabled or enabled.
    pub webhooks_changed: u32,
    /// Plans of organizations that are configured no longer: such organizations have no limit.
    pub unknown: Vec<String>,
}
