//! The way to the database: delays, refusals, and the point at which a process dies.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tidings_fakes::Random;
use tidings_ports::store::StoreError;
use tidings_store_sqlite::Gate;
use tokio::sync::Notify;

use crate::clock::SimClock;

struct State {
    random: Random,
    /// Calls until the process dies.
    calls_left: Option<u64>,
    dead: bool,
    /// Refuses everything until then.
    refusing_until_ms: i64,
    /// Answers nothing until then.
    silent_until_ms: i64,
    /// After so many calls it answers nothing for so long.
    silence: Option<(u64, u64)>,
    /// In how many of a hundred cases a call takes a while.
    slow_percent: u64,
    /// In how many of a thousand cases the connection breaks.
    break_permille: u64,
    /// The verb of which so many calls more do not come about, …
    lost_calls: Lost,
    /// … and the one that is carried out so many times more without an answer.
    lost_answers: Lost,
}

/// A verb of the store's, and how often it meets with something.
type Lost = Option<(&'static str, u32)>;

/// Whether it is this call's turn.
fn meets(lost: &mut Lost, verb: &str) -> bool {
    match lost {
        Some((of, times)) if *of == verb && *times > 0 => {
            *times -= 1;
            true
        }
        _ => false,
    }
}

/// One process's way to its database.
pub(crate) struct SimGate {
    clock: Arc<SimClock>,
    state: Mutex<State>,
    died: Notify,
}

/// What `enter` does with a call.
enum Way {
    Pass { delay_ms: u64 },
    Refuse,
    Die,
}

impl SimGate {
    pub(crate) fn new(clock: Arc<SimClock>, random: Random) -> Self {
        let state = State {
            random,
            calls_left: None,
            dead: false,
            refusing_until_ms: 0,
            silent_until_ms: 0,
            silence: None,
            slow_percent: 0,
            break_permille: 0,
            lost_calls: None,
            lost_answers: None,
        };
        Self { clock, state: Mutex::new(state), died: Notify::new() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process dies after so many more looks at the gate.
    pub(crate) fn die_after(&self, calls: u64) {
        self.state().calls_left = Some(calls);
    }

    /// The process dies now.
    pub(crate) fn die(&self) {
        self.state().dead = true;
        self.died.notify_one();
    }

    /// Nothing is written or read for so long.
    pub(crate) fn refuse_for(&self, ms: u64) {
        self.state().refusing_until_ms = self.clock.elapsed_ms() + ms.cast_signed();
    }

    /// Nothing is answered for so long; then everything is.
    pub(crate) fn be_silent_for(&self, ms: u64) {
        self.state().silent_until_ms = self.clock.elapsed_ms() + ms.cast_signed();
    }

    /// After so many more looks nothing is answered for so long.
    pub(crate) fn be_silent_after(&self, calls: u64, ms: u64) {
        self.state().silence = Some((calls, ms));
    }

    /// From now on some calls take a while.
    pub(crate) fn slow_down(&self, percent: u64) {
        self.state().slow_percent = percent;
    }

    /// From now on the connection breaks now and then.
    pub(crate) fn break_now_and_then(&self) {
        self.state().break_permille = 10;
    }

    /// The next calls of a verb do not come about.
    pub(crate) fn lose_calls(&self, verb: &'static str, times: u32) {
        self.state().lost_calls = Some((verb, times));
    }

    /// The next calls of a verb come about, and nobody hears of it.
    pub(crate) fn lose_answers(&self, verb: &'static str, times: u32) {
        self.state().lost_answers = Some((verb, times));
    }

    /// Whether the connection breaks before what it carries is committed.
    pub(crate) fn loses_commit(&self, verb: &str) -> bool {
        let mut state = self.state();
        let breaks = state.break_permille > 0 && state.random.below(2_000) < state.break_permille;
        breaks || meets(&mut state.lost_calls, verb)
    }

    /// Whether it breaks before the answer arrives.
    pub(crate) fn loses_answer(&self, verb: &str) -> bool {
        let mut state = self.state();
        let breaks = state.break_permille > 0 && state.random.below(1_000) < state.break_permille;
        let breaks = breaks || meets(&mut state.lost_answers, verb);
        breaks || self.clock.elapsed_ms() < state.refusing_until_ms
    }

    /// The database answers at once, always, from now on.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.calls_left = None;
        state.refusing_until_ms = 0;
        state.silent_until_ms = 0;
        state.silence = None;
        state.slow_percent = 0;
        state.break_permille = 0;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Completes when the process has died.
    pub(crate) async fn died(&self) {
        while !self.is_dead() {
            self.died.notified().await;
        }
    }

    fn way(&self) -> Way {
        let mut state = self.state();
        if let Some(left) = &mut state.calls_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                state.dead = true;
                self.died.notify_one();
            }
        }
        if state.dead {
            return Way::Die;
        }
        if let Some((calls, ms)) = state.silence.take() {
            match calls {
                0 => state.silent_until_ms = self.clock.elapsed_ms() + ms.cast_signed(),
                _ => state.silence = Some((calls - 1, ms)),
            }
        }
        if self.clock.elapsed_ms() < state.refusing_until_ms {
            return Way::Refuse;
        }
        let slow = state.slow_percent;
        let silent_ms = u64::try_from(state.silent_until_ms - self.clock.elapsed_ms()).unwrap_or(0);
        let slow_ms = if state.random.percent(slow) { state.random.between(1, 30) } else { 0 };
        let delay_ms = slow_ms + silent_ms;
        Way::Pass { delay_ms }
    }
}

#[async_trait]
impl Gate for SimGate {
    async fn enter(&self, _verb: &'static str) -> Result<(), StoreError> {
        self.clock.note_activity();
        match self.way() {
            Way::Pass { delay_ms } => self.clock.pass_ms(delay_ms).await,
            Way::Refuse => return Err(StoreError::Unavailable("the simulation refuses".to_owned())),
            Way::Die => std::future::pending::<()>().await,
        }
        // It may have died while the call was on its way.
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn leave(&self, _verb: &'static str) {
        self.clock.note_activity();
        match self.way() {
            // What is done is done: an answer may come late, but it is never taken back.
            Way::Refuse => {}
            Way::Pass { delay_ms } => self.clock.pass_ms(delay_ms).await,
            Way::Die => std::future::pending::<()>().await,
        }
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}
