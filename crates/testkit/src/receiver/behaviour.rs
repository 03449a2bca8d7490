//! How a path answers.

use std::time::Duration;

use super::{arrival::Incoming, hostile::Hostile};
use crate::hash::hash;

/// How requests to a path are answered.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// 200.
    Ok,
    /// This status, without a body.
    Status(u16),
    /// This status, with these headers and this body.
    Reply {
        /// The status.
        status: u16,
        /// Names and values.
        headers: &'static [(&'static str, &'static str)],
        /// The body.
        body: &'static str,
    },
    /// This status, after a while.
    Slow {
        /// How long.
        wait: Duration,
        /// The status.
        status: u16,
    },
    /// 200 after a while, to so many requests at a time over all paths; 429 to those beyond.
    AtMost {
        /// How many it can serve.
        at_once: usize,
        /// How long each takes.
        wait: Duration,
    },
    /// Nothing, for as long as the sender waits.
    Silent,
    /// 503 to the first attempts of every delivery, then 200.
    FailsFirst(u32),
    /// 503 to the first attempt of about one delivery in so many, otherwise 200.
    Flaky(u32),
    /// What no receiver should do.
    Hostile(Hostile),
}

/// What to do with one request.
pub(super) enum Reaction {
    /// Answer properly, after a while.
    Answer { wait: Duration, status: u16, headers: &'static [(&'static str, &'static str)], body: &'static str },
    /// Say nothing until the sender leaves.
    Silence,
    /// Misbehave.
    Misbehave(Hostile),
}

impl Behaviour {
    pub(super) fn reaction(&self, attempt: u32, delivery_id: &str, in_flight: usize) -> Reaction {
        let answer = |status| Reaction::Answer { wait: Duration::ZERO, status, headers: &[], body: "" };
        match *self {
            Self::Ok => answer(200),
            Self::Status(status) => answer(status),
            Self::Reply { status, headers, body } => Reaction::Answer { wait: Duration::ZERO, status, headers, body },
            Self::Slow { wait, status } => Reaction::Answer { wait, status, headers: &[], body: "" },
            Self::AtMost { at_once, .. } if in_flight > at_once => answer(429),
            Self::AtMost { wait, .. } => Reaction::Answer { wait, status: 200, headers: &[], body: "" },
            Self::Silent => Reaction::Silence,
            Self::FailsFirst(attempts) => answer(if attempt <= attempts { 503 } else { 200 }),
            Self::Flaky(one_in) => answer(if attempt == 1 && is_chosen(delivery_id, one_in) { 503 } else { 200 }),
            Self::Hostile(hostile) => Reaction::Misbehave(hostile),
        }
    }
}

/// The same deliveries each time, whoever asks.
fn is_chosen(delivery_id: &str, one_in: u32) -> bool {
    let [first, second, ..] = hash(delivery_id);
    u32::from(u16::from_le_bytes([first, second])) % one_in == 0
}

impl Incoming {
    pub(super) fn delivery_id(&self) -> &str {
        self.headers.get("x-tidings-delivery").and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn attempt(&self) -> u32 {
        let value = self.headers.get("x-tidings-attempt").and_then(|value| value.to_str().ok());
        value.and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}
