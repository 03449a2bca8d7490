//! Webhooks as they are now: looked up, changed, shared with other processes.

use std::sync::Arc;

use tidings_domain::{ids::ProjectId, webhook::WebhookStatus};
use tidings_ports::store::StoreError;

use super::{
    dispatcher::{Dispatcher, STORE_RETRY_MS},
    lane::Share,
    lanes::Job,
};
use crate::snapshot::{Snapshot, Target};

impl Dispatcher {
    /// The webhook as it is now; `None` if nothing may be sent to it. A lane that did not know its
    /// webhook yet learns of it here: from then on it is held, or sends as many as it may.
    pub(super) async fn target_for(self: &Arc<Self>, job: &Job) -> Option<Arc<Target>> {
        let webhook_id = job.lease.webhook_id;
        let known = match &job.target {
            Some(target) => Some(Arc::clone(target)),
            None => {
                let snapshot = self.snapshot_of(job.lease.project_id).await;
                let target = snapshot.as_ref().and_then(|snapshot| snapshot.target(webhook_id)).cloned();
                let now = self.now();
                let (given_back, jobs) =
                    self.with_lanes(|lanes| (lanes.reconfigure(webhook_id, target.as_ref()), lanes.start(now)));
                self.spawn_jobs(jobs);
                self.give_back(given_back).await;
                target
            }
        };
        known.filter(|target| !job.in_lane || target.webhook.status == WebhookStatus::Active)
    }

    /// The project as it is now; a store that does not answer is asked again. What cannot be loaded as
    /// it stands is treated like a webhook that cannot be used: its deliveries wait in the store, and
    /// hold no place that others need.
    async fn snapshot_of(&self, project_id: ProjectId) -> Option<Arc<Snapshot>> {
        loop {
            match self.parts.router.snapshot(project_id).await {
                Ok(snapshot) => return snapshot,
                Err(StoreError::Closed) => return None,
                Err(error) if !error.passes() => {
                    tracing::error!(error = %error, project.id = %project_id, "configuration cannot be loaded");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(error = %error, project.id = %project_id, "configuration not loaded yet");
                    self.parts.clock.sleep_until(self.now().plus_millis(STORE_RETRY_MS)).await;
                }
            }
        }
    }

    /// Brings the lanes of a project in line with its configuration.
    pub(crate) async fn project_changed(self: &Arc<Self>, project_id: ProjectId) {
        let ids = self.with_lanes(|lanes| lanes.of_project(project_id));
        let snapshot = loop {
            match self.parts.router.reload(project_id).await {
                Ok(snapshot) => break snapshot,
                Err(StoreError::Closed) => return,
                Err(error) if !error.passes() => {
                    tracing::error!(error = %error, project.id = %project_id, "configuration cannot be reloaded");
                    self.parts.router.forget(project_id);
                    break None;
                }
                Err(error) => {
                    tracing::warn!(error = %error, project.id = %project_id, "configuration not reloaded yet");
                    self.parts.clock.sleep_until(self.now().plus_millis(STORE_RETRY_MS)).await;
                }
            }
        };
        let now = self.now();
        let (given_back, jobs) = self.with_lanes(|lanes| {
            let mut given_back = Vec::new();
            for id in ids {
                let target = snapshot.as_ref().and_then(|snapshot| snapshot.target(id));
                given_back.extend(lanes.reconfigure(id, target));
            }
            (given_back, lanes.start(now))
        });
        self.spawn_jobs(jobs);
        self.give_back(given_back).await;
    }

    /// All leases are others' now: what waits here is for whoever claims it. Giving it back changes nothing about what
    /// others have.
    pub(crate) fn leases_lost(self: &Arc<Self>) {
        let term = self.parts.standing.term();
        self.give_back_aside(self.with_lanes(|lanes| lanes.begin_term(term)));
    }

    /// Under which term something is leased now; to be looked at before the store is asked for it.
    pub(crate) fn term(&self) -> u64 {
        self.with_lanes(|lanes| lanes.term)
    }

    /// So many processes send beside each other.
    pub(crate) fn set_share(self: &Arc<Self>, share: Share) {
        let now = self.now();
        let (given_back, jobs) = self.with_lanes(|lanes| (lanes.set_share(share), lanes.start(now)));
        self.spawn_jobs(jobs);
        self.give_back_aside(given_back);
    }
}
