//! From accepted to settled: lanes decide who is sent to next, workers send, verdicts are
//! written down in batches, and what memory has no room for is claimed back from the store.

mod acting;
mod attempt;
mod claimer;
mod claims;
mod configuration;
mod dispatcher;
mod lane;
mod lanes;
#[cfg(test)]
mod lanes_properties;
#[cfg(test)]
mod lanes_tests;
mod ring;
mod settler;
mod settling;
mod turns;

pub(crate) use acting::{Acted, Actor};
pub(crate) use attempt::{build_request, is_delivered, record_exchange};
pub(crate) use dispatcher::{Dispatcher, DispatcherParts};
pub(crate) use lane::Share;

use tidings_domain::{ids::WebhookId, time::Timestamp};

/// What the dispatcher keeps in memory and in flight at most (INV-BOUNDED).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatchLimits {
    /// Requests in flight, all webhooks together.
    pub in_flight_max: usize,
    /// Of these, kept free for webhooks that are known to answer: a thousand dead receivers
    /// cannot take the last slot (INV-LANES).
    pub in_flight_reserved: usize,
    /// Deliveries waiting in memory, all webhooks together.
    pub jobs_max: usize,
    /// Payload bytes waiting in memory.
    pub job_bytes_max: usize,
    /// Deliveries waiting in memory for one webhook.
    pub lane_jobs_max: usize,
    /// Attempts whose verdict is not written yet.
    pub unsettled_max: usize,
}

impl DispatchLimits {
    /// Deliveries and payload bytes up to which a webhook may add to what waits in memory. Half is
    /// kept for those that are known to take what they are sent: a thousand dead receivers cannot
    /// fill it (INV-LANES).
    pub(crate) const fn memory_for(&self, proven: bool) -> (usize, usize) {
        if proven { (self.jobs_max, self.job_bytes_max) } else { (self.jobs_max / 2, self.job_bytes_max / 2) }
    }
}

impl Default for DispatchLimits {
    fn default() -> Self {
        Self {
            in_flight_max: 1_024,
            in_flight_reserved: 256,
            jobs_max: 4_096,
            job_bytes_max: 16 * 1024 * 1024,
            lane_jobs_max: 1_024,
            unsettled_max: 2_048,
        }
    }
}

/// All lanes together, and which of them are worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LanesView {
    /// Lanes with something under way, waiting or held.
    pub busy: usize,
    /// Deliveries waiting in memory.
    pub waiting: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// Lanes whose breaker is open.
    pub breakers_open: usize,
    /// Lanes whose webhook is paused or disabled.
    pub held: usize,
    /// Lanes whose breaker is open, and those with most waiting in memory: so many of each as were asked for.
    pub noted: Vec<WebhookId>,
}

/// One webhook's lane as an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneView {
    /// Whose lane.
    pub webhook_id: WebhookId,
    /// Deliveries waiting in memory.
    pub waiting: usize,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests that may be in flight now.
    pub limit: u32,
    /// Whether the breaker is open.
    pub breaker_open: bool,
    /// When the next probe may go out, while the breaker is open.
    pub next_probe_at: Option<Timestamp>,
    /// When the next delivery that waits in the store is due.
    pub next_due_at: Option<Timestamp>,
}
