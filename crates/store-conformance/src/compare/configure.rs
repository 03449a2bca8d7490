//! What organizations do to their webhooks and event types.

use tidings_domain::{
    event_type::EventType,
    ids::{ProjectId, WebhookId},
    profile::Profile,
    retry::DisableReason,
    tenancy::Project,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_fakes::Random;
use tidings_ports::store::{Created, NewProject, NewWebhook, WebhookChange};

use super::trial::{Trial, sorted};

/// Webhooks in a trial at most, deleted ones as well.
const WEBHOOKS_MAX: usize = 12;
/// Projects in a trial at most, deleted ones as well.
const PROJECTS_MAX: usize = 6;
/// What they are called: cases, signs that mean something to databases, letters beyond ASCII.
const NAMES: [&str; 8] = ["Shop", "shop", "100% off_", "a\\b'c\"", "ÄRGER", "ärger", "🦀 crab", "nul\0\u{1}"];
/// What they select.
const PATTERNS: [&str; 4] = ["user.created", "user.*", "order_1.paid", "*"];

impl Trial {
    pub(super) async fn load_snapshot(&mut self, project: ProjectId) {
        let there = self.model.webhooks.values().filter(|row| !row.is_deleted).map(|row| &row.record);
        let right: Vec<_> = there.filter(|record| record.webhook.project_id == project).cloned().collect();
        let is_there = !self.model.projects[&project].is_deleted;
        self.ask(&("load_snapshot", project), is_there.then_some(right), async |it| {
            let snapshot = it.store.load_snapshot(project).await?;
            Ok(snapshot.map(|snapshot| sorted(snapshot.webhooks, |record| record.webhook.id)))
        })
        .await;
        for subject in &mut self.subjects {
            if let Ok(Some(snapshot)) = subject.store.load_snapshot(project).await {
                subject.versions.insert(project, snapshot.version);
            }
        }
        if is_there {
            self.versions.insert(project, self.model.projects[&project].version);
        }
    }

    pub(super) async fn change_project(&mut self, random: &mut Random) {
        let (project, now) = (self.any_project(random), self.now);
        if self.model.projects.len() > 2 && random.percent(50) {
            let deleted = self.model.delete_project(project);
            self.ask(&("delete_project", project), deleted, async |it| it.store.delete_project(project, now).await)
                .await;
            return;
        }
        if self.model.projects.len() >= PROJECTS_MAX {
            return;
        }
        let organization_id = self.model.projects[&project].organization_id;
        let id = ProjectId::from_parts(self.sequence(1), 8);
        let project = Project { id, organization_id, name: "Ünïcode \u{1F980}".to_owned() };
        self.model.create_project(organization_id, id);
        self.ask(&("create_project", id), Created::Stored, async |it| {
            let new = NewProject { project: project.clone(), preset: None, sources: Vec::new() };
            it.store.create_project(new, None).await
        })
        .await;
    }

    pub(super) async fn create_webhook(&mut self, random: &mut Random) {
        if self.model.webhooks.len() >= WEBHOOKS_MAX {
            return;
        }
        let id = WebhookId::from_parts(self.sequence(1), 3);
        let project_id = self.any_project(random);
        let status = if random.percent(85) { WebhookStatus::Active } else { WebhookStatus::Paused };
        let webhook = Webhook { id, project_id, settings: settings(random), status };
        let new = NewWebhook { webhook, sealed: vec![0, 1, 255] };
        let created = self.model.create_webhook(new.clone());
        self.ask(&new.clone(), created, async |it| it.store.create_webhook(new.clone(), None).await).await;
    }

    pub(super) async fn update_webhook(&mut self, random: &mut Random) {
        let Some(id) = self.any_webhook(random) else { return };
        let record = &self.model.webhooks[&id].record;
        let project_id = if random.percent(95) { record.webhook.project_id } else { self.any_project(random) };
        let status = match random.below(10) {
            0..=2 => None,
            3..=6 => Some(WebhookStatus::Active),
            7 => Some(WebhookStatus::Paused),
            _ => Some(WebhookStatus::Disabled(DisableReason::Manual)),
        };
        let change = WebhookChange {
            project_id,
            id,
            expected_revision: record.revision - u32::from(random.percent(10) && record.revision > 1),
            settings: random.percent(30).then(|| settings(random)),
            sealed: random.percent(20).then(|| vec![random.below(256) as u8]),
            status,
            now: self.now,
        };
        let changed = self.model.update_webhook(&change);
        self.ask(&change.clone(), changed, async |it| it.store.update_webhook(change.clone()).await).await;
    }

    pub(super) async fn delete_webhook(&mut self, random: &mut Random) {
        let Some(id) = self.any_webhook(random) else { return };
        let project = self.model.webhooks[&id].record.webhook.project_id;
        let project = if random.percent(90) { project } else { self.any_project(random) };
        let (now, deleted) = (self.now, self.model.delete_webhook(project, id));
        self.ask(&("delete_webhook", id), deleted, async |it| it.store.delete_webhook(project, id, now).await).await;
    }

    pub(super) async fn change_event_type(&mut self, random: &mut Random) {
        let project = self.any_project(random);
        let organization = random.percent(60).then(|| self.model.projects[&project].organization_id);
        let name = random.pick(&["user.created", "order_1.paid", "a.b"]);
        let now = self.now;
        if random.percent(40) {
            let deleted = self.model.delete_event_type(organization, name);
            let name: tidings_domain::event_type::EventTypeName = name.parse().expect("a name");
            self.ask(&("delete_event_type", organization, &name.clone()), deleted, async |it| {
                it.store.delete_event_type(organization, name.clone()).await
            })
            .await;
            return;
        }
        let event_type = EventType {
            name: name.parse().expect("a name"),
            group: None,
            description: Some("It's 100%".to_owned()),
            example: None,
            archived: false,
            versions: Vec::new(),
        };
        let created = self.model.create_event_type(organization, name);
        self.ask(&("create_event_type", organization, name), created, async |it| {
            it.store.create_event_type(organization, event_type.clone(), None, now).await
        })
        .await;
    }
}

fn settings(random: &mut Random) -> WebhookSettings {
    let number = random.below(4);
    let profile = random.pick(&Profile::ALL);
    let mut settings = WebhookSettings::new(format!("https://Receiver-{number}.example/%2e_{number}"), profile);
    settings.name = random.percent(80).then(|| random.pick(&NAMES).to_owned());
    if random.percent(50) {
        settings.events = vec![random.pick(&PATTERNS).parse().expect("a pattern")];
    }
    settings
}
