//! Sources, receipts and records as the ports see them.

use async_trait::async_trait;
use tidings_domain::{
    ids::{DeliveryId, ProjectId, ReceiptId, SourceId},
    page::{Page, PageRequest},
    source::RecordChange,
    time::Timestamp,
};
use tidings_ports::store::{
    Created, Idempotency, NewSource, PutRecord, ReceiptFilter, ReceiptRecord, RecordChanged, RecordPut, RecordVersion,
    RecordView, Records, SourceChange, SourceChanged, SourceRecord, Sources, StoreError, TurnedAway,
};

use crate::{
    backend::{Backend, SqlStore, Writes},
    catalog::source,
    receipts, records,
};

#[async_trait]
impl<B: Backend> Sources for SqlStore<B> {
    async fn create_source(&self, new: NewSource, idempotency: Option<Idempotency>) -> Result<Created, StoreError> {
        self.add(move |session| source::create(session, &new, idempotency.as_ref())).await
    }

    async fn find_source(&self, project_id: ProjectId, id: SourceId) -> Result<Option<SourceRecord>, StoreError> {
        self.read(move |connection| source::find(connection, project_id, id)).await
    }

    async fn find_source_by_token(&self, token_hash: [u8; 32]) -> Result<Option<SourceRecord>, StoreError> {
        self.read(move |connection| source::find_by_token(connection, token_hash)).await
    }

    async fn find_source_by_name(&self, project_id: ProjectId, name: &str) -> Result<Option<SourceRecord>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| source::find_by_name(connection, project_id, &name)).await
    }

    async fn list_sources(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<SourceRecord>, StoreError> {
        self.read(move |connection| source::list(connection, project_id, page)).await
    }

    async fn update_source(&self, change: SourceChange) -> Result<SourceChanged, StoreError> {
        self.change(move |session| source::update(session, &change)).await
    }

    async fn delete_source(&self, project_id: ProjectId, id: SourceId, now: Timestamp) -> Result<bool, StoreError> {
        self.change(move |session| source::delete(session, project_id, id, now)).await
    }

    async fn count_turned_away(&self, counts: Vec<TurnedAway>) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| source::count_turned_away(session, &counts)).await
    }

    async fn list_receipts(
        &self,
        project_id: ProjectId,
        filter: ReceiptFilter,
        page: PageRequest,
    ) -> Result<Page<ReceiptRecord>, StoreError> {
        self.read(move |connection| receipts::list(connection, project_id, &filter, page)).await
    }

    async fn find_receipt(&self, project_id: ProjectId, id: ReceiptId) -> Result<Option<ReceiptRecord>, StoreError> {
        self.read(move |connection| receipts::find(connection, project_id, id)).await
    }

    async fn renew_receipt(&self, event: i64, revision: u32) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| receipts::renew(session, event, revision)).await
    }

    async fn receipt_of(&self, event: i64) -> Result<Option<ReceiptRecord>, StoreError> {
        self.read(move |connection| receipts::of_event(connection, event)).await
    }
}

#[async_trait]
impl<B: Backend> Records for SqlStore<B> {
    async fn change_record(
        &self,
        project_id: ProjectId,
        change: RecordChange,
        delivery: DeliveryId,
        cause: String,
        now: Timestamp,
    ) -> Result<RecordChanged, StoreError> {
        let once = records::change;
        self.backend.write(Writes::More, move |session| once(session, project_id, &change, delivery, &cause, now)).await
    }

    async fn put_record(&self, put: PutRecord, now: Timestamp) -> Result<RecordPut, StoreError> {
        self.add(move |session| records::put(session, &put, now)).await
    }

    async fn find_record(
        &self,
        project_id: ProjectId,
        kind: &str,
        key: &str,
    ) -> Result<Option<RecordView>, StoreError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        self.read(move |connection| records::find(connection, project_id, &kind, &key)).await
    }

    async fn list_records(
        &self,
        project_id: ProjectId,
        kind: &str,
        after: &str,
        limit: u32,
    ) -> Result<(Vec<RecordView>, u64), StoreError> {
        let (kind, after) = (kind.to_owned(), after.to_owned());
        self.read(move |connection| records::list(connection, project_id, &kind, &after, limit)).await
    }

    async fn record_history(
        &self,
        project_id: ProjectId,
        kind: &str,
        key: &str,
        below: u32,
        limit: u32,
    ) -> Result<Vec<RecordVersion>, StoreError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        self.read(move |connection| records::history(connection, project_id, (&kind, &key), below, limit)).await
    }
}
