//! Commands that do not run beside themselves, also not in another process.

use tidings_domain::{
    command::{Command, Concurrency},
    time::Timestamp,
};
use tidings_ports::store::{StoreError, Turn, TurnTaken};

use crate::Engine;

/// How often one looks whether it is its turn, in milliseconds.
const LOOK_MS: u64 = 100;

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
            let taken = match self.store.take_turn(turn, is_new).await {
                Ok(taken) => taken,
                // It may have been taken all the same.
                Err(error) => {
                    self.leave_turn(Some(turn)).await;
                    return Err(error);
                }
            };
            match taken {
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

    /// The next one may run: now, or once the store answers again.
    pub(super) async fn leave_turn(&self, turn: Option<Turn>) {
        if let Some(turn) = turn
            && self.store.leave_turn(turn).await.is_err()
        {
            self.running.left().push(turn);
        }
    }

    /// Gives up what could not be given up before; with each beat.
    pub(crate) async fn leave_turns(&self) {
        let left = std::mem::take(&mut *self.running.left());
        for turn in left {
            self.leave_turn(Some(turn)).await;
        }
    }
}
