//! A store with one project in it, and short words for what tests do.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, OrganizationId, ProjectId, WebhookId},
    outcome::Outcome,
    profile::Profile,
    render::Rendering,
    retry::{Decision, Verdict},
    tenancy::Organization,
    time::Timestamp,
    webhook::{Webhook, WebhookSettings, WebhookStatus},
};
use tidings_ports::{
    sender::Timing,
    store::{
        Appended, AttemptRecord, BacklogLane, LeasedDelivery, NewDelivery, NewEvent, NewOrganization, NewWebhook,
        Settled, Settlement, Store,
    },
};

/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// More payload bytes than any test has.
pub(crate) const BYTES_MAX: usize = 1 << 20;
/// Bits of a sequence below its milliseconds.
const BITS: u32 = 15;

/// A store with one project in it.
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its database.
    pub outside: Box<dyn Outside>,
    /// Its project.
    pub project: ProjectId,
    next: i64,
}

/// The store's database as somebody sees it who goes round the store. It lives as long as this.
#[async_trait]
pub trait Outside: Send + Sync {
    /// Runs a statement.
    async fn run(&self, sql: &str);

    /// Reads whole numbers, one a row.
    async fn numbers(&self, sql: &str) -> Vec<i64>;

    /// Has the database refuse new rows of a table, all or those for which a condition on `new` holds.
    async fn refuse(&self, table: &str, condition: &str);

    /// Has the others take the process for dead, if there can be others.
    async fn crash(&self) {}

    /// How no bytes are written.
    fn no_bytes(&self) -> &'static str;
}

/// Where a store lies, so that it can be opened again as by another process.
#[async_trait]
pub trait Home: Send + Sync {
    /// What kind of store it is.
    fn name(&self) -> &'static str;

    /// Opens it after the one that was opened before is gone; without one it is emptied first. A store with a clock of
    /// its own has this time.
    async fn open(&self, former: Option<Arc<dyn Store>>, now: Timestamp) -> Arc<dyn Store>;
}

impl World {
    /// In a store that is empty.
    pub async fn new(store: Arc<dyn Store>, outside: Box<dyn Outside>) -> Self {
        let (project, next) = (ProjectId::from_parts(0, 0), START.as_millis() << BITS);
        let mut world = Self { store, outside, project, next };
        world.project = world.new_project().await;
        world
    }

    pub(crate) fn sequence(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    /// What is made from now on has ids from this sequence on.
    pub fn go_on_at(&mut self, sequence: i64) {
        self.next = sequence - 1;
    }

    /// Another project, of an organization of its own.
    pub async fn new_project(&mut self) -> ProjectId {
        let default_project_id = ProjectId::from_parts(self.sequence(), 1);
        let id = OrganizationId::from_parts(self.sequence(), 1);
        let organization = Organization { id, name: "Acme".to_owned(), default_project_id };
        let new = NewOrganization { organization, project_name: "default".to_owned(), plan: None };
        self.store.create_organization(new, None).await.expect("stored");
        default_project_id
    }

    /// A webhook of a project.
    pub async fn webhook(&mut self, project_id: ProjectId) -> WebhookId {
        let id = WebhookId::from_parts(self.sequence(), 1);
        let settings = WebhookSettings::new("https://receiver.example/".to_owned(), Profile::Standard);
        let webhook = Webhook { id, project_id, settings, status: WebhookStatus::Active };
        self.store.create_webhook(NewWebhook { webhook, sealed: vec![1] }, None).await.expect("stored");
        id
    }

    /// An event with one delivery to each webhook.
    pub fn event(&mut self, project_id: ProjectId, name: &str, webhooks: &[WebhookId], leased: bool) -> NewEvent {
        let key = EventKey::from_parts(self.sequence(), 7);
        let event = Event {
            key,
            custom_id: None,
            project_id,
            event_type: name.parse().expect("a type"),
            scopes: Vec::new(),
            content_type: None,
            label: None,
            schema_version: None,
            payload: Bytes::from_static(b"{}"),
        };
        let deliveries = webhooks
            .iter()
            .map(|&webhook_id| NewDelivery {
                id: DeliveryId::from_parts(self.sequence(), 9),
                webhook_id,
                rendering: Rendering::Standard,
                leased,
                due_at: None,
            })
            .collect();
        NewEvent {
            event: Arc::new(event),
            snapshot_version: 0,
            deliveries,
            idempotency: None,
            receipt: None,
            after_runs: 0,
        }
    }

    /// Appends events under the current version of their project.
    pub async fn append(&self, mut events: Vec<NewEvent>, now: Timestamp) {
        for new in &mut events {
            let snapshot = self.store.load_snapshot(new.event.project_id).await.expect("read").expect("there");
            new.snapshot_version = snapshot.version;
        }
        let appended = self.store.append(Arc::new(events), now).await.expect("written");
        assert!(appended.iter().all(|result| *result == Appended::Stored), "{appended:?}");
    }

    /// The process ends without a word, and another one starts.
    pub(crate) async fn crash(&self, now: Timestamp) -> Vec<BacklogLane> {
        self.outside.crash().await;
        // The first tells that it begins anew, the second is told that everything is in order for that.
        for _ in 0..2 {
            self.store.beat(0).await.expect("heard");
        }
        self.store.recover(now).await.expect("written")
    }

    /// Writes down what became of a lease.
    pub async fn settle(&self, lease: &LeasedDelivery, verdict: Verdict, now: Timestamp) -> Settled {
        let settlement = settlement(lease, verdict, now);
        self.store.settle(Arc::new(vec![settlement])).await.expect("written").remove(0)
    }
}

/// The lease that an event's first delivery is born with.
pub fn newborn(new: &NewEvent) -> LeasedDelivery {
    LeasedDelivery {
        id: new.deliveries[0].id,
        epoch: 1,
        webhook_id: new.deliveries[0].webhook_id,
        project_id: new.event.project_id,
        rendering: Rendering::Standard,
        attempts_made: 0,
        manual: false,
        event: Arc::clone(&new.event),
    }
}

pub(crate) fn settlement(lease: &LeasedDelivery, verdict: Verdict, now: Timestamp) -> Settlement {
    let status = if verdict == Verdict::Delivered { 200 } else { 500 };
    Settlement {
        delivery_id: lease.id,
        epoch: lease.epoch,
        webhook_id: lease.webhook_id,
        project_id: lease.project_id,
        event: Arc::clone(&lease.event),
        rendering: lease.rendering,
        attempt: AttemptRecord {
            number: lease.attempts_made + 1,
            started_at: now,
            outcome: Outcome::Status(status),
            error: None,
            timing: Timing { total_us: 1_500, ..Timing::default() },
            request_head: "content-type: {content_type}\n".into(),
            response_headers: "server: test\n".to_owned(),
            response_body: Bytes::from_static(b"answer"),
            response_truncated: false,
            request_body: None,
        },
        decision: Decision { verdict, disable: None },
        ended_at: now,
        reported: true,
        next: None,
    }
}
