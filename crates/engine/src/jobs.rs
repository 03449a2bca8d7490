//! Jobs: recoveries and replays, in small steps beside everything else.
//!
//! A job never has more than a few hundred deliveries due at a time: the next step waits until the
//! webhook has taken the last ones, so that a fresh event is not far behind.

use std::sync::atomic::{AtomicI64, Ordering};

use tidings_domain::{
    delivery::DeliveryState,
    ids::{JobId, ProjectId, WebhookId, first_sequence_at},
    job::{JobRequest, JobState, JobWork},
    matching::Mismatch,
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::{
    BacklogLane, Counted, Created, EventReplayed, EventsAfter, Idempotency, JobCreated, JobRecord, NewDelivery, NewJob,
    NewReplay, ReplayStep, ReplayedDelivery, Stepped, StoreError,
};

use crate::{Engine, engine::STALE_REPEATS_MAX, signal::Signal, snapshot::Target};

/// Jobs of one project that may run at a time.
pub const PROJECT_JOBS_MAX: u32 = 4;
/// Deliveries or events looked at in one step: few enough that no commit waits long for it.
const STEP_ROWS: u32 = 100;
/// Payload bytes of the events of one step.
const STEP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deliveries of a webhook that may be due before its jobs wait.
const DUE_MAX: u32 = 200;
/// How long jobs that cannot go on are left alone, in milliseconds.
const PAUSE_MS: u64 = 200;
/// Jobs looked at in one round.
const ROUND_JOBS_MAX: u32 = 256;
/// Deliveries or events looked at to count a job before it begins; a longer one counts on as it goes.
const COUNTED_ROWS_MAX: u32 = 250_000;
/// Events that a dry run looks at, …
const DRY_RUN_EVENTS_MAX: u32 = 100_000;
/// … and bytes of their payloads, which it reads if the webhook has a filter.
const DRY_RUN_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a job was not made, or what keeps an event from being sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The project has no such webhook.
    #[error("the project has no such webhook")]
    NoWebhook,
    /// The webhook is disabled.
    #[error("the webhook is disabled")]
    WebhookDisabled,
    /// As many jobs of the project are running as may be.
    #[error("{PROJECT_JOBS_MAX} jobs of the project are running already")]
    TooMany,
    /// The project has no such event.
    #[error("the project has no such event")]
    NoEvent,
    /// The event's payload was deleted.
    #[error("the event's payload was deleted")]
    Expunged,
    /// The webhook does not select the event.
    #[error("the webhook does not select the event")]
    NotSelected(Mismatch),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells the jobs' loop that there is something to do, and tests when there is not.
#[derive(Debug)]
pub(crate) struct JobSignal {
    signal: Signal,
    /// When the loop looks again, in milliseconds since 1970.
    next_look: AtomicI64,
}

impl Default for JobSignal {
    fn default() -> Self {
        Self { signal: Signal::default(), next_look: AtomicI64::new(i64::MAX) }
    }
}

impl JobSignal {
    /// Whether the loop has something to do before the clock moves on.
    pub(crate) fn is_busy(&self, now: Timestamp) -> bool {
        self.signal.is_asked() || self.next_look.load(Ordering::SeqCst) <= now.as_millis()
    }

    /// There may be something to do.
    pub(crate) fn ask(&self) {
        self.signal.ask();
    }

    /// Completes when it has not.
    pub(crate) async fn done(&self, now: Timestamp) {
        self.signal.until(|| !self.is_busy(now)).await;
    }
}

/// What a round over all running jobs came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// No job is running.
    Nothing,
    /// Jobs are running, and none can go on at the moment.
    Waiting,
    /// Some job has come further.
    Progress,
}

