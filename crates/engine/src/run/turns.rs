//! Commands that do not run beside themselves, also not in another process.

use tidings_domain::{
    command::{Command, Concurrency},
    time::Timestamp,
};
use tidings_ports::store::{StoreError, Turn, TurnTaken};

use crate::Engine;

/// How often one looks whether it is its turn, in milliseconds.
const LOOK_MS: u64 = 100;
/// How often one tries to say that a turn is over: others wait for it.
const LEAVE_TRIES_MAX: u32 = 5;

/// What became of the wish to run, among all processes.
pub(super) enum Place {
    /// It may run; what is taken has to be left.
    Mine(Option<Turn>),
    /// One that was asked for later takes its place.
    Superseded,
    /// It took too long.
    Busy,
}

impl Engine {
    /// What a run has to take in turn with those of other processes, as of now; `None`: there are none, or it runs
    /// beside them.
    pub(super) fn turn(&self, command: &Command) -> Option<Turn> {
        let among_others = command.concurrency != Concurrency::Parallel && self.store.joined().is_some();
        among_others.then(|| Turn {
            command_id: command.id,
            ticket: self.ids.run().sequence(),
            supersedes: command.concurrency == Concurrency::Latest,
        })
    }

    /// Waits until the command may run.
    pub(super) async fn take_turn(&self, turn: Option<Turn>, until: Timestamp) -> Result<Place, StoreError> {
        let Some(turn) = turn else { return Ok(Place::Mine(None)) };
        let mut is_new = true;
        loop {
            match self.store.take_turn(turn, is_new).await? {
                TurnTaken::Mine => return Ok(Place::Mine(Some(turn))),
                TurnTaken::Gone if turn.supersedes => return Ok(Place::Superseded),
                TurnTaken::Gone => return Ok(Place::Busy),
                TurnTaken::Waits if self.clock.now() >= until => {
                    self.leave_turn(Some(turn)).await;
                    return Ok(Place::Busy);
                }
                TurnTaken::Waits => self.clock.sleep_until(self.clock.now().plus_millis(LOOK_MS)).await,
            }
            is_new = false;
        }
    }

    /// The next one may run.
    pub(super) async fn leave_turn(&self, turn: Option<Turn>) {
        let Some(turn) = turn else { return };
        for _ in 0..LEAVE_TRIES_MAX {
            let Err(error) = self.store.leave_turn(turn).await else { return };
            tracing::warn!(error = %error, "the end of a command's turn could not be noted yet");
            self.clock.sleep_until(self.clock.now().plus_millis(LOOK_MS)).await;
        }
    }
}
