//! A platform in a test: the real engine on the real embedded store, with a clock moved by hand
//! and a scripted network.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use tempfile::TempDir;
use tidings_domain::{
    event_type::EventType,
    ids::{ProjectId, WebhookId},
    page::PageRequest,
    profile::Profile,
    seal::MasterKey,
    secret::Secret,
    tenancy::Organization,
    time::Timestamp,
    webhook::{RetryOverride, Webhook, WebhookSecrets, WebhookSettings, WebhookStatus},
};
use tidings_engine::{
    DispatchLimits, Engine, EngineParts, OVERDUE_AFTER_MS, Publish, PublishError, Published, open_secrets, seal_secrets,
};
use tidings_fakes::{DocumentScripts, ManualClock, ScriptedSender, SeededEntropy};
use tidings_ports::{
    Clock as _,
    store::{
        Catalog as _, Changed, Created, DeliveryFilter, DeliveryView, History as _, NewOrganization, NewWebhook, Store,
        WebhookChange,
    },
};
use tidings_store_sqlite::SqliteStore;

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

pub(crate) struct Platform {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sender: Arc<ScriptedSender>,
    pub(crate) project: ProjectId,
    directory: TempDir,
    master: Arc<MasterKey>,
}

pub(crate) fn master() -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(&[7; 32]))
}

impl Platform {
    pub(crate) async fn start() -> Self {
        Self::with_limits(DispatchLimits::default()).await
    }

