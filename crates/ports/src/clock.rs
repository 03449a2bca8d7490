//! Time and randomness as parameters.

use std::{future::Future, pin::Pin};

use tidings_domain::time::Timestamp;

/// A wait that ends when the clock says so.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The one source of time (INV-CLOCK).
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Completes once [`Clock::now`] has reached `at`; at once if it already has.
    fn sleep_until(&self, at: Timestamp) -> Sleep;
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
