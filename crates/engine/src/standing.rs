//! How this process stands among others that share its store: until when it may use what it has in memory, and
//! whether it does what only one of them may do.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tidings_domain::time::Timestamp;
use tidings_ports::Clock;
use tokio::sync::Notify;

/// Whoever shares its store asks it here before it relies on memory. The only process that uses a store always may.
pub struct Standing {
    clock: Arc<dyn Clock>,
    /// Up to here nobody takes its leases, and whoever changes the configuration waits for it.
    until: AtomicI64,
    leads_until: AtomicI64,
    /// Grows whenever what is in memory may be out of date.
    configuration: AtomicU64,
    /// Grows whenever all leases were lost.
    term: AtomicU64,
    alive: AtomicU32,
    /// Restored from a backup: nothing is sent, and nothing done by itself, before somebody says so.
    restored: AtomicBool,
    changed: Notify,
}

/// For ever.
const ALWAYS: i64 = i64::MAX;
/// The part of a lease by which this process's clock may go slower than the database's: others count by that one.
const DRIFT_SHARE: u64 = 100;
/// For never.
const NEVER: i64 = i64::MIN;

impl Standing {
    /// Of the only process.
    pub(crate) fn alone(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, ALWAYS, ALWAYS)
    }

    /// Of one among several, before its first beat.
    pub(crate) fn among_others(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, NEVER, NEVER)
    }

    fn new(clock: Arc<dyn Clock>, until: i64, leads_until: i64) -> Self {
        Self {
            clock,
            until: AtomicI64::new(until),
            leads_until: AtomicI64::new(leads_until),
            configuration: AtomicU64::new(0),
            term: AtomicU64::new(0),
            alive: AtomicU32::new(1),
            restored: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// Whether what it has in memory and what it has leased is still good.
    pub fn holds(&self) -> bool {
        self.before(&self.until)
    }

    /// Whether it does what only one process may do.
    pub fn leads(&self) -> bool {
        self.may_send() && self.is_leader()
    }

    /// The same, whether it may do anything or not.
    fn is_leader(&self) -> bool {
        self.before(&self.leads_until)
    }

    /// Whether anything may be sent. A restored instance may not before somebody says so: the one whose backup it was
    /// may be alive.
    pub fn may_send(&self) -> bool {
        !self.restored.load(Ordering::SeqCst)
    }

    /// It was restored.
    pub(crate) fn hold(&self) {
        self.restored.store(true, Ordering::SeqCst);
    }

    /// It may send. Returns whether it leads now, and did nothing before.
    pub(crate) fn release(&self) -> bool {
        let held = self.restored.swap(false, Ordering::SeqCst);
        self.changed.notify_waiters();
        held && self.is_leader()
    }

    fn before(&self, until: &AtomicI64) -> bool {
        let until = until.load(Ordering::SeqCst);
        until == ALWAYS || self.clock.now().as_millis() < until
    }

    /// Changes whenever what is kept in memory has to be forgotten.
    pub fn configuration(&self) -> u64 {
        self.configuration.load(Ordering::SeqCst)
    }

    /// Processes that are alive.
    pub fn alive(&self) -> u32 {
        self.alive.load(Ordering::SeqCst)
    }

    /// Changes whenever all leases were lost.
    pub(crate) fn term(&self) -> u64 {
        self.term.load(Ordering::SeqCst)
    }

    /// Whether what was leased under a term is still good.
    pub(crate) fn holds_under(&self, term: u64) -> bool {
        self.holds() && self.term() == term
    }

    /// Completes when its leases are good again. False: they were lost meanwhile.
    pub(crate) async fn held_again(&self, term: u64) -> bool {
        self.until_so(|| self.holds() || self.term() != term).await;
        self.term() == term
    }

    /// Completes when it is the one that leads.
    pub(crate) async fn led(&self) {
        self.until_so(|| self.leads()).await;
    }

    async fn until_so(&self, holds: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    /// The process ends: whatever still waits in it starts nothing more.
    pub(crate) fn end(&self) {
        self.until.store(NEVER, Ordering::SeqCst);
        self.leads_until.store(NEVER, Ordering::SeqCst);
    }

    /// Everything in memory is to be forgotten that a change of configuration may concern.
    pub(crate) fn forget(&self) {
        self.configuration.fetch_add(1, Ordering::SeqCst);
    }

    /// All leases were lost.
    pub(crate) fn lost(&self) {
        self.term.fetch_add(1, Ordering::SeqCst);
    }

    /// A beat was answered that was sent at `sent`. Returns whether this process leads from now on, and did not before.
    pub(crate) fn beaten(&self, sent: Timestamp, lease: Duration, (leads, alive): (bool, u32)) -> bool {
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let until = sent.plus_millis(lease_ms - lease_ms / DRIFT_SHARE).as_millis();
        let led = self.is_leader();
        self.until.store(until, Ordering::SeqCst);
        self.leads_until.store(if leads { until } else { NEVER }, Ordering::SeqCst);
        self.alive.store(alive.max(1), Ordering::SeqCst);
        self.changed.notify_waiters();
        leads && !led
    }
}

/// Cuts off what takes longer than a lease lasts: whoever waits for it would not know how it stands.
pub(crate) async fn within<T>(clock: &Arc<dyn Clock>, ms: u64, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = clock.sleep_until(clock.now().plus_millis(ms)) => None,
    }
}
