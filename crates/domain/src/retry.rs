//! When to try again, and when to stop.
//!
//! A schedule says the wait *before* each attempt; every wait but the first counts from the end
//! of the preceding attempt.

use serde::{Deserialize, Serialize};

use crate::{
    outcome::{Action, Outcome, Rule, classify},
    time::Timestamp,
};

/// Attempts a schedule may have.
pub const ATTEMPTS_MAX: u32 = 100;
/// The longest wait between two attempts, in milliseconds: 7 days.
pub const WAIT_MS_MAX: u64 = 7 * 24 * 3_600_000;
/// A receiver's `Retry-After` is honoured up to this, in milliseconds: 24 h.
pub const RETRY_AFTER_MS_MAX: u64 = 24 * 3_600_000;

/// The waits before the attempts of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// One wait per attempt, in milliseconds.
    WaitsMs(Vec<u64>),
    /// `base * factor^(n-2)`, capped, before attempt n ≥ 2; the first attempt is immediate.
    Formula {
        /// Wait before the second attempt, in milliseconds.
        base_ms: u64,
        /// Growth per attempt, at least 1.
        factor: f64,
        /// Longest wait, in milliseconds.
        cap_ms: u64,
        /// Attempts in all.
        attempts: u32,
    },
}

impl Schedule {
    /// Attempts in all.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::WaitsMs(waits) => u32::try_from(waits.len()).unwrap_or(u32::MAX),
            Self::Formula { attempts, .. } => *attempts,
        }
    }

    /// The wait before attempt `number` (1 is the first), or `None` when there is no such attempt.
    pub fn wait_before_ms(&self, number: u32) -> Option<u64> {
        if number == 0 || number > self.attempts() {
            return None;
        }
        match self {
            Self::WaitsMs(waits) => waits.get(number as usize - 1).copied(),
            Self::Formula { .. } if number == 1 => Some(0),
            Self::Formula { base_ms, factor, cap_ms, .. } => {
                let exponent = i32::try_from(number - 2).unwrap_or(i32::MAX);
                let wait = *base_ms as f64 * factor.powi(exponent);
                // `as` saturates: a wait beyond u64 becomes the cap.
                Some((wait as u64).min(*cap_ms))
            }
        }
    }
}

/// What happens to the webhook when a delivery used up its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    /// It stays active.
    Keep,
    /// It is disabled.
    Deactivate,
}

/// Everything that decides what comes after an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// When.
    pub schedule: Schedule,
    /// Each wait is lengthened by up to this share of itself.
    pub jitter: f64,
    /// The webhook's own rules, before the profile's.
    pub own_rules: Vec<Rule>,
    /// The profile's rules.
    pub profile_rules: &'static [Rule],
    /// What used-up attempts do to the webhook.
    pub on_exhausted: OnExhausted,
    /// Disable the webhook after nothing but failures for this long, in milliseconds.
    pub disable_after_failing_ms: Option<u64>,
}

/// One finished attempt, as far as the decision depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFacts {
    /// 1 is the first.
    pub number: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The answer's `Retry-After`, in milliseconds from the end of the attempt.
    pub retry_after_ms: Option<u64>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Whether somebody asked for this attempt of a delivery that had already ended.
    pub manual: bool,
    /// Since when the webhook has had nothing but failures, this one not counted.
    pub failing_since: Option<Timestamp>,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It is tried again at this time.
    Retry {
        /// When it is due.
        due_at: Timestamp,
    },
    /// The receiver's answer says that trying again is pointless.
    Dropped,
    /// No attempts are left.
    Exhausted,
}

/// The verdict, and whether the webhook is to be disabled, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// About the delivery.
    pub verdict: Verdict,
    /// About the webhook.
    pub disable: Option<DisableReason>,
}

/// Why a webhook was disabled by the engine or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// Somebody disabled it.
    Manual,
    /// The receiver answered 410 Gone.
    Gone,
    /// A delivery used up its attempts and the profile deactivates then.
    Exhausted,
    /// Nothing but failures for as long as the profile bears.
    Failing,
    /// The organization has more webhooks than its plan allows.
    PlanLimit,
}