impl Engine {
    /// Makes a job; it starts at once.
    pub async fn create_job(
        &self,
        id: JobId,
        project_id: ProjectId,
        webhook_id: WebhookId,
        request: JobRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, JobError> {
        self.webhook_for_job(project_id, webhook_id).await?;
        let total = match request.work {
            JobWork::Recover { .. } => {
                self.store.count_recoverable(webhook_id, request.clone(), id.timestamp(), COUNTED_ROWS_MAX).await?.count
            }
            JobWork::Replay { .. } => {
                self.store.count_events(project_id, request.since, request.until, COUNTED_ROWS_MAX).await?
            }
        };
        let new = NewJob { id, project_id, webhook_id, request, total };
        match self.store.create_job(new, PROJECT_JOBS_MAX, idempotency).await? {
            JobCreated::TooMany => Err(JobError::TooMany),
            JobCreated::Created(created) => {
                self.jobs.signal.ask();
                Ok(created)
            }
        }
    }

    /// Counts what a job would queue, and queues nothing.
    pub async fn count_job(
        &self,
        project_id: ProjectId,
        webhook_id: WebhookId,
        request: &JobRequest,
    ) -> Result<Counted, JobError> {
        let target = self.webhook_for_job(project_id, webhook_id).await?;
        let JobWork::Replay { all, .. } = request.work else {
            let now = self.clock.now();
            return Ok(self.store.count_recoverable(webhook_id, request.clone(), now, COUNTED_ROWS_MAX).await?);
        };
        let (mut looked_at, mut bytes, mut count) = (0, 0, 0);
        let mut place = first_sequence_at(request.since) - 1;
        while looked_at < DRY_RUN_EVENTS_MAX && bytes < DRY_RUN_BYTES_MAX {
            let found = self.events_of(project_id, &target, place, request.until).await?;
            if found.looked_at == 0 {
                return Ok(Counted { count, at_least: false });
            }
            place = found.place;
            looked_at += found.looked_at;
            bytes += found.payload_bytes;
            let chosen = found.events.iter().filter(|event| request.replays(event) && target.selects(event).is_ok());
            let keys: Vec<_> = chosen.map(|event| event.key).collect();
            count += match all {
                true => u32::try_from(keys.len()).unwrap_or(u32::MAX),
                false => self.store.count_without_delivery(webhook_id, keys).await?,
            };
        }
        Ok(Counted { count, at_least: true })
    }

    /// Ends a job; what it has queued stays queued. `None`: the project has no such job.
    pub async fn cancel_job(&self, project_id: ProjectId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        let Some(mut job) = self.store.find_job(project_id, id).await? else { return Ok(None) };
        let now = self.clock.wall();
        if !self.store.end_job(id, JobState::Cancelled, None, now).await? {
            return self.store.find_job(project_id, id).await;
        }
        self.reports.ask();
        // It is cancelled, whether or not it can be looked at again.
        (job.state, job.finished_at) = (JobState::Cancelled, Some(now));
        Ok(self.store.find_job(project_id, id).await.unwrap_or(Some(job)))
    }

    /// Sends an event again, as new deliveries: to one webhook, or to all that select it.
    pub async fn replay_event(
        &self,
        project_id: ProjectId,
        event_id: &str,
        webhook_id: Option<WebhookId>,
        idempotency: impl Fn(&[NewDelivery]) -> Option<Idempotency>,
    ) -> Result<(Created, Vec<NewDelivery>), JobError> {
        let event = self.store.find_event(project_id, event_id).await?.ok_or(JobError::NoEvent)?;
        if self.store.expunged_at(project_id, event.key).await?.is_some() {
            return Err(JobError::Expunged);
        }
        for _ in 0..STALE_REPEATS_MAX {
            let snapshot = self.router.snapshot(project_id).await?.ok_or(JobError::NoEvent)?;
            let targets: Vec<_> = match webhook_id {
                None => snapshot.targets().filter(|target| target.selects(&event).is_ok()).collect(),
                Some(id) => {
                    let target = snapshot.target(id).ok_or(JobError::NoWebhook)?;
                    target.selects(&event).map_err(|mismatch| match mismatch {
                        Mismatch::Disabled => JobError::WebhookDisabled,
                        other => JobError::NotSelected(other),
                    })?;
                    vec![target]
                }
            };
            let ids = self.ids.deliveries(targets.len());
            let deliveries: Vec<_> = targets.iter().zip(ids).map(|(target, id)| target.delivery(id)).collect();
            let replayed = deliveries.iter().map(|&delivery| ReplayedDelivery { event: event.key, delivery }).collect();
            let new = NewReplay { project_id, snapshot_version: snapshot.version, deliveries: replayed };
            let now = self.clock.now();
            match self.store.replay_event(new, idempotency(&deliveries), now).await? {
                EventReplayed::StaleSnapshot => drop(self.router.reload(project_id).await?),
                EventReplayed::Created(created) => {
                    if created == Created::Stored {
                        deliveries.iter().for_each(|delivery| self.note_due(project_id, delivery.webhook_id, now));
                    }
                    return Ok((created, deliveries));
                }
            }
        }
        Err(StoreError::Unavailable("the project's webhooks change too fast".to_owned()).into())
    }

    /// Carries jobs on, for as long as the process lives.
    pub(crate) async fn run_jobs(self: std::sync::Arc<Self>) {
        loop {
            self.standing.led().await;
            let answers = self.jobs.signal.open();
            let round = match self.job_round().await {
                Ok(Round::Progress) => continue,
                Ok(round) => round,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(error = %error, "jobs go on a little later");
                    Round::Waiting
                }
            };
            let next = self.clock.now().plus_millis(PAUSE_MS);
            let next_look = if round == Round::Waiting { next.as_millis() } else { i64::MAX };
            self.jobs.next_look.store(next_look, Ordering::SeqCst);
            self.jobs.signal.close(answers);
            match round {
                Round::Waiting => tokio::select! {
                    biased;
                    () = self.jobs.signal.asked() => {}
                    () = self.clock.sleep_until(next) => {}
                },
                _ => self.jobs.signal.asked().await,
            }
        }
    }

    /// One step of every running job that can go on, oldest first: none overtakes another for long.
    async fn job_round(&self) -> Result<Round, StoreError> {
        let (mut after, mut round) = (0, Round::Nothing);
        loop {
            let jobs = self.store.running_jobs(after, ROUND_JOBS_MAX).await?;
            for job in &jobs {
                round = match self.step_or_end(job).await? {
                    true => Round::Progress,
                    false if round == Round::Progress => Round::Progress,
                    false => Round::Waiting,
                };
            }
            match jobs.last() {
                Some(last) if jobs.len() == ROUND_JOBS_MAX as usize => after = last.id.sequence(),
                _ => return Ok(round),
            }
        }
    }

