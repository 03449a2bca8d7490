//! The breaker: how much a webhook that only fails is still asked.
//!
//! An open breaker never ends or skips an attempt: what the schedule promises is kept, only later
//! and one request at a time. A dead receiver then costs one connection now and then instead of
//! as many as it has deliveries pending.

use crate::time::Timestamp;

/// Consecutive failures that open the breaker. Above the attempts of the profiles' short
/// schedules, so that a single failing delivery is tried exactly as its schedule says.
pub const FAILURES_TO_OPEN: u32 = 12;
/// Pause after the breaker opened, in milliseconds; doubles with every failing probe.
pub const PAUSE_MS_MIN: u64 = 1_000;
/// The longest pause between probes, in milliseconds.
pub const PAUSE_MS_MAX: u64 = 30_000;

/// State of one webhook's breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    consecutive_failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    until: Timestamp,
    pause_ms: u64,
}

/// What the breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Everything.
    Open,
    /// One request at a time.
    OneProbe,
    /// Nothing before this time.
    NotBefore(Timestamp),
}

impl Breaker {
    /// What may be sent now.
    pub fn admits(&self, now: Timestamp) -> Admission {
        match self.open {
            None => Admission::Open,
            Some(open) if now >= open.until => Admission::OneProbe,
            Some(open) => Admission::NotBefore(open.until),
        }
    }

    /// Whether the webhook is being probed only.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When the next probe may go out; `None` while it is closed.
    pub fn next_probe_at(&self) -> Option<Timestamp> {
        self.open.map(|open| open.until)
    }

    /// A request was answered with success: everything is let through again.
    pub fn on_success(&mut self) {
        *self = Self::default();
    }

    /// A request failed. Answers that arrived while the breaker was already open and paused do
    /// not lengthen the pause: they were sent before it opened. Where several processes ask, each pauses for all of
    /// them, so that the webhook is asked as often as by one.
    pub fn on_failure(&mut self, now: Timestamp, processes: u32) {
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        let pause_ms = match self.open {
            None if self.consecutive_failures < FAILURES_TO_OPEN => return,
            None => PAUSE_MS_MIN,
            Some(open) if now < open.until => return,
            Some(open) => (open.pause_ms * 2).min(PAUSE_MS_MAX),
        };
        let until = now.plus_millis(pause_ms * u64::from(processes.max(1)));
        self.open = Some(Open { until, pause_ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_probes_and_closes() {
        let mut breaker = Breaker::default();
        let mut now = Timestamp::from_millis(0);
        for _ in 1..FAILURES_TO_OPEN {
            breaker.on_failure(now, 1);
            assert_eq!(breaker.admits(now), Admission::Open);
        }
        breaker.on_failure(now, 1);
        assert_eq!(breaker.admits(now), Admission::NotBefore(Timestamp::from_millis(1_000)));
        breaker.on_failure(now, 1);
        assert_eq!(breaker.admits(now), Admission::NotBefore(Timestamp::from_millis(1_000)));

        now = now.plus_millis(1_000);
        assert_eq!(breaker.admits(now), Admission::OneProbe);
        breaker.on_failure(now, 1);
        assert_eq!(breaker.admits(now), Admission::NotBefore(Timestamp::from_millis(3_000)));

        now = now.plus_millis(2_000);
        breaker.on_success();
        assert_eq!(breaker.admits(now), Admission::Open);
    }

    #[test]
    fn pauses_stay_bounded() {
        let mut breaker = Breaker::default();
        let mut now = Timestamp::from_millis(0);
        for _ in 0..200 {
            breaker.on_failure(now, 1);
            if let Admission::NotBefore(until) = breaker.admits(now) {
                assert!(until.millis_since(now) <= PAUSE_MS_MAX);
                now = until;
            }
        }
        assert!(breaker.is_open());
    }

    #[test]
    fn several_processes_ask_no_more_often_than_one() {
        let (mut breaker, now) = (Breaker::default(), Timestamp::from_millis(0));
        for _ in 0..FAILURES_TO_OPEN {
            breaker.on_failure(now, 3);
        }
        assert_eq!(breaker.next_probe_at(), Some(Timestamp::from_millis(3_000)));
        breaker.on_failure(Timestamp::from_millis(3_000), 3);
        assert_eq!(breaker.next_probe_at(), Some(Timestamp::from_millis(9_000)), "the pause itself is doubled");
    }
}
