//! The store as the ports see it: each method hands one verb to the writer or to a reader.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    event_type::{EventType, EventTypeName},
    ids::{ApiKeyId, DeliveryId, OrganizationId, ProjectId, WebhookId},
    page::{Page, PageRequest},
    plan::{PlanName, Plans},
    tenancy::ApiKey,
    time::Timestamp,
};
use tidings_ports::store::{
    Appended, BacklogLane, BatchAppended, Catalog, Changed, ClaimRequest, Claimed, Created, EventTypeChanged,
    EventTypeImport, EventTypeImported, HookKeysChange, Idempotency, InstanceCounts, KeyRecord, Ledger, Log,
    Maintenance, NewApiKey, NewBatch, NewEvent, NewOrganization, NewProject, NewWebhook, OrganizationChange,
    OrganizationRecord, PlanLimits, PlansSet, ProjectRecord, ProjectSnapshot, Queue, Replaced, Report, Requeued,
    SchemaRetired, Settled, Settlement, StoreError, StoredLane, TestRecord, WebhookChange, WebhookFilter,
    WebhookRecord,
};

use crate::{
    append,
    backend::{Backend, SqlStore, Writes},
    catalog::{api_key, event_type, event_type_import, organization, plan, project, snapshot, webhook},
    database::Result,
    lanes, queue, reports,
    session::Session,
    settle, upkeep,
};

#[async_trait]
impl<B: Backend> Log for SqlStore<B> {
    async fn append(&self, events: Arc<Vec<NewEvent>>, now: Timestamp) -> Result<Vec<Appended>, StoreError> {
        self.write(Writes::Events, move |session| append::append(session, &events, now)).await
    }

    async fn append_batch(&self, batch: Arc<NewBatch>, now: Timestamp) -> Result<BatchAppended, StoreError> {
        self.write(Writes::Events, move |session| append::append_batch(session, &batch, now)).await
    }

    async fn find_answer(&self, owner: i64, key: &str) -> Result<Option<Idempotency>, StoreError> {
        let key = key.to_owned();
        self.read(move |connection| append::find_answer(connection, owner, &key)).await
    }

    async fn record_test(&self, test: TestRecord) -> Result<(), StoreError> {
        self.add(move |session| append::record_test(session, &test)).await
    }
}

#[async_trait]
impl<B: Backend> Queue for SqlStore<B> {
    async fn settle(&self, settlements: Arc<Vec<Settlement>>) -> Result<Vec<Settled>, StoreError> {
        self.write(Writes::Leases, move |session| settle::settle(session, &settlements)).await
    }

    async fn claim(
        &self,
        wants: Vec<ClaimRequest>,
        bytes_max: usize,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.write(Writes::Leases, move |session| queue::claim(session, &wants, bytes_max, now)).await
    }

    async fn release(&self, leases: Vec<(DeliveryId, u32)>, now: Timestamp) -> Result<(), StoreError> {
        self.write(Writes::Leases, move |session| queue::release(session, &leases, now)).await
    }

    async fn note_step(&self, stepped_ms: i64) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| queue::note_step(session, stepped_ms)).await
    }

    async fn recover(&self, now: Timestamp) -> Result<Vec<BacklogLane>, StoreError> {
        self.change(move |session| queue::recover(session, now)).await
    }

    async fn busiest_lanes(&self, also: Vec<WebhookId>, limit: u32) -> Result<Vec<StoredLane>, StoreError> {
        self.read(move |connection| lanes::busiest(connection, &also, limit)).await
    }

    async fn backlog(&self) -> Result<Vec<BacklogLane>, StoreError> {
        self.read(queue::backlog).await
    }

    async fn requeue(
        &self,
        project_id: ProjectId,
        delivery_id: DeliveryId,
        force: bool,
        now: Timestamp,
    ) -> Result<Requeued, StoreError> {
        self.change(move |session| queue::requeue(session, project_id, delivery_id, force, now)).await
    }

    async fn cancel_pending(&self, webhook_id: WebhookId, limit: u32, now: Timestamp) -> Result<u32, StoreError> {
        self.change(move |session| queue::cancel_pending(session, webhook_id, limit, now)).await
    }
}