    pub(crate) async fn with_limits(limits: DispatchLimits) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let sender = Arc::new(ScriptedSender::new(clock.clone()));
        let directory = tempfile::tempdir().expect("a directory");
        let store = Arc::new(tidings_store_sqlite::open(directory.path()).expect("a store"));
        let engine = start_engine(&store, &sender, &clock, limits).await;
        let project = create_project(&engine, &store).await;
        Self { engine, store, clock, sender, project, directory, master: master() }
    }

    /// Ends the process without any goodbye and starts a new one on the same directory, whose clock
    /// starts with what the wall clock shows; its network knows no scripts.
    pub(crate) async fn crash_and_restart_by_the_wall_clock(self) -> Self {
        let clock = Arc::new(ManualClock::at(self.clock.wall()));
        let sender = Arc::new(ScriptedSender::new(clock.clone()));
        Self { clock, sender, ..self }.crash_and_restart().await
    }

    /// Ends the process without any goodbye and starts a new one on the same directory.
    pub(crate) async fn crash_and_restart(self) -> Self {
        let Self { engine, store, clock, sender, project, directory, master } = self;
        let copy = tempfile::tempdir().expect("a directory");
        // What the old process still does lands in the old directory: as good as not at all.
        for entry in std::fs::read_dir(directory.path()).expect("readable") {
            let entry = entry.expect("an entry");
            // It holds nothing.
            if entry.file_name() == "tidings.reserve" {
                continue;
            }
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copied");
        }
        drop((engine, store));
        let store = Arc::new(tidings_store_sqlite::open(copy.path()).expect("a store"));
        let engine = start_engine(&store, &sender, &clock, DispatchLimits::default()).await;
        Self { engine, store, clock, sender, project, directory: copy, master }
    }

    /// The database file, for what nobody but a test does to it.
    pub(crate) fn database_path(&self) -> PathBuf {
        self.directory.path().join("tidings.sqlite")
    }

    pub(crate) async fn other_project(&self) -> ProjectId {
        create_project(&self.engine, &self.store).await
    }

    pub(crate) async fn webhook(&self, profile: Profile, url: &str) -> WebhookId {
        self.webhook_with(profile, url, |_| {}).await
    }

    pub(crate) async fn webhook_with(
        &self,
        profile: Profile,
        url: &str,
        change: impl FnOnce(&mut WebhookSettings),
    ) -> WebhookId {
        self.webhook_in(self.project, profile, url, change).await
    }

    pub(crate) async fn webhook_in(
        &self,
        project_id: ProjectId,
        profile: Profile,
        url: &str,
        change: impl FnOnce(&mut WebhookSettings),
    ) -> WebhookId {
        let id = self.engine.ids().webhook();
        let mut settings = WebhookSettings::new(url.to_owned(), profile);
        change(&mut settings);
        let secret = profile.generated_secret().map(|form| Secret::generate(form, &[3; 32]));
        let secrets =
            WebhookSecrets { secret: secret.map(|secret| secret.expose().to_owned()), ..WebhookSecrets::default() };
        let sealed = seal_secrets(&self.master, id, &secrets, self.engine.ids().nonce());
        let webhook = Webhook { id, project_id, settings, status: WebhookStatus::Active };
        let created = self.store.create_webhook(NewWebhook { webhook, sealed }, None).await.expect("stored");
        assert_eq!(created, Created::Stored);
        self.engine.project_changed(project_id).await;
        id
    }

    /// Changes a webhook's secrets, as a rotation does.
    pub(crate) async fn change_secrets(&self, id: WebhookId, change: impl FnOnce(&mut WebhookSecrets)) {
        let record = self.store.find_webhook(self.project, id).await.expect("read").expect("there");
        let mut secrets = open_secrets(&self.master, id, &record.sealed).expect("opens");
        change(&mut secrets);
        let sealed = seal_secrets(&self.master, id, &secrets, self.engine.ids().nonce());
        let change = WebhookChange {
            project_id: self.project,
            id,
            expected_revision: record.revision,
            settings: None,
            sealed: Some(sealed),
            status: None,
            now: self.now(),
        };
        let changed = self.store.update_webhook(change).await.expect("written");
        assert!(matches!(changed, Changed::Stored(_)), "{changed:?}");
        self.engine.project_changed(self.project).await;
    }

    pub(crate) async fn publish(&self, event_type: &str) -> String {
        match self.try_publish(publish(event_type)).await.expect("accepted") {
            Published::Accepted(accepted) => accepted.id,
            Published::Replayed { .. } => panic!("replayed without a key"),
        }
    }

    pub(crate) async fn try_publish(&self, publish: Publish) -> Result<Published, PublishError> {
        self.engine.publish(self.project, publish).await
    }

    /// Lets everything happen that can happen now.
    pub(crate) async fn settle(&self) {
        self.engine.idle().await;
    }

    /// Moves the clock in steps of a second, letting everything happen in between.
    pub(crate) async fn advance_s(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance_ms(1_000);
            self.engine.idle().await;
        }
    }

    /// Seconds from the start at which requests went to this address.
    pub(crate) fn seconds_of(&self, url: &str) -> Vec<u64> {
        self.sender.sent_to(url).iter().map(|sent| sent.at.millis_since(START) / 1000).collect()
    }

    pub(crate) async fn deliveries(&self, webhook: WebhookId) -> Vec<DeliveryView> {
        let filter = DeliveryFilter { webhook_id: Some(webhook), ..DeliveryFilter::default() };
        self.store.list_deliveries(self.project, filter, PageRequest::default()).await.expect("listed").rows
    }

    /// Changes the database behind the engine's back.
    pub(crate) fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.directory.path().join("tidings.sqlite")).expect("opens");
        connection.busy_timeout(std::time::Duration::from_secs(5)).expect("set");
        connection.execute_batch(sql).expect("executed");
    }

    pub(crate) async fn status(&self, webhook: WebhookId) -> WebhookStatus {
        let found = self.store.find_webhook(self.project, webhook).await.expect("read").expect("there");
        found.webhook.status
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn publish(event_type: &str) -> Publish {
    Publish {
        event_type: event_type.parse().expect("a type"),
        custom_id: None,
        scopes: Vec::new(),
        content_type: None,
        payload: Bytes::from_static(br#"{"n":1}"#),
        deliver_at: None,
        schema_version: None,
        after_runs: 0,
        idempotency: None,
    }
}

pub(crate) fn schedule(waits_ms: &[u64]) -> RetryOverride {
    RetryOverride {
        schedule: Some(tidings_domain::retry::Schedule::WaitsMs(waits_ms.to_vec())),
        jitter: Some(0.0),
        ..RetryOverride::default()
    }
}

async fn start_engine(
    store: &Arc<SqliteStore>,
    sender: &Arc<ScriptedSender>,
    clock: &Arc<ManualClock>,
    limits: DispatchLimits,
) -> Arc<Engine> {
    let parts = EngineParts {
        store: Arc::clone(store) as Arc<dyn Store>,
        sender: sender.clone(),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
        master_key: master(),
        user_agent: "Tidings/test".to_owned(),
        limits,
        overdue_after_ms: OVERDUE_AFTER_MS,
        scripts: Arc::new(DocumentScripts),
        base_url: "http://127.0.0.1:8700".to_owned(),
    };
    Engine::start(parts).await.expect("an engine")
}

async fn create_project(engine: &Engine, store: &SqliteStore) -> ProjectId {
    let organization = Organization {
        id: engine.ids().organization(),
        name: "Acme".to_owned(),
        default_project_id: engine.ids().project(),
    };
    let (organization_id, project_id) = (organization.id, organization.default_project_id);
    store
        .create_organization(NewOrganization { organization, project_name: "default".to_owned(), plan: None }, None)
        .await
        .expect("stored");
    for name in ["tag.subscribed", "user.created"] {
        let event_type = EventType {
            name: name.parse().expect("a name"),
            group: None,
            description: Some("Something happened".to_owned()),
            example: None,
            archived: false,
            versions: Vec::new(),
        };
        store.create_event_type(Some(organization_id), event_type, None, START).await.expect("stored");
    }
    project_id
}
