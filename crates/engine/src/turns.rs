//! Turns at work that takes long: a few run at a time, and of these one for each owner.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Gives out turns: however much one owner asks for, the others wait for one piece of it at most.
#[derive(Debug)]
pub struct Turns<K> {
    all: Arc<Semaphore>,
    /// Of the owners who have a turn or wait for one.
    own: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _own: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl<K: Eq + Hash> Turns<K> {
    /// At most this many turns at a time.
    pub fn new(at_a_time: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(at_a_time)), own: Mutex::default() }
    }

    /// Waits for the owner's turn.
    pub async fn take(&self, owner: K) -> Turn {
        let own = {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            own.retain(|_, turns| Arc::strong_count(turns) > 1);
            Arc::clone(own.entry(owner).or_insert_with(|| Arc::new(Semaphore::new(1))))
        };
        // Neither is ever closed.
        let own = own.acquire_owned().await.ok();
        Turn { _own: own, _all: Arc::clone(&self.all).acquire_owned().await.ok() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn inv_bounded_an_owner_has_one_turn_and_leaves_the_others_theirs() {
        let turns = Turns::new(2);
        let waits = async |owner| tokio::time::timeout(Duration::from_secs(1), turns.take(owner)).await.is_err();
        let first = turns.take("greedy").await;
        assert!(waits("greedy").await, "one at a time");
        let second = turns.take("modest").await;
        assert!(waits("third").await, "two in all");
        drop(second);
        let third = turns.take("third").await;
        drop(first);
        drop(turns.take("greedy").await);
        drop(third);
        drop(turns.take("last").await);
        assert_eq!(turns.own.lock().expect("whole").len(), 1, "nobody is remembered who is gone");
    }
}
