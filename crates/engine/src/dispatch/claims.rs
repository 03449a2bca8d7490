//! What lanes take back from the store: what memory had no room for, and what became due.

use tidings_domain::{breaker::Admission, time::Timestamp};
use tidings_ports::store::{ClaimRequest, Claimed};

use super::lanes::Lanes;

/// Deliveries claimed for one webhook in one go.
const CLAIM_PER_LANE_MAX: usize = 128;
/// Deliveries in one claim, all webhooks together: it is one transaction, and whoever is accepted
/// meanwhile waits for it.
const CLAIM_ROWS_MAX: usize = 512;
/// How long a lane waits when memory is full with other lanes' deliveries, in milliseconds.
const FULL_MEMORY_WAIT_MS: u64 = 50;
/// Webhooks in one claim.
const CLAIM_LANES_MAX: usize = 16;

impl Lanes {
    /// Takes the lanes whose time has come: some want to be lined up, others to claim.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<ClaimRequest> {
        let (mut wants, mut asked) = (Vec::new(), 0);
        while let Some(&(at, webhook_id)) = self.timers.first()
            && at <= now
            && wants.len() < CLAIM_LANES_MAX
            && asked + CLAIM_PER_LANE_MAX <= CLAIM_ROWS_MAX
            && !self.stopping
            && !self.quiet
        {
            self.timers.remove(&(at, webhook_id));
            let Some(lane) = self.lanes.get_mut(&webhook_id) else { continue };
            let (jobs_max, bytes_max) = self.limits.memory_for(lane.proven);
            let room_in_all = if self.job_bytes >= bytes_max { 0 } else { jobs_max.saturating_sub(self.jobs) };
            lane.timer = None;
            lane.look_again_at = None;
            let has_waiting = !lane.waiting.is_empty();
            let due = lane.next_due_at.is_some_and(|due_at| due_at <= now);
            let probing = lane.breaker.is_open();
            let per_lane = if probing { 1 } else { CLAIM_PER_LANE_MAX };
            let count = per_lane.saturating_sub(lane.waiting.len() + lane.reserved).min(room_in_all);
            if due && count > 0 && !lane.held && !lane.claiming {
                if let Admission::NotBefore(until) = lane.breaker.admits(now) {
                    self.wait_until(webhook_id, until);
                    continue;
                }
                lane.claiming = true;
                self.jobs += count;
                asked += count;
                wants.push(ClaimRequest { webhook_id, count: u32::try_from(count).unwrap_or(u32::MAX) });
            } else if has_waiting {
                self.line_up(webhook_id);
            } else if !due {
                self.set_timer(webhook_id);
            } else if room_in_all == 0 && !lane.held {
                // Memory is full with other webhooks' deliveries, and nothing of this lane will
                // end and look again.
                self.wait_until(webhook_id, now.plus_millis(FULL_MEMORY_WAIT_MS));
            }
        }
        wants
    }

    /// Takes in what a claim gave; `asked` places were kept for it.
    pub(crate) fn claimed(&mut self, asked: ClaimRequest, claimed: Option<Claimed>, retry_at: Timestamp) {
        self.jobs = self.jobs.saturating_sub(asked.count as usize);
        let Some(lane) = self.lanes.get_mut(&asked.webhook_id) else { return };
        lane.claiming = false;
        let noted = lane.due_while_claiming.take();
        let next = match claimed {
            Some(claimed) => {
                for lease in claimed.deliveries {
                    self.jobs += 1;
                    self.job_bytes += lease.event.payload.len();
                    lane.waiting.push_back(lease);
                }
                claimed.next_due_at
            }
            // The store did not answer: what was due still is.
            None => Some(retry_at),
        };
        lane.next_due_at = [next, noted].into_iter().flatten().min();
        self.refuse_held(asked.webhook_id);
        self.line_up(asked.webhook_id);
        self.set_timer(asked.webhook_id);
    }

    /// Payload bytes that still fit into memory.
    pub(crate) fn bytes_left(&self) -> usize {
        self.limits.job_bytes_max.saturating_sub(self.job_bytes)
    }
}
