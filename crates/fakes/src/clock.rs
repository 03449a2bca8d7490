//! A clock that stands still until a test moves it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tidings_domain::time::Timestamp;
use tidings_ports::clock::{Clock, Sleep};
use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct State {
    now_ms: i64,
    /// What the wall clock shows beyond that.
    stepped_ms: i64,
    sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    next_sleeper: u64,
}

/// A clock moved by hand.
#[derive(Debug)]
pub struct ManualClock(Mutex<State>);

impl ManualClock {
    /// Stands at this time.
    pub fn at(start: Timestamp) -> Self {
        Self(Mutex::new(State { now_ms: start.as_millis(), ..State::default() }))
    }

    /// Sets the wall clock, forward or back; no time passes.
    pub fn step_wall_ms(&self, ms: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stepped_ms += ms;
    }

    /// Moves on and wakes whoever waits for a time that has now come.
    pub fn advance_ms(&self, ms: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.now_ms += i64::try_from(ms).expect("tests move in years at most");
        let later = (state.now_ms + 1, 0);
        let later = state.sleepers.split_off(&later);
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        for (_, sleeper) in due {
            // A sleeper that was dropped meanwhile needs no waking.
            let _ = sleeper.send(());
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.lock().unwrap_or_else(PoisonError::into_inner).now_ms)
    }

    fn wall(&self) -> Timestamp {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::from_millis(state.now_ms + state.stepped_ms)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_millis() <= state.now_ms {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        state.next_sleeper += 1;
        let key = (at.as_millis(), state.next_sleeper);
        state.sleepers.insert(key, wake);
        Box::pin(async move {
            // The clock outlives its sleepers in every test; if it does not, waiting is over.
            let _ = woken.await;
        })
    }
}
