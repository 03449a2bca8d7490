//! What is configured, as far as events and deliveries depend on it.

use tidings_domain::{
    ids::{OrganizationId, ProjectId, WebhookId},
    webhook::WebhookStatus,
};
use tidings_ports::store::{
    Changed, Created, NewWebhook, WebhookChange, WebhookFilter, WebhookRecord, WebhookStanding, WebhookState,
};

use super::{Model, ProjectRow, WebhookRow};

impl Model {
    /// Adds a project.
    pub fn create_project(&mut self, organization_id: OrganizationId, id: ProjectId) {
        self.projects.insert(id, ProjectRow { organization_id, version: 1, is_deleted: false });
    }

    /// Deletes a project with its webhooks; false if there is none.
    pub fn delete_project(&mut self, id: ProjectId) -> bool {
        let Some(row) = self.projects.get_mut(&id).filter(|row| !row.is_deleted) else { return false };
        row.is_deleted = true;
        row.version += 1;
        let its = self.webhooks.values_mut().filter(|row| row.record.webhook.project_id == id);
        its.for_each(|row| row.is_deleted = true);
        true
    }

    /// A type that an organization can publish changes what all its projects' events are held to.
    pub fn create_event_type(&mut self, organization_id: Option<OrganizationId>, name: &str) -> Created {
        if !self.event_types.insert((organization_id, name.to_owned())) {
            return Created::AlreadyExists;
        }
        self.catalogue_changed(organization_id);
        Created::Stored
    }

    /// False if there is none.
    pub fn delete_event_type(&mut self, organization_id: Option<OrganizationId>, name: &str) -> bool {
        let was_there = self.event_types.remove(&(organization_id, name.to_owned()));
        if was_there {
            self.catalogue_changed(organization_id);
        }
        was_there
    }

    fn catalogue_changed(&mut self, organization_id: Option<OrganizationId>) {
        let whose = |row: &&mut ProjectRow| organization_id.is_none_or(|id| row.organization_id == id);
        self.projects.values_mut().filter(whose).for_each(|row| row.version += 1);
    }

    /// Adds a webhook.
    pub fn create_webhook(&mut self, new: NewWebhook) -> Created {
        let (id, project) = (new.webhook.id, new.webhook.project_id);
        if self.projects[&project].is_deleted {
            return Created::ParentMissing;
        }
        let record = WebhookRecord {
            updated_at: id.timestamp(),
            webhook: new.webhook,
            sealed: new.sealed,
            revision: 1,
            state: WebhookState::default(),
        };
        self.webhooks.insert(id, WebhookRow { record, is_deleted: false });
        self.project_changed(project);
        Created::Stored
    }

    /// Changes what is given, if nobody has changed the webhook meanwhile.
    pub fn update_webhook(&mut self, change: &WebhookChange) -> Changed {
        let its = |row: &&mut WebhookRow| !row.is_deleted && row.record.webhook.project_id == change.project_id;
        let Some(row) = self.webhooks.get_mut(&change.id).filter(its) else { return Changed::Stale };
        let record = &mut row.record;
        if record.revision != change.expected_revision {
            return Changed::Stale;
        }
        if let Some(settings) = &change.settings {
            record.webhook.settings = settings.clone();
        }
        if let Some(sealed) = &change.sealed {
            record.sealed.clone_from(sealed);
        }
        if let Some(status) = change.status {
            record.webhook.status = status;
        }
        if change.status == Some(WebhookStatus::Active) {
            (record.state.failure_count, record.state.failing_since) = (0, None);
        }
        record.revision += 1;
        record.updated_at = change.now;
        let record = record.clone();
        self.project_changed(change.project_id);
        Changed::Stored(Box::new(record))
    }

    /// False if the project has none of that id. What waits for it is cancelled afterwards.
    pub fn delete_webhook(&mut self, project: ProjectId, id: WebhookId) -> bool {
        let its = |row: &&mut WebhookRow| !row.is_deleted && row.record.webhook.project_id == project;
        let Some(row) = self.webhooks.get_mut(&id).filter(its) else { return false };
        row.is_deleted = true;
        self.project_changed(project);
        true
    }

    /// Deleted webhooks for which something waits.
    pub fn webhooks_to_cancel(&self) -> Vec<WebhookId> {
        let deleted = self.webhooks.iter().filter(|(_, row)| row.is_deleted).map(|(id, _)| *id);
        deleted.filter(|id| self.waiting_for(*id).next().is_some()).collect()
    }

    /// A webhook, if it is this project's.
    pub fn find_webhook(&self, project: ProjectId, id: WebhookId) -> Option<&WebhookRecord> {
        self.webhook(id).filter(|record| record.webhook.project_id == project)
    }

    /// A project's webhooks that fit, newest first.
    pub fn search_webhooks(&self, project: ProjectId, filter: &WebhookFilter) -> Vec<&WebhookRecord> {
        let all = self.webhooks.values().rev().filter(|row| !row.is_deleted).map(|row| &row.record);
        all.filter(|record| record.webhook.project_id == project && fits(record, filter)).collect()
    }
}

/// Whether a webhook is delivered to.
pub(super) fn standing(status: WebhookStatus) -> WebhookStanding {
    match status {
        WebhookStatus::Active => WebhookStanding::Active,
        WebhookStatus::Paused => WebhookStanding::Paused,
        WebhookStatus::Disabled(_) => WebhookStanding::Disabled,
    }
}

fn fits(record: &WebhookRecord, filter: &WebhookFilter) -> bool {
    let (webhook, standing) = (&record.webhook, standing(record.webhook.status));
    let fails = standing != WebhookStanding::Disabled && record.state.failure_count > 0;
    let names = |text: &str| {
        let text = text.to_ascii_lowercase();
        let settings = &webhook.settings;
        let events: Vec<_> = settings.events.iter().map(ToString::to_string).collect();
        let words = events.iter().chain([&settings.url]).chain(&settings.name);
        webhook.id.to_string() == text || words.into_iter().any(|word| word.to_ascii_lowercase().contains(&text))
    };
    filter.status.is_none_or(|wanted| wanted == standing)
        && (!filter.is_failing || fails)
        && filter.text.as_deref().is_none_or(names)
}
