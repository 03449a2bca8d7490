//! A project's webhooks made ready for use: parsed, unsealed, indexed.

use std::{collections::HashMap, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tidings_domain::{
    command::{CommandName, HookKeys, target_command},
    event::Event,
    event_type::{EventType, EventTypeName, TEST_EVENT_TYPE},
    filter::Subject,
    head,
    ids::{DeliveryId, WebhookId},
    matching::{MatchIndex, Mismatch, matches, selects_rest},
    profile::Profile,
    retry::RetryPolicy,
    seal::MasterKey,
    signer::Signer,
    target::TargetUrl,
    tenancy::{Project, SchemaMode},
    time::Timestamp,
    webhook::{Webhook, WebhookSecrets},
};
use tidings_ports::store::{NewDelivery, ProjectSnapshot, WebhookRecord, WebhookState};

use crate::{
    publish::{Publish, PublishError},
    receive::Acting,
    schema::{Checked, SchemaCache, TypeSchemas},
    secrets::open_secrets,
};

/// The address of a webhook whose deliveries are for a command.
const NOWHERE: &str = "https://command.invalid/";

/// One webhook, ready to be sent to.
#[derive(Debug)]
pub struct Target {
    /// The webhook.
    pub webhook: Webhook,
    /// What the engine noted about it when the snapshot was loaded.
    pub state: WebhookState,
    /// Counts changes of the webhook's configuration.
    pub(crate) revision: u32,
    pub(crate) url: Arc<TargetUrl>,
    /// The command that its deliveries are for; then nothing is sent to the address.
    pub(crate) command: Option<CommandName>,
    pub(crate) signer: Signer,
    pub(crate) policy: RetryPolicy,
    /// Set if the webhook is what the engine sees of a source.
    pub(crate) acting: Option<Arc<Acting>>,
    /// Headers that are the same for every attempt.
    pub(crate) fixed_headers: HeaderMap,
    /// See [`tidings_domain::head`]; and as it is while a former secret signs as well.
    head_template: Arc<str>,
    overlap_template: Option<Arc<str>>,
}

/// A project at one version.
#[derive(Debug)]
pub struct Snapshot {
    /// The store's version of it.
    pub version: u64,
    /// The project.
    pub project: Project,
    /// What its hook URLs are good under.
    pub(crate) hook_keys: HookKeys,
    /// Whether it is what the engine sees of a source, and nobody else's project.
    pub(crate) is_source: bool,
    targets: Vec<Arc<Target>>,
    by_id: HashMap<WebhookId, usize>,
    index: MatchIndex,
    event_types: HashMap<EventTypeName, EventType>,
    /// Of the types that have any.
    schemas: HashMap<EventTypeName, TypeSchemas>,
    schema_mode: SchemaMode,
}

impl Snapshot {
    /// Makes a stored snapshot ready. A webhook that cannot be made ready is left out and logged:
    /// its deliveries wait until somebody mends it, and everyone else's go on.
    pub(crate) fn new(stored: ProjectSnapshot, master: &MasterKey, user_agent: &str, cache: &SchemaCache) -> Self {
        let is_source = stored.source.is_some();
        let acting = stored.source.map(|source| Arc::new(Acting::new(source, &stored.webhooks)));
        let targets: Vec<_> = stored
            .webhooks
            .into_iter()
            .filter_map(|record| {
                let id = record.webhook.id;
                let made = Target::new(record, master, user_agent)
                    .inspect_err(|reason| tracing::error!(webhook.id = %id, reason, "a webhook cannot be used"));
                made.ok().map(|target| Arc::new(Target { acting: acting.clone(), ..target }))
            })
            .collect();
        let index = MatchIndex::new(targets.iter().map(|target| &target.webhook));
        let by_id = targets.iter().enumerate().map(|(place, target)| (target.webhook.id, place)).collect();
        let schemas = stored.event_types.iter().filter_map(|it| Some((it.name.clone(), TypeSchemas::of(it, cache)?)));
        let (schemas, schema_mode) = (schemas.collect(), stored.schema_mode);
        let event_types = stored.event_types.into_iter().map(|it| (it.name.clone(), without_versions(it))).collect();
        let (version, project, hook_keys) = (stored.version, stored.project, stored.hook_keys);
        Self { version, project, hook_keys, is_source, targets, by_id, index, event_types, schemas, schema_mode }
    }

    /// The webhook with this id.
    pub fn target(&self, id: WebhookId) -> Option<&Arc<Target>> {
        self.by_id.get(&id).map(|&place| &self.targets[place])
    }

    /// All webhooks.
    pub fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.iter()
    }

    /// The webhooks an event goes to.
    pub fn matching<'a>(&'a self, event: &Subject<'_>) -> impl Iterator<Item = &'a Arc<Target>> {
        let places = self.index.places(event.event_type());
        places.into_iter().map(|place| &self.targets[place]).filter(|target| selects_rest(&target.webhook, event))
    }

    /// The catalogue's entry of an event type; `test.webhook` is part of every catalogue.
    pub fn event_type(&self, name: &EventTypeName) -> Option<&EventType> {
        self.event_types.get(name)
    }

    /// Whether holding an event to its type's schema can take so long that it is to be done where
    /// nothing else waits for it.
    pub(crate) fn check_is_long(&self, publish: &Publish) -> bool {
        let schemas = self.schemas.get(&publish.event_type).filter(|_| self.schema_mode != SchemaMode::Off);
        schemas.is_some_and(|schemas| schemas.is_long(publish.schema_version, publish.payload.len()))
    }

    /// Holds an event to its type's schema, if that has one.
    pub(crate) fn check(&self, named: Option<u32>, subject: &Subject<'_>) -> Result<Checked, PublishError> {
        match (self.schemas.get(subject.event_type()), named) {
            (Some(schemas), _) => schemas.check(named, self.schema_mode, subject),
            (None, Some(version)) if self.schema_mode != SchemaMode::Off => {
                Err(PublishError::UnknownSchemaVersion(version))
            }
            (None, _) => Ok(Checked::default()),
        }
    }

    /// Whether events of this type may be published.
    pub fn knows(&self, name: &EventTypeName) -> bool {
        name.as_str() == TEST_EVENT_TYPE || self.event_types.contains_key(name)
    }
}

