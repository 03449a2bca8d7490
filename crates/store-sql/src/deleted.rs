//! Which webhooks are deleted, for verdicts that arrive after the deletion.
//!
//! A delivery that is leased when its webhook is deleted is not cancelled with the others; its
//! verdict or its return has to be told that there is nothing to try again for.

use std::collections::{HashMap, HashSet};

/// Webhooks remembered before it is looked whether some of them can be forgotten.
const REMEMBERED_MIN: usize = 1_024;

/// Deleted webhooks that may still have leased deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deleted {
    /// By webhook, whether everything that waited for it has been cancelled.
    known: HashMap<i64, bool>,
    /// What the running transaction adds; it counts once that is committed. Until then a deletion
    /// may be rolled back, and a retry must not be cancelled for it.
    changes: Vec<Change>,
    look_at: usize,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Deleted(i64),
    Cancelled(i64),
}

impl Deleted {
    pub(crate) fn contains(&self, webhook: i64) -> bool {
        self.known.contains_key(&webhook)
    }

    /// A webhook was deleted.
    pub(crate) fn add(&mut self, webhook: i64) {
        self.changes.push(Change::Deleted(webhook));
    }

    /// Nothing waits for a deleted webhook any more, and nothing can be leased for it.
    pub(crate) fn cancelled(&mut self, webhook: i64) {
        self.changes.push(Change::Cancelled(webhook));
    }

    /// Where the running transaction stands, for [`Deleted::roll_back_to`].
    pub(crate) fn mark(&self) -> usize {
        self.changes.len()
    }

    /// What came after the mark did not happen.
    pub(crate) fn roll_back_to(&mut self, mark: usize) {
        self.changes.truncate(mark);
    }

    /// The transaction is committed. `leased` gives the webhooks that still have leases; it is
    /// asked for seldom.
    pub(crate) fn commit(&mut self, leased: impl FnOnce() -> HashSet<i64>) {
        if self.changes.is_empty() {
            return;
        }
        for change in self.changes.drain(..) {
            match change {
                Change::Deleted(webhook) => drop(self.known.entry(webhook).or_insert(false)),
                Change::Cancelled(webhook) => {
                    self.known.entry(webhook).and_modify(|cancelled| *cancelled = true);
                }
            }
        }
        if self.known.len() > self.look_at.max(REMEMBERED_MIN) {
            let leased = leased();
            self.known.retain(|webhook, cancelled| !*cancelled || leased.contains(webhook));
            // What is left may stay for long; looking again pays when as much has come on top.
            self.look_at = self.known.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete(deleted: &mut Deleted, webhooks: std::ops::Range<i64>, leased: &[i64]) {
        for webhook in webhooks {
            deleted.add(webhook);
            deleted.cancelled(webhook);
            deleted.commit(|| leased.iter().copied().collect());
        }
    }

    #[test]
    fn inv_bounded_only_webhooks_with_leases_are_remembered_for_long() {
        let mut deleted = Deleted::default();
        delete(&mut deleted, 0..20_000, &[5, 6]);
        assert!(deleted.known.len() <= REMEMBERED_MIN + 1, "{}", deleted.known.len());
        assert!(deleted.contains(5) && deleted.contains(6));
    }

    #[test]
    fn webhooks_with_deliveries_that_wait_are_not_forgotten() {
        let mut deleted = Deleted::default();
        deleted.add(1);
        delete(&mut deleted, 2..5_000, &[]);
        assert!(deleted.contains(1));
        deleted.cancelled(1);
        delete(&mut deleted, 5_000..10_000, &[]);
        assert!(!deleted.contains(1));
    }

    #[test]
    fn a_deletion_that_is_rolled_back_did_not_happen() {
        let mut deleted = Deleted::default();
        deleted.add(1);
        let mark = deleted.mark();
        deleted.add(2);
        deleted.roll_back_to(mark);
        deleted.commit(HashSet::new);
        assert!(deleted.contains(1) && !deleted.contains(2));
    }
}
