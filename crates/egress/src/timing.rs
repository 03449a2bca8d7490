//! Where an exchange is, and where its time went.

use tidings_ports::sender::{FailureKind, SendFailure, Timing};
use tokio::time::Instant;

/// What an exchange waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Resolving,
    Connecting,
    Handshaking,
    AwaitingHead,
    ReadingBody,
}

/// Follows one exchange; outlives it when the deadline cuts it off.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    phase: Phase,
    phase_started: Instant,
    timing: Timing,
}

impl Progress {
    pub(crate) fn start() -> Progress {
        let now = Instant::now();
        Progress { started: now, phase: Phase::AwaitingHead, phase_started: now, timing: Timing::default() }
    }

    /// When the exchange began.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Ends the current phase, keeping its duration, and begins the next.
    pub(crate) fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        if phase == Phase::ReadingBody {
            self.timing.first_byte_us = micros(self.phase_started, now);
        }
        self.close_phase(now);
        self.phase = phase;
        self.phase_started = now;
    }

    /// Notes whether the request goes over a kept connection. Its failure means that the
    /// exchange begins anew on a fresh one.
    pub(crate) fn set_reused(&mut self, reused: bool) {
        self.timing.reused = reused;
    }

    /// Ends the exchange now, whichever way it ended.
    pub(crate) fn finish(mut self, now: Instant) -> Timing {
        self.close_phase(now);
        self.timing.total_us = micros(self.started, now);
        self.timing
    }

    /// What to tell a person when the deadline passed.
    pub(crate) fn timeout(&self, timeout_ms: u32) -> SendFailure {
        let (outcome, phase) = match self.phase {
            Phase::Resolving => ("no answer", "looking up the name"),
            Phase::Connecting => ("no answer", "connecting"),
            Phase::Handshaking => ("no answer", "connected, in the TLS handshake"),
            Phase::AwaitingHead => ("no answer", "connected, waiting for the response head"),
            Phase::ReadingBody => ("no complete answer", "response head received, reading the body"),
        };
        SendFailure { kind: FailureKind::Timeout, message: format!("{outcome} within {timeout_ms} ms: {phase}") }
    }

    fn close_phase(&mut self, now: Instant) {
        let elapsed_us = micros(self.phase_started, now);
        match self.phase {
            Phase::Resolving => self.timing.dns_us = elapsed_us,
            Phase::Connecting => self.timing.connect_us = elapsed_us,
            Phase::Handshaking => self.timing.tls_us = elapsed_us,
            // Only a head that came has a time, see `enter`.
            Phase::AwaitingHead | Phase::ReadingBody => {}
        }
    }
}

fn micros(from: Instant, to: Instant) -> u32 {
    u32::try_from(to.duration_since(from).as_micros()).unwrap_or(u32::MAX)
}
