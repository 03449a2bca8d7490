//! Lanes: one per webhook, fair between projects, adaptive in concurrency, bounded in memory.
//!
//! Only state and its rules; nothing here waits, sends or stores. Every method takes the time it
//! happens at, and those that free or fill something return the jobs that may start now.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use tidings_domain::{
    breaker::{Admission, Breaker},
    ids::{ProjectId, WebhookId},
    lane::{Concurrency, Load},
    time::Timestamp,
};
use tidings_ports::store::{ClaimRequest, Claimed, LeasedDelivery};

use super::{DispatchLimits, LaneView, ring::Ring};
use crate::snapshot::Target;

/// A delivery that may be sent now.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) lease: LeasedDelivery,
    /// The webhook as the lane last knew it; `None`: to be looked up.
    pub(crate) target: Option<Arc<Target>>,
    /// Since when the webhook has had nothing but failures.
    pub(crate) failing_since: Option<Timestamp>,
    /// Whether it counts in its lane; forced ones of held webhooks pass beside it.
    pub(crate) in_lane: bool,
}

/// How a job ended, as far as its lane cares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) load: Load,
    /// Whether the attempt counts as success, as failure, or as neither (a drop).
    pub(crate) succeeded: Option<bool>,
}

#[derive(Debug)]
struct Lane {
    project_id: ProjectId,
    target: Option<Arc<Target>>,
    waiting: VecDeque<LeasedDelivery>,
    reserved: usize,
    in_flight: u32,
    concurrency: Concurrency,
    breaker: Breaker,
    failing_since: Option<Timestamp>,
    /// Whether the webhook has answered since the last trouble.
    proven: bool,
    /// Whether it is paused or disabled.
    held: bool,
    in_ring: bool,
    /// When the next delivery in the store is due.
    next_due_at: Option<Timestamp>,
    /// The timer that stands for this lane.
    timer: Option<Timestamp>,
    /// A claim is on its way; what becomes due meanwhile is noted beside it.
    claiming: bool,
    due_while_claiming: Option<Timestamp>,
}

impl Lane {
    fn new(project_id: ProjectId) -> Self {
        Self {
            project_id,
            target: None,
            waiting: VecDeque::new(),
            reserved: 0,
            in_flight: 0,
            concurrency: Concurrency::new(None),
            breaker: Breaker::default(),
            failing_since: None,
            proven: false,
            held: false,
            in_ring: false,
            next_due_at: None,
            timer: None,
            claiming: false,
            due_while_claiming: None,
        }
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.reserved == 0
            && self.in_flight == 0
            && self.next_due_at.is_none()
            && !self.claiming
            && !self.held
    }
}

/// Idle lanes that are remembered for what they learned about their receivers.
const IDLE_LANES_MAX: usize = 20_000;
/// Deliveries claimed for one webhook in one go.
const CLAIM_PER_LANE_MAX: usize = 128;
/// How long a lane waits when memory is full with other lanes' deliveries, in milliseconds.
const FULL_MEMORY_WAIT_MS: u64 = 50;
/// Webhooks in one claim.
const CLAIM_LANES_MAX: usize = 64;

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    limits: DispatchLimits,
    lanes: HashMap<WebhookId, Lane>,
    /// Whose turn it is among the webhooks that are known to answer, and among the others.
    proven: Ring,
    unproven: Ring,
    unproven_next: bool,
    timers: BTreeSet<(Timestamp, WebhookId)>,
    in_flight: usize,
    in_flight_unproven: usize,
    jobs: usize,
    job_bytes: usize,
    stopping: bool,
}

