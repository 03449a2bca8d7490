//! Sources, their receipts, and the records that actions keep.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use tidings_domain::{
    event::Event,
    ids::{DeliveryId, ProjectId, ReceiptId, SourceId},
    page::{Page, PageRequest},
    source::{Action, RecordChange, Source, Via},
    time::Timestamp,
};

use super::{Created, FillState, Idempotency, NewWebhook, StoreError};

/// Sources and what came in through them.
#[async_trait]
pub trait Sources: Send + Sync {
    /// Creates a source. `AlreadyExists` if its project has another of the same name.
    async fn create_source(&self, new: NewSource, idempotency: Option<Idempotency>) -> Result<Created, StoreError>;

    /// Finds a source of a project.
    async fn find_source(&self, project_id: ProjectId, id: SourceId) -> Result<Option<SourceRecord>, StoreError>;

    /// Finds the source that has this address.
    async fn find_source_by_token(&self, token_hash: [u8; 32]) -> Result<Option<SourceRecord>, StoreError>;

    /// Finds the source of a project that has this name.
    async fn find_source_by_name(&self, project_id: ProjectId, name: &str) -> Result<Option<SourceRecord>, StoreError>;

    /// Lists a project's sources, newest first.
    async fn list_sources(&self, project_id: ProjectId, page: PageRequest) -> Result<Page<SourceRecord>, StoreError>;

    /// Replaces what is configured, if nobody else did so meanwhile.
    async fn update_source(&self, change: SourceChange) -> Result<SourceChanged, StoreError>;

    /// Deletes a source: its address is gone, and actions that wait are cancelled.
    async fn delete_source(&self, project_id: ProjectId, id: SourceId, now: Timestamp) -> Result<bool, StoreError>;

    /// Counts requests that left nothing else.
    async fn count_turned_away(&self, counts: Vec<TurnedAway>) -> Result<(), StoreError>;

    /// Lists a project's receipts, newest first, without their bodies.
    async fn list_receipts(
        &self,
        project_id: ProjectId,
        filter: ReceiptFilter,
        page: PageRequest,
    ) -> Result<Page<ReceiptRecord>, StoreError>;

    /// Finds a receipt of a project.
    async fn find_receipt(&self, project_id: ProjectId, id: ReceiptId) -> Result<Option<ReceiptRecord>, StoreError>;

    /// Has what is still to be done about a receipt, and is done from now on, go by this revision of
    /// its source.
    async fn renew_receipt(&self, event: i64, revision: u32) -> Result<(), StoreError>;

    /// Finds a receipt by its event's sequence, of whatever project.
    async fn receipt_of(&self, event: i64) -> Result<Option<ReceiptRecord>, StoreError>;
}

/// Small documents with versions.
#[async_trait]
pub trait Records: Send + Sync {
    /// Changes a record for an action, once: a repetition changes nothing. Returns the version.
    async fn change_record(
        &self,
        project_id: ProjectId,
        change: RecordChange,
        delivery: DeliveryId,
        cause: String,
        now: Timestamp,
    ) -> Result<RecordChanged, StoreError>;

    /// Replaces a record's data, or deletes it with `None`. With `expected_version` only if it has that.
    async fn put_record(&self, put: PutRecord, now: Timestamp) -> Result<RecordPut, StoreError>;

    /// Finds a record.
    async fn find_record(&self, project_id: ProjectId, kind: &str, key: &str)
    -> Result<Option<RecordView>, StoreError>;

    /// Lists a kind's records in order of their keys, beginning after one.
    async fn list_records(
        &self,
        project_id: ProjectId,
        kind: &str,
        after: &str,
        limit: u32,
    ) -> Result<(Vec<RecordView>, u64), StoreError>;

    /// Lists what became of a record, newest first, beginning below a version.
    async fn record_history(
        &self,
        project_id: ProjectId,
        kind: &str,
        key: &str,
        below: u32,
        limit: u32,
    ) -> Result<Vec<RecordVersion>, StoreError>;
}

