//! Which source is to be filled when. In memory: a new process asks for all of them at once, for it
//! does not know how long there was none.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidings_domain::{ids::SourceId, time::Timestamp};
use tidings_ports::store::SourceToFill;
use tokio::sync::Notify;

use super::round::Round;

/// Rounds that are kept while their providers want them to wait, each of which may hold some
/// megabytes; others begin anew.
const WAITING_ROUNDS_MAX: usize = 16;
/// The first wait after a round that failed, in milliseconds; it doubles with every further one.
const FAILED_MS: u64 = 60_000;
/// The longest one.
const FAILED_MS_MAX: u64 = 3_600_000;
/// A provider that is in trouble is reported when it failed so often in a row; one that refuses, at once.
const REPORTED_FAILURES: u32 = 3;

/// Sources that are filled, and when.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<State>,
    /// Somebody has something to do, or another time to wait for.
    wake: Notify,
    /// Something came to its end.
    ended: Notify,
}

struct State {
    /// Whether sources have changed since they were read.
    stale: bool,
    reading: bool,
    plans: BTreeMap<SourceId, Plan>,
}

impl Default for State {
    fn default() -> Self {
        Self { stale: true, reading: false, plans: BTreeMap::new() }
    }
}

struct Plan {
    revision: u32,
    due_at: Timestamp,
    running: bool,
    /// Asked for once more before the last round had ended.
    again: bool,
    /// Its settings have changed while a round was running by the former ones.
    outdated: bool,
    /// It asks no more, and its round has not noticed yet.
    gone: bool,
    failures: u32,
    reported: bool,
    /// A round that waits for its provider.
    round: Option<Box<Round>>,
}

impl Plan {
    fn new(revision: u32, due_at: Timestamp) -> Self {
        Self {
            revision,
            due_at,
            running: false,
            again: false,
            outdated: false,
            gone: false,
            failures: 0,
            reported: false,
            round: None,
        }
    }

    fn view(&self, now: Timestamp) -> FillView {
        let running = self.running || self.round.is_some() || self.again || self.due_at <= now;
        FillView { running, next_run_at: (!self.running).then_some(self.due_at) }
    }

    /// Has it run as soon as it may. Who waits for a provider goes on waiting.
    fn ask(&mut self, now: Timestamp) {
        match self.running || self.round.is_some() {
            true => self.again = true,
            false => self.due_at = now,
        }
    }
}

/// What is to be done next.
pub(super) enum Next {
    /// Read which sources there are.
    Read,
    /// Fill this source: go on with a round, or begin one.
    Fill(SourceId, Option<Box<Round>>),
    /// Nothing before this time, or before somebody says so.
    Wait(Option<Timestamp>),
}

/// How a round has left its source.
pub(super) enum Left {
    /// Nothing is missing; the next round is in so many milliseconds.
    Filled(u64),
    /// There is more, which the next round gets.
    More,
    /// The provider wants it to wait.
    Waits(Timestamp, Box<Round>),
    /// It failed, and is tried again later and later.
    Failed,
    /// The source does not ask any more.
    Gone,
}

