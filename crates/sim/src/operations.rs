//! What the outside asks for, as the API's handlers would carry it out.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use tidings_domain::{
    event_type::EventType,
    ids::WebhookId,
    profile::Profile,
    retry::{DisableReason, OnExhausted, Schedule},
    secret::Secret,
    tenancy::Organization,
    webhook::{RetryOverride, Webhook, WebhookSecrets, WebhookSettings, WebhookStatus},
};
use tidings_engine::seal_secrets;
use tidings_fakes::Random;
use tidings_ports::{
    Clock as _,
    store::{Changed, Created, NewOrganization, NewWebhook, StoreError, WebhookChange},
};

use crate::{
    life::{Process, master_key},
    model::{Change, Status, Tick, WebhookModel},
    network::Behaviour,
    world::World,
};

/// The types that are published; selective webhooks take the first only.
pub(crate) const EVENT_TYPES: [&str; 2] = ["tag.subscribed", "user.created"];
/// Projects in a simulation.
const PROJECTS: usize = 2;
/// Webhooks in a simulation at most.
const WEBHOOKS_MAX: usize = 8;
/// Schedules, short enough that a simulation sees their ends.
const SCHEDULES_MS: [&[u64]; 4] =
    [&[0], &[0, 1_000], &[0, 2_000, 10_000, 60_000], &[0, 500, 500, 500, 5_000, 20_000, 120_000]];

/// Whether something that was asked for came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Yes,
    No,
    Unknown,
}

/// Somebody who uses one process.
#[derive(Clone)]
pub(crate) struct Operator {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
}

impl Operator {
    pub(crate) fn new(world: &Arc<World>, process: &Arc<Process>) -> Self {
        Self { world: Arc::clone(world), process: Arc::clone(process) }
    }

    /// Makes the projects and their first webhooks, before anything goes wrong.
    pub(crate) async fn found(&self, random: &mut Random) {
        for number in 0..PROJECTS {
            let ids = self.process.engine.ids();
            let (id, project) = (ids.organization(), ids.project());
            let organization = Organization { id, name: format!("organization {number}"), default_project_id: project };
            let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
            self.process.store.create_organization(new, None).await.expect("nothing refuses yet");
            for name in EVENT_TYPES {
                let event_type = EventType {
                    name: name.parse().expect("a name"),
                    group: None,
                    description: None,
                    example: None,
                    archived: false,
                    versions: Vec::new(),
                };
                let now = self.process.clock.now();
                let stored = self.process.store.create_event_type(Some(id), event_type, None, now).await;
                stored.expect("nothing refuses yet");
            }
            self.world.model().projects.push(project);
        }
        for _ in 0..random.between(1, 4) {
            self.create_webhook(random).await;
        }
    }

    /// Asks for something, without waiting for the answer.
    pub(crate) fn start_one(&self, random: &mut Random) {
        match random.below(100) {
            0..=59 => {
                // Often a burst: what happens while many wait is worth more than what happens to one.
                let count = if random.percent(30) { random.between(2, 8) } else { 1 };
                (0..count).for_each(|_| self.publish(random));
            }
            60..=65 => self.spawn(self.create_webhook(random)),
            66..=77 => self.change_status(random),
            78..=81 => self.change_limit(random),
            82..=88 => self.retry(random),
            89..=91 => self.test(random),
            92..=93 => self.look_abroad(random),
            94..=96 => self.settle_late(random),
            _ => self.audit(),
        }
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }

    /// A receiver becomes something else.
    pub(crate) fn change_behaviour(&self, random: &mut Random) {
        let mut model = self.world.model();
        if model.webhooks.is_empty() {
            return;
        }
        let webhook = random.below(model.webhooks.len() as u64) as usize;
        let behaviour = Behaviour::draw(random);
        model.webhooks[webhook].behaviour = behaviour;
        drop(model);
        self.world.note(format_args!("wh{webhook} is {behaviour:?} now"));
    }

    fn create_webhook(&self, random: &mut Random) -> impl Future<Output = ()> + Send + use<> {
        let own = self.clone();
        let mut model = self.world.model();
        let number = model.webhooks.len();
        let id = self.process.engine.ids().webhook();
        let project = random.below(PROJECTS as u64) as usize;
        let project_id = model.projects[project];
        let url = format!("https://receiver-{number}.example/hook");
        let profile = random.pick(&Profile::ALL);
        let schedule = random.pick(&SCHEDULES_MS).to_vec();
        let selective = random.percent(30);
        let mut settings = WebhookSettings::new(url.clone(), profile);
        settings.tidings_headers = true;
        settings.max_in_flight = Some(random.between(1, 12) as u32);
        settings.retry = Some(RetryOverride {
            schedule: Some(Schedule::WaitsMs(schedule.clone())),
            jitter: random.percent(50).then_some(0.0),
            ..RetryOverride::default()
        });
        if selective {
            settings.events = vec!["tag.*".parse().expect("a pattern")];
        }
        let start = model.next_tick();
        // More than enough: it is never answered, so it never exists.
        let full = number >= WEBHOOKS_MAX;
        if !full {
            model.webhooks.push(WebhookModel {
                id,
                project,
                url,
                selective,
                changes: vec![Change::asked_of(self.process.life, Status::Active, start)],
                max_in_flight: settings.max_in_flight.unwrap_or(1),
                in_flight: BTreeMap::new(),
                deactivates: settings.retry_policy().on_exhausted == OnExhausted::Deactivate,
                maybe_disabled: false,
                waits_ms: schedule,
                behaviour: Behaviour::draw(random),
            });
        }
        drop(model);
        async move {
            if full {
                return;
            }
            let engine = &own.process.engine;
            let secret = profile.generated_secret().map(|form| Secret::generate(form, &[3; 32]));
            let secrets =
                WebhookSecrets { secret: secret.map(|secret| secret.expose().to_owned()), ..WebhookSecrets::default() };
            let sealed = seal_secrets(&master_key(), id, &secrets, engine.ids().nonce());
            let webhook = Webhook { id, project_id, settings, status: WebhookStatus::Active };
            let created = own.process.store.create_webhook(NewWebhook { webhook, sealed }, None).await;
            engine.project_changed(project_id).await;
            let made = own.made(created, |created| matches!(created, Created::Stored));
            own.world.note(format_args!("wh{number} {profile} created: {made:?}"));
            own.change_ended(number, start, made);
        }
    }