impl Lanes {
    pub(crate) fn new(limits: DispatchLimits) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            proven: Ring::default(),
            unproven: Ring::default(),
            unproven_next: false,
            timers: BTreeSet::new(),
            in_flight: 0,
            in_flight_unproven: 0,
            jobs: 0,
            job_bytes: 0,
            stopping: false,
        }
    }

    fn lane(&mut self, webhook_id: WebhookId, project_id: ProjectId) -> &mut Lane {
        if self.lanes.len() >= IDLE_LANES_MAX && !self.lanes.contains_key(&webhook_id) {
            self.lanes.retain(|_, lane| !lane.is_idle() || lane.timer.is_some());
        }
        self.lanes.entry(webhook_id).or_insert_with(|| Lane::new(project_id))
    }

    /// Keeps a place in memory for a delivery that is about to be born; false if it must be born
    /// due in the store instead.
    pub(crate) fn reserve(&mut self, target: &Arc<Target>, bytes: usize, now: Timestamp) -> bool {
        let limits = self.limits;
        let full = self.stopping || self.jobs >= limits.jobs_max || self.job_bytes + bytes > limits.job_bytes_max;
        let lane = self.lane(target.webhook.id, target.webhook.project_id);
        adopt(lane, target);
        // What waits in the store is older and goes first, unless its time has not come.
        let older_waits = lane.claiming || lane.next_due_at.is_some_and(|due_at| due_at <= now);
        let room = lane.waiting.len() + lane.reserved < limits.lane_jobs_max;
        if full || older_waits || !room || lane.held || lane.breaker.is_open() {
            return false;
        }
        lane.reserved += 1;
        self.jobs += 1;
        self.job_bytes += bytes;
        true
    }

    /// Gives up a place that was kept.
    pub(crate) fn unreserve(&mut self, webhook_id: WebhookId, bytes: usize) {
        if let Some(lane) = self.lanes.get_mut(&webhook_id) {
            lane.reserved = lane.reserved.saturating_sub(1);
        }
        self.jobs = self.jobs.saturating_sub(1);
        self.job_bytes = self.job_bytes.saturating_sub(bytes);
    }

    /// Fills a place that was kept.
    pub(crate) fn push_reserved(&mut self, lease: LeasedDelivery) {
        let webhook_id = lease.webhook_id;
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        lane.reserved = lane.reserved.saturating_sub(1);
        lane.waiting.push_back(lease);
        self.line_up(webhook_id);
    }

    /// Notes that a delivery in the store becomes due.
    pub(crate) fn note_due(&mut self, webhook_id: WebhookId, project_id: ProjectId, due_at: Timestamp) {
        let lane = self.lane(webhook_id, project_id);
        let earlier = |known: Option<Timestamp>| Some(known.map_or(due_at, |known| known.min(due_at)));
        if lane.claiming {
            lane.due_while_claiming = earlier(lane.due_while_claiming);
        } else {
            lane.next_due_at = earlier(lane.next_due_at);
            self.set_timer(webhook_id);
        }
    }

    fn line_up(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        let can_send = !lane.waiting.is_empty() && !lane.held && lane.in_flight < lane.concurrency.limit();
        if can_send && !lane.in_ring {
            lane.in_ring = true;
            let ring = if lane.proven { &mut self.proven } else { &mut self.unproven };
            ring.push(lane.project_id, webhook_id);
        }
    }

    fn set_timer(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        let wanted = if lane.held || lane.claiming { None } else { lane.next_due_at };
        if lane.timer == wanted {
            return;
        }
        if let Some(old) = lane.timer.take() {
            self.timers.remove(&(old, webhook_id));
        }
        if let Some(at) = wanted {
            lane.timer = Some(at);
            self.timers.insert((at, webhook_id));
        }
    }

    /// When a lane next wants to be looked at.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// The jobs that may start now.
    pub(crate) fn start(&mut self, now: Timestamp) -> Vec<Job> {
        let mut jobs = Vec::new();
        while !self.stopping && self.in_flight < self.limits.in_flight_max {
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
        match lane.breaker.admits(now) {
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
        let lease = lane.waiting.pop_front()?;
        lane.in_flight += 1;
        self.in_flight += 1;
        self.in_flight_unproven += usize::from(!lane.proven);
        let job =
            Job { target: lane.target.clone(), failing_since: lane.failing_since, lease, in_lane: true };
        self.line_up(webhook_id);
        Some(job)
    }

    /// Puts a timer at the end of a breaker's pause.
    fn wait_until(&mut self, webhook_id: WebhookId, at: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        if let Some(old) = lane.timer.take() {
            self.timers.remove(&(old, webhook_id));
        }
        lane.timer = Some(at);
        self.timers.insert((at, webhook_id));
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
                    lane.failing_since = None;
                }
                Some(false) => {
                    lane.breaker.on_failure(now);
                    lane.failing_since.get_or_insert(now);
                }
                None => {}
            }
            lane.proven = matches!(finished.load, Load::Answered(_));
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

    /// A lane that was full gets its timer back once half of its room is free.
    fn set_timer_if_roomy(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get(&webhook_id) else { return };
        if lane.timer.is_none() && lane.next_due_at.is_some() && lane.waiting.len() < CLAIM_PER_LANE_MAX / 2 {
            self.set_timer(webhook_id);
        }
    }

    /// Takes the lanes whose time has come: some want to be lined up, others to claim.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<ClaimRequest> {
        let mut wants = Vec::new();
        while let Some(&(at, webhook_id)) = self.timers.first()
            && at <= now
            && wants.len() < CLAIM_LANES_MAX
            && !self.stopping
        {
            self.timers.remove(&(at, webhook_id));
            let room_in_all = self.limits.jobs_max.saturating_sub(self.jobs);
            let Some(lane) = self.lanes.get_mut(&webhook_id) else { continue };
            lane.timer = None;
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
        self.line_up(asked.webhook_id);
        self.set_timer(asked.webhook_id);
    }

    /// Applies a webhook's new configuration; returns the leases to give back if it is held now.
    pub(crate) fn reconfigure(&mut self, webhook_id: WebhookId, target: Option<&Arc<Target>>) -> Vec<LeasedDelivery> {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return Vec::new() };
        match target {
            Some(target) => adopt(lane, target),
            None => {
                lane.target = None;
                lane.held = true;
            }
        }
        let mut given_back = Vec::new();
        if lane.held {
            given_back.extend(lane.waiting.drain(..));
            for lease in &given_back {
                self.jobs = self.jobs.saturating_sub(1);
                self.job_bytes = self.job_bytes.saturating_sub(lease.event.payload.len());
            }
        }
        self.line_up(webhook_id);
        self.set_timer(webhook_id);
        given_back
    }

    /// The webhooks of a project that have a lane.
    pub(crate) fn of_project(&self, project_id: ProjectId) -> Vec<WebhookId> {
        let mut ids: Vec<_> =
            self.lanes.iter().filter(|(_, lane)| lane.project_id == project_id).map(|(&id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The projects that have a lane.
    pub(crate) fn projects(&self) -> Vec<ProjectId> {
        let mut ids: Vec<_> = self.lanes.values().map(|lane| lane.project_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Starts nothing more; returns the leases that were waiting.
    pub(crate) fn stop(&mut self) -> Vec<LeasedDelivery> {
        self.stopping = true;
        let mut ids: Vec<_> = self.lanes.keys().copied().collect();
        ids.sort_unstable();
        let mut given_back = Vec::new();
        for id in ids {
            if let Some(lane) = self.lanes.get_mut(&id) {
                given_back.extend(lane.waiting.drain(..));
            }
        }
        self.jobs = self.jobs.saturating_sub(given_back.len());
        given_back
    }

    /// Counts a request that passes beside the lanes.
    pub(crate) fn enter_beside(&mut self) {
        self.in_flight += 1;
        self.jobs += 1;
    }

    /// Ends a request that passed beside the lanes.
    pub(crate) fn leave_beside(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.jobs = self.jobs.saturating_sub(1);
    }

    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether nothing can be sent or claimed before the next timer.
    pub(crate) fn is_idle(&self, now: Timestamp) -> bool {
        self.in_flight == 0
            && self.proven.is_empty()
            && self.unproven.is_empty()
            && self.next_timer().is_none_or(|at| at > now)
            && self.lanes.values().all(|lane| !lane.claiming && lane.reserved == 0)
    }

    /// How a webhook's lane stands.
    pub(crate) fn view(&self, webhook_id: WebhookId) -> Option<LaneView> {
        self.lanes.get(&webhook_id).map(|lane| LaneView {
            webhook_id,
            waiting: lane.waiting.len(),
            in_flight: lane.in_flight,
            limit: lane.concurrency.limit(),
            breaker_open: lane.breaker.is_open(),
            next_due_at: lane.next_due_at,
        })
    }
}

/// Takes over a webhook's configuration.
fn adopt(lane: &mut Lane, target: &Arc<Target>) {
    let same = lane.target.as_ref().is_some_and(|known| Arc::ptr_eq(known, target));
    if same {
        return;
    }
    let was_held = lane.held;
    lane.held = target.webhook.status != tidings_domain::webhook::WebhookStatus::Active;
    if lane.target.is_none() {
        lane.failing_since = target.state.failing_since;
    }
    if was_held && !lane.held {
        // Enabled again: it starts with a clean slate (api.md 5b).
        lane.breaker = Breaker::default();
        lane.failing_since = None;
    }
    lane.concurrency.set_max(target.webhook.settings.max_in_flight);
    lane.target = Some(Arc::clone(target));
}
