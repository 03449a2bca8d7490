//! How many requests somebody may make, and when there is room for the next one.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tidings_domain::time::Timestamp;

/// Counts that are kept at most; beyond, those that say nothing any more are forgotten, then those that matter
/// least, and if there are still too many, all.
const COUNTS_MAX: usize = 65_536;
const MINUTE_US: i64 = 60_000_000;

/// Who is counted.
pub(crate) trait Counted: Eq + Hash {
    /// Whether anybody can make as many of these as they like, so that they are forgotten first.
    fn is_cheap(&self) -> bool;
}

/// Counts of the same kind.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    counts: Mutex<HashMap<K, i64>>,
    /// Processes that count beside each other.
    shares: AtomicU32,
}

impl<K> Default for Pace<K> {
    fn default() -> Self {
        Self { counts: Mutex::default(), shares: AtomicU32::new(1) }
    }
}

impl<K: Counted> Pace<K> {
    /// So many processes count beside each other: each lets its share through.
    pub(crate) fn shared_by(&self, processes: u32) {
        self.shares.store(processes.max(1), Ordering::Relaxed);
    }

    /// How far one place is from the next, in microseconds.
    fn step(&self, per_minute: u32) -> i64 {
        let step = (MINUTE_US / i64::from(per_minute).max(1)).max(1);
        // One at least may come in a minute, whoever takes it.
        (step * i64::from(self.shares.load(Ordering::Relaxed))).min(MINUTE_US)
    }

    /// Takes a place, or says in how many seconds there is one. Of each limit only one number is kept: the time at
    /// which all that was taken would have come at an even pace. It may run ahead of now by a minute, so a minute's
    /// worth may come at once.
    pub(crate) fn take(&self, key: K, per_minute: u32, now: Timestamp) -> Result<(), u64> {
        let now = now.as_millis() * 1000;
        let step = self.step(per_minute);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let next = counts.get(&key).copied().unwrap_or(now).max(now) + step;
        if next - now > MINUTE_US {
            return Err((next - now - MINUTE_US).unsigned_abs().div_ceil(1_000_000).max(1));
        }
        if counts.len() >= COUNTS_MAX && !counts.contains_key(&key) {
            make_room(&mut counts, now);
        }
        counts.insert(key, next);
        Ok(())
    }

    /// Gives a place back that was taken.
    pub(crate) fn give_back(&self, key: &K, per_minute: u32) {
        let step = self.step(per_minute);
        if let Some(next) = self.counts.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key) {
            *next -= step;
        }
    }
}

/// Leaves at most three quarters, so that looking through all of them is paid for by many that are new.
fn make_room<K: Counted>(counts: &mut HashMap<K, i64>, now: i64) {
    const ENOUGH: usize = COUNTS_MAX / 4 * 3;
    counts.retain(|_, at| *at > now);
    if counts.len() > ENOUGH {
        counts.retain(|key, _| !key.is_cheap());
    }
    if counts.len() > ENOUGH {
        counts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Hash)]
    enum Key {
        Cheap(usize),
        Dear(usize),
    }

    impl Counted for Key {
        fn is_cheap(&self) -> bool {
            matches!(self, Self::Cheap(_))
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    fn kept(pace: &Pace<Key>) -> usize {
        pace.counts.lock().expect("nobody panics").len()
    }

    #[test]
    fn processes_that_share_a_limit_let_a_share_of_it_through() {
        let pace = Pace::default();
        pace.shared_by(3);
        let taken = |ms: i64| (0..100).take_while(|_| pace.take(Key::Dear(0), 60, at(ms)).is_ok()).count();
        assert_eq!((taken(0), taken(1_000), taken(2_999), taken(3_000)), (20, 0, 0, 1));
    }

    #[test]
    fn counts_stay_bounded_and_those_that_matter_stay_longest() {
        let pace = Pace::default();
        assert_eq!(pace.take(Key::Dear(0), 1, at(0)), Ok(()));
        for number in 0..2 * COUNTS_MAX {
            assert_eq!(pace.take(Key::Cheap(number), 1, at(1)), Ok(()));
            assert!(kept(&pace) <= COUNTS_MAX);
        }
        assert_eq!(pace.take(Key::Dear(0), 1, at(2)), Err(60), "a flood of others makes nobody new");
        for number in 0..2 * COUNTS_MAX {
            let _ = pace.take(Key::Dear(number), 1, at(2));
            assert!(kept(&pace) <= COUNTS_MAX);
        }
        let pace = Pace::default();
        for number in 0..COUNTS_MAX {
            assert_eq!(pace.take(Key::Dear(number), 1, at(0)), Ok(()));
        }
        assert_eq!(pace.take(Key::Cheap(0), 1, at(60_000)), Ok(()));
        assert_eq!(kept(&pace), 1, "what says nothing any more is gone");
    }
}
