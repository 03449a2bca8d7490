//! The dispatcher: the one place that starts requests and draws their consequences.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, Weak,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use tidings_domain::{
    ids::{ProjectId, WebhookId},
    lane::Load,
    retry::{Decision, Verdict},
    time::Timestamp,
};
use tidings_ports::{
    Clock, Entropy, Sender,
    store::{Appended, BacklogLane, LeasedDelivery, NewDelivery, NewEvent, Settlement, Store, StoreError},
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::{
    DispatchLimits, LaneView, LanesView,
    acting::{Acted, Actor},
    attempt::{facts_of, load_of, record_exchange},
    lanes::{Finished, Job, Lanes},
    settler::Settler,
};
use crate::{
    Standing,
    feed::{Feed, births},
    publish::Router,
    signal::Signal,
    snapshot::Target,
};

/// How long the store is left alone after it refused a write, in milliseconds.
pub(super) const STORE_RETRY_MS: u64 = 250;
/// How long a delivery waits for which nobody had time, in milliseconds.
const BUSY_PAUSE_MS: u64 = 1_000;

/// What a dispatcher works with.
pub(crate) struct DispatcherParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) router: Arc<Router>,
    /// Whether what is leased still is.
    pub(crate) standing: Arc<Standing>,
    pub(crate) limits: DispatchLimits,
    /// The project whose deliveries are reports themselves.
    pub(crate) operations: Arc<OnceLock<ProjectId>>,
    /// Wakes whoever turns reports into events.
    pub(crate) reports: Arc<Signal>,
    /// Tells whoever listens.
    pub(crate) feed: Arc<Feed>,
}

/// Carries deliveries to their webhooks.
pub(crate) struct Dispatcher {
    pub(super) parts: DispatcherParts,
    lanes: Mutex<Lanes>,
    pub(super) settler: Settler,
    unsettled: Arc<Semaphore>,
    pub(super) timers_changed: Notify,
    progress: Notify,
    /// Forced deliveries under way.
    forced: AtomicUsize,
    /// What the store knows about a wall clock that was set.
    pub(super) stepped_ms: AtomicI64,
    pub(super) actor: OnceLock<Weak<dyn Actor>>,
}

