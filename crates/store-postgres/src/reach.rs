//! Whether the database answers at all.
//!
//! One that is gone says so: connections are refused or break. One that stands still, or a network that swallows what
//! is sent, says nothing. So beats, which go out all the time over connections of their own, are what everybody else
//! listens to: if nothing has been answered for a while since one of them asked, nobody waits any longer.

use std::{
    pin::pin,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use tidings_ports::store::StoreError;
use tokio::time::{Instant, timeout};

use crate::error::store_error;

/// So long without any answer to anybody, and the database is out of reach.
const SILENCE: Duration = Duration::from_secs(5);
/// How long one waits for an answer while others get theirs: longer than any statement may run there.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long what others listen to may take: it is answered at once if anything is.
const PATIENCE_OF_BEATS: Duration = Duration::from_secs(3);
/// How often whoever waits looks whether anybody else got an answer.
const LOOK: Duration = Duration::from_millis(250);

/// What is known of the database.
#[derive(Debug)]
pub(crate) struct Reach {
    begun: Instant,
    /// Since when somebody has been waiting, in milliseconds since it began; 0: nobody.
    asked: AtomicU64,
    /// What was put where a crash of the database removes it; see [`TransactionId`].
    ///
    /// [`TransactionId`]: tidings_store_sql::TransactionId
    witness: AtomicI64,
}

/// How somebody waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting<'a> {
    pub(crate) reach: &'a Reach,
    patience: Duration,
    /// Whether others that are not answered either are a reason to give up.
    heeds_silence: bool,
}

/// There is no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// What came instead.
    Said(tokio_postgres::Error),
    /// Nothing came.
    Silent,
}

impl Reach {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), asked: AtomicU64::new(0), witness: AtomicI64::new(0) }
    }

    /// Waits as long as there is hope.
    pub(crate) fn hopeful(&self) -> Waiting<'_> {
        Waiting { reach: self, patience: PATIENCE, heeds_silence: true }
    }

    /// Asks something that is answered at once if anything is, whatever others wait for.
    pub(crate) fn beating(&self) -> Waiting<'_> {
        let _ = self.asked.compare_exchange(0, self.now_ms(), Ordering::SeqCst, Ordering::SeqCst);
        Waiting { reach: self, patience: PATIENCE_OF_BEATS, heeds_silence: false }
    }

    pub(crate) fn witness(&self) -> i64 {
        self.witness.load(Ordering::SeqCst)
    }

    pub(crate) fn set_witness(&self, id: i64) {
        self.witness.store(id, Ordering::SeqCst);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// There was an answer.
    fn heard(&self) {
        self.asked.store(0, Ordering::SeqCst);
    }

    fn is_silent(&self) -> bool {
        match self.asked.load(Ordering::SeqCst) {
            0 => false,
            asked => self.now_ms().saturating_sub(asked) > u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Refuses at once what would wait in vain.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.is_silent() {
            true => Err(Lost::Silent.into()),
            false => Ok(()),
        }
    }
}

impl Waiting<'_> {
    /// Waits for an answer.
    pub(crate) async fn answer<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Lost> {
        let mut answer = pin!(answer);
        let begun = Instant::now();
        loop {
            match timeout(LOOK, &mut answer).await {
                Ok(Ok(answer)) => {
                    self.reach.heard();
                    return Ok(answer);
                }
                Ok(Err(error)) => {
                    if error.as_db_error().is_some() {
                        self.reach.heard();
                    }
                    return Err(Lost::Said(error));
                }
                Err(_) if self.heeds_silence && self.reach.is_silent() => return Err(Lost::Silent),
                Err(_) if begun.elapsed() > self.patience => return Err(Lost::Silent),
                Err(_) => {}
            }
        }
    }
}

impl From<Lost> for StoreError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Said(error) => store_error(&error),
            Lost::Silent => Self::Unavailable("the database does not answer".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gives_up_once_nobody_is_answered() {
        let reach = Reach::new();
        reach.beating();
        let begun = Instant::now();
        let lost = reach.hopeful().answer(std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(lost, Err(Lost::Silent)));
        assert!(begun.elapsed() <= SILENCE + LOOK * 2, "{:?}", begun.elapsed());
        assert!(reach.check().is_err(), "nobody tries in vain");
        reach.beating();
        reach.heard();
        assert!(reach.check().is_ok(), "one answer is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_statement_is_waited_for_while_others_are_answered_and_not_for_ever() {
        let reach = Reach::new();
        let others = async {
            loop {
                reach.beating();
                tokio::time::sleep(Duration::from_millis(200)).await;
                reach.heard();
            }
        };
        let begun = Instant::now();
        let waiting = reach.hopeful();
        let lost = tokio::select! {
            lost = waiting.answer(std::future::pending::<Result<(), _>>()) => lost,
            () = others => unreachable!("they go on"),
        };
        assert!(matches!(lost, Err(Lost::Silent)));
        assert!(begun.elapsed() > PATIENCE && begun.elapsed() < PATIENCE + LOOK * 3, "{:?}", begun.elapsed());
    }
}
