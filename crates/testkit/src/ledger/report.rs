//! What comparing the ledgers came to.

use std::{fmt, time::Duration};

use tokio::time::Instant;

/// Findings of each kind that a message shows.
const SHOWN: usize = 5;

/// Figures and findings. A finding is a sentence about one event or request.
#[derive(Debug, Default)]
pub struct Reconciliation {
    /// Events that were acknowledged.
    pub acknowledged: usize,
    /// Of these, such whose first answer never arrived and was repeated.
    pub replayed: usize,
    /// Deliveries that these events have.
    pub deliveries: usize,
    /// Requests that arrived.
    pub arrivals: usize,
    /// Attempts on record.
    pub attempts: usize,
    /// Acknowledged, and neither delivered nor visibly ended.
    pub lost: Vec<String>,
    /// Accepted once more, although it was the same request with the same key.
    pub accepted_twice: Vec<String>,
    /// Arrived without ever having been published.
    pub never_sent: Vec<String>,
    /// Arrived at another project's receiver.
    pub foreign: Vec<String>,
    /// Arrived with other bytes than were published, or than another attempt had.
    pub wrong_bodies: Vec<String>,
    /// Arrived with a signature that an independent verifier refuses.
    pub invalid_signatures: Vec<String>,
    /// Says one thing here and another there.
    pub contradictions: Vec<String>,
    /// Requests for deliveries that the receiver had already taken: when it took each of them.
    pub duplicates: Vec<Instant>,
    /// When requests arrived that are not on record, because their verdict was not written.
    pub off_record: Vec<Instant>,
}

/// What a server sent before it was killed may be read from the socket so much later, on a busy machine.
const READ_LATE: Duration = Duration::from_millis(500);

impl Reconciliation {
    fn findings(&self) -> [(&'static str, &[String]); 7] {
        [
            ("lost", &self.lost),
            ("accepted twice", &self.accepted_twice),
            ("never sent", &self.never_sent),
            ("in another project's receiver", &self.foreign),
            ("wrong bodies", &self.wrong_bodies),
            ("invalid signatures", &self.invalid_signatures),
            ("contradictions", &self.contradictions),
        ]
    }

    /// Holds the run against what must never be (INV-ACK, INV-NO-LOSS, INV-BYTES, INV-ISOLATION).
    ///
    /// # Panics
    ///
    /// There are findings.
    pub fn assert_clean(&self) {
        let found = self.findings().iter().any(|(_, findings)| !findings.is_empty());
        assert!(!found, "the ledgers do not agree\n{self}");
    }

    /// Holds what was sent again against what a crash may cost: the requests in flight, whose
    /// verdict was not on disk when the server was killed. So each of them arrived at most `window`
    /// before a kill. Returns the longest such time.
    ///
    /// # Panics
    ///
    /// Something was sent again that was not in flight.
    pub fn assert_sent_again_only_around(&self, kills: &[Instant], window: Duration) -> Duration {
        let mut longest = Duration::ZERO;
        for arrived in self.duplicates.iter().chain(&self.off_record) {
            let kill = kills.iter().find(|kill| **kill + READ_LATE >= *arrived);
            let before = kill.map(|kill| kill.saturating_duration_since(*arrived));
            let in_flight = before.filter(|before| *before <= window);
            longest = longest.max(in_flight.unwrap_or_else(|| {
                panic!("sent again although it arrived {before:?} before the next of {} kills\n{self}", kills.len())
            }));
        }
        longest
    }
}

impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events acknowledged ({} by a repeated answer), {} deliveries, {} requests arrived, {} attempts on record",
            self.acknowledged, self.replayed, self.deliveries, self.arrivals, self.attempts
        )?;
        let counts = self.findings().map(|(name, findings)| format!("{name} {}", findings.len()));
        write!(
            f,
            "{}, duplicates {}, off the record {}",
            counts.join(", "),
            self.duplicates.len(),
            self.off_record.len()
        )?;
        for (name, findings) in self.findings() {
            for finding in findings.iter().take(SHOWN) {
                write!(f, "\n  {name}: {finding}")?;
            }
        }
        Ok(())
    }
}
