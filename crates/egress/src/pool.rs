//! Kept connections, by origin.
//!
//! A connection is kept only after its exchange is complete, so whatever is here is idle. Every
//! one was dialled to a checked address, and the policy never changes while the process runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::connection::Connection;

/// How many connections are kept, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Idle connections to one origin (scheme, host and port).
    pub idle_per_origin_max: usize,
    /// Idle connections in all. Each costs a socket and some 10 KiB.
    pub idle_total_max: usize,
    /// How long a connection may be idle. Less than what receivers commonly allow, so that it is
    /// seldom they who close it under a request.
    pub idle_age_max: Duration,
    /// How long a connection may be used at all, so that a change of DNS takes effect.
    pub connection_age_max: Duration,
}

impl Default for PoolLimits {
    fn default() -> PoolLimits {
        PoolLimits {
            idle_per_origin_max: 512,
            idle_total_max: 1_024,
            idle_age_max: Duration::from_secs(30),
            connection_age_max: Duration::from_secs(300),
        }
    }
}

/// The idle connections.
pub(crate) struct Pool {
    limits: PoolLimits,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    /// Oldest first. An origin whose connections are all in use keeps its place for a while.
    origins: HashMap<Box<str>, Vec<Idle>>,
    total: usize,
    reaping: bool,
}

struct Idle {
    connection: Box<Connection>,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Arc<Pool> {
        Arc::new(Pool { limits, shelf: Mutex::default() })
    }

    /// Takes the connection to the origin that was used last and is still open.
    pub(crate) fn take(&self, origin: &str, now: Instant) -> Option<Box<Connection>> {
        loop {
            let mut idle = self.lock().pop(origin)?;
            if self.is_fresh(&idle, now) && idle.connection.is_alive() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection whose exchange is complete, unless it is closed, still busy with an
    /// upload that the other side did not wait for, or too old.
    pub(crate) fn keep(self: &Arc<Self>, origin: &str, mut connection: Box<Connection>, now: Instant) {
        let idle_max = self.limits.idle_per_origin_max.min(self.limits.idle_total_max);
        let usable = connection.is_ready() || connection.is_alive();
        if idle_max == 0 || !usable {
            return;
        }
        let idle = Idle { connection, since: now };
        if !self.is_fresh(&idle, idle.since) {
            return;
        }
        let mut shelf = self.lock();
        // What is thrown out is dropped after the lock: closing sockets takes time.
        let thrown_out = shelf.make_room(origin, &self.limits);
        shelf.push(origin, idle, 2 * self.limits.idle_total_max);
        let start_reaper = !std::mem::replace(&mut shelf.reaping, true);
        drop(shelf);
        drop(thrown_out);
        if start_reaper {
            tokio::spawn(reap(Arc::downgrade(self), self.limits.idle_age_max));
        }
    }

    fn is_fresh(&self, idle: &Idle, now: Instant) -> bool {
        now.duration_since(idle.since) < self.limits.idle_age_max
            && now.duration_since(idle.connection.opened()) < self.limits.connection_age_max
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Nothing in here panics half-way through a change.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections that nobody takes any more. Ends when none is left, so that an idle
/// server has neither sockets nor timers, and is started again by the next connection kept.
async fn reap(pool: Weak<Pool>, interval: Duration) {
    loop {
        sleep(interval).await;
        let Some(pool) = pool.upgrade() else { return };
        let now = Instant::now();
        let mut shelf = pool.lock();
        let stale = shelf.remove_where(|idle| !pool.is_fresh(idle, now));
        let finished = shelf.total == 0;
        shelf.reaping = !finished;
        drop(shelf);
        drop(stale);
        if finished {
            return;
        }
    }
}

impl Shelf {
    fn pop(&mut self, origin: &str) -> Option<Idle> {
        let idle = self.origins.get_mut(origin)?.pop()?;
        self.total -= 1;
        Some(idle)
    }

    fn push(&mut self, origin: &str, idle: Idle, origins_max: usize) {
        self.total += 1;
        if let Some(kept) = self.origins.get_mut(origin) {
            return kept.push(idle);
        }
        if self.origins.len() >= origins_max {
            self.origins.retain(|_, kept| !kept.is_empty());
        }
        self.origins.insert(origin.into(), vec![idle]);
    }

    /// Takes out the oldest of this origin, or else of all, when the next would be one too many.
    fn make_room(&mut self, origin: &str, limits: &PoolLimits) -> Option<Idle> {
        let kept = self.origins.get(origin).map_or(0, Vec::len);
        let oldest = if kept >= limits.idle_per_origin_max {
            self.origins.get_mut(origin)
        } else if self.total >= limits.idle_total_max {
            // Not many to look at, and only when the pool is full.
            let occupied = self.origins.values_mut().filter(|kept| !kept.is_empty());
            occupied.min_by_key(|kept| kept[0].since)
        } else {
            None
        };
        let removed = oldest?.remove(0);
        self.total -= 1;
        Some(removed)
    }

    fn remove_where(&mut self, stale: impl Fn(&Idle) -> bool) -> Vec<Idle> {
        let mut removed = Vec::new();
        self.origins.retain(|_, kept| {
            removed.extend(kept.extract_if(.., |idle| stale(idle)));
            !kept.is_empty()
        });
        self.total -= removed.len();
        removed
    }
}
