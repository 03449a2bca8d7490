//! Time as a number: one that only grows, and a wall clock that may be set.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tidings_domain::time::Timestamp;
use tidings_ports::clock::{Clock, Sleep};
use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct State {
    /// Milliseconds since the simulation began.
    elapsed_ms: i64,
    /// What the wall clock shows beyond that.
    wall_offset_ms: i64,
    /// What it showed beyond that when the process of each life started, and when that was.
    lives: Vec<(i64, i64)>,
    /// When it was set, and by how much.
    steps: Vec<(i64, i64)>,
    sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    next_sleeper: u64,
    activity: u64,
}

/// The simulation's clock.
#[derive(Debug)]
pub(crate) struct SimClock(Mutex<State>);

impl SimClock {
    pub(crate) fn at(start: Timestamp) -> Self {
        let lives = vec![(0, start.as_millis())];
        Self(Mutex::new(State { wall_offset_ms: start.as_millis(), lives, ..State::default() }))
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
        state.wall_offset_ms += ms;
        let at = state.elapsed_ms;
        state.steps.push((at, ms));
    }

    /// By how much a process may be early with what a former one noted, and at most one did: a
    /// crash takes with it what that one had not noted yet about a wall clock that was set.
    pub(crate) fn early_ms_max(&self, noted_in: u32, life: u32) -> i64 {
        let state = self.state();
        if noted_in == life {
            return 0;
        }
        let since = state.lives.get(noted_in as usize).map_or(0, |(elapsed_ms, _)| *elapsed_ms);
        state.steps.iter().filter(|(at, _)| *at >= since).map(|(_, ms)| (*ms).max(0)).sum()
    }

    /// By how much the wall clock was put forward while a call may have been under way.
    pub(crate) fn forward_ms_after(&self, elapsed_ms: i64) -> i64 {
        const CALL_MS_MAX: i64 = 31_000;
        let during = elapsed_ms..=elapsed_ms + CALL_MS_MAX;
        self.state().steps.iter().filter(|(at, _)| during.contains(at)).map(|(_, ms)| (*ms).max(0)).sum()
    }

    /// By how much the wall clock was put back, all in all.
    pub(crate) fn backward_ms(&self) -> i64 {
        self.state().steps.iter().map(|(_, ms)| (-ms).max(0)).sum()
    }

    /// How long until somebody who sleeps now is woken.
    pub(crate) fn next_wake_ms(&self) -> Option<i64> {
        let state = self.state();
        let ((at, _), _) = state.sleepers.first_key_value()?;
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

    /// Forgets whoever slept in a process that is gone; another one starts.
    pub(crate) fn start_life(&self) {
        let mut state = self.state();
        state.sleepers.clear();
        let life = (state.elapsed_ms, state.wall_offset_ms);
        state.lives.push(life);
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
        let later = self.sleepers.split_off(&(self.elapsed_ms + 1, 0));
        for (_, sleeper) in std::mem::replace(&mut self.sleepers, later) {
            self.activity += 1;
            // A sleeper that was dropped meanwhile needs no waking.
            let _ = sleeper.send(());
        }
    }

    /// What the wall clock showed when this life's process started, beyond time that passed.
    fn base_ms(&self) -> i64 {
        self.lives.last().map_or(0, |(_, offset_ms)| *offset_ms)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        Timestamp::from_millis(state.elapsed_ms + state.base_ms())
    }

    fn wall(&self) -> Timestamp {
        let state = self.state();
        Timestamp::from_millis(state.elapsed_ms + state.wall_offset_ms)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        self.pass_ms(at.millis_since(self.now()))
    }
}
