//! Time as a number: one that only grows, and a wall clock that may be set.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tidings_domain::time::Timestamp;
use tidings_ports::clock::{Clock, STEP_MS_MIN, Sleep};
use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct State {
    /// Milliseconds since the simulation began.
    elapsed_ms: i64,
    /// What the wall clock shows beyond that.
    wall_offset_ms: i64,
    /// What it showed beyond that when the process of each life started, and when that was.
    lives: Vec<(i64, i64)>,
    /// By how much its own time goes faster than time passes, in millionths.
    drift_ppm: i64,
    /// Whether times that are written down are those of clocks which agree, but for their drift by so much at most.
    shared_drift_ppm: Option<i64>,
    /// How late some process heard what the database's clock showed, at most.
    lag_ms_max: i64,
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

    /// A node's, which goes a little faster or slower than others.
    pub(crate) fn of_node(elapsed_ms: i64, wall_offset_ms: i64, drift_ppm: i64) -> Self {
        let lives = vec![(elapsed_ms, wall_offset_ms)];
        Self(Mutex::new(State { elapsed_ms, wall_offset_ms, lives, drift_ppm, ..State::default() }))
    }

    /// From now on it counts from what the database's clock shows.
    pub(crate) fn begin(&self, at: Timestamp) {
        let mut state = self.state();
        let begun = (state.elapsed_ms, at.as_millis() - state.elapsed_ms);
        state.lives = vec![begun];
    }

    /// What is written down is by the database's clock, and whoever reads it counts on by a clock that drifts from it
    /// by so much at most.
    pub(crate) fn share(&self, drift_ppm: i64) {
        self.state().shared_drift_ppm = Some(drift_ppm);
    }

    /// A process heard so late what the database's clock showed, and counts from there.
    pub(crate) fn note_lag(&self, ms: i64) {
        let mut state = self.state();
        state.lag_ms_max = state.lag_ms_max.max(ms);
    }

    /// What the wall clock shows beyond time that has passed.
    pub(crate) fn wall_offset_ms(&self) -> i64 {
        self.state().wall_offset_ms
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
        if let Some(apart_ms) = state.apart_ms() {
            return apart_ms;
        }
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
        let state = self.state();
        let set: i64 = state.steps.iter().filter(|(at, _)| during.contains(at)).map(|(_, ms)| (*ms).max(0)).sum();
        // A wall clock that is off by less than a second has not been set.
        set + state.apart_ms().map_or(0, |apart_ms| apart_ms + STEP_MS_MIN.cast_signed())
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

    /// What it shows once so much time has passed.
    fn shown_at(&self, elapsed_ms: i64) -> i64 {
        let (since, base_ms) = self.lives.last().copied().unwrap_or_default();
        elapsed_ms + base_ms + (elapsed_ms - since) * self.drift_ppm / 1_000_000
    }

    /// How much time passes until it shows that.
    fn until(&self, at: i64) -> u64 {
        let left = at - self.shown_at(self.elapsed_ms);
        let mut ms = left * 1_000_000 / (1_000_000 + self.drift_ppm);
        while self.shown_at(self.elapsed_ms + ms) < at {
            ms += 1;
        }
        u64::try_from(ms).unwrap_or(0)
    }

    /// How far two clocks of nodes may be apart by now.
    fn apart_ms(&self) -> Option<i64> {
        self.shared_drift_ppm.map(|ppm| 2 + self.lag_ms_max + 2 * self.elapsed_ms * ppm / 1_000_000)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let state = self.state();
        Timestamp::from_millis(state.shown_at(state.elapsed_ms))
    }

    fn wall(&self) -> Timestamp {
        let state = self.state();
        Timestamp::from_millis(state.elapsed_ms + state.wall_offset_ms)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let ms = self.state().until(at.as_millis());
        self.pass_ms(ms)
    }
}
