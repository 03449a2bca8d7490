//! What the organization's plan allows its commands.

use tidings_domain::{plan::Quota, tenancy::Project, time::Timestamp};

use super::RunError;
use crate::Engine;

impl Engine {
    /// What a run may take that begins now; an error if the month's runs are used up, which is reported once.
    pub(super) async fn quota(&self, project: &Project, at: Timestamp) -> Result<Quota, RunError> {
        let organization = project.organization_id;
        let quota = self.store.find_quota(organization, at).await?;
        let Err(exceeded) = quota.check_one_more() else { return Ok(quota) };
        if !quota.is_reported {
            self.store.report_used_up(organization, at).await?;
            self.reports.ask();
        }
        Err(RunError::UsedUp(exceeded))
    }

    /// After a run was written: whether it was the last one is known to the store, which has reported it then.
    pub(super) fn note_used(&self, quota: &Quota) {
        if quota.iterations.is_some_and(|max| !quota.is_reported && quota.used.saturating_add(1) >= max) {
            self.reports.ask();
        }
    }
}
