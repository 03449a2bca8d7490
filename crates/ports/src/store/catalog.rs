//! What is configured: organizations, projects, keys, event types, webhooks.

use async_trait::async_trait;
use tidings_domain::{
    command::HookKeys,
    event_type::{EventType, EventTypeName},
    ids::{ApiKeyId, OrganizationId, ProjectId, WebhookId},
    page::{Page, PageRequest},
    plan::{LimitExceeded, PlanName},
    preset::Preset,
    profile::Profile,
    tenancy::{ApiKey, KeyOwner, Organization, Project, SchemaMode},
    time::Timestamp,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};

use super::{Created, Idempotency, NewSource, SourceRecord, StoreError};

/// The configuration.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Makes an organization and its default project.
    async fn create_organization(
        &self,
        new: NewOrganization,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError>;
    /// Finds an organization that is not deleted.
    async fn find_organization(&self, id: OrganizationId) -> Result<Option<OrganizationRecord>, StoreError>;
    /// Lists organizations.
    async fn list_organizations(&self, page: PageRequest) -> Result<Page<OrganizationRecord>, StoreError>;
    /// Changes what is given of an organization; where `expected` is given, only if it still is that.
    async fn update_organization(
        &self,
        id: OrganizationId,
        change: OrganizationChange,
        expected: Option<OrganizationRecord>,
    ) -> Result<Replaced<OrganizationRecord>, StoreError>;
    /// Deletes an organization with its projects, keys and webhooks; false if there is none.
    async fn delete_organization(&self, id: OrganizationId, now: Timestamp) -> Result<bool, StoreError>;

    /// Makes a project.
    async fn create_project(&self, new: NewProject, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;
    /// Finds a project that is not deleted, of whatever organization.
    async fn find_project(&self, id: ProjectId) -> Result<Option<ProjectRecord>, StoreError>;
    /// Lists an organization's projects.
    async fn list_projects(
        &self,
        organization_id: OrganizationId,
        page: PageRequest,
    ) -> Result<Page<ProjectRecord>, StoreError>;
    /// Renames a project; where `expected` is given, only if that is still its name.
    async fn rename_project(
        &self,
        id: ProjectId,
        name: String,
        expected: Option<String>,
    ) -> Result<Replaced<()>, StoreError>;
    /// Exchanges the key of a project's hook URLs, once for its idempotency key, if it still is of the expected
    /// version.
    async fn set_hook_keys(
        &self,
        change: HookKeysChange,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError>;
    /// Deletes a project with its webhooks and the keys bound to it; false if there is none.
    async fn delete_project(&self, id: ProjectId, now: Timestamp) -> Result<bool, StoreError>;

    /// Stores an API key.
    async fn create_api_key(&self, new: NewApiKey, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;
    /// Finds a key by the hash of its text, revoked and expired ones included.
    async fn find_api_key(&self, hash: [u8; 32]) -> Result<Option<KeyRecord>, StoreError>;
    /// Lists the keys of an organization, or the operator's for `None`.
    async fn list_api_keys(
        &self,
        organization_id: Option<OrganizationId>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError>;
    /// Revokes a key of this owner; returns it as it was, or `None` if there is no such key.
    async fn revoke_api_key(
        &self,
        organization_id: Option<OrganizationId>,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError>;

    /// Adds an event type to the catalogue of an organization, or of the instance for `None`.
    async fn create_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        event_type: EventType,
        idempotency: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Created, StoreError>;
    /// Replaces an event type of exactly this catalogue; its `versions` are not looked at. A schema
    /// that differs from the one in force becomes a version of its own.
    async fn update_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        event_type: EventType,
        schema: Option<String>,
        expected: Option<EventType>,
        now: Timestamp,
    ) -> Result<EventTypeChanged, StoreError>;
    /// Brings event types into exactly this catalogue: a type that is there is replaced, except that
    /// its `archived` stays. Says what became of each, in their order; a dry run only says it.
    async fn import_event_types(&self, import: EventTypeImport) -> Result<Vec<EventTypeImported>, StoreError>;
    /// Retires a version of an event type's schema that is not the one in force.
    async fn retire_schema(
        &self,
        organization_id: Option<OrganizationId>,
        name: EventTypeName,
        version: u32,
    ) -> Result<SchemaRetired, StoreError>;
    /// Deletes an event type of exactly this catalogue; false if it has none of that name.
    async fn delete_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        name: EventTypeName,
    ) -> Result<bool, StoreError>;
    /// Lists the event types an organization can publish: its own and the instance's, by name.
    /// An own type hides the instance's type of the same name.
    async fn list_event_types(&self, organization_id: Option<OrganizationId>) -> Result<Vec<EventType>, StoreError>;

    /// Stores a webhook.
    async fn create_webhook(&self, new: NewWebhook, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;
    /// Finds a webhook of this project.
    async fn find_webhook(&self, project_id: ProjectId, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError>;
    /// Lists a project's webhooks.
    async fn list_webhooks(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<WebhookRecord>, StoreError>;
    /// Lists those of a project's webhooks that fit. Looks through all of the project's, and through no other's.
    async fn search_webhooks(
        &self,
        project_id: ProjectId,
        filter: WebhookFilter,
        page: PageRequest,
    ) -> Result<Page<WebhookRecord>, StoreError>;
    /// Changes a webhook if it still has the expected revision. Becoming active out of being
    /// disabled is refused to a webhook that is over its organization's limit.
    async fn update_webhook(&self, change: WebhookChange) -> Result<Changed, StoreError>;
    /// The same, once for its idempotency key.
    async fn update_webhook_once(
        &self,
        change: WebhookChange,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError>;
    /// Finds a webhook by its id alone, of whatever project: for what anybody may know of it.
    async fn find_any_webhook(&self, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError>;
    /// Deletes a webhook; its waiting deliveries are cancelled afterwards by
    /// [`super::Queue::cancel_pending`]. False if the project has none of that id.
    async fn delete_webhook(&self, project_id: ProjectId, id: WebhookId, now: Timestamp) -> Result<bool, StoreError>;
    /// Webhooks that were deleted and still have deliveries waiting.
    async fn webhooks_to_cancel(&self) -> Result<Vec<WebhookId>, StoreError>;

    /// Everything about a project that publishing and delivering need, at one point in time.
    async fn load_snapshot(&self, project_id: ProjectId) -> Result<Option<ProjectSnapshot>, StoreError>;
}

/// An organization to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Its id, name and default project's id.
    pub organization: Organization,
    /// The default project's name.
    pub project_name: String,
    /// Its plan; `None`: the instance's default.
    pub plan: Option<PlanName>,
}

/// What is to change about an organization; `None` leaves a part as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrganizationChange {
    /// A new name.
    pub name: Option<String>,
    /// How strictly payloads are held to their schemas.
    pub schema_mode: Option<SchemaMode>,
}

/// What became of a change to an event type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTypeChanged {
    /// It is like this now.
    Changed(EventType),
    /// The catalogue has none of that name.
    Missing,
    /// It is not what the change is to be made to.
    Stale,
    /// As many versions of its schema take events as may; nothing has changed.
    TooManyVersions,
}

/// Event types that a catalogue is to have.
#[derive(Debug, Clone)]
pub struct EventTypeImport {
    /// Whose catalogue; `None`: the instance's.
    pub organization_id: Option<OrganizationId>,
    /// The types, each with its schema; their `versions` are not looked at.
    pub event_types: Vec<(EventType, Option<String>)>,
    /// Whether to change nothing.
    pub dry_run: bool,
    /// When.
    pub now: Timestamp,
}

/// What became of an event type that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTypeImported {
    /// The catalogue did not have it.
    Created,
    /// It was different.
    Updated,
    /// It was like this already.
    Unchanged,
    /// Its schema would be one version too many; nothing of it was changed.
    TooManyVersions,
    /// The catalogue has as many event types as it may have.
    CatalogueFull,
}

/// What became of a version's retirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaRetired {
    /// The event type is like this now.
    Retired(EventType),
    /// The catalogue has no such type, or the type no such version.
    Missing,
    /// The version is the one in force.
    InForce,
}

/// An organization as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationRecord {
    /// The organization.
    pub organization: Organization,
    /// The name of its plan; `None`: the instance's default.
    pub plan: Option<String>,
    /// How strictly its payloads are held to their schemas.
    pub schema_mode: SchemaMode,
}

/// A project to be made.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// The project.
    pub project: Project,
    /// What fills it, in the transaction that makes it. Event types that the organization can use
    /// already are left as they are.
    pub preset: Option<Preset>,
    /// The preset's sources, ready to be stored.
    pub sources: Vec<NewSource>,
}

/// A project as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRecord {
    /// The project.
    pub project: Project,
    /// The preset that filled it.
    pub preset: Option<String>,
    /// What its new webhooks have unless they name another.
    pub profile: Profile,
    /// What its hook URLs are good under.
    pub hook_keys: HookKeys,
}

