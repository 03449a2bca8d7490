//! How many requests a webhook gets at the same time: adaptive, from a few upwards.
//!
//! A receiver that answers gets more (doubling until the first trouble, then one more per round);
//! one that times out, answers 429 or 503, or becomes much slower than it was gets less at once.

/// Requests in flight that a webhook nobody knows yet may have.
pub const LIMIT_START: u32 = 4;
/// Requests in flight per webhook at most, unless its owner asks for less.
pub const LIMIT_MAX: u32 = 64;
/// Requests in flight that keep a receiver busy which answers at once …
const LIMIT_FAST: f32 = 16.0;
/// … and how many more for each millisecond it takes when it is quick.
const LIMIT_PER_MS: f32 = 1.0;
/// How fast the quickest latency seen rises towards the present one.
const QUICKEST_WEIGHT: f32 = 0.001;
/// An answer slower than this many times the usual counts as slowing down …
const SLOW_FACTOR: f32 = 4.0;
/// … if it is also slower by at least this, in milliseconds.
const SLOW_MARGIN_MS: f32 = 250.0;
/// Weight of one answer in the usual latency.
const LATENCY_WEIGHT: f32 = 0.05;
/// The same for a slow answer: slowness becomes usual only when it lasts.
const SLOW_LATENCY_WEIGHT: f32 = 0.005;

/// What one exchange says about the receiver's load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// It answered, in so many milliseconds.
    Answered(u32),
    /// It asked for less (429, 503).
    TooMuch,
    /// It did not answer in time or not at all.
    Silent,
}

/// The adaptive limit of one webhook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concurrency {
    limit: f32,
    max: f32,
    growing_fast: bool,
    usual_ms: f32,
    quickest_ms: f32,
}

impl Concurrency {
    /// Starts for a webhook whose owner allows at most `max` requests at a time.
    pub fn new(max: Option<u32>) -> Self {
        let max = max.unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX) as f32;
        Self { limit: (LIMIT_START as f32).min(max), max, growing_fast: true, usual_ms: 0.0, quickest_ms: 0.0 }
    }

    /// Requests that may be in flight now; at least 1.
    pub fn limit(&self) -> u32 {
        self.limit as u32
    }

    /// Takes in what one exchange says.
    pub fn observe(&mut self, load: Load) {
        match load {
            Load::Answered(ms) => self.on_answer(ms as f32),
            Load::TooMuch | Load::Silent => self.shrink(0.5),
        }
    }

    /// Applies another maximum, after the owner changed it.
    pub fn set_max(&mut self, max: Option<u32>) {
        self.max = max.unwrap_or(LIMIT_MAX).clamp(1, LIMIT_MAX) as f32;
        self.limit = self.limit.min(self.max);
    }

    fn on_answer(&mut self, ms: f32) {
        let slow = self.usual_ms > 0.0 && ms > self.usual_ms * SLOW_FACTOR && ms > self.usual_ms + SLOW_MARGIN_MS;
        let weight = match slow {
            _ if self.usual_ms == 0.0 => 1.0,
            true => SLOW_LATENCY_WEIGHT,
            false => LATENCY_WEIGHT,
        };
        let is_first = self.usual_ms == 0.0;
        self.usual_ms += (ms - self.usual_ms) * weight;
        self.quickest_ms = match is_first || ms < self.quickest_ms {
            true => ms,
            false => self.quickest_ms + (ms - self.quickest_ms) * QUICKEST_WEIGHT,
        };
        if slow {
            self.shrink(0.9);
        } else {
            let step = if self.growing_fast { 1.0 } else { 1.0 / self.limit };
            // What is beyond the use of more requests at a time is left alone, not cut.
            self.limit = self.limit.max((self.limit + step).min(self.max.min(self.useful())));
        }
    }

    /// Requests in flight beyond which a receiver this fast gains nothing: a fast one is kept busy
    /// by a few, and every further one costs a connection. Its quickest answers tell how fast it
    /// is: the usual ones also hold what waits in line here when this machine is busy, and more
    /// requests would make that line longer.
    fn useful(&self) -> f32 {
        LIMIT_FAST + self.quickest_ms * LIMIT_PER_MS
    }

    fn shrink(&mut self, factor: f32) {
        self.growing_fast = false;
        self.limit = (self.limit * factor).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_answers_and_halves_with_trouble() {
        let mut lane = Concurrency::new(None);
        assert_eq!(lane.limit(), LIMIT_START);
        for _ in 0..200 {
            lane.observe(Load::Answered(50));
        }
        assert_eq!(lane.limit(), LIMIT_MAX);
        lane.observe(Load::TooMuch);
        assert_eq!(lane.limit(), LIMIT_MAX / 2);
        for _ in 0..20 {
            lane.observe(Load::Silent);
        }
        assert_eq!(lane.limit(), 1);
        lane.observe(Load::Answered(50));
        assert_eq!(lane.limit(), 2);
    }

    #[test]
    fn a_fast_receiver_gets_no_more_connections_than_it_can_use() {
        let mut lane = Concurrency::new(None);
        for _ in 0..200 {
            lane.observe(Load::Answered(1));
        }
        assert_eq!(lane.limit(), 17);
    }

    #[test]
    fn what_waits_in_line_here_does_not_count_as_the_receivers_time() {
        let mut lane = Concurrency::new(None);
        for _ in 0..100 {
            lane.observe(Load::Answered(1));
            for _ in 0..9 {
                lane.observe(Load::Answered(20));
            }
        }
        assert!(lane.limit() < 24, "{}", lane.limit());
    }

    #[test]
    fn lanes_that_share_a_busy_machine_do_not_drive_each_other_up() {
        // Thirty answers per millisecond are all that this machine manages; the rest is waiting.
        let mut lanes = [Concurrency::new(None); 10];
        for _ in 0..20_000 {
            let in_flight: u32 = lanes.iter().map(Concurrency::limit).sum();
            for lane in &mut lanes {
                lane.observe(Load::Answered(in_flight / 30));
            }
        }
        let in_flight: u32 = lanes.iter().map(Concurrency::limit).sum();
        assert!(in_flight < 300, "{in_flight}");
    }

    #[test]
    fn slowing_down_is_noticed() {
        let mut lane = Concurrency::new(None);
        for _ in 0..200 {
            lane.observe(Load::Answered(40));
        }
        for _ in 0..8 {
            lane.observe(Load::Answered(3_000));
        }
        assert!(lane.limit() < LIMIT_MAX / 2, "{}", lane.limit());
    }

    #[test]
    fn the_owners_maximum_holds() {
        let mut lane = Concurrency::new(Some(3));
        for _ in 0..50 {
            lane.observe(Load::Answered(1));
        }
        assert_eq!(lane.limit(), 3);
    }
}