impl Dispatcher {
    pub(crate) fn new(parts: DispatcherParts) -> Self {
        let lanes = Mutex::new(Lanes::new(parts.limits));
        let unsettled = Arc::new(Semaphore::new(parts.limits.unsettled_max));
        Self {
            parts,
            lanes,
            settler: Settler::default(),
            unsettled,
            timers_changed: Notify::new(),
            progress: Notify::new(),
            forced: AtomicUsize::new(0),
            stepped_ms: AtomicI64::new(0),
            actor: OnceLock::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Works on the lanes, and wakes whoever waits for an earlier timer.
    pub(super) fn with_lanes<T>(&self, work: impl FnOnce(&mut Lanes) -> T) -> T {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lanes.next_timer();
        let result = work(&mut lanes);
        let after = lanes.next_timer();
        drop(lanes);
        if after.is_some() && after != before {
            self.timers_changed.notify_one();
        }
        result
    }

    /// Keeps places in memory for an event's deliveries; false where there is none.
    pub(crate) fn reserve(&self, targets: &[&Arc<Target>], bytes: usize) -> Vec<bool> {
        let now = self.now();
        self.with_lanes(|lanes| targets.iter().map(|target| lanes.reserve(target, bytes, now)).collect())
    }

    /// Gives up the places of an event that was not accepted.
    pub(crate) fn unreserve(&self, deliveries: &[NewDelivery], bytes: usize) {
        self.with_lanes(|lanes| {
            for delivery in deliveries.iter().filter(|delivery| delivery.leased) {
                lanes.unreserve(delivery.webhook_id, bytes);
            }
        });
    }

    /// Takes over what a commit made durable, and starts what there is room for. `term`: as it was before the commit.
    pub(crate) fn accepted(self: &Arc<Self>, events: &[NewEvent], results: &[Appended], term: u64) {
        let now = self.now();
        let mut lost = Vec::new();
        let jobs = self.with_lanes(|lanes| {
            for (new, result) in events.iter().zip(results) {
                let stored = matches!(result, Appended::Stored);
                let (project_id, bytes) = (new.event.project_id, new.event.payload.len());
                for delivery in &new.deliveries {
                    match (stored, delivery.leased) {
                        (true, true) if lanes.term == term => lanes.push_reserved(newborn(new, delivery)),
                        (true, true) => {
                            lanes.unreserve(delivery.webhook_id, bytes);
                            lost.push(newborn(new, delivery));
                        }
                        (true, false) => {
                            lanes.note_due(delivery.webhook_id, project_id, delivery.due_at.unwrap_or(now));
                        }
                        (false, true) => lanes.unreserve(delivery.webhook_id, bytes),
                        (false, false) => {}
                    }
                }
            }
            lanes.start(now)
        });
        self.spawn_jobs(jobs);
        self.give_back_refused();
        self.give_back_aside(lost);
        self.parts.feed.tell(|| births(events, results));
    }

    /// The only place where requests are started.
    pub(super) fn spawn_jobs(self: &Arc<Self>, jobs: Vec<Job>) {
        for job in jobs {
            let dispatcher = Arc::clone(self);
            tokio::spawn(async move { dispatcher.work(job).await });
        }
    }

    /// Carries out one job, and then whatever its end makes room for.
    async fn work(self: Arc<Self>, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            let (webhook_id, bytes) = (job.lease.webhook_id, job.lease.event.payload.len());
            let finished = self.attempt(job).await;
            let now = self.now();
            let mut jobs = self.with_lanes(|lanes| {
                lanes.finish(webhook_id, bytes, finished, now);
                lanes.start(now)
            });
            next = jobs.pop();
            self.spawn_jobs(jobs);
        }
        self.progress.notify_waiters();
    }

    /// One attempt; `None` if the delivery was given back instead.
    async fn attempt(self: &Arc<Self>, job: Job) -> Option<Finished> {
        if !self.parts.standing.may_send() {
            // What somebody wants to be sent beside its lane waits as well.
            self.give_back(vec![job.lease]).await;
            return None;
        }
        let (permit, waited) = match Arc::clone(&self.unsettled).try_acquire_owned() {
            Ok(permit) => (permit, false),
            Err(_) => (Arc::clone(&self.unsettled).acquire_owned().await.ok()?, true),
        };
        let waited = waited || !self.parts.standing.holds();
        // While it waited its webhook may have been paused, changed or deleted.
        let mut job = if waited { Job { target: None, ..job } } else { job };
        let Some(target) = self.cleared(&mut job).await else {
            self.give_back(vec![job.lease]).await;
            return None;
        };
        let lease = job.lease;
        let number = lease.attempts_made + 1;
        let started_at = self.parts.clock.wall();
        let Acted { exchange, next, here, sent, added, cancelled, busy } =
            self.exchange(&target, &lease, number, started_at).await;
        if busy {
            self.give_back_until(vec![lease], self.now().plus_millis(BUSY_PAUSE_MS)).await;
            return None;
        }
        let (now, ended_at) = (self.now(), self.parts.clock.wall());
        let facts = facts_of(&exchange, number, (now, ended_at), lease.manual, job.failing_since);
        let random = || (self.parts.entropy.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut decision = target.policy.decide(facts, random);
        if cancelled {
            decision = Decision { verdict: Verdict::Dropped, disable: None };
        }
        if target.acting.is_some() {
            // A source is its owner's to disable.
            decision.disable = None;
        }
        let finished = Finished {
            load: if here { Load::Answered(0) } else { load_of(&exchange) },
            succeeded: match decision.verdict {
                Verdict::Delivered => Some(true),
                // What cannot be done here says nothing about whether the next can.
                Verdict::Dropped => None,
                Verdict::Retry { .. } | Verdict::Exhausted => (!here).then_some(false),
            },
        };
        let settlement = Settlement {
            delivery_id: lease.id,
            epoch: lease.epoch,
            webhook_id: lease.webhook_id,
            project_id: lease.project_id,
            event: lease.event,
            rendering: lease.rendering,
            attempt: Acted::record(sent, &added, record_exchange(&target, exchange, number, started_at)),
            decision,
            ended_at,
            reported: self.parts.operations.get() != Some(&lease.project_id),
            next,
        };
        self.settler.push(settlement, permit);
        Some(finished)
    }

    /// The webhook that a delivery may be sent to now; `None`: it is others' to send, or nobody's.
    async fn cleared(self: &Arc<Self>, job: &mut Job) -> Option<Arc<Target>> {
        let standing = &self.parts.standing;
        while standing.held_again(job.term).await {
            let target = self.target_for(job).await?;
            // Looking it up may have taken longer than a lease lasts.
            if standing.holds_under(job.term) {
                return Some(target);
            }
            job.target = None;
        }
        None
    }

    /// Has everything wait in the store, or no longer.
    pub(crate) fn set_quiet(self: &Arc<Self>, quiet: bool) {
        let now = self.now();
        let jobs = self.with_lanes(|lanes| {
            lanes.quiet = quiet;
            lanes.start(now)
        });
        self.spawn_jobs(jobs);
    }

    /// Notes a delivery that was born due.
    pub(crate) fn note_due(&self, webhook_id: WebhookId, project_id: ProjectId, due_at: Timestamp) {
        self.with_lanes(|lanes| lanes.note_due(webhook_id, project_id, due_at));
    }

    /// Returns leases unused. A store that fails for the moment is asked again: until then nobody
    /// else sends them. Leases that it refuses to take back stay until the next start.
    pub(super) async fn give_back(&self, leases: Vec<LeasedDelivery>) {
        self.give_back_until(leases, self.now()).await;
    }

    /// … for nobody to send them before a time.
    async fn give_back_until(&self, leases: Vec<LeasedDelivery>, due_at: Timestamp) {
        if leases.is_empty() {
            return;
        }
        let released: Vec<_> = leases.iter().map(|lease| (lease.id, lease.epoch)).collect();
        while let Err(error) = self.parts.store.release(released.clone(), due_at).await {
            if error == StoreError::Closed {
                return;
            }
            if !error.passes() {
                tracing::error!(error = %error, deliveries = released.len(), "leases could not be given back");
                return;
            }
            tracing::warn!(error = %error, deliveries = released.len(), "leases could not be given back yet");
            self.parts.clock.sleep_until(self.now().plus_millis(STORE_RETRY_MS)).await;
        }
        self.with_lanes(|lanes| {
            for lease in &leases {
                lanes.note_due(lease.webhook_id, lease.project_id, due_at);
            }
        });
    }

    /// Brings lanes in line, beside everything else, with what another process has changed; what it was before is
    /// used no more from here on.
    pub(crate) fn projects_changed_elsewhere(self: &Arc<Self>, projects: Vec<ProjectId>) {
        self.with_lanes(|lanes| lanes.mark_stale(&projects));
        let dispatcher = Arc::clone(self);
        tokio::spawn(async move {
            for project_id in projects {
                dispatcher.project_changed(project_id).await;
            }
        });
    }

    /// Sends a delivery that somebody wants now: first in its lane, or, with a slot for it, beside
    /// the lane of a webhook that is held.
    /// `term`: as it was before it was leased.
    pub(crate) async fn send_again(
        self: &Arc<Self>,
        lease: LeasedDelivery,
        slot: Option<OwnedSemaphorePermit>,
        term: u64,
    ) {
        let now = self.now();
        let (refused, jobs) = self.with_lanes(|lanes| match lanes.term == term {
            true => (lanes.push_first(lease), lanes.start(now)),
            false => (Some(lease), Vec::new()),
        });
        self.spawn_jobs(jobs);
        match (refused, slot) {
            (None, _) => {}
            (Some(lease), Some(slot)) => self.force(lease, slot, term),
            (Some(lease), None) => self.give_back(vec![lease]).await,
        }
    }

    fn force(self: &Arc<Self>, lease: LeasedDelivery, slot: OwnedSemaphorePermit, term: u64) {
        let dispatcher = Arc::clone(self);
        self.forced.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            dispatcher.attempt(Job { lease, target: None, failing_since: None, in_lane: false, term }).await;
            drop(slot);
            dispatcher.forced.fetch_sub(1, Ordering::SeqCst);
            dispatcher.note_progress();
        });
    }