/// Another key for a project's hook URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookKeysChange {
    /// Whose.
    pub project_id: ProjectId,
    /// The version that is exchanged.
    pub expected_version: u32,
    /// What its URLs are good under from now on.
    pub keys: HookKeys,
    /// When.
    pub now: Timestamp,
}

/// A key to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The key without its secret part.
    pub key: ApiKey,
    /// The hash of its text.
    pub hash: [u8; 32],
}

/// A key as it is found, with what a request needs to know about its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key.
    pub key: ApiKey,
    /// The default project of its organization; `None` for operator keys.
    pub default_project_id: Option<ProjectId>,
}

impl KeyRecord {
    /// The key's owner.
    pub fn owner(&self) -> KeyOwner {
        self.key.owner
    }
}

/// A webhook to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Its [`tidings_domain::webhook::WebhookSecrets`], sealed.
    pub sealed: Vec<u8>,
}

/// A webhook as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookRecord {
    /// The webhook.
    pub webhook: Webhook,
    /// Its secrets, sealed.
    pub sealed: Vec<u8>,
    /// Counts changes of settings, secrets and status.
    pub revision: u32,
    /// When any of these last changed.
    pub updated_at: Timestamp,
    /// What the engine noted about it.
    pub state: WebhookState,
}

/// What the engine notes about a webhook while it delivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookState {
    /// Failed attempts since the last success or enabling.
    pub failure_count: u32,
    /// When the first of them ended.
    pub failing_since: Option<Timestamp>,
    /// Type of the event attempted last.
    pub last_event_type: Option<String>,
    /// When the last attempt began.
    pub last_triggered_at: Option<Timestamp>,
}

