//! An instance that was restored from a backup: it takes everything in and sends nothing before its operator says so.
//!
//! Whoever restores a backup to look at it, or while the old instance still runs somewhere, must not send a second time
//! what that one has sent. So a restore leaves a mark in the store, and as long as it is there nothing goes out, and
//! nothing begins by itself: no deliveries, jobs, schedules, gap filling, requests of commands, reports.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tidings_domain::{
    target::{Refusal, TargetUrl},
    time::Timestamp,
};
use tidings_ports::{
    Sender,
    sender::{Exchange, FailureKind, OutgoingRequest, SendFailure, Timing},
    store::{RESTORED, Store, StoreError},
};

use crate::{Engine, Standing, dispatch::Dispatcher};

/// How often one looks whether another process was told that it may send, in milliseconds.
const LOOK_MS: u64 = 1_000;
/// What a request says that did not go out.
const HELD: &str = "this instance was restored from a backup and sends nothing before its operator says so; `tidings \
                    resume` lets it go";

/// What a store remembers of its restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When it was restored, in milliseconds.
    pub at_ms: i64,
    /// Of which moment everything is, in milliseconds.
    pub taken_at_ms: i64,
}

impl Restored {
    /// When it was restored.
    pub fn at(self) -> Timestamp {
        Timestamp::from_millis(self.at_ms)
    }

    /// Of which moment everything is.
    pub fn taken_at(self) -> Timestamp {
        Timestamp::from_millis(self.taken_at_ms)
    }
}

/// Has an instance that was restored send nothing; returns what is known about that.
pub(crate) async fn hold(
    store: &dyn Store,
    standing: &Standing,
    dispatcher: &Arc<Dispatcher>,
) -> Result<Option<Restored>, StoreError> {
    let Some(mark) = store.find_remembered(RESTORED).await? else { return Ok(None) };
    standing.hold();
    dispatcher.set_quiet(true);
    // A mark that cannot be read is one all the same.
    let restored = serde_json::from_slice(&mark).unwrap_or(Restored { at_ms: 0, taken_at_ms: 0 });
    tracing::warn!("{HELD}");
    Ok(Some(restored))
}

impl Engine {
    /// Since when it is held, if it is.
    pub fn restored(&self) -> Option<Restored> {
        self.restored.filter(|_| !self.standing.may_send())
    }

    /// Lets it send, through a store that knows who says so.
    pub async fn resume(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.forget_remembered(RESTORED).await?;
        self.release();
        Ok(())
    }

    fn release(&self) {
        if self.standing.may_send() {
            return;
        }
        tracing::info!("this instance sends from now on");
        let leads = self.standing.release();
        self.dispatcher.set_quiet(false);
        if leads {
            self.lead();
        }
    }

    /// Another process that shares the store may be the one that is told.
    pub(crate) async fn run_held(self: Arc<Self>) {
        while !self.standing.may_send() {
            self.clock.sleep_until(self.clock.now().plus_millis(LOOK_MS)).await;
            match self.store.find_remembered(RESTORED).await {
                Ok(None) => self.release(),
                Err(StoreError::Closed) => return,
                Ok(Some(_)) | Err(_) => {}
            }
        }
    }
}

/// The way out of an instance that is held: closed, whatever wants to go through it.
pub(crate) struct HeldSender {
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) standing: Arc<Standing>,
}

#[async_trait]
impl Sender for HeldSender {
    async fn send(&self, request: OutgoingRequest) -> Exchange {
        if self.standing.may_send() {
            return self.sender.send(request).await;
        }
        let failure = SendFailure { kind: FailureKind::Refused, message: HELD.to_owned() };
        Exchange { result: Err(failure), timing: Timing::default() }
    }

    async fn check(&self, url: &TargetUrl) -> Result<(), Refusal> {
        self.sender.check(url).await
    }
}
