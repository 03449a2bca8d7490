//! Time and randomness as parameters.

use std::{future::Future, pin::Pin};

use tidings_domain::time::Timestamp;

/// A wait that ends when the clock says so.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A wall clock that is off by less, in milliseconds, has not been set.
pub const STEP_MS_MIN: u64 = 1_000;

/// The one source of time (INV-CLOCK).
pub trait Clock: Send + Sync {
    /// Now, as everything that waits counts it: what the wall clock showed when the process
    /// started, and what has passed since. Whoever sets the wall clock does not move it.
    fn now(&self) -> Timestamp;

    /// What the wall clock shows: for receivers, for the record, and for people.
    fn wall(&self) -> Timestamp;

    /// Completes once [`Clock::now`] has reached `at`; at once if it already has.
    fn sleep_until(&self, at: Timestamp) -> Sleep;

    /// By how much the wall clock has been set since the process started, forward or back, in
    /// milliseconds. Less than [`STEP_MS_MIN`] is none: two clocks are never read at one moment.
    fn stepped_ms(&self) -> i64 {
        let apart_ms = self.wall().as_millis().saturating_sub(self.now().as_millis());
        if apart_ms.unsigned_abs() < STEP_MS_MIN { 0 } else { apart_ms }
    }
}

/// The one source of randomness: ids, secrets, keys, jitter.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes fit for secrets.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