impl Target {
    /// Whether an attempt needs more than a request.
    pub(crate) fn is_special(&self) -> bool {
        self.command.is_some() || self.webhook.settings.transform.is_some()
    }

    /// Whether the webhook selects an event that was accepted earlier, and if not, why.
    pub(crate) fn selects(&self, event: &Event) -> Result<(), Mismatch> {
        matches(
            &self.webhook,
            &Subject::new(&event.event_type, &event.scopes, event.content_type.as_deref(), &event.payload),
        )
    }

    /// A delivery to the webhook that is born due.
    pub(crate) fn delivery(&self, id: DeliveryId) -> NewDelivery {
        let rendering = self.webhook.settings.profile.rendering();
        NewDelivery { id, webhook_id: self.webhook.id, rendering, leased: false, due_at: None }
    }

    pub(crate) fn new(record: WebhookRecord, master: &MasterKey, user_agent: &str) -> Result<Self, String> {
        let webhook = record.webhook;
        let secrets = open_secrets(master, webhook.id, &record.sealed).map_err(|error| error.to_string())?;
        let address = secrets.url_with_credentials.as_deref().unwrap_or(&webhook.settings.url);
        let command = target_command(address).transpose().map_err(|error| error.to_string())?;
        let address = if command.is_some() { NOWHERE } else { address };
        let url = TargetUrl::parse(address).map_err(|refusal| refusal.to_string())?;
        let signer = secrets.signer(webhook.settings.signature()).map_err(|error| error.to_string())?;
        let fixed = profile_headers(&webhook);
        let template = |overlap: bool| -> Arc<str> {
            if command.is_some() {
                return format!("{}: {}\ncontent-type: {{content_type}}\n", head::URL_LINE, webhook.settings.url)
                    .into();
            }
            let (url, custom) = (url.masked(), &secrets.headers);
            let own = webhook.settings.tidings_headers;
            head::template(&url, user_agent, &fixed, custom, &signer, own, overlap).into()
        };
        let (head_template, overlap_template) = (template(false), signer.has_previous().then(|| template(true)));
        Ok(Self {
            fixed_headers: fixed_headers(user_agent, &fixed, &secrets)?,
            head_template,
            overlap_template,
            policy: webhook.settings.retry_policy(),
            acting: None,
            url: Arc::new(url),
            command,
            signer,
            state: record.state,
            revision: record.revision,
            webhook,
        })
    }
}

impl Target {
    /// How history writes the head of an attempt that begins at this time.
    pub(crate) fn head_template(&self, at: Timestamp) -> &Arc<str> {
        self.overlap_template.as_ref().filter(|_| self.signer.overlaps(at)).unwrap_or(&self.head_template)
    }
}

/// The texts of its schemas are kept once for all projects, see [`SchemaCache`].
fn without_versions(mut event_type: EventType) -> EventType {
    event_type.versions = Vec::new();
    event_type
}

/// Headers a profile adds besides its signature. A place in braces is filled per attempt.
fn profile_headers(webhook: &Webhook) -> Vec<(&'static str, String)> {
    match webhook.settings.profile {
        Profile::BotSubscription => vec![("x-project-id", webhook.project_id.to_string())],
        Profile::ServerAvatar => vec![("x-webhook-event", "{event_type}".to_owned())],
        Profile::Standard | Profile::SubscribeFlow | Profile::Botdog => Vec::new(),
    }
}

fn fixed_headers(
    user_agent: &str,
    profile: &[(&'static str, String)],
    secrets: &WebhookSecrets,
) -> Result<HeaderMap, String> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    // Room for what each attempt adds, so that its copy does not have to grow.
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::USER_AGENT, value(user_agent)?);
    for (name, text) in profile.iter().filter(|(_, text)| !text.contains('{')) {
        headers.insert(HeaderName::from_static(name), value(text)?);
    }
    for (name, text) in &secrets.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        headers.insert(name, value(text)?);
    }
    Ok(headers)
}
