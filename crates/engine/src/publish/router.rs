//! Snapshots of projects, kept until something in them changes.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tidings_domain::{ids::ProjectId, seal::MasterKey};
use tidings_ports::store::{Store, StoreError};

use crate::{schema::SchemaCache, snapshot::Snapshot};

/// Snapshots kept at most; beyond that some are dropped and loaded again when needed.
const SNAPSHOTS_MAX: usize = 20_000;

/// Hands out snapshots.
pub(crate) struct Router {
    store: Arc<dyn Store>,
    master: Arc<MasterKey>,
    user_agent: String,
    schemas: SchemaCache,
    snapshots: RwLock<HashMap<ProjectId, Arc<Snapshot>>>,
    /// Counts how often everything was forgotten, so that a load that was under way meanwhile
    /// does not bring back what is out of date.
    generation: AtomicU64,
}

impl Router {
    pub(crate) fn new(store: Arc<dyn Store>, master: Arc<MasterKey>, user_agent: String) -> Self {
        let (snapshots, generation) = (RwLock::default(), AtomicU64::new(0));
        Self { store, master, user_agent, schemas: SchemaCache::default(), snapshots, generation }
    }

    /// The project as it is known, loaded if it is not.
    pub(crate) async fn snapshot(&self, project_id: ProjectId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        if let Some(known) = self.known(project_id) {
            return Ok(Some(known));
        }
        self.reload(project_id).await
    }

    fn known(&self, project_id: ProjectId) -> Option<Arc<Snapshot>> {
        self.snapshots.read().unwrap_or_else(PoisonError::into_inner).get(&project_id).cloned()
    }

    /// The project as it is stored now.
    pub(crate) async fn reload(&self, project_id: ProjectId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let generation = self.generation.load(Ordering::SeqCst);
        let Some(stored) = self.store.load_snapshot(project_id).await? else {
            self.forget(project_id);
            return Ok(None);
        };
        let fresh = Arc::new(Snapshot::new(stored, &self.master, &self.user_agent, &self.schemas));
        let mut snapshots = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        if generation != self.generation.load(Ordering::SeqCst) {
            return Ok(Some(fresh));
        }
        if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(&project_id) {
            snapshots.clear();
        }
        // Two loads may cross; the newer version stays.
        let kept = snapshots.entry(project_id).or_insert_with(|| Arc::clone(&fresh));
        if kept.version < fresh.version {
            *kept = Arc::clone(&fresh);
        }
        Ok(Some(Arc::clone(kept)))
    }

    /// Drops what is known about a project.
    pub(crate) fn forget(&self, project_id: ProjectId) {
        self.snapshots.write().unwrap_or_else(PoisonError::into_inner).remove(&project_id);
    }

    /// Drops everything, after a change that may concern any project.
    pub(crate) fn forget_all(&self) {
        let mut snapshots = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        snapshots.clear();
    }
}