/// What is under way about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FillView {
    /// Whether a round is under way, or is to begin.
    pub running: bool,
    /// When the next question may be asked.
    pub next_run_at: Option<Timestamp>,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sources were made, changed or deleted.
    pub(crate) fn sources_changed(&self) {
        self.state().stale = true;
        self.wake.notify_one();
    }

    /// Somebody wants a source filled now.
    pub(super) fn ask(&self, id: SourceId, now: Timestamp) {
        let mut state = self.state();
        match state.plans.get_mut(&id) {
            Some(plan) => plan.ask(now),
            // It is new, and begins at once.
            None => state.stale = true,
        }
        drop(state);
        self.wake.notify_one();
    }

    /// Whether a round may go on: its source still asks, and as it did when the round began.
    pub(super) fn goes_on(&self, id: SourceId) -> bool {
        self.state().plans.get(&id).is_some_and(|plan| !plan.gone && !plan.outdated)
    }

    /// Whether a round is to let others go before: somebody waits, and there is room to keep it meanwhile.
    pub(super) fn should_yield(&self, now: Timestamp) -> bool {
        let state = self.state();
        let kept = state.plans.values().filter(|plan| plan.round.is_some()).count();
        kept < WAITING_ROUNDS_MAX && state.plans.values().any(|plan| !plan.running && plan.due_at <= now)
    }

    pub(super) fn next(&self, now: Timestamp) -> Next {
        let mut state = self.state();
        if state.stale && !state.reading {
            (state.stale, state.reading) = (false, true);
            return Next::Read;
        }
        let waiting = state.plans.iter_mut().filter(|(_, plan)| !plan.running);
        let Some((&id, plan)) = waiting.min_by_key(|(_, plan)| plan.due_at) else { return Next::Wait(None) };
        if plan.due_at > now {
            return Next::Wait(Some(plan.due_at));
        }
        plan.running = true;
        // Another one may be due, and whoever waits for this one waits for the wrong time.
        self.wake.notify_one();
        Next::Fill(id, plan.round.take())
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// These are all sources that ask; `None`: they could not be read.
    pub(super) fn read(&self, sources: Option<Vec<SourceToFill>>, now: Timestamp) {
        let mut state = self.state();
        state.reading = false;
        match sources {
            None => state.stale = true,
            Some(sources) => {
                let mut former = std::mem::take(&mut state.plans);
                for SourceToFill { id, revision } in sources {
                    let mut plan = former.remove(&id).unwrap_or_else(|| Plan::new(revision, now));
                    if std::mem::take(&mut plan.gone) || plan.revision != revision {
                        // What a round has begun with may be wrong now, and so may be the reason to wait.
                        (plan.revision, plan.round, plan.failures, plan.reported) = (revision, None, 0, false);
                        plan.outdated = plan.running;
                        plan.ask(now);
                    }
                    state.plans.insert(id, plan);
                }
                // A round of theirs ends at its next step; until then no other may begin.
                for (id, plan) in former.into_iter().filter(|(_, plan)| plan.running) {
                    state.plans.insert(id, Plan { gone: true, again: false, ..plan });
                }
            }
        }
        drop(state);
        self.ended.notify_waiters();
        self.wake.notify_one();
    }

    /// Whether a round's failure is to be reported; it is then taken to be.
    pub(super) fn is_to_be_reported(&self, id: SourceId, refused: bool) -> bool {
        let mut state = self.state();
        let Some(plan) = state.plans.get_mut(&id) else { return false };
        let report = !plan.reported && (refused || plan.failures + 1 >= REPORTED_FAILURES);
        plan.reported |= report;
        report
    }

    /// A round has come to an end, or has to wait.
    pub(super) fn left(&self, id: SourceId, left: Left, now: Timestamp) {
        let mut state = self.state();
        let waiting = state.plans.values().filter(|plan| plan.round.is_some()).count();
        if state.plans.get(&id).is_some_and(|plan| plan.gone) {
            state.plans.remove(&id);
        } else if let Some(plan) = state.plans.get_mut(&id) {
            plan.running = false;
            let (asked, outdated) = (std::mem::take(&mut plan.again), std::mem::take(&mut plan.outdated));
            match left {
                _ if outdated => plan.due_at = now,
                Left::Filled(wait_ms) => {
                    (plan.failures, plan.reported) = (0, false);
                    plan.due_at = if asked { now } else { now.plus_millis(wait_ms) };
                }
                Left::More => plan.due_at = now,
                Left::Waits(until, round) => {
                    (plan.due_at, plan.again) = (until, asked);
                    plan.round = (waiting < WAITING_ROUNDS_MAX).then_some(round);
                }
                Left::Failed => {
                    plan.failures = plan.failures.saturating_add(1);
                    let wait_ms = (FAILED_MS << (plan.failures - 1).min(16)).min(FAILED_MS_MAX);
                    plan.due_at = if asked { now } else { now.plus_millis(wait_ms) };
                }
                Left::Gone => _ = state.plans.remove(&id),
            }
        }
        drop(state);
        self.ended.notify_waiters();
    }

    pub(super) fn view(&self, id: SourceId, now: Timestamp) -> FillView {
        let state = self.state();
        match state.plans.get(&id).filter(|plan| !plan.gone) {
            Some(plan) => plan.view(now),
            None => FillView { running: state.stale || state.reading, next_run_at: None },
        }
    }

    pub(super) fn views(&self, now: Timestamp) -> BTreeMap<SourceId, FillView> {
        self.state().plans.iter().map(|(&id, plan)| (id, plan.view(now))).collect()
    }

    /// Whether there is something to do before the clock moves on.
    pub(crate) fn is_busy(&self, now: Timestamp) -> bool {
        let state = self.state();
        state.stale || state.reading || state.plans.values().any(|plan| plan.running || plan.due_at <= now)
    }

    /// Completes when there is not.
    pub(crate) async fn done(&self, now: Timestamp) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if !self.is_busy(now) {
                return;
            }
            ended.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn id(number: i64) -> SourceId {
        SourceId::from_parts(number, 1)
    }

    fn read(board: &Board, sources: &[(i64, u32)]) {
        board.sources_changed();
        assert!(matches!(board.next(NOW), Next::Read));
        let sources = sources.iter().map(|&(number, revision)| SourceToFill { id: id(number), revision }).collect();
        board.read(Some(sources), NOW);
    }

    fn begins(board: &Board, number: i64) -> bool {
        matches!(board.next(NOW), Next::Fill(begun, _) if begun == id(number))
    }

    #[test]
    fn whoever_asks_for_a_source_that_nobody_has_read_yet_has_it_read() {
        let board = Board::default();
        board.ask(id(1), NOW);
        assert!(matches!(board.next(NOW), Next::Read));
        board.read(Some(vec![SourceToFill { id: id(1), revision: 1 }]), NOW);
        assert!(begins(&board, 1));
    }

    #[test]
    fn a_source_that_is_gone_ends_its_round_and_has_never_two_at_once() {
        let board = Board::default();
        read(&board, &[(1, 1)]);
        assert!(begins(&board, 1) && board.goes_on(id(1)));
        read(&board, &[]);
        assert!(!board.goes_on(id(1)), "it was deleted, or does not ask any more");
        // It asks again before the former round has noticed.
        read(&board, &[(1, 2)]);
        assert!(!board.goes_on(id(1)), "that round is one of former settings");
        assert!(matches!(board.next(NOW), Next::Wait(None)), "no second one begins beside it");
        board.left(id(1), Left::Filled(300_000), NOW);
        assert!(begins(&board, 1));
        assert!(board.goes_on(id(1)));

        read(&board, &[]);
        board.left(id(1), Left::Filled(300_000), NOW);
        assert!(matches!(board.next(NOW), Next::Wait(None)) && !board.is_busy(NOW));
    }

    #[test]
    fn rounds_make_room_for_who_waits() {
        let board = Board::default();
        read(&board, &[(1, 1), (2, 1)]);
        assert!(begins(&board, 1) && board.should_yield(NOW));
        assert!(begins(&board, 2) && !board.should_yield(NOW), "nobody waits any more");
    }
}