    /// What an answer says about whether something was made. Where several processes write, an error need not mean
    /// that it was not.
    fn made<T>(&self, answer: Result<T, StoreError>, is_made: impl Fn(&T) -> bool) -> Made {
        match answer {
            Ok(answer) if is_made(&answer) => Made::Yes,
            Err(_) if self.world.shared.is_some() => Made::Unknown,
            _ => Made::No,
        }
    }

    /// A change was carried out, or it was refused and never happened, or nobody knows.
    fn change_ended(&self, webhook: usize, start: Tick, made: Made) {
        let end_ms = self.world.clock.elapsed_ms();
        let mut model = self.world.model();
        let end = model.next_tick();
        let changes = &mut model.webhooks[webhook].changes;
        if made != Made::No {
            for change in changes.iter_mut().filter(|change| change.start == start) {
                change.end = Some(end);
                change.end_ms = end_ms;
                change.unknown |= made == Made::Unknown;
            }
        } else {
            changes.retain(|change| change.start != start);
        }
    }

    /// A webhook that somebody knows of.
    pub(crate) fn any_webhook(&self, random: &mut Random) -> Option<(usize, WebhookId, usize)> {
        let model = self.world.model();
        let number = random.below(model.webhooks.len() as u64) as usize;
        model.webhooks.get(number).map(|webhook| (number, webhook.id, webhook.project))
    }

    fn change_status(&self, random: &mut Random) {
        let Some((number, id, project)) = self.any_webhook(random) else { return };
        let to = match random.below(20) {
            0..=8 => Status::Active,
            9..=12 => Status::Paused,
            13..=17 => Status::Disabled,
            _ => Status::Deleted,
        };
        let own = self.clone();
        self.spawn(async move {
            own.put_status(number, id, project, to).await;
        });
    }

    /// Makes a webhook active, paused, disabled or deleted; false if that was refused.
    pub(crate) async fn put_status(&self, number: usize, id: WebhookId, project: usize, to: Status) -> bool {
        let project_id = self.world.model().projects[project];
        let found = self.process.store.find_webhook(project_id, id).await;
        let Ok(Some(record)) = found else { return false };
        let start = {
            let mut model = self.world.model();
            let start = model.next_tick();
            model.webhooks[number].changes.push(Change::asked_of(self.process.life, to, start));
            start
        };
        let now = self.process.clock.now();
        let status = match to {
            Status::Active => Some(WebhookStatus::Active),
            Status::Paused => Some(WebhookStatus::Paused),
            Status::Disabled => Some(WebhookStatus::Disabled(DisableReason::Manual)),
            Status::Deleted => None,
        };
        let made = match status {
            None => self.made(self.process.store.delete_webhook(project_id, id, now).await, |deleted| *deleted),
            Some(_) => {
                let expected_revision = record.revision;
                let change =
                    WebhookChange { project_id, id, expected_revision, settings: None, sealed: None, status, now };
                let changed = self.process.store.update_webhook(change).await;
                self.made(changed, |changed| matches!(changed, Changed::Stored(_)))
            }
        };
        self.process.engine.project_changed(project_id).await;
        self.world.note(format_args!("wh{number} becomes {to:?}: {made:?}"));
        self.change_ended(number, start, made);
        made == Made::Yes
    }

    fn change_limit(&self, random: &mut Random) {
        let Some((number, id, project)) = self.any_webhook(random) else { return };
        let wanted = random.between(1, 12) as u32;
        let own = self.clone();
        self.spawn(async move {
            let project_id = own.world.model().projects[project];
            let Ok(Some(record)) = own.process.store.find_webhook(project_id, id).await else { return };
            let before = own.world.model().webhooks[number].max_in_flight;
            own.world.model().webhooks[number].max_in_flight = before.max(wanted);
            let mut settings = record.webhook.settings;
            settings.max_in_flight = Some(wanted);
            let (expected_revision, now) = (record.revision, own.process.clock.now());
            let settings = Some(settings);
            let change = WebhookChange { project_id, id, expected_revision, settings, sealed: None, status: None, now };
            let made = matches!(own.process.store.update_webhook(change).await, Ok(Changed::Stored(_)));
            own.process.engine.project_changed(project_id).await;
            own.world.note(format_args!("wh{number} takes {wanted} at a time: {made}"));
        });
    }
}
