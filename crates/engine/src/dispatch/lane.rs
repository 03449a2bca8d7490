//! One webhook's lane: what waits for it, what is under way, what was learned about it.

use std::{collections::VecDeque, sync::Arc};

use tidings_domain::{
    breaker::{Admission, Breaker},
    ids::ProjectId,
    lane::Concurrency,
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::LeasedDelivery;

use crate::snapshot::Target;

/// Which part of what a webhook's owner allows is this process's: others that share the store have the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Processes that are alive.
    pub(crate) processes: u32,
    /// How many of them come before this one.
    pub(crate) place: u32,
}

impl Share {
    pub(crate) const ALL: Self = Self { processes: 1, place: 0 };

    /// Requests at a time, of so many that all may have together. What is left over goes to other processes for
    /// other webhooks.
    fn of(self, max: u32, webhook: u64) -> u32 {
        let processes = self.processes.max(1);
        let place = (u64::from(self.place) + webhook) % u64::from(processes);
        max / processes + u32::from(place < u64::from(max % processes))
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) project_id: ProjectId,
    pub(super) target: Option<Arc<Target>>,
    /// Whether another process has changed the webhook: it is looked up before anything is sent.
    pub(super) is_stale: bool,
    pub(super) waiting: VecDeque<LeasedDelivery>,
    /// So many at the front of what waits are wanted by somebody at once: the breaker's pause does
    /// not hold them up, and each is its probe.
    pub(super) wanted: usize,
    pub(super) reserved: usize,
    pub(super) in_flight: u32,
    pub(super) concurrency: Concurrency,
    pub(super) breaker: Breaker,
    pub(super) failing_since: Option<Timestamp>,
    /// Whether the webhook took the last request it was sent, and quickly.
    pub(super) proven: bool,
    /// Whether it is paused or disabled.
    pub(super) held: bool,
    pub(super) in_ring: bool,
    /// When the next delivery in the store is due.
    pub(super) next_due_at: Option<Timestamp>,
    /// Nothing is to be done for this lane before this time: its breaker pauses, or memory is full.
    pub(super) look_again_at: Option<Timestamp>,
    /// The timer that stands for this lane.
    pub(super) timer: Option<Timestamp>,
    /// A claim is on its way; what becomes due meanwhile is noted beside it.
    pub(super) claiming: bool,
    pub(super) due_while_claiming: Option<Timestamp>,
}

impl Lane {
    pub(super) fn new(project_id: ProjectId) -> Self {
        Self {
            project_id,
            target: None,
            is_stale: false,
            waiting: VecDeque::new(),
            wanted: 0,
            reserved: 0,
            in_flight: 0,
            // Until it knows its webhook's own limit: one request, which finds that out.
            concurrency: Concurrency::new(Some(1)),
            breaker: Breaker::default(),
            failing_since: None,
            proven: false,
            held: false,
            in_ring: false,
            next_due_at: None,
            look_again_at: None,
            timer: None,
            claiming: false,
            due_while_claiming: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.reserved == 0
            && self.in_flight == 0
            && self.next_due_at.is_none()
            && !self.claiming
            && !self.held
    }

    /// Whether its webhook is paused or disabled.
    pub(super) fn is_paused(&self) -> bool {
        self.target.as_ref().map_or(self.held, |target| target.webhook.status != WebhookStatus::Active)
    }

    /// Empties what waits.
    pub(super) fn drain(&mut self) -> std::collections::vec_deque::Drain<'_, LeasedDelivery> {
        self.wanted = 0;
        self.waiting.drain(..)
    }

    /// What is sent next.
    pub(super) fn take_next(&mut self) -> Option<LeasedDelivery> {
        self.wanted = self.wanted.saturating_sub(1);
        self.waiting.pop_front()
    }

    /// What the breaker lets through now.
    pub(super) fn admits(&self, now: Timestamp) -> Admission {
        match self.breaker.admits(now) {
            Admission::NotBefore(_) if self.wanted > 0 => Admission::OneProbe,
            admission => admission,
        }
    }

    /// Takes over its webhook's configuration.
    pub(super) fn adopt(&mut self, target: &Arc<Target>, share: Share) {
        let same = self.target.as_ref().is_some_and(|known| Arc::ptr_eq(known, target));
        // A publisher may still hold the configuration of a moment ago.
        let older = self.target.as_ref().is_some_and(|known| known.revision > target.revision);
        if same || older {
            return;
        }
        let was_held = self.target.as_ref().is_some_and(|known| known.webhook.status != WebhookStatus::Active);
        if self.target.is_none() {
            self.failing_since = target.state.failing_since;
            self.concurrency = Concurrency::new(target.webhook.settings.max_in_flight);
        }
        self.target = Some(Arc::clone(target));
        self.take_share(share);
        if was_held && !self.held {
            // Enabled again: it starts with a clean slate.
            self.breaker = Breaker::default();
            self.look_again_at = None;
            self.failing_since = None;
        }
    }

    /// Takes its part of what the webhook's owner allows. Where that is nothing, others send.
    pub(super) fn take_share(&mut self, share: Share) {
        let Some(target) = &self.target else { return };
        let webhook = &target.webhook;
        let max = webhook.settings.max_in_flight.map(|max| share.of(max, webhook.id.sequence().cast_unsigned()));
        self.held = webhook.status != WebhookStatus::Active || max == Some(0);
        self.concurrency.set_max(max);
    }
}
