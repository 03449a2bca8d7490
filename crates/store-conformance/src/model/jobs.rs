//! Recoveries and replays, step by step.

use tidings_domain::{
    delivery::DeliveryState,
    event::Event,
    ids::{DeliveryId, EventKey, JobId, ProjectId, WebhookId, first_sequence_at},
    job::{JobRequest, JobState, JobWork},
    operational,
    time::Timestamp,
    webhook::WebhookStatus,
};
use tidings_ports::store::{
    Counted, Created, EventReplayed, EventsAfter, JobCreated, JobRecord, NewJob, NewReplay, ReplayStep, Stepped,
};

use super::{Model, Place, log::newborn};

impl Model {
    /// Stores a job, unless so many are running.
    pub fn create_job(&mut self, new: &NewJob, running_max: u32) -> JobCreated {
        let its = self.jobs.values().filter(|job| job.project_id == new.project_id && job.state == JobState::Running);
        if its.count() >= running_max as usize {
            return JobCreated::TooMany;
        }
        let job = JobRecord {
            id: new.id,
            project_id: new.project_id,
            webhook_id: new.webhook_id,
            request: new.request.clone(),
            state: JobState::Running,
            done: 0,
            total: new.total,
            queued: 0,
            // Nothing has been looked at.
            place: first_sequence_at(new.request.since) - 1,
            error: None,
            finished_at: None,
            webhook_is_active: true,
            webhook_is_deleted: false,
        };
        self.jobs.insert(new.id, job);
        JobCreated::Created(Created::Stored)
    }

    /// A job of the project, with what its webhook is like now.
    pub fn find_job(&self, project: ProjectId, id: JobId) -> Option<JobRecord> {
        let job = self.jobs.get(&id).filter(|job| job.project_id == project)?;
        let row = &self.webhooks[&job.webhook_id];
        let webhook_is_active = row.record.webhook.status == WebhookStatus::Active;
        Some(JobRecord { webhook_is_active, webhook_is_deleted: row.is_deleted, ..job.clone() })
    }

