//! How a webhook has been doing: counts by hour, and how long attempts took.

use crate::time::Timestamp;

/// Milliseconds in the unit that statistics are kept in.
pub const HOUR_MS: i64 = 3_600_000;

/// The hour, counted from 1970, that a time lies in.
pub const fn hour_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR_MS)
}

/// When an hour began.
pub const fn hour_start(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour * HOUR_MS)
}

/// Upper bounds of the latency buckets, in milliseconds; what takes longer falls into one more.
/// Two buckets per doubling keep a percentile within a fifth of the truth.
const BOUNDS_MS: [u32; 31] = [
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096,
    6_144, 8_192, 12_288, 16_384, 20_480, 24_576, 32_768,
];
const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// Attempts counted by how long they took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latencies([u32; BUCKETS]);

impl Default for Latencies {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Latencies {
    /// Counts one attempt.
    pub fn add(&mut self, ms: u32) {
        let bucket = BOUNDS_MS.partition_point(|&bound| bound < ms);
        self.0[bucket] = self.0[bucket].saturating_add(1);
    }

    /// Adds another count to this one.
    pub fn merge(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = own.saturating_add(other);
        }
    }

    /// The duration that this share of the attempts did not exceed, in milliseconds, interpolated
    /// within its bucket; `None` without attempts.
    pub fn percentile_ms(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().map(|&count| u64::from(count)).sum();
        let wanted = share.clamp(0.0, 1.0) * total as f64;
        let mut before = 0.0;
        for (bucket, &count) in self.0.iter().enumerate().filter(|&(_, &count)| count > 0) {
            let count = f64::from(count);
            if before + count >= wanted {
                let low = if bucket == 0 { 0.0 } else { f64::from(BOUNDS_MS[bucket - 1]) };
                let high = BOUNDS_MS.get(bucket).map_or(low, |&bound| f64::from(bound));
                return Some(low + (high - low) * ((wanted - before) / count).clamp(0.0, 1.0));
            }
            before += count;
        }
        None
    }

    /// The stored form: one little-endian `u32` per bucket.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|count| count.to_le_bytes()).collect()
    }

    /// From the stored form; buckets that are missing are empty.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut counts = [0; BUCKETS];
        for (count, stored) in counts.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *count = u32::from_le_bytes(*stored);
        }
        Self(counts)
    }
}

/// What ended, and what attempts took, within some span of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Deliveries that a receiver took.
    pub delivered: u64,
    /// Deliveries that used up their attempts.
    pub failed: u64,
    /// Deliveries that a receiver's answer ended.
    pub dropped: u64,
    /// Attempts, retries included.
    pub attempts: u64,
    /// Of these, the ones that a receiver took. Not `delivered`: what is sent again is taken back from that.
    pub succeeded: u64,
    /// How long they took together, in milliseconds.
    pub total_ms: u64,
    /// How long each of them took.
    pub latencies: Latencies,
}

impl Tally {
    /// Counts one attempt.
    pub fn add_attempt(&mut self, total_us: u32, has_succeeded: bool) {
        let ms = total_us.div_ceil(1_000);
        self.attempts += 1;
        self.succeeded += u64::from(has_succeeded);
        self.total_ms += u64::from(ms);
        self.latencies.add(ms);
    }

    /// Adds another span to this one.
    pub fn merge(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.attempts += other.attempts;
        self.succeeded += other.succeeded;
        self.total_ms += other.total_ms;
        self.latencies.merge(&other.latencies);
    }

    /// Attempts that a receiver did not take.
    pub const fn unsuccessful(&self) -> u64 {
        self.attempts.saturating_sub(self.succeeded)
    }

    /// Attempts that were followed by another one, or will be.
    pub const fn retried(&self) -> u64 {
        self.unsuccessful().saturating_sub(self.failed + self.dropped)
    }

    /// Deliveries that ended by a receiver's doing.
    pub const fn ended(&self) -> u64 {
        self.delivered + self.failed + self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_in_the_bucket_of_the_attempt_they_name() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile_ms(0.95), None);
        for _ in 0..95 {
            latencies.add(10);
        }
        for _ in 0..5 {
            latencies.add(5_000);
        }
        let within = |share, low, high| {
            let found = latencies.percentile_ms(share).expect("attempts were counted");
            assert!((low..=high).contains(&found), "{share}: {found}");
        };
        within(0.5, 8.0, 12.0);
        within(0.95, 8.0, 12.0);
        within(0.96, 4_096.0, 6_144.0);
        within(1.0, 4_096.0, 6_144.0);
    }

    #[test]
    fn every_duration_has_a_bucket_and_the_stored_form_is_whole() {
        let mut latencies = Latencies::default();
        for ms in [0, 1, 2, 32_768, 32_769, u32::MAX] {
            latencies.add(ms);
        }
        let stored = latencies.to_bytes();
        assert_eq!(stored.len(), BUCKETS * 4);
        assert_eq!(Latencies::from_bytes(&stored), latencies);
        assert_eq!(Latencies::from_bytes(&[]), Latencies::default());
        assert_eq!(latencies.percentile_ms(1.0), Some(32_768.0), "what has no upper bound shows its lower one");
    }

    #[test]
    fn attempts_that_end_nothing_are_retried() {
        let mut tally = Tally { delivered: 1, failed: 1, dropped: 1, ..Tally::default() };
        for (took_us, has_succeeded) in [(9_000, false), (9_000, false), (9_000, false), (1_000, true)] {
            tally.add_attempt(took_us, has_succeeded);
        }
        assert_eq!((tally.attempts, tally.succeeded, tally.unsuccessful(), tally.retried()), (4, 1, 3, 1));
        let mut both = tally.clone();
        both.merge(&tally);
        assert_eq!((both.succeeded, both.retried()), (2, 2));
    }

    #[test]
    fn hours_begin_where_they_say() {
        let at = Timestamp::from_millis(5 * HOUR_MS + 1);
        assert_eq!(hour_of(at), 5);
        assert_eq!(hour_start(5).as_millis(), 5 * HOUR_MS);
        assert_eq!(hour_of(Timestamp::from_millis(-1)), -1);
    }
}
