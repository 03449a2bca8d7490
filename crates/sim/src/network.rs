//! The network: receivers that answer, lie, break off, or say nothing.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tidings_domain::target::{Refusal, TargetUrl};
use tidings_fakes::Random;
use tidings_ports::{
    Sender,
    sender::{Answer, Exchange, FailureKind, OutgoingRequest, SendFailure, Timing},
};

use crate::{clock::SimClock, world::World};

/// What a receiver does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Answers 200 soon.
    Good,
    /// Answers 200 after seconds, sometimes after the deadline.
    Slow,
    /// Answers 500.
    Failing,
    /// Answers 429 or 503, often with a `Retry-After`.
    Busy,
    /// Never answers.
    Silent,
    /// Breaks off, before or after it took the request.
    Resets,
    /// Answers 404, 302 or something that is no status one expects.
    Odd,
    /// Answers 410.
    Gone,
    /// Something else each time.
    Mixed,
}

/// All but `Gone` and `Mixed`.
const PLAIN: [Behaviour; 7] = [
    Behaviour::Good,
    Behaviour::Slow,
    Behaviour::Failing,
    Behaviour::Busy,
    Behaviour::Silent,
    Behaviour::Resets,
    Behaviour::Odd,
];

/// What comes of one request, and when.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) after_ms: u64,
    pub(crate) result: Result<(u16, Option<String>), FailureKind>,
}

impl Behaviour {
    /// How a receiver starts, or what becomes of it.
    pub(crate) fn draw(random: &mut Random) -> Self {
        match random.below(20) {
            0..=8 => Self::Good,
            9 => Self::Gone,
            10..=12 => Self::Mixed,
            _ => random.pick(&PLAIN),
        }
    }

    /// What comes of a request with this deadline.
    pub(crate) fn plan(self, random: &mut Random, timeout_ms: u64) -> Plan {
        let answer = |after_ms, status| Plan { after_ms, result: Ok((status, None)) };
        let plan = match self {
            Self::Good => answer(random.between(1, 80), random.pick(&[200, 200, 201, 204])),
            Self::Slow => answer(random.between(1_000, 20_000), 200),
            Self::Failing => answer(random.between(1, 200), random.pick(&[500, 502, 599])),
            Self::Busy => {
                let asks = random.pick(&["0", "1", "7", "45", "", "soon", "-3", "1.5"]);
                let retry_after = random.percent(70).then(|| asks.to_owned());
                Plan { after_ms: random.between(1, 50), result: Ok((random.pick(&[429, 503]), retry_after)) }
            }
            Self::Silent => Plan { after_ms: timeout_ms, result: Err(FailureKind::Timeout) },
            Self::Resets => {
                let kind = random.pick(&[FailureKind::Network, FailureKind::Tls, FailureKind::Refused]);
                Plan { after_ms: random.between(0, 2_000), result: Err(kind) }
            }
            Self::Odd => answer(random.between(1, 100), random.pick(&[302, 304, 404, 418, 422, 999])),
            Self::Gone => answer(random.between(1, 100), 410),
            Self::Mixed => return random.pick(&PLAIN).plan(random, timeout_ms),
        };
        if plan.after_ms < timeout_ms {
            return plan;
        }
        // Whatever it would have said comes too late.
        Plan { after_ms: timeout_ms, result: Err(FailureKind::Timeout) }
    }
}

/// The way out of one process.
pub(crate) struct SimNetwork {
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SimClock>,
    /// Counts processes.
    pub(crate) life: u32,
}

#[async_trait]
impl Sender for SimNetwork {
    async fn send(&self, request: OutgoingRequest) -> Exchange {
        let (arrival, plan) = self.world.arrived(self.life, &request);
        self.clock.pass_ms(plan.after_ms).await;
        self.world.answered(&arrival, &plan);
        let total_us = u32::try_from(plan.after_ms * 1_000).unwrap_or(u32::MAX);
        let result = match plan.result {
            Ok((status, retry_after)) => Ok(self.answer(status, retry_after.as_deref())),
            Err(kind) => Err(SendFailure { kind, message: format!("simulated {kind:?}") }),
        };
        Exchange { result, timing: Timing { total_us, ..Timing::default() } }
    }

    async fn check(&self, _url: &TargetUrl) -> Result<(), Refusal> {
        Ok(())
    }
}

impl SimNetwork {
    /// An answer with whatever a receiver may put into it.
    fn answer(&self, status: u16, retry_after: Option<&str>) -> Answer {
        let mut random = self.world.network_random();
        let mut junk = vec![0; random.below(300) as usize];
        junk.fill_with(|| random.number() as u8);
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).expect("printable"));
        }
        if random.percent(30) {
            let value = HeaderValue::from_bytes(&[b'a', 0xff, b'\t', 0x80]).expect("opaque bytes are legal");
            headers.append(HeaderName::from_static("x-junk"), value);
        }
        let truncated = random.percent(10);
        let status = StatusCode::from_u16(status).expect("three digits");
        Answer { status, headers, body: Bytes::from(junk), truncated }
    }
}
