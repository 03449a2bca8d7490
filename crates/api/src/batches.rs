//! How many batches may be in memory at a time: each is up to 8 MiB.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tidings_domain::ids::ProjectId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Batches under way at a time: with their bodies and what is made of them, a few hundred MiB.
const BATCHES_MAX: usize = 16;
/// Of these, one project's: a slow sender does not keep the others out.
const PROJECT_BATCHES_MAX: usize = 4;
/// How long a batch waits for its turn before its sender is asked to come back.
const WAIT_MAX: Duration = Duration::from_secs(5);

type ByProject = Arc<Mutex<HashMap<ProjectId, usize>>>;

/// Gives out places for batches.
pub(crate) struct BatchSlots {
    free: Arc<Semaphore>,
    by_project: ByProject,
}

impl Default for BatchSlots {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(BATCHES_MAX)), by_project: Arc::default() }
    }
}

/// A place that is given back when it is dropped.
pub(crate) struct BatchSlot {
    _permit: Option<OwnedSemaphorePermit>,
    project_id: ProjectId,
    by_project: ByProject,
}

impl BatchSlots {
    /// A place for a batch of this project, before its body is read.
    pub(crate) async fn take(&self, project_id: ProjectId) -> Result<BatchSlot, ApiError> {
        {
            let mut by_project = self.by_project.lock().unwrap_or_else(PoisonError::into_inner);
            let count = by_project.entry(project_id).or_default();
            if *count >= PROJECT_BATCHES_MAX {
                let detail = format!("{PROJECT_BATCHES_MAX} batches of this project are under way already");
                return Err(ApiError::rate_limited(&detail));
            }
            *count += 1;
        }
        let mut slot = BatchSlot { _permit: None, project_id, by_project: Arc::clone(&self.by_project) };
        match tokio::time::timeout(WAIT_MAX, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => slot._permit = Some(permit),
            _ => return Err(ApiError::rate_limited("as many batches are under way as may be at a time")),
        }
        Ok(slot)
    }
}

impl Drop for BatchSlot {
    fn drop(&mut self) {
        let mut by_project = self.by_project.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_project.get_mut(&self.project_id) {
            *count -= 1;
            if *count == 0 {
                by_project.remove(&self.project_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn inv_bounded_batches_have_a_maximum_per_project_and_in_all() {
        let slots = BatchSlots::default();
        let project = |number| ProjectId::from_parts(number, 1);
        let mut taken = Vec::new();
        for _ in 0..PROJECT_BATCHES_MAX {
            taken.push(slots.take(project(1)).await.expect("a place"));
        }
        assert!(slots.take(project(1)).await.is_err());
        for number in 4..(4 + BATCHES_MAX as i64 - PROJECT_BATCHES_MAX as i64) {
            taken.push(slots.take(project(number)).await.expect("a place"));
        }
        assert!(slots.take(project(2)).await.is_err());
        taken.clear();
        assert!(slots.take(project(1)).await.is_ok());
        assert!(slots.by_project.lock().expect("whole").is_empty());
    }
}
