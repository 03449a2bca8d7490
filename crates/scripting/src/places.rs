//! Places to work: how many run at a time, all together and of one project, and who waits for how long.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tidings_domain::{ids::ProjectId, time::Timestamp};
use tidings_ports::Clock;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Runs that may wait for a place; beyond, a run fails at once.
const WAITING_MAX: usize = 256;
/// How long a run may wait for a place, in milliseconds.
const WAIT_MS: u64 = 10_000;

/// One permit for each that works.
pub(crate) struct Places {
    all: Semaphore,
    waiting: Semaphore,
    of_one_project: usize,
    /// How many each project has or waits for; what nobody has or waits for is forgotten.
    shares: Mutex<HashMap<ProjectId, Arc<Share>>>,
}

/// What one project has.
struct Share {
    places: Arc<Semaphore>,
    waiting: Semaphore,
}

/// A place to work, within a project's share.
pub(crate) struct Place<'a> {
    places: &'a Places,
    project_id: ProjectId,
    share: Arc<Share>,
    _mine: OwnedSemaphorePermit,
    _place: SemaphorePermit<'a>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut shares = self.places.shares.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and this one: nobody else of the project works or waits.
        if Arc::strong_count(&self.share) <= 2 {
            shares.remove(&self.project_id);
        }
    }
}

impl Places {
    /// So many, and so many of them for one project.
    pub(crate) fn new(count: usize, of_one_project: usize) -> Self {
        let (all, waiting) = (Semaphore::new(count), Semaphore::new(WAITING_MAX));
        Self { all, waiting, of_one_project, shares: Mutex::default() }
    }

    /// So many, and a quarter of them for one project: it takes four that want everything to keep others waiting.
    pub(crate) fn shared(count: usize) -> Self {
        Self::new(count, (count / 4).max(1))
    }

    fn share(&self, project_id: ProjectId) -> Arc<Share> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let places = Arc::new(Semaphore::new(self.of_one_project));
            Arc::new(Share { places, waiting: Semaphore::new(WAITING_MAX / 2) })
        };
        Arc::clone(shares.entry(project_id).or_insert_with(new))
    }

    /// A place, once there is one: first within what the project may have, then among all.
    pub(crate) async fn take(&self, project_id: ProjectId, clock: &dyn Clock) -> Result<Place<'_>, String> {
        let share = self.share(project_id);
        let until = clock.now().plus_millis(WAIT_MS);
        let mine = match Arc::clone(&share.places).try_acquire_owned() {
            Ok(mine) => mine,
            Err(_) => wait(Arc::clone(&share.places).acquire_owned(), &share.waiting, until, clock).await?,
        };
        let place = match self.all.try_acquire() {
            Ok(place) => place,
            Err(_) => wait(self.all.acquire(), &self.waiting, until, clock).await?,
        };
        Ok(Place { places: self, project_id, share, _mine: mine, _place: place })
    }

    /// Nobody waits any longer, and nobody else begins.
    pub(crate) fn close(&self) {
        self.all.close();
        let shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.values().for_each(|share| share.places.close());
    }
}

async fn wait<T>(
    free: impl Future<Output = Result<T, AcquireError>>,
    waiting: &Semaphore,
    until: Timestamp,
    clock: &dyn Clock,
) -> Result<T, String> {
    tracing::debug!("a run waits for a runner");
    let _waits = waiting.try_acquire().map_err(|_| "too many runs wait already".to_owned())?;
    tokio::select! {
        biased;
        place = free => place.map_err(|_| "the server is stopping".to_owned()),
        () = clock.sleep_until(until) => {
            Err("every runner is busy, and none became free in time".to_owned())
        }
    }
}