impl DisableReason {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Gone => "gone",
            Self::Exhausted => "exhausted",
            Self::Failing => "failing",
            Self::PlanLimit => "plan_limit",
        }
    }

    /// From the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Manual, Self::Gone, Self::Exhausted, Self::Failing, Self::PlanLimit];
        all.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl RetryPolicy {
    /// Decides what follows an attempt. `random` gives a number in 0..=1 that places a wait within
    /// the jitter; it is asked only if there is a wait.
    pub fn decide(&self, facts: AttemptFacts, random: impl FnOnce() -> f64) -> Decision {
        let retry = match classify(&self.own_rules, self.profile_rules, facts.outcome) {
            Action::Success => return Decision { verdict: Verdict::Delivered, disable: None },
            Action::Drop => return Decision { verdict: Verdict::Dropped, disable: None },
            Action::DropAndDisable => {
                return Decision { verdict: Verdict::Dropped, disable: Some(DisableReason::Gone) };
            }
            Action::Retry => self.next_due_at(facts, random),
        };
        let failing = facts
            .failing_since
            .zip(self.disable_after_failing_ms)
            .is_some_and(|(since, bearable)| facts.ended_at.millis_since(since) >= bearable);
        let disable = failing.then_some(DisableReason::Failing);
        match retry {
            Some(due_at) => Decision { verdict: Verdict::Retry { due_at }, disable },
            None => {
                let deactivate = self.on_exhausted == OnExhausted::Deactivate && !facts.manual;
                let disable = if deactivate { Some(DisableReason::Exhausted) } else { disable };
                Decision { verdict: Verdict::Exhausted, disable }
            }
        }
    }

    fn next_due_at(&self, facts: AttemptFacts, random: impl FnOnce() -> f64) -> Option<Timestamp> {
        if facts.manual {
            return None;
        }
        let wait_ms = self.schedule.wait_before_ms(facts.number.saturating_add(1))?;
        let jittered_ms = wait_ms + (wait_ms as f64 * self.jitter * random().clamp(0.0, 1.0)) as u64;
        let asked_ms = facts.retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
        Some(facts.ended_at.plus_millis(jittered_ms.max(asked_ms)))
    }
}

/// Reads a `Retry-After` value (RFC 9110 10.2.3): seconds or an HTTP date; in milliseconds from `now`.
pub fn parse_retry_after_ms(value: &str, now: Timestamp) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean "very late": the cap applies.
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?;
    Some(Timestamp::from_millis(at.timestamp().as_millisecond()).millis_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::OutcomePattern;

    #[test]
    fn formula_doubles_up_to_its_cap() {
        let schedule = Schedule::Formula { base_ms: 30_000, factor: 2.0, cap_ms: 3_600_000, attempts: 10 };
        let waits: Vec<_> = (1..=11).map(|number| schedule.wait_before_ms(number).map(|ms| ms / 1000)).collect();
        let expected = [0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600].map(Some);
        assert_eq!(waits[..10], expected);
        assert_eq!(waits[10], None);
    }

    #[test]
    fn jitter_lengthens_a_wait_by_up_to_its_share() {
        let policy = RetryPolicy {
            schedule: Schedule::WaitsMs(vec![0, 10_000]),
            jitter: 0.2,
            own_rules: vec![Rule { outcome: OutcomePattern::Any, action: Action::Retry }],
            profile_rules: &[],
            on_exhausted: OnExhausted::Keep,
            disable_after_failing_ms: None,
        };
        let facts = AttemptFacts {
            number: 1,
            outcome: Outcome::Timeout,
            retry_after_ms: None,
            ended_at: Timestamp::from_millis(0),
            manual: false,
            failing_since: None,
        };
        for (random, due_ms) in [(0.0, 10_000), (0.5, 11_000), (1.0, 12_000)] {
            let due_at = Timestamp::from_millis(due_ms);
            assert_eq!(policy.decide(facts, || random).verdict, Verdict::Retry { due_at }, "{random}");
        }
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = Timestamp::parse("2015-10-21T07:27:00Z").expect("a time");
        assert_eq!(parse_retry_after_ms("120", now), Some(120_000));
        assert_eq!(parse_retry_after_ms("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(60_000));
        assert_eq!(parse_retry_after_ms("99999999999999999999999", now), Some(u64::MAX));
        assert_eq!(parse_retry_after_ms("-1", now), None);
        assert_eq!(parse_retry_after_ms("soon", now), None);
    }
}