    /// Ends a job that is running.
    pub fn end_job(&mut self, id: JobId, state: JobState, error: Option<&str>, now: Timestamp) -> bool {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.state == JobState::Running) else { return false };
        job.state = state;
        job.error = error.map(str::to_owned);
        job.finished_at = Some(now);
        if state == JobState::Done {
            job.done = job.total;
        }
        self.reports.push((operational::JOB_FINISHED, now));
        true
    }

    /// The job, if it goes on: without its webhook there is nothing to do.
    fn going_on(&mut self, id: JobId, now: Timestamp) -> Option<JobRecord> {
        let job = self.jobs.get(&id).filter(|job| job.state == JobState::Running)?.clone();
        if self.is_deleted(job.webhook_id) {
            self.end_job(id, JobState::Failed, Some("the webhook was deleted"), now);
            return None;
        }
        Some(job)
    }

    fn advance(&mut self, id: JobId, place: i64, done: u32, queued: u32) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.place = place;
        job.done += done;
        job.queued += queued;
        job.total = job.total.max(job.done);
    }

    /// What a recovery looks at: deliveries that have ended, in order. Delivered ones only if it is about them.
    fn ended_after(&self, webhook: WebhookId, request: &JobRequest, place: i64) -> Vec<DeliveryId> {
        let JobWork::Recover { states } = &request.work else { return Vec::new() };
        let all = states.contains(&DeliveryState::Delivered);
        let range = place + 1..first_sequence_at(request.until);
        let its = self
            .deliveries
            .iter()
            .filter(|(id, row)| row.webhook_id == webhook && !row.is_unfinished() && range.contains(&id.sequence()));
        its.filter(|(_, row)| all || row.state() != DeliveryState::Delivered).map(|(id, _)| *id).collect()
    }

    /// What has ended since the job was made is its own work, and not looked at again.
    fn is_wanted(&self, id: DeliveryId, request: &JobRequest, ended_before: Timestamp) -> bool {
        let row = &self.deliveries[&id];
        let event = self.event(row.event);
        let Place::Ended(state, at) = row.place else { return false };
        event.expunged_at.is_none() && at < ended_before && request.recovers(&event.event.event_type, state)
    }

    /// Deliveries that a recovery would send again, among the first of those that it would look at.
    pub fn count_recoverable(&self, webhook: WebhookId, request: &JobRequest, before: Timestamp, max: u32) -> Counted {
        let mut ids = self.ended_after(webhook, request, first_sequence_at(request.since) - 1);
        ids.truncate(max as usize);
        let count = ids.iter().filter(|id| self.is_wanted(**id, request, before)).count() as u32;
        Counted { count, at_least: ids.len() == max as usize }
    }

    /// Makes those of the next deliveries wait once more that the recovery is about.
    pub fn step_recovery(&mut self, id: JobId, rows: u32, now: Timestamp) -> Stepped {
        let Some(job) = self.going_on(id, now) else { return Stepped::Passed };
        let mut ids = self.ended_after(job.webhook_id, &job.request, job.place);
        ids.truncate(rows as usize);
        let wanted: Vec<_> =
            ids.iter().copied().filter(|one| self.is_wanted(*one, &job.request, id.timestamp())).collect();
        wanted.iter().for_each(|one| self.reopen(*one, now));
        let queued = wanted.len() as u32;
        self.advance(id, ids.last().map_or(job.place, |last| last.sequence()), queued, queued);
        if ids.len() < rows as usize {
            self.end_job(id, JobState::Done, None, now);
            return Stepped::Done(queued);
        }
        Stepped::Queued(queued)
    }

    /// Makes new deliveries of events.
    fn replay(&mut self, replay: &NewReplay, only_new: bool, now: Timestamp) -> u32 {
        let mut made = 0;
        for replayed in &replay.deliveries {
            let row = self.event(replayed.event);
            let had = row.deliveries.iter().any(|id| self.deliveries[id].webhook_id == replayed.delivery.webhook_id);
            if row.expunged_at.is_some() || (only_new && had) {
                continue;
            }
            let row = newborn(&row.event, &replayed.delivery, Place::Waiting(now));
            self.bear(replayed.delivery.id, row);
            made += 1;
        }
        made
    }

    fn is_stale(&self, replay: &NewReplay) -> bool {
        self.projects[&replay.project_id].version != replay.snapshot_version
    }

    /// One step, if the job still stands where it was decided.
    pub fn step_replay(&mut self, step: &ReplayStep, now: Timestamp) -> Stepped {
        let Some(job) = self.going_on(step.job_id, now) else { return Stepped::Passed };
        if job.place != step.from {
            return Stepped::Passed;
        }
        if self.is_stale(&step.replay) {
            return Stepped::StaleSnapshot;
        }
        let queued = self.replay(&step.replay, step.only_new, now);
        self.advance(step.job_id, step.to, step.looked_at, queued);
        if step.is_last {
            self.end_job(step.job_id, JobState::Done, None, now);
            return Stepped::Done(queued);
        }
        Stepped::Queued(queued)
    }

    /// New deliveries of one event.
    pub fn replay_event(&mut self, replay: &NewReplay, now: Timestamp) -> EventReplayed {
        if self.is_stale(replay) {
            return EventReplayed::StaleSnapshot;
        }
        self.replay(replay, false, now);
        EventReplayed::Created(Created::Stored)
    }

    /// A project's events after a place, oldest first; once their payloads come to so much, no more of them.
    pub fn events_after(
        &self,
        project: ProjectId,
        after: i64,
        until: Timestamp,
        max: u32,
        bytes: usize,
    ) -> EventsAfter {
        let its = self.events.iter().filter(|(key, row)| {
            row.event.project_id == project && key.sequence() > after && key.sequence() < first_sequence_at(until)
        });
        let mut found = EventsAfter { events: Vec::new(), looked_at: 0, place: after, payload_bytes: 0 };
        for (key, row) in its.take(max as usize) {
            found.looked_at += 1;
            found.place = key.sequence();
            found.payload_bytes += row.event.payload.len();
            if row.expunged_at.is_none() {
                // Nobody needs the version of a schema for delivering.
                found.events.push(Event { schema_version: None, ..row.event.clone() });
            }
            if found.payload_bytes >= bytes {
                break;
            }
        }
        found
    }

    /// How many of these events have no delivery to the webhook.
    pub fn count_without_delivery(&self, webhook: WebhookId, events: &[EventKey]) -> u32 {
        let had =
            |key: &&EventKey| self.event(**key).deliveries.iter().any(|id| self.deliveries[id].webhook_id == webhook);
        events.iter().filter(|key| !had(key)).count() as u32
    }

    /// Deliveries of a webhook that are due.
    pub fn count_due(&self, webhook: WebhookId, now: Timestamp, limit: u32) -> u32 {
        let due = self.waiting_for(webhook).filter(|(_, due_at)| *due_at <= now).count();
        u32::try_from(due).unwrap_or(limit).min(limit)
    }
}