    /// One step. A job that cannot be done fails by itself, and takes none of the others with it.
    async fn step_or_end(&self, job: &JobRecord) -> Result<bool, StoreError> {
        match self.step_job(job).await {
            Err(error) if !error.passes() && error != StoreError::Closed => {
                tracing::error!(error = %error, job.id = %job.id, "a job cannot go on and has failed");
                let reason = Some(error.to_string());
                self.store.end_job(job.id, JobState::Failed, reason, self.clock.wall()).await?;
                self.reports.ask();
                Ok(false)
            }
            stepped => stepped,
        }
    }

    /// One step; false if the job cannot go on at the moment.
    async fn step_job(&self, job: &JobRecord) -> Result<bool, StoreError> {
        let now = self.clock.now();
        // That of a held webhook waits, and asks the store nothing meanwhile.
        let waits = !job.webhook_is_deleted
            && (!job.webhook_is_active || self.store.count_due(job.webhook_id, now, DUE_MAX).await? >= DUE_MAX);
        if waits {
            return Ok(false);
        }
        let stepped = match &job.request.work {
            // Whatever the kind, the store finds out that the webhook is gone, and ends the job.
            _ if job.webhook_is_deleted => self.store.step_recovery(job.id, STEP_ROWS, now).await?,
            // What ended before it was asked for and is not written down yet would be passed by.
            JobWork::Recover { .. } if self.dispatcher.has_unwritten(job.id.timestamp()) => return Ok(false),
            JobWork::Recover { .. } => self.store.step_recovery(job.id, STEP_ROWS, now).await?,
            JobWork::Replay { all, .. } => match self.replay_step(job, *all).await? {
                Some(step) => self.store.step_replay(step, now).await?,
                None => return Ok(false),
            },
        };
        match stepped {
            Stepped::Queued(queued) | Stepped::Done(queued) if queued > 0 => {
                self.note_due(job.project_id, job.webhook_id, now);
            }
            Stepped::StaleSnapshot => drop(self.router.reload(job.project_id).await?),
            _ => {}
        }
        if matches!(stepped, Stepped::Done(_) | Stepped::Passed) {
            self.reports.ask();
        }
        Ok(true)
    }

    /// Decides what the next step of a replay makes; `None` if the webhook cannot be used.
    async fn replay_step(&self, job: &JobRecord, all: bool) -> Result<Option<ReplayStep>, StoreError> {
        let snapshot = self.router.snapshot(job.project_id).await?;
        let target = snapshot.as_ref().and_then(|snapshot| snapshot.target(job.webhook_id).cloned());
        let (Some(snapshot), Some(target)) = (snapshot, target) else { return Ok(None) };
        let found = self.events_of(job.project_id, &target, job.place, job.request.until).await?;
        let chosen: Vec<_> =
            found.events.iter().filter(|event| job.request.replays(event) && target.selects(event).is_ok()).collect();
        let ids = self.ids.deliveries(chosen.len());
        let deliveries = chosen
            .iter()
            .zip(ids)
            .map(|(event, id)| ReplayedDelivery { event: event.key, delivery: target.delivery(id) })
            .collect();
        Ok(Some(ReplayStep {
            job_id: job.id,
            from: job.place,
            to: found.place,
            looked_at: found.looked_at,
            is_last: found.looked_at == 0,
            only_new: !all,
            replay: NewReplay { project_id: job.project_id, snapshot_version: snapshot.version, deliveries },
        }))
    }

    /// The next events, with their payloads if the webhook looks at them.
    async fn events_of(
        &self,
        project_id: ProjectId,
        target: &Target,
        after: i64,
        until: Timestamp,
    ) -> Result<EventsAfter, StoreError> {
        let bytes_max = target.webhook.settings.filter.as_ref().map(|_| STEP_BYTES_MAX);
        self.store.events_after(project_id, after, until, STEP_ROWS, bytes_max).await
    }

    async fn webhook_for_job(
        &self,
        project_id: ProjectId,
        webhook_id: WebhookId,
    ) -> Result<std::sync::Arc<Target>, JobError> {
        let snapshot = self.router.snapshot(project_id).await?.ok_or(JobError::NoWebhook)?;
        let target = snapshot.target(webhook_id).cloned().ok_or(JobError::NoWebhook)?;
        match target.webhook.status {
            WebhookStatus::Disabled(_) => Err(JobError::WebhookDisabled),
            WebhookStatus::Active | WebhookStatus::Paused => Ok(target),
        }
    }

    fn note_due(&self, project_id: ProjectId, webhook_id: WebhookId, now: Timestamp) {
        self.dispatcher.note_backlog(&[BacklogLane { webhook_id, project_id, next_due_at: now }]);
    }
}

/// The states that a recovery is about unless the request says otherwise.
pub const RECOVERED_STATES: [DeliveryState; 2] = [DeliveryState::Failed, DeliveryState::Dropped];
