//! What the organization's plan allows its commands.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tidings_domain::{
    ids::OrganizationId,
    plan::{LimitExceeded, Quota},
    tenancy::Project,
    time::Timestamp,
};

use super::RunError;
use crate::Engine;

/// Runs under way, by organization: each of them will count.
#[derive(Default)]
pub(super) struct UnderWay(Arc<Mutex<HashMap<OrganizationId, u32>>>);

/// One run of the organization's, until it is dropped.
pub(super) struct Counted {
    all: Arc<Mutex<HashMap<OrganizationId, u32>>>,
    organization: OrganizationId,
}

impl UnderWay {
    /// Counts one more, and says how many there were.
    fn begin(&self, organization: OrganizationId) -> (Counted, u32) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(organization).or_default();
        *count += 1;
        (Counted { all: Arc::clone(&self.0), organization }, *count - 1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.organization);
            }
        }
    }
}

impl Engine {
    /// What a run may take that begins now; an error if the month's runs are used up, those under way included. That
    /// they are is reported once.
    pub(super) async fn quota(&self, project: &Project, at: Timestamp) -> Result<(Quota, Counted), RunError> {
        let organization = project.organization_id;
        // Counted before it is looked: whoever comes at the same time sees this one, too.
        let (counted, others) = self.running.under_way.begin(organization);
        let quota = self.store.find_quota(organization, at).await?;
        if let Err(exceeded) = quota.check_one_more() {
            if !quota.is_reported {
                self.store.report_used_up(organization, at).await?;
                self.reports.ask();
            }
            return Err(RunError::UsedUp(exceeded));
        }
        let with_others = Quota { used: quota.used.saturating_add(others), ..quota };
        match with_others.check_one_more() {
            Ok(()) => Ok((quota, counted)),
            Err(LimitExceeded { max, .. }) => Err(RunError::UsedUp(LimitExceeded { current: max, max })),
        }
    }

    /// After a run was written: whether it was the last one is known to the store, which has reported it then.
    pub(super) fn note_used(&self, quota: &Quota) {
        if quota.iterations.is_some_and(|max| !quota.is_reported && quota.used.saturating_add(1) >= max) {
            self.reports.ask();
        }
    }
}
