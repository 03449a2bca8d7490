//! The store reads back what happened.

use async_trait::async_trait;
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, EventKey, ProjectId, WebhookId},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{
    AttemptView, DeliveryFilter, DeliveryView, EventFilter, EventView, Expunged, History, Statistics, StoreError,
    Waiting, WebhookHours,
};

use crate::{
    backend::{Backend, SqlStore},
    expunge,
    history::{deliveries, events, statistics},
    session::Leased,
};

#[async_trait]
impl<B: Backend> History for SqlStore<B> {
    async fn list_events(
        &self,
        project_id: ProjectId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<EventView>, StoreError> {
        self.read(move |connection| events::list(connection, project_id, &filter, page)).await
    }

    async fn find_event(&self, project_id: ProjectId, id: &str) -> Result<Option<Event>, StoreError> {
        let id = id.to_owned();
        self.read(move |connection| events::find(connection, project_id, &id)).await
    }

    async fn expunge_payload(
        &self,
        project_id: ProjectId,
        event: EventKey,
        now: Timestamp,
    ) -> Result<Expunged, StoreError> {
        self.change(move |session| expunge::expunge(session, project_id, event, now)).await
    }

    async fn expunged_at(&self, project_id: ProjectId, event: EventKey) -> Result<Option<Timestamp>, StoreError> {
        self.read(move |connection| expunge::expunged_at(connection, project_id, event)).await
    }

    async fn list_deliveries(
        &self,
        project_id: ProjectId,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<DeliveryView>, StoreError> {
        let leases = self.backend.leases();
        self.read(move |connection| deliveries::list(connection, Leased(leases.as_deref()), project_id, &filter, page))
            .await
    }

    async fn find_delivery(&self, project_id: ProjectId, id: DeliveryId) -> Result<Option<DeliveryView>, StoreError> {
        self.read(move |connection| deliveries::find(connection, project_id, id)).await
    }

    async fn deliveries_of(&self, event: &Event) -> Result<Vec<DeliveryView>, StoreError> {
        let event = event.clone();
        self.read(move |connection| deliveries::of_event(connection, &event)).await
    }

    async fn attempts_of(&self, project_id: ProjectId, id: DeliveryId) -> Result<Vec<AttemptView>, StoreError> {
        self.read(move |connection| deliveries::attempts(connection, project_id, id)).await
    }

    async fn statistics(
        &self,
        project_id: ProjectId,
        webhook_id: Option<WebhookId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Statistics>, StoreError> {
        self.read(move |connection| statistics::read(connection, project_id, webhook_id, since, until)).await
    }

    async fn hours_of_webhooks(
        &self,
        project_id: ProjectId,
        webhook_ids: Vec<WebhookId>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<WebhookHours>, StoreError> {
        self.read(move |connection| statistics::of_webhooks(connection, project_id, &webhook_ids, since, until)).await
    }

    async fn waiting(
        &self,
        project_id: ProjectId,
        webhook_id: Option<WebhookId>,
        now: Timestamp,
    ) -> Result<Waiting, StoreError> {
        let leases = self.backend.leases();
        self.read(move |connection| {
            statistics::waiting(connection, Leased(leases.as_deref()), project_id, webhook_id, now)
        })
        .await
    }
}
