//! Figures of a run, as people read them.

use std::{fmt, time::Duration};

/// The value below which this share of the sorted values lies (nearest rank).
///
/// # Panics
///
/// There are no values.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    assert!(!sorted.is_empty(), "a percentile of nothing");
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The distribution of some durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// How many there were.
    pub count: usize,
    /// Half of them were shorter.
    pub p50: Duration,
    /// All but one in a hundred were shorter.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Latencies {
    /// Sums up durations.
    ///
    /// # Panics
    ///
    /// There are none.
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self {
            count: durations.len(),
            p50: percentile(&durations, 0.50),
            p99: percentile(&durations, 0.99),
            max: percentile(&durations, 1.0),
        }
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        write!(
            f,
            "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms of {}",
            ms(self.p50),
            ms(self.p99),
            ms(self.max),
            self.count
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let latencies = Latencies::of((1..=200).rev().map(Duration::from_millis).collect());
        let of = |ms| Duration::from_millis(ms);
        assert_eq!(latencies, Latencies { count: 200, p50: of(100), p99: of(198), max: of(200) });
        assert_eq!(percentile(&[of(5)], 0.99), of(5));
    }
}
