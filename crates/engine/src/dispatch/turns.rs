//! Whose delivery starts next, and what its end means for its lane.

use tidings_domain::{breaker::Admission, ids::WebhookId, lane::Load, time::Timestamp};

use super::lanes::{Finished, Job, Lanes};

/// A webhook that takes what it is sent within this time, in milliseconds, may use the reserved
/// slots. One that fails, or takes long, shares the others with those that nobody knows.
const PROVEN_MS_MAX: u32 = 1_000;
/// A lane with fewer deliveries than this in memory looks for more in the store.
const ROOMY_BELOW: usize = 64;

impl Lanes {
    /// The jobs that may start now.
    pub(crate) fn start(&mut self, now: Timestamp) -> Vec<Job> {
        let mut jobs = Vec::new();
        while !self.stopping && !self.quiet && self.in_flight < self.limits.in_flight_max {
            let Some(webhook_id) = self.next_in_turn() else { break };
            if let Some(job) = self.start_one(webhook_id, now) {
                jobs.push(job);
            }
        }
        jobs
    }

    fn unproven_full(&self) -> bool {
        self.in_flight_unproven + self.limits.in_flight_reserved >= self.limits.in_flight_max
    }

    /// Webhooks that are known to answer and the others take turns; the others only as long as
    /// they have not used up their share.
    fn next_in_turn(&mut self) -> Option<WebhookId> {
        let unproven_may = !self.unproven_full();
        self.unproven_next = !self.unproven_next;
        let (first, second) = match (unproven_may, self.unproven_next) {
            (false, _) => return self.proven.pop(),
            (true, true) => (&mut self.unproven, &mut self.proven),
            (true, false) => (&mut self.proven, &mut self.unproven),
        };
        first.pop().or_else(|| second.pop())
    }

    fn start_one(&mut self, webhook_id: WebhookId, now: Timestamp) -> Option<Job> {
        let unproven_full = self.unproven_full();
        let lane = self.lanes.get_mut(&webhook_id)?;
        lane.in_ring = false;
        if !lane.proven && unproven_full {
            // It lost its standing while it was in line.
            self.line_up(webhook_id);
            return None;
        }
        match lane.admits(now) {
            Admission::NotBefore(until) => {
                self.wait_until(webhook_id, until);
                return None;
            }
            Admission::OneProbe if lane.in_flight > 0 => return None,
            Admission::OneProbe | Admission::Open => {}
        }
        if lane.held || lane.in_flight >= lane.concurrency.limit() {
            return None;
        }
        let lease = lane.take_next()?;
        lane.in_flight += 1;
        self.in_flight += 1;
        self.in_flight_unproven += usize::from(!lane.proven);
        let target = lane.target.clone().filter(|_| !lane.is_stale);
        let job = Job { target, failing_since: lane.failing_since, lease, in_lane: true, term: self.term };
        self.line_up(webhook_id);
        Some(job)
    }

    /// A job ended; its memory and slot are free again.
    pub(crate) fn finish(&mut self, webhook_id: WebhookId, bytes: usize, finished: Option<Finished>, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.jobs = self.jobs.saturating_sub(1);
        self.job_bytes = self.job_bytes.saturating_sub(bytes);
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        let was_proven = lane.proven;
        if !was_proven {
            self.in_flight_unproven = self.in_flight_unproven.saturating_sub(1);
        }
        if let Some(finished) = finished {
            lane.concurrency.observe(finished.load);
            match finished.succeeded {
                Some(true) => {
                    lane.breaker.on_success();
                    lane.look_again_at = None;
                    lane.failing_since = None;
                }
                Some(false) => {
                    lane.breaker.on_failure(now, self.share.processes);
                    lane.failing_since.get_or_insert(now);
                }
                None => {}
            }
            let quick = matches!(finished.load, Load::Answered(ms) if ms <= PROVEN_MS_MAX);
            lane.proven = quick && finished.succeeded == Some(true);
        }
        if lane.proven && !was_proven && lane.in_ring {
            // It lines up where it belongs now; its old place is passed over when its turn comes.
            lane.in_ring = false;
        }
        // Its other requests in flight move between the two counts with it.
        let others = lane.in_flight as usize;
        match (was_proven, lane.proven) {
            (false, true) => self.in_flight_unproven = self.in_flight_unproven.saturating_sub(others),
            (true, false) => self.in_flight_unproven += others,
            _ => {}
        }
        self.line_up(webhook_id);
        self.set_timer_if_roomy(webhook_id);
    }

    /// A lane that was full looks into the store again once it has room.
    fn set_timer_if_roomy(&mut self, webhook_id: WebhookId) {
        if self.lanes.get(&webhook_id).is_some_and(|lane| lane.waiting.len() < ROOMY_BELOW) {
            self.set_timer(webhook_id);
        }
    }
}
