//! Commands that do not run beside themselves: who waits for whom.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_domain::{
    command::{Command, Concurrency},
    ids::CommandId,
    time::Timestamp,
};
use tidings_ports::Clock;
use tokio::sync::oneshot;

/// Runs of one command that may wait for another one of it.
const WAITING_MAX: usize = 100;
/// How long one may wait, in milliseconds: a little longer than the longest run.
pub(super) const WAIT_MS: u64 = 30_000;

/// What is said to whoever waits.
enum Said {
    Begin(Turn),
    Superseded,
}

/// Those who wait for the one that runs, in the order in which they came.
type Waiting = VecDeque<oneshot::Sender<Said>>;

/// A line for each command that runs and does not run beside itself.
#[derive(Default)]
pub(super) struct Lines(Arc<Mutex<HashMap<CommandId, Waiting>>>);

/// The right to run, until it is dropped.
pub(super) struct Turn {
    lines: Arc<Mutex<HashMap<CommandId, Waiting>>>,
    id: CommandId,
    /// Whether it was given on.
    gone: bool,
}

/// What became of the wish to run.
pub(super) enum Admitted {
    /// Nobody has to wait for anybody.
    Beside,
    /// It may run, having waited or not.
    Turn { turn: Turn, waited: bool },
    /// One that was asked for later takes its place.
    Superseded,
    /// Too many wait, or it took too long.
    Busy,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<CommandId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the command may run.
    pub(super) async fn admit(&self, command: &Command, clock: &dyn Clock) -> Admitted {
        if command.concurrency == Concurrency::Parallel {
            return Admitted::Beside;
        }
        let told = {
            let mut lines = self.lock();
            let Some(waiting) = lines.get_mut(&command.id) else {
                lines.insert(command.id, VecDeque::new());
                return Admitted::Turn { turn: self.turn(command.id), waited: false };
            };
            if command.concurrency == Concurrency::Latest {
                waiting.drain(..).for_each(|earlier| drop(earlier.send(Said::Superseded)));
            }
            waiting.retain(|one| !one.is_closed());
            if waiting.len() >= WAITING_MAX {
                return Admitted::Busy;
            }
            let (tell, told) = oneshot::channel();
            waiting.push_back(tell);
            told
        };
        let until: Timestamp = clock.now().plus_millis(WAIT_MS);
        tokio::select! {
            biased;
            said = told => match said {
                Ok(Said::Begin(turn)) => Admitted::Turn { turn, waited: true },
                Ok(Said::Superseded) => Admitted::Superseded,
                Err(_) => Admitted::Busy,
            },
            () = clock.sleep_until(until) => Admitted::Busy,
        }
    }

    fn turn(&self, id: CommandId) -> Turn {
        Turn { lines: Arc::clone(&self.0), id, gone: false }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(next) = lines.get_mut(&self.id).and_then(VecDeque::pop_front) {
            let turn = Turn { lines: Arc::clone(&self.lines), id: self.id, gone: false };
            match next.send(Said::Begin(turn)) {
                Ok(()) => return,
                // Whoever waited has gone away; the lock is held here.
                Err(Said::Begin(mut turn)) => turn.gone = true,
                Err(Said::Superseded) => {}
            }
        }
        lines.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use tidings_domain::ids::ProjectId;
    use tidings_fakes::ManualClock;

    use super::*;

    fn command(concurrency: Concurrency) -> Command {
        let at = Timestamp::from_millis(0);
        Command {
            id: CommandId::from_parts(1, 1),
            project_id: ProjectId::from_parts(1, 1),
            name: "/one".to_owned().try_into().expect("a name"),
            code: String::new(),
            timeout_ms: 1_000,
            concurrency,
            schedule: None,
            next_run_at: None,
            revision: 1,
            updated_at: at,
        }
    }

    /// Whoever wants to run; looked at by hand.
    struct Wish<'a>(std::pin::Pin<Box<dyn Future<Output = Admitted> + 'a>>);

    impl Wish<'_> {
        fn look(&mut self) -> Option<Admitted> {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            match self.0.as_mut().poll(&mut context) {
                std::task::Poll::Ready(admitted) => Some(admitted),
                std::task::Poll::Pending => None,
            }
        }

        fn turn(&mut self) -> Option<Turn> {
            match self.look() {
                Some(Admitted::Turn { turn, .. }) => Some(turn),
                _ => None,
            }
        }
    }

    #[test]
    fn one_at_a_time_they_run_in_the_order_in_which_they_came() {
        let (lines, clock) = (Lines::default(), ManualClock::at(Timestamp::from_millis(0)));
        let command = command(Concurrency::OneAtATime);
        let wish = || Wish(Box::pin(lines.admit(&command, &clock)));
        let (mut first, mut second, mut third, mut fourth) = (wish(), wish(), wish(), wish());
        let turn = first.turn().expect("nobody runs");
        assert!(second.look().is_none() && third.look().is_none() && fourth.look().is_none());
        drop(turn);
        let turn = second.turn().expect("it is next");
        assert!(third.look().is_none());
        // Whoever goes away is passed over.
        drop(third);
        drop(turn);
        drop(fourth.turn().expect("it is next"));
        assert!(lines.lock().is_empty(), "nobody is remembered");
        drop(wish().turn().expect("nobody runs"));
    }

    #[test]
    fn of_those_that_wait_the_latest_stays() {
        let (lines, clock) = (Lines::default(), ManualClock::at(Timestamp::from_millis(0)));
        let command = command(Concurrency::Latest);
        let wish = || Wish(Box::pin(lines.admit(&command, &clock)));
        let (mut first, mut second, mut third) = (wish(), wish(), wish());
        let turn = first.turn().expect("nobody runs");
        assert!(second.look().is_none() && third.look().is_none());
        assert!(matches!(second.look(), Some(Admitted::Superseded)));
        drop(turn);
        drop(third.turn().expect("it is next"));
        assert!(lines.lock().is_empty());
    }

    #[test]
    fn inv_bounded_nobody_waits_for_ever_and_not_too_many_wait() {
        let (lines, clock) = (Lines::default(), ManualClock::at(Timestamp::from_millis(0)));
        let command = command(Concurrency::OneAtATime);
        let wish = || Wish(Box::pin(lines.admit(&command, &clock)));
        let _turn = wish().turn().expect("nobody runs");
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| wish()).collect();
        assert!(waiting.iter_mut().all(|wish| wish.look().is_none()));
        assert!(matches!(wish().look(), Some(Admitted::Busy)));
        clock.advance_ms(WAIT_MS);
        assert!(waiting.iter_mut().all(|wish| matches!(wish.look(), Some(Admitted::Busy))));
    }
}
