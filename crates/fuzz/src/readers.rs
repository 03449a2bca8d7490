//! The small readers: waits, ids, names, patterns.

use std::{fmt::Display, str::FromStr};

use tidings_domain::{
    event_type::{EventPattern, EventTypeName},
    ids::{ApiKeyId, DeliveryId, EventKey, OrganizationId, ProjectId, WebhookId},
    outcome::{Action, Outcome, OutcomePattern, Rule},
    retry::{AttemptFacts, OnExhausted, RETRY_AFTER_MS_MAX, RetryPolicy, Schedule, Verdict, parse_retry_after_ms},
    time::Timestamp,
};

/// Whatever a receiver asks for, the next attempt is neither early nor later than is honoured.
pub(crate) fn retry_after(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let ended_at = Timestamp::from_millis(1_767_225_600_000);
    let retry_after_ms = parse_retry_after_ms(text, ended_at);
    let policy = RetryPolicy {
        schedule: Schedule::WaitsMs(vec![0, 1_000]),
        jitter: 0.0,
        own_rules: vec![Rule { outcome: OutcomePattern::Any, action: Action::Retry }],
        profile_rules: &[],
        on_exhausted: OnExhausted::Keep,
        disable_after_failing_ms: None,
    };
    let facts = AttemptFacts {
        number: 1,
        outcome: Outcome::Status(503),
        retry_after_ms,
        ended_at,
        manual: false,
        failing_since: None,
    };
    let Verdict::Retry { due_at } = policy.decide(facts, || 0.0).verdict else { panic!("it is tried again") };
    let waits_ms = due_at.millis_since(ended_at);
    assert!((1_000..=RETRY_AFTER_MS_MAX).contains(&waits_ms), "{text:?} makes it wait {waits_ms} ms");
}

/// What is read is written as it was read.
pub(crate) fn names(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    same::<OrganizationId>(text);
    same::<ProjectId>(text);
    same::<ApiKeyId>(text);
    same::<WebhookId>(text);
    same::<EventKey>(text);
    same::<DeliveryId>(text);
    same::<EventTypeName>(text);
    same::<EventPattern>(text);
    // Only whether it panics.
    let _ = text.parse::<OutcomePattern>();
    let _ = Timestamp::parse(text).map(|at| at.rfc3339_millis());
}

fn same<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}