#[async_trait]
impl<B: Backend> Catalog for SqlStore<B> {
    async fn create_organization(
        &self,
        new: NewOrganization,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError> {
        self.add(move |session| organization::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_organization(&self, id: OrganizationId) -> Result<Option<OrganizationRecord>, StoreError> {
        self.read(move |connection| organization::find(connection, id)).await
    }

    async fn list_organizations(&self, page: PageRequest) -> Result<Page<OrganizationRecord>, StoreError> {
        self.read(move |connection| organization::list(connection, page)).await
    }

    async fn update_organization(
        &self,
        id: OrganizationId,
        change: OrganizationChange,
        expected: Option<OrganizationRecord>,
    ) -> Result<Replaced<OrganizationRecord>, StoreError> {
        self.change(move |session| organization::update(session, id, &change, expected.as_ref())).await
    }

    async fn delete_organization(&self, id: OrganizationId, now: Timestamp) -> Result<bool, StoreError> {
        self.change(move |session| organization::delete(session, id, now)).await
    }

    async fn create_project(&self, new: NewProject, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| project::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_project(&self, id: ProjectId) -> Result<Option<ProjectRecord>, StoreError> {
        self.read(move |connection| project::find(connection, id)).await
    }

    async fn list_projects(
        &self,
        organization_id: OrganizationId,
        page: PageRequest,
    ) -> Result<Page<ProjectRecord>, StoreError> {
        self.read(move |connection| project::list(connection, organization_id, page)).await
    }

    async fn rename_project(
        &self,
        id: ProjectId,
        name: String,
        expected: Option<String>,
    ) -> Result<Replaced<()>, StoreError> {
        self.change(move |session| project::rename(session, id, &name, expected.as_deref())).await
    }

    async fn set_hook_keys(
        &self,
        change: HookKeysChange,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError> {
        self.change(move |session| project::set_hook_keys(session, &change, idempotency.as_ref())).await
    }

    async fn delete_project(&self, id: ProjectId, now: Timestamp) -> Result<bool, StoreError> {
        self.change(move |session| project::delete(session, id, now)).await
    }

    async fn create_api_key(&self, new: NewApiKey, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| api_key::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_api_key(&self, hash: [u8; 32]) -> Result<Option<KeyRecord>, StoreError> {
        self.read(move |connection| api_key::find(connection, hash)).await
    }

    async fn list_api_keys(
        &self,
        organization_id: Option<OrganizationId>,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, StoreError> {
        self.read(move |connection| api_key::list(connection, organization_id, page)).await
    }

    async fn revoke_api_key(
        &self,
        organization_id: Option<OrganizationId>,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.change(move |session| api_key::revoke(session, organization_id, id, now)).await
    }

    async fn create_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        event_type: EventType,
        idempotency: Option<Idempotency>,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        let once = move |session: &mut Session<'_>| {
            event_type::create(session, organization_id, &event_type, idempotency.as_ref(), now)
        };
        self.add(once).await
    }

    async fn update_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        event_type: EventType,
        schema: Option<String>,
        expected: Option<EventType>,
        now: Timestamp,
    ) -> Result<EventTypeChanged, StoreError> {
        let update = event_type::update;
        self.change(move |session| {
            update(session, organization_id, (&event_type, schema.as_deref()), expected.as_ref(), now)
        })
        .await
    }

    async fn import_event_types(&self, import: EventTypeImport) -> Result<Vec<EventTypeImported>, StoreError> {
        self.add(move |session| event_type_import::import(session, &import)).await
    }

    async fn retire_schema(
        &self,
        organization_id: Option<OrganizationId>,
        name: EventTypeName,
        version: u32,
    ) -> Result<SchemaRetired, StoreError> {
        self.change(move |session| event_type::retire(session, organization_id, &name, version)).await
    }

    async fn delete_event_type(
        &self,
        organization_id: Option<OrganizationId>,
        name: EventTypeName,
    ) -> Result<bool, StoreError> {
        self.change(move |session| event_type::delete(session, organization_id, &name)).await
    }

    async fn list_event_types(&self, organization_id: Option<OrganizationId>) -> Result<Vec<EventType>, StoreError> {
        self.read(move |connection| event_type::list(connection, organization_id)).await
    }

    async fn create_webhook(&self, new: NewWebhook, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| webhook::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_webhook(&self, project_id: ProjectId, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError> {
        self.read(move |connection| webhook::find(connection, project_id, id)).await
    }

    async fn search_webhooks(
        &self,
        project_id: ProjectId,
        filter: WebhookFilter,
        page: PageRequest,
    ) -> Result<Page<WebhookRecord>, StoreError> {
        self.read(move |connection| webhook::search(connection, project_id, &filter, page)).await
    }

    async fn list_webhooks(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<WebhookRecord>, StoreError> {
        self.read(move |connection| webhook::list(connection, project_id, page)).await
    }

    async fn update_webhook(&self, change: WebhookChange) -> Result<Changed, StoreError> {
        self.change(move |session| webhook::update(session, &change)).await
    }

    async fn update_webhook_once(
        &self,
        change: WebhookChange,
        idempotency: Option<Idempotency>,
    ) -> Result<Created, StoreError> {
        self.change(move |session| webhook::update_once(session, &change, idempotency.as_ref())).await
    }

    async fn find_any_webhook(&self, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError> {
        self.read(move |connection| webhook::find_any(connection, id)).await
    }

    async fn delete_webhook(&self, project_id: ProjectId, id: WebhookId, now: Timestamp) -> Result<bool, StoreError> {
        self.change(move |session| webhook::delete(session, project_id, id, now)).await
    }

    async fn webhooks_to_cancel(&self) -> Result<Vec<WebhookId>, StoreError> {
        self.read(webhook::to_cancel).await
    }

    async fn load_snapshot(&self, project_id: ProjectId) -> Result<Option<ProjectSnapshot>, StoreError> {
        self.change(move |session| snapshot::load(session, project_id)).await
    }
}

#[async_trait]
impl<B: Backend> PlanLimits for SqlStore<B> {
    async fn set_plans(&self, plans: Arc<Plans>, now: Timestamp) -> Result<PlansSet, StoreError> {
        self.change(move |session| plan::set_all(session, &plans, now)).await
    }

    async fn set_plan(
        &self,
        id: OrganizationId,
        plan: PlanName,
        now: Timestamp,
    ) -> Result<Option<Vec<ProjectId>>, StoreError> {
        self.change(move |session| plan::set(session, id, &plan, now)).await
    }

    async fn apply_plan(&self, id: OrganizationId, now: Timestamp) -> Result<Vec<ProjectId>, StoreError> {
        self.change(move |session| plan::apply(session, id, now)).await
    }
}

#[async_trait]
impl<B: Backend> Maintenance for SqlStore<B> {
    async fn expire_idempotency(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.change(move |session| upkeep::expire_idempotency(session, before, limit)).await
    }

    async fn expire_hours(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.change(move |session| upkeep::expire_hours(session, before, limit)).await
    }

    async fn expire_audit(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.change(move |session| upkeep::expire_audit(session, before, limit)).await
    }

    async fn counts(&self, now: Timestamp) -> Result<InstanceCounts, StoreError> {
        self.read(move |connection| upkeep::counts(connection, now)).await
    }

    async fn audit_ledger(&self) -> Result<Ledger, StoreError> {
        self.read(upkeep::audit_ledger).await
    }

    async fn add_report(&self, event_type: &'static str, data: String, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |session| reports::add(session, event_type, &data, now)).await
    }

    async fn list_reports(&self, limit: u32) -> Result<Vec<Report>, StoreError> {
        self.read(move |connection| reports::list(connection, limit)).await
    }

    async fn forget_reports(&self, numbers: Vec<i64>) -> Result<(), StoreError> {
        self.change(move |session| reports::forget(session, &numbers)).await
    }

    async fn last_sequence(&self) -> Result<i64, StoreError> {
        self.read(upkeep::last_sequence).await
    }

    async fn find_remembered(&self, name: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(move |connection| upkeep::find_remembered(connection, name)).await
    }

    async fn remember_once(&self, name: &'static str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.change(move |session| upkeep::remember_once(session, name, &value)).await
    }

    async fn forget_remembered(&self, name: &'static str) -> Result<bool, StoreError> {
        self.change(move |session| upkeep::forget_remembered(session, name)).await
    }

    async fn close(&self) {
        self.backend.close().await;
    }
}