/// A source that is being made.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// It.
    pub source: Source,
    /// SHA-256 of its address's token.
    pub token_hash: [u8; 32],
    /// Token and secrets, sealed.
    pub sealed: Vec<u8>,
    /// What the engine sees of it, in a project of the same key: a webhook of the same key for what
    /// is done within the process, and another for what is sent on.
    pub lanes: [NewWebhook; 3],
}

/// A source as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRecord {
    /// It.
    pub source: Source,
    /// Token and secrets, sealed.
    pub sealed: Vec<u8>,
    /// Counts changes.
    pub revision: u32,
    /// Requests with a bad signature, all time.
    pub rejected: u64,
    /// Requests that brought what was there already, all time.
    pub duplicates: u64,
    /// What came of asking its provider, if it ever did.
    pub fill: Option<FillState>,
}

/// A change to a source: everything it has afterwards.
#[derive(Debug, Clone)]
pub struct SourceChange {
    /// It, as it is to be.
    pub source: Source,
    /// See [`SourceRecord::sealed`].
    pub sealed: Vec<u8>,
    /// The revision the change was made from.
    pub expected_revision: u32,
}

/// What became of a change to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChanged {
    /// It is written.
    Stored,
    /// Another source of the project has the name.
    NameTaken,
    /// Somebody else changed or deleted it meanwhile.
    Stale,
}

/// Requests of one source that left nothing but their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnedAway {
    /// Which source.
    pub source_id: SourceId,
    /// With a bad signature.
    pub rejected: u32,
    /// That brought what was there already.
    pub duplicates: u32,
}

/// What a receipt has beside its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReceipt {
    /// The source's owner.
    pub project_id: ProjectId,
    /// The source.
    pub source_id: SourceId,
    /// The provider's id; there is one receipt for it at most.
    pub provider_id: Option<String>,
    /// What kind of thing it reports.
    pub event_type: Option<String>,
    /// From where it came.
    pub address: String,
    /// Its headers, one `name: value` a line.
    pub headers: String,
    /// The revision of the source whose actions are done.
    pub revision: u32,
    /// How it came.
    pub via: Via,
}

/// A receipt as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptRecord {
    /// Its event; in lists without the payload.
    pub event: Event,
    /// The source.
    pub source_id: SourceId,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// What kind of thing it reports.
    pub event_type: Option<String>,
    /// From where it came.
    pub address: String,
    /// Its headers, one `name: value` a line.
    pub headers: String,
    /// What is done about it: the source's actions as they were when it came, or was replayed last.
    pub actions: Vec<Action>,
    /// How it came.
    pub via: Via,
}

/// Which receipts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptFilter {
    /// Of this source.
    pub source_id: Option<SourceId>,
    /// Of this type.
    pub event_type: Option<String>,
}

/// What became of an action's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChanged {
    /// The record has this version now, or had it from an earlier try.
    Version(u32),
    /// The record would become larger than records may be.
    TooLarge,
    /// Something in the record does not count.
    NoNumber(String),
    /// The project was deleted.
    NoProject,
}

/// A record that is being replaced.
#[derive(Debug, Clone)]
pub struct PutRecord {
    /// Whose.
    pub project_id: ProjectId,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Its data; `None` deletes it.
    pub data: Option<Map<String, Value>>,
    /// The version it has to have; 0 if there must be none.
    pub expected_version: Option<u32>,
    /// Who does it.
    pub cause: String,
}

/// What became of a replacement.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordPut {
    /// The record as it is now; `data` is `None` if it was deleted.
    Stored(RecordView),
    /// It has another version: this one, 0 for none.
    Stale(u32),
    /// There is nothing to delete.
    NotFound,
}

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordView {
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Its data; `None` if it was deleted.
    pub data: Option<Bytes>,
    /// Counts changes.
    pub version: u32,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordVersion {
    /// Which.
    pub version: u32,
    /// The data it had; `None` if it was deleted.
    pub data: Option<Bytes>,
    /// What changed it: a receipt's id, or a key's.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// Bytes of a record's data as JSON.
pub const RECORD_BYTES_MAX: usize = 65_536;