    /// Gives back, beside everything else, what reached a held lane.
    pub(super) fn give_back_refused(self: &Arc<Self>) {
        self.give_back_aside(self.with_lanes(Lanes::take_refused));
    }

    /// Gives leases back beside everything else.
    pub(super) fn give_back_aside(self: &Arc<Self>, leases: Vec<LeasedDelivery>) {
        if !leases.is_empty() {
            let dispatcher = Arc::clone(self);
            tokio::spawn(async move { dispatcher.give_back(leases).await });
        }
    }

    /// Notes webhooks that have deliveries waiting in the store.
    pub(crate) fn note_backlog(&self, backlog: &[BacklogLane]) {
        self.with_lanes(|lanes| {
            for lane in backlog {
                lanes.note_due(lane.webhook_id, lane.project_id, lane.next_due_at);
            }
        });
    }

    /// Completes when nothing is in flight, nothing can be started, and every verdict is written.
    pub(crate) async fn idle(&self) {
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if self.is_idle() {
                return;
            }
            progress.await;
        }
    }

    fn is_idle(&self) -> bool {
        let now = self.now();
        self.forced.load(Ordering::SeqCst) == 0
            && self.settler.unsettled() == 0
            && self.with_lanes(|lanes| lanes.is_idle(now))
    }

    /// Tells whoever waits in [`Dispatcher::idle`] to look again.
    pub(super) fn note_progress(&self) {
        self.progress.notify_waiters();
    }

    /// Starts nothing more, waits for what is in flight and its verdicts, gives the rest back.
    pub(crate) async fn stop(&self) {
        let waiting = self.with_lanes(Lanes::stop);
        self.give_back(waiting).await;
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            let forced = self.forced.load(Ordering::SeqCst);
            if forced == 0 && self.settler.unsettled() == 0 && self.with_lanes(|lanes| lanes.in_flight()) == 0 {
                return;
            }
            progress.await;
        }
    }

    /// Whether the verdict on an attempt that ended before then is not written yet.
    pub(crate) fn has_unwritten(&self, ended_before: Timestamp) -> bool {
        self.settler.has_unwritten(ended_before)
    }

    /// The projects that have lanes.
    pub(crate) fn projects(&self) -> Vec<ProjectId> {
        self.with_lanes(|lanes| lanes.projects())
    }

    /// How all lanes stand together.
    pub(crate) fn overview(&self, noted_max: usize) -> LanesView {
        self.with_lanes(|lanes| lanes.overview(noted_max))
    }

    /// How a webhook's lane stands.
    pub(crate) fn view(&self, webhook_id: WebhookId) -> Option<LaneView> {
        self.with_lanes(|lanes| lanes.view(webhook_id))
    }
}

/// The lease that a delivery is born with.
fn newborn(new: &NewEvent, delivery: &NewDelivery) -> LeasedDelivery {
    LeasedDelivery {
        id: delivery.id,
        epoch: 1,
        webhook_id: delivery.webhook_id,
        project_id: new.event.project_id,
        rendering: delivery.rendering,
        attempts_made: 0,
        manual: false,
        event: Arc::clone(&new.event),
    }
}