/// Whether a webhook is delivered to, whatever the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookStanding {
    /// It is.
    Active,
    /// Its owner paused it.
    Paused,
    /// It is disabled.
    Disabled,
}

/// Which webhooks of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookFilter {
    /// Only those in this state.
    pub status: Option<WebhookStanding>,
    /// Only those that are to be delivered to and do not take what they are sent.
    pub is_failing: bool,
    /// Only those with this text in their name, address or event types, whatever its case in ASCII; or of this id.
    pub text: Option<String>,
}

/// A change to a webhook. `None` leaves a part as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookChange {
    /// Whose.
    pub project_id: ProjectId,
    /// Which.
    pub id: WebhookId,
    /// The revision the change was made from; another one makes it a no-op.
    pub expected_revision: u32,
    /// New settings.
    pub settings: Option<WebhookSettings>,
    /// New secrets.
    pub sealed: Option<Vec<u8>>,
    /// New status. Becoming active sets `failure_count` to 0.
    pub status: Option<WebhookStatus>,
    /// When.
    pub now: Timestamp,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// It was made; the webhook as it is now.
    Stored(Box<WebhookRecord>),
    /// The webhook is gone, or somebody else changed it meanwhile.
    Stale,
    /// The webhook is over its organization's limit.
    LimitExceeded(LimitExceeded),
}

/// What became of a change to something that is compared as a whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Replaced<T> {
    /// It was made; what is there now.
    Stored(T),
    /// Somebody else changed it meanwhile.
    Stale,
    /// There is none.
    Missing,
}

/// One consistent view of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectSnapshot {
    /// Grows with every change of the project's webhooks or of the event types it can use.
    pub version: u64,
    /// The project.
    pub project: Project,
    /// What its hook URLs are good under.
    pub hook_keys: HookKeys,
    /// All its webhooks.
    pub webhooks: Vec<WebhookRecord>,
    /// The event types it can use.
    pub event_types: Vec<EventType>,
    /// How strictly its events are held to their schemas.
    pub schema_mode: SchemaMode,
    /// The source that the project stands for, if it does; it has one webhook then.
    pub source: Option<SourceRecord>,
}
