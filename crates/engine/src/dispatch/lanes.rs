//! Lanes: one per webhook, fair between projects, adaptive in concurrency, bounded in memory.
//!
//! Only state and its rules; nothing here waits, sends or stores. Every method takes the time it
//! happens at, and those that free or fill something return the jobs that may start now.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tidings_domain::{
    ids::{ProjectId, WebhookId},
    lane::Load,
    time::Timestamp,
};
use tidings_ports::store::LeasedDelivery;

use super::{
    DispatchLimits, LaneView, LanesView,
    lane::{Lane, Share},
    ring::Ring,
};
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
    /// When it was leased: once all leases were lost, others send it.
    pub(crate) term: u64,
}

/// How a job ended, as far as its lane cares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) load: Load,
    /// Whether the attempt counts as success, as failure, or as neither (a drop).
    pub(crate) succeeded: Option<bool>,
}

/// Idle lanes that are remembered for what they learned about their receivers.
const IDLE_LANES_MAX: usize = 20_000;

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(super) limits: DispatchLimits,
    pub(super) lanes: HashMap<WebhookId, Lane>,
    /// Whose turn it is among the webhooks that are known to answer, and among the others.
    pub(super) proven: Ring,
    pub(super) unproven: Ring,
    pub(super) unproven_next: bool,
    pub(super) timers: BTreeSet<(Timestamp, WebhookId)>,
    pub(super) in_flight: usize,
    pub(super) in_flight_unproven: usize,
    pub(super) jobs: usize,
    pub(super) job_bytes: usize,
    pub(super) stopping: bool,
    pub(super) share: Share,
    /// Nothing may be sent yet: everything waits in the store.
    pub(super) quiet: bool,
    /// Grows when all leases are lost; what waits was leased under it.
    pub(super) term: u64,
    refused: Vec<LeasedDelivery>,
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
            share: Share::ALL,
            quiet: false,
            term: 0,
            refused: Vec::new(),
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
        let share = self.share;
        let (jobs, job_bytes, stopping) = (self.jobs, self.job_bytes, self.stopping || self.quiet);
        let lane = self.lane(target.webhook.id, target.webhook.project_id);
        lane.adopt(target, share);
        let (jobs_max, bytes_max) = limits.memory_for(lane.proven);
        let full = stopping || jobs >= jobs_max || job_bytes + bytes > bytes_max;
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
        self.refuse_held(webhook_id);
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

    pub(super) fn line_up(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        let can_send = !lane.waiting.is_empty() && !lane.held && lane.in_flight < lane.concurrency.limit();
        if can_send && !lane.in_ring {
            lane.in_ring = true;
            let ring = if lane.proven { &mut self.proven } else { &mut self.unproven };
            ring.push(lane.project_id, webhook_id);
        }
    }

    /// Puts the lane's timer where it belongs.
    pub(super) fn set_timer(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return };
        let due_at = if lane.held || lane.claiming { None } else { lane.next_due_at };
        let wanted = lane.look_again_at.or(due_at);
        if self.stopping || lane.timer == wanted {
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
        self.timers.first().filter(|_| !self.quiet).map(|&(at, _)| at)
    }

    /// Leaves a lane alone until then.
    pub(super) fn wait_until(&mut self, webhook_id: WebhookId, at: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(&webhook_id) {
            lane.look_again_at = Some(at);
            self.set_timer(webhook_id);
        }
    }

    /// Applies a webhook's new configuration; returns the leases to give back if it is held now.
    pub(crate) fn reconfigure(&mut self, webhook_id: WebhookId, target: Option<&Arc<Target>>) -> Vec<LeasedDelivery> {
        let Some(lane) = self.lanes.get_mut(&webhook_id) else { return Vec::new() };
        lane.is_stale = false;
        match target {
            Some(target) => lane.adopt(target, self.share),
            None => {
                lane.target = None;
                lane.held = true;
            }
        }
        let is_over = target.is_none() && lane.reserved == 0 && lane.in_flight == 0 && !lane.claiming;
        self.refuse_held(webhook_id);
        self.line_up(webhook_id);
        self.set_timer(webhook_id);
        // Nothing comes back to the lane of a webhook that was deleted.
        if is_over && let Some(lane) = self.lanes.remove(&webhook_id) {
            self.timers.retain(|&(at, id)| lane.timer != Some(at) || id != webhook_id);
        }
        self.take_refused()
    }

    /// Nothing is sent to these projects' webhooks before they are looked up.
    pub(crate) fn mark_stale(&mut self, projects: &[ProjectId]) {
        for lane in self.lanes.values_mut().filter(|lane| projects.contains(&lane.project_id)) {
            lane.is_stale = true;
        }
    }

    /// So many processes send beside each other; returns the leases of webhooks that others send to now.
    pub(crate) fn set_share(&mut self, share: Share) -> Vec<LeasedDelivery> {
        if self.share == share {
            return Vec::new();
        }
        self.share = share;
        let mut ids: Vec<_> = self.lanes.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.take_share(share);
            }
            self.refuse_held(id);
            self.line_up(id);
            self.set_timer(id);
        }
        self.take_refused()
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
        // Nothing is claimed any more, so nothing is to be woken for.
        self.timers.clear();
        self.drain()
    }

    /// All leases were lost: what comes from here on is of another term. Returns what was waiting.
    pub(crate) fn begin_term(&mut self, term: u64) -> Vec<LeasedDelivery> {
        self.term = term;
        self.drain()
    }

    /// Empties what waits.
    fn drain(&mut self) -> Vec<LeasedDelivery> {
        let mut ids: Vec<_> = self.lanes.keys().copied().collect();
        ids.sort_unstable();
        let mut given_back = Vec::new();
        for id in ids {
            if let Some(lane) = self.lanes.get_mut(&id) {
                given_back.extend(lane.drain());
            }
        }
        self.jobs -= given_back.len();
        self.job_bytes -= given_back.iter().map(|lease| lease.event.payload.len()).sum::<usize>();
        given_back
    }

    /// Puts a delivery that somebody wants now before all others of its webhook; hands it back if
    /// the webhook is held.
    pub(crate) fn push_first(&mut self, lease: LeasedDelivery) -> Option<LeasedDelivery> {
        let (webhook_id, bytes) = (lease.webhook_id, lease.event.payload.len());
        // Memory may be full of what is due; what somebody waits for gets as much again.
        let full = self.jobs >= 2 * self.limits.jobs_max || self.job_bytes >= 2 * self.limits.job_bytes_max;
        if self.lane(webhook_id, lease.project_id).held || self.stopping || self.quiet || full {
            return Some(lease);
        }
        self.jobs += 1;
        self.job_bytes += bytes;
        let lane = self.lane(webhook_id, lease.project_id);
        lane.waiting.push_front(lease);
        lane.wanted += 1;
        self.line_up(webhook_id);
        None
    }

    /// The leases that reached a lane which was held meanwhile.
    pub(crate) fn take_refused(&mut self) -> Vec<LeasedDelivery> {
        std::mem::take(&mut self.refused)
    }

    /// Hands back what waits in a lane that is held.
    pub(super) fn refuse_held(&mut self, webhook_id: WebhookId) {
        let Some(lane) = self.lanes.get_mut(&webhook_id).filter(|lane| lane.held) else { return };
        for lease in lane.drain() {
            self.jobs = self.jobs.saturating_sub(1);
            self.job_bytes = self.job_bytes.saturating_sub(lease.event.payload.len());
            self.refused.push(lease);
        }
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

    /// How all lanes stand together. Looks at each, so it is for operators who ask.
    pub(crate) fn overview(&self, noted_max: usize) -> LanesView {
        let mut view = LanesView { in_flight: self.in_flight, ..LanesView::default() };
        let (mut open, mut waiting) = (Vec::new(), Vec::new());
        for (&webhook_id, lane) in &self.lanes {
            view.busy += usize::from(!lane.is_idle());
            view.waiting += lane.waiting.len();
            view.held += usize::from(lane.is_paused());
            if lane.breaker.is_open() {
                open.push(webhook_id);
            } else if !lane.waiting.is_empty() {
                waiting.push((std::cmp::Reverse(lane.waiting.len()), webhook_id));
            }
        }
        view.breakers_open = open.len();
        open.sort_unstable();
        waiting.sort_unstable();
        let busiest = waiting.into_iter().map(|(_, webhook_id)| webhook_id).take(noted_max);
        view.noted = open.into_iter().take(noted_max).chain(busiest).collect();
        view
    }

    /// How a webhook's lane stands.
    pub(crate) fn view(&self, webhook_id: WebhookId) -> Option<LaneView> {
        self.lanes.get(&webhook_id).map(|lane| LaneView {
            webhook_id,
            waiting: lane.waiting.len(),
            in_flight: lane.in_flight,
            limit: lane.concurrency.limit(),
            breaker_open: lane.breaker.is_open(),
            next_probe_at: lane.breaker.next_probe_at(),
            next_due_at: lane.next_due_at,
        })
    }
}
