//! Snapshots of projects, kept until something in them changes.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    seal::MasterKey,
};
use tidings_ports::store::{Store, StoreError};

use crate::{Standing, schema::SchemaCache, snapshot::Snapshot};

/// Snapshots kept at most; beyond that some are dropped and loaded again when needed.
const SNAPSHOTS_MAX: usize = 20_000;

/// Hands out snapshots.
pub(crate) struct Router {
    store: Arc<dyn Store>,
    standing: Arc<Standing>,
    master: Arc<MasterKey>,
    user_agent: String,
    schemas: SchemaCache,
    snapshots: RwLock<HashMap<ProjectId, Arc<Snapshot>>>,
    /// Counts how often several projects were forgotten, so that a load that was under way meanwhile
    /// does not bring back what is out of date.
    generation: AtomicU64,
}

impl Router {
    pub(crate) fn new(
        (store, standing): (Arc<dyn Store>, Arc<Standing>),
        master: Arc<MasterKey>,
        user_agent: String,
    ) -> Self {
        let (snapshots, generation) = (RwLock::default(), AtomicU64::new(0));
        Self { store, standing, master, user_agent, schemas: SchemaCache::default(), snapshots, generation }
    }

    /// The project as it is known, loaded if it is not.
    pub(crate) async fn snapshot(&self, project_id: ProjectId) -> Result<Option<Arc<Snapshot>>, StoreError> {
        // Whoever is out of reach of the others does not know whether they have changed it.
        if self.standing.holds()
            && let Some(known) = self.known(project_id)
        {
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
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.snapshots.write().unwrap_or_else(PoisonError::into_inner).remove(&project_id);
    }

    /// Drops what is known about an organization's projects, after a change that concerns all of
    /// them; `None`: the change is to the instance, and concerns everybody's.
    pub(crate) fn forget_projects_of(&self, organization_id: Option<OrganizationId>) {
        let mut snapshots = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        match organization_id {
            Some(id) => snapshots.retain(|_, snapshot| snapshot.project.organization_id != id),
            None => snapshots.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_domain::{tenancy::Organization, time::Timestamp};
    use tidings_fakes::ManualClock;
    use tidings_ports::store::{Catalog as _, NewOrganization};

    use super::*;

    #[tokio::test]
    async fn a_change_to_one_catalogue_forgets_no_other_organizations_projects() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Arc::new(tidings_store_sqlite::open(directory.path()).expect("a store"));
        let mut projects = Vec::new();
        for number in 1..=2 {
            let (id, default_project_id) =
                (OrganizationId::from_parts(number, 1), ProjectId::from_parts(10 + number, 1));
            let organization = Organization { id, name: "Acme".to_owned(), default_project_id };
            let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
            store.create_organization(new, None).await.expect("stored");
            projects.push((id, default_project_id));
        }
        let standing = Arc::new(Standing::alone(Arc::new(ManualClock::at(Timestamp::from_millis(0)))));
        let master = Arc::new(MasterKey::from_bytes(&[1; 32]));
        let router = Router::new((store, standing), master, "Tidings/test".to_owned());
        let get = async |place: usize| router.snapshot(projects[place].1).await.expect("read").expect("there");
        let before = (get(0).await, get(1).await);
        router.forget_projects_of(Some(projects[0].0));
        let after = (get(0).await, get(1).await);
        assert!(!Arc::ptr_eq(&before.0, &after.0), "its own are loaded again");
        assert!(Arc::ptr_eq(&before.1, &after.1), "and the other's are not");
        router.forget_projects_of(None);
        assert!(!Arc::ptr_eq(&after.1, &get(1).await), "the instance's catalogue is everybody's");
    }
}
