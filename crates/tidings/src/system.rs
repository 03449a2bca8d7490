//! The system's clock, randomness and limits.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tidings_domain::time::Timestamp;
use tidings_ports::{Clock, Entropy, clock::Sleep};

/// The system's clock, from its making on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock {
    started_at: Timestamp,
    started: Instant,
}

impl SystemClock {
    /// Takes the time from the wall clock, once.
    pub(crate) fn start() -> Self {
        Self::start_at(wall())
    }

    /// Takes it from a clock that several processes share.
    pub(crate) fn start_at(started_at: Timestamp) -> Self {
        Self { started_at, started: Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock that all others stand for")]
fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.started_at.plus_millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn wall(&self) -> Timestamp {
        wall()
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = Duration::from_millis(at.millis_since(clock.now()));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left).await;
            }
        })
    }
}

/// The system's randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("without random bytes nothing secret can be made");
    }
}

/// Allows as many open files as the system lets this process have: each connection is one.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(error = %error, "the limit of open files stays as it is");
    }
}
