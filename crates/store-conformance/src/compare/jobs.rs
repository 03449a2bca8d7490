//! What jobs do, and people who send something again.

use tidings_domain::{
    delivery::DeliveryState,
    ids::{DeliveryId, JobId, ProjectId},
    job::{JobRequest, JobState, JobWork},
    render::Rendering,
};
use tidings_fakes::Random;
use tidings_ports::store::{JobRecord, NewDelivery, NewJob, NewReplay, ReplayStep, ReplayedDelivery};

use super::{
    publish::TYPES,
    trial::{Trial, any},
};

/// Running jobs of a project at most.
const RUNNING_MAX: u32 = 2;

impl Trial {
    fn any_request(&self, random: &mut Random, recovers: bool) -> JobRequest {
        let states =
            [DeliveryState::Delivered, DeliveryState::Failed, DeliveryState::Dropped, DeliveryState::Cancelled];
        let work = match recovers {
            true => JobWork::Recover { states: states.into_iter().filter(|_| random.percent(60)).collect() },
            false => JobWork::Replay { scopes: Vec::new(), all: true },
        };
        let event_types = match random.percent(50) {
            true => vec![random.pick(&TYPES).parse().expect("a pattern")],
            false => Vec::new(),
        };
        JobRequest { since: self.any_time(random), until: self.now, event_types, work }
    }

    pub(super) async fn create_job(&mut self, random: &mut Random) {
        let Some(webhook_id) = self.any_webhook(random) else { return };
        let project_id = self.model.webhooks[&webhook_id].record.webhook.project_id;
        let recovers = random.percent(60);
        let id = JobId::from_parts(self.sequence(1), 4);
        let new = NewJob { id, project_id, webhook_id, request: self.any_request(random, recovers), total: 3 };
        let now = self.now;
        let right = self.model.count_recoverable(webhook_id, &new.request, now, 4);
        if recovers {
            self.ask(&("count_recoverable", new.request.clone()), right, async |it| {
                it.store.count_recoverable(webhook_id, new.request.clone(), now, 4).await
            })
            .await;
        }
        let created = self.model.create_job(&new, RUNNING_MAX);
        self.ask(&("create_job", new.clone()), created, async |it| {
            it.store.create_job(new.clone(), RUNNING_MAX, None).await
        })
        .await;
    }

    pub(super) async fn step_job(&mut self, random: &mut Random) {
        let running = random.percent(90);
        let jobs = self.model.jobs.values().filter(|job| !running || job.state == JobState::Running);
        let Some(job) = any(random, jobs.cloned()) else { return };
        let (id, now) = (job.id, self.now);
        match (&job.request.work, random.percent(8)) {
            (_, true) => {
                let ended = self.model.end_job(id, JobState::Cancelled, Some("no more"), now);
                self.ask(&("end_job", id), ended, async |it| {
                    it.store.end_job(id, JobState::Cancelled, Some("no more".to_owned()), now).await
                })
                .await;
            }
            (JobWork::Recover { .. }, _) => {
                let rows = random.between(1, 5) as u32;
                let stepped = self.model.step_recovery(id, rows, now);
                self.ask(&("step_recovery", id, rows), stepped, async |it| it.store.step_recovery(id, rows, now).await)
                    .await;
            }
            (JobWork::Replay { .. }, _) => self.step_replay(random, &job).await,
        }
        let right = self.model.find_job(job.project_id, id);
        self.ask(&("find_job", id), right, async |it| it.store.find_job(job.project_id, id).await).await;
    }

    async fn step_replay(&mut self, random: &mut Random, job: &JobRecord) {
        let (project, after, now) = (job.project_id, job.place, self.now);
        if random.percent(85) {
            self.load_snapshot(project).await;
        }
        let (max, bytes) = (random.between(1, 4) as u32, random.between(1, 60) as usize);
        let found = self.model.events_after(project, after, job.request.until, max, bytes);
        self.ask(&("events_after", after, max, bytes), found.clone(), async |it| {
            it.store.events_after(project, after, job.request.until, max, Some(bytes)).await
        })
        .await;
        let keys: Vec<_> = found.events.iter().map(|event| event.key).collect();
        let right = self.model.count_without_delivery(job.webhook_id, &keys);
        self.ask(&("count_without_delivery", keys.clone()), right, async |it| {
            it.store.count_without_delivery(job.webhook_id, keys.clone()).await
        })
        .await;
        let deliveries = keys.iter().map(|event| ReplayedDelivery {
            event: *event,
            delivery: NewDelivery {
                id: DeliveryId::from_parts(self.sequence(1), 9),
                webhook_id: job.webhook_id,
                rendering: Rendering::Standard,
                leased: false,
                due_at: None,
            },
        });
        let deliveries = deliveries.collect();
        let step = ReplayStep {
            job_id: job.id,
            from: if random.percent(90) { after } else { after + 1 },
            to: found.place,
            looked_at: found.looked_at,
            is_last: found.looked_at == 0,
            only_new: random.percent(50),
            replay: NewReplay { project_id: project, snapshot_version: self.version_of(project), deliveries },
        };
        let stepped = self.model.step_replay(&step, now);
        self.ask(&("step_replay", step.clone()), stepped, async |it| {
            let replay = NewReplay { snapshot_version: it.version_of(project), ..step.replay.clone() };
            it.store.step_replay(ReplayStep { replay, ..step.clone() }, now).await
        })
        .await;
    }

    pub(super) async fn replay_event(&mut self, random: &mut Random) {
        let Some(project) = self.live_project(random) else { return };
        if random.percent(85) {
            self.load_snapshot(project).await;
        }
        let its = self.model.events.iter().filter(|(_, row)| row.event.project_id == project);
        let Some(event) = any(random, its.map(|(key, _)| *key)) else { return };
        let webhooks: Vec<_> = self.webhooks_of(project).filter(|_| random.percent(50)).collect();
        let deliveries = webhooks.into_iter().map(|webhook_id| ReplayedDelivery {
            event,
            delivery: NewDelivery {
                id: DeliveryId::from_parts(self.sequence(1), 9),
                webhook_id,
                rendering: Rendering::Botdog,
                leased: false,
                due_at: None,
            },
        });
        let deliveries = deliveries.collect();
        let replay = NewReplay { project_id: project, snapshot_version: self.version_of(project), deliveries };
        let now = self.now;
        let replayed = self.model.replay_event(&replay, now);
        self.ask(&("replay_event", replay.clone()), replayed, async |it| {
            let replay = NewReplay { snapshot_version: it.version_of(project), ..replay.clone() };
            it.store.replay_event(replay, None, now).await
        })
        .await;
    }

    /// The version that the engine would know of a project; 0: none that was ever given out.
    pub(super) fn version_of(&self, project: ProjectId) -> u64 {
        self.versions.get(&project).copied().unwrap_or(0)
    }
}
