//! Time as a number: one that only grows, and a wall clock that may step.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tidings_domain::time::Timestamp;
use tidings_ports::clock::{Clock, Sleep};
use tokio::sync::oneshot;

/// How long a call to the database may be under way while time passes: when the wall clock is put
/// back meanwhile, it still acts on the time it was given.
const CALL_MS_MAX: i64 = 31_000;

#[derive(Debug, Default)]
struct State {
    /// Milliseconds since the simulation began.
    elapsed_ms: i64,
    /// What the wall clock shows beyond that.
    wall_offset_ms: i64,
    /// Until when the wall clock showed what, beyond time that passed.
    past_offsets: Vec<(i64, i64)>,
    /// Who waits for the wall clock, and who for time to pass.
    wall_sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    next_sleeper: u64,
    activity: u64,
}

/// The simulation's clock. The engine sees the wall clock; exchanges and delays take time that
/// passes whatever the wall clock does.
#[derive(Debug)]
pub(crate) struct SimClock(Mutex<State>);

impl SimClock {
    pub(crate) fn at(start: Timestamp) -> Self {
        Self(Mutex::new(State { wall_offset_ms: start.as_millis(), ..State::default() }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds that have passed.
    pub(crate) fn elapsed_ms(&self) -> i64 {
        self.state().elapsed_ms
    }

    /// Lets time pass.
    pub(crate) fn advance_ms(&self, ms: i64) {
        let mut state = self.state();
        state.elapsed_ms += ms;
        state.wake();
    }

    /// Puts the wall clock forward, or back.
    pub(crate) fn step_ms(&self, ms: i64) {
        let mut state = self.state();
        let past = (state.elapsed_ms, state.wall_offset_ms);
        state.past_offsets.push(past);
        state.wall_offset_ms += ms;
        state.wake();
    }

    /// The latest time that anybody may have read off the wall clock who acts after that moment.
    pub(crate) fn highest_wall_since(&self, elapsed_ms: i64) -> i64 {
        let state = self.state();
        let elapsed_ms = elapsed_ms - CALL_MS_MAX;
        let past =
            state.past_offsets.iter().filter(|(until, _)| *until >= elapsed_ms).map(|(until, offset)| until + offset);
        past.fold(state.elapsed_ms + state.wall_offset_ms, i64::max)
    }

    /// How long until somebody who sleeps now is woken.
    pub(crate) fn next_wake_ms(&self) -> Option<i64> {
        let state = self.state();
        let wall = state.wall_sleepers.first_key_value().map(|((at, _), _)| at - state.wall_offset_ms);
        let other = state.sleepers.first_key_value().map(|((at, _), _)| *at);
        let at = [wall, other].into_iter().flatten().min()?;
        Some((at - state.elapsed_ms).max(0))
    }

    /// Waits for time to pass.
    pub(crate) fn pass_ms(&self, ms: u64) -> Sleep {
        let mut state = self.state();
        if ms == 0 {
            return Box::pin(std::future::ready(()));
        }
        let at = state.elapsed_ms + ms.cast_signed();
        let (wake, woken) = oneshot::channel();
        let key = state.key(at);
        state.sleepers.insert(key, wake);
        Box::pin(async move { drop(woken.await) })
    }

    /// Forgets whoever slept in a process that is gone.
    pub(crate) fn forget_sleepers(&self) {
        let mut state = self.state();
        state.wall_sleepers.clear();
        state.sleepers.clear();
    }

    /// Grows whenever something happens that may lead to more.
    pub(crate) fn activity(&self) -> u64 {
        self.state().activity
    }

    /// Notes that something happened.
    pub(crate) fn note_activity(&self) {
        self.state().activity += 1;
    }
}

impl State {
    fn key(&mut self, at: i64) -> (i64, u64) {
        self.activity += 1;
        self.next_sleeper += 1;
        (at, self.next_sleeper)
    }

    fn wake(&mut self) {
        let (elapsed, wall) = (self.elapsed_ms, self.elapsed_ms + self.wall_offset_ms);
        for (sleepers, now) in [(&mut self.wall_sleepers, wall), (&mut self.sleepers, elapsed)] {
            let later = sleepers.split_off(&(now + 1, 0));
            for (_, sleeper) in std::mem::replace(sleepers, later) {
                self.activity += 1;
                // A sleeper that was dropped meanwhile needs no waking.
                let _ = sleeper.send(());
            }
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        Timestamp::from_millis(state.elapsed_ms + state.wall_offset_ms)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut state = self.state();
        if at.as_millis() <= state.elapsed_ms + state.wall_offset_ms {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let key = state.key(at.as_millis());
        state.wall_sleepers.insert(key, wake);
        Box::pin(async move { drop(woken.await) })
    }
}
