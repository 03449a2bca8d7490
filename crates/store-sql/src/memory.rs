//! What the one writer knows without asking the database.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tidings_domain::statistics::Tally;

use crate::{database::Result, deleted::Deleted};

/// Kept by the writer thread alone. `versions` may run ahead of the database without harm: one that
/// grew for a change that was rolled back only makes somebody reload. `heads` and `hours` must not,
/// and are forgotten whenever something is rolled back; `deleted` and `lease_changes` are rolled
/// back with it.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) versions: Versions,
    /// Ids of request head templates. After a rollback an id may be given to another template.
    pub(crate) heads: HashMap<Arc<str>, i64>,
    /// The statistics written last, by webhook: the hour and what it holds.
    pub(crate) hours: HashMap<i64, (i64, Tally)>,
    /// Webhooks that were deleted while deliveries of theirs may still be leased.
    pub(crate) deleted: Deleted,
    /// Lease changes of the running transaction; applied when it is committed.
    pub(crate) lease_changes: Vec<LeaseChange>,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    leases: usize,
    deleted: usize,
}

impl Memory {
    /// Where the running transaction stands, for [`Memory::roll_back_to`].
    pub fn mark(&self) -> Mark {
        Mark { leases: self.lease_changes.len(), deleted: self.deleted.mark() }
    }

    /// What came after the mark did not happen.
    pub fn roll_back_to(&mut self, mark: Mark) {
        self.lease_changes.truncate(mark.leases);
        self.deleted.roll_back_to(mark.deleted);
        // What may be known from it is read again.
        self.heads.clear();
        self.hours.clear();
    }

    /// The transaction was rolled back.
    pub fn roll_back(&mut self) {
        self.roll_back_to(Mark { leases: 0, deleted: 0 });
    }

    /// The transaction was committed.
    pub fn commit(&mut self, leases: &Leases) {
        leases.apply(&mut self.lease_changes);
        self.deleted.commit(|| leases.webhooks());
    }
}

/// Request head templates kept in memory at most; beyond, they are looked up again.
pub(crate) const HEADS_MAX: usize = 4_096;

/// Webhooks whose running hour is kept in memory at most; beyond, it is read again.
pub(crate) const HOURS_MAX: usize = 4_096;

/// Projects and organizations whose versions are kept at most; beyond, all are forgotten and every
/// snapshot is loaded again once.
const VERSIONS_MAX: usize = 65_536;

/// Versions of what a project's snapshot is made of. Each only grows, so their sum changes
/// whenever one of them does.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Not below any sum that was given out before everything was forgotten.
    base: u64,
    instance: u64,
    organizations: HashMap<i64, u64>,
    projects: HashMap<i64, (i64, u64)>,
}

impl Versions {
    /// The version of a project's snapshot; `organization` is asked for the first time only.
    pub(crate) fn of_project(&mut self, project: i64, organization: impl FnOnce() -> Result<i64>) -> Result<u64> {
        let (organization, own) = match self.projects.get(&project) {
            Some(&known) => known,
            None => {
                let organization = organization()?;
                self.forget_at(VERSIONS_MAX);
                *self.projects.entry(project).or_insert((organization, 1))
            }
        };
        Ok(self.base + self.instance + own + self.organizations.get(&organization).copied().unwrap_or(0))
    }

    /// Forgets everything once there is so much of it: what is known again has greater versions
    /// than ever before, so no snapshot of earlier passes for a present one.
    fn forget_at(&mut self, entries_max: usize) {
        if self.projects.len() + self.organizations.len() < entries_max {
            return;
        }
        let own = self.projects.values().map(|&(_, version)| version).max().unwrap_or(0);
        let catalogue = self.organizations.values().copied().max().unwrap_or(0);
        self.base += own + catalogue;
        self.projects.clear();
        self.organizations.clear();
    }

    /// A project's webhooks changed.
    pub(crate) fn project_changed(&mut self, project: i64) {
        if let Some((_, version)) = self.projects.get_mut(&project) {
            *version += 1;
        }
    }

    /// A catalogue changed: an organization's, or the instance's for 0.
    pub(crate) fn catalogue_changed(&mut self, organization: i64) {
        match organization {
            0 => self.instance += 1,
            other => {
                self.forget_at(VERSIONS_MAX);
                *self.organizations.entry(other).or_default() += 1;
            }
        }
    }
}

/// A delivery was leased or is leased no longer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LeaseChange {
    Leased { delivery: i64, webhook: i64 },
    Ended { delivery: i64 },
}

/// Which deliveries are leased, for lists: no index holds them (see the schema). Its size is
/// bounded by what the engine keeps in memory.
#[derive(Debug, Default)]
pub struct Leases(Mutex<BTreeMap<i64, i64>>);

impl Leases {
    pub(crate) fn apply(&self, changes: &mut Vec<LeaseChange>) {
        let mut leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes.drain(..) {
            match change {
                LeaseChange::Leased { delivery, webhook } => leased.insert(delivery, webhook),
                LeaseChange::Ended { delivery } => leased.remove(&delivery),
            };
        }
    }

    /// How many deliveries of these webhooks are leased. One pass: every commit waits for the lock.
    pub(crate) fn count_of_webhooks(&self, webhooks: &HashSet<i64>) -> u64 {
        let leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leased.values().filter(|to| webhooks.contains(to)).count() as u64
    }

    /// The leased deliveries of these webhooks below a sequence. One pass, as above.
    pub(crate) fn of_webhooks(&self, webhooks: &[i64], before: i64) -> Vec<i64> {
        let webhooks: HashSet<_> = webhooks.iter().collect();
        let leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leased.range(..before).filter(|(_, to)| webhooks.contains(to)).map(|(&delivery, _)| delivery).collect()
    }

    /// The webhooks of all leased deliveries.
    pub(crate) fn webhooks(&self) -> HashSet<i64> {
        let leased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leased.values().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_of_many_webhooks_are_counted_in_one_pass() {
        let leases = Leases::default();
        let leased = |(delivery, webhook)| LeaseChange::Leased { delivery, webhook };
        let mut changes: Vec<_> = [(1, 7), (2, 7), (3, 8), (4, 9)].into_iter().map(leased).collect();
        changes.push(LeaseChange::Ended { delivery: 2 });
        leases.apply(&mut changes);
        for (webhooks, count) in [(&[7][..], 1), (&[7, 8], 2), (&[7, 8, 9, 10], 3), (&[], 0)] {
            assert_eq!(leases.count_of_webhooks(&webhooks.iter().copied().collect()), count, "{webhooks:?}");
        }
        assert_eq!(leases.webhooks(), [7, 8, 9].into());
    }

    #[test]
    fn forgotten_versions_come_back_greater_than_they_ever_were() {
        let mut versions = Versions::default();
        let of = |versions: &mut Versions, project: i64| versions.of_project(project, || Ok(7)).expect("known");
        let first = of(&mut versions, 1);
        for _ in 0..5 {
            versions.project_changed(1);
            versions.catalogue_changed(7);
        }
        versions.catalogue_changed(0);
        let before = [of(&mut versions, 1), of(&mut versions, 2)];
        assert!(before[0] > first);
        versions.forget_at(1_000);
        assert_eq!([of(&mut versions, 1), of(&mut versions, 2)], before, "nothing is forgotten early");
        versions.forget_at(2);
        for project in [2, 1] {
            let again = of(&mut versions, project);
            assert!(before.iter().all(|&old| again > old), "{again} after {before:?}");
        }
    }
}
