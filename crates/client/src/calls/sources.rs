//! Sources, their receipts, and records.

use http::Method;
use serde::Serialize;
use tidings_contract::{
    gap_fill::{FillBody, FillRequest},
    list::ListBody,
    record::{PutRecord, RecordBody, RecordHistoryBody, RecordListBody},
    source::{PreviewBody, PreviewRequest, ReceiptBody, ReceiptReplayedBody, SourceBody, SourceRequest},
};

use super::{filtered, item};
use crate::{Client, ClientError, PageQuery, ReceiptQuery, RecordQuery, exchange::Call};

fn record(kind: &str, key: &str) -> String {
    item(&item("/records", kind), key)
}

/// Which versions.
#[derive(Serialize)]
struct Versions {
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<u32>,
    limit: u32,
}

impl Client {
    /// Makes a source.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn create_source(&self, new: &SourceRequest) -> Result<SourceBody, ClientError> {
        self.fetch(Call::create("/sources", new)?).await
    }

    /// Lists sources, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_sources(&self, query: &PageQuery) -> Result<ListBody<SourceBody>, ClientError> {
        self.fetch(Call::get(filtered("/sources", query)?)).await
    }

    /// Looks at a source.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_source(&self, id: &str) -> Result<SourceBody, ClientError> {
        self.fetch(Call::get(item("/sources", id))).await
    }

    /// Replaces what a source has; its secrets stay unless they are given.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn update_source(&self, id: &str, source: &SourceRequest) -> Result<SourceBody, ClientError> {
        self.fetch(Call::new(Method::PUT, item("/sources", id)).json(source)?).await
    }

    /// Deletes a source.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_source(&self, id: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, item("/sources", id))).await
    }

    /// Tries an action on a receipt; nothing comes of it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn preview_action(&self, id: &str, request: &PreviewRequest) -> Result<PreviewBody, ClientError> {
        self.fetch(Call::new(Method::POST, format!("{}/preview", item("/sources", id))).json(request)?).await
    }

    /// Has a source ask its provider for what did not come by itself.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn fill_source(&self, id: &str, request: &FillRequest) -> Result<FillBody, ClientError> {
        self.fetch(Call::new(Method::POST, format!("{}/fill", item("/sources", id))).json(request)?).await
    }

    /// Lists receipts, newest first.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_receipts(&self, query: &ReceiptQuery) -> Result<ListBody<ReceiptBody>, ClientError> {
        self.fetch(Call::get(filtered("/receipts", query)?)).await
    }

    /// Looks at a receipt and what was done about it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_receipt(&self, id: &str) -> Result<ReceiptBody, ClientError> {
        self.fetch(Call::get(item("/receipts", id))).await
    }

    /// Does everything about a receipt again.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn replay_receipt(&self, id: &str) -> Result<ReceiptReplayedBody, ClientError> {
        self.fetch(Call::create(format!("{}/replay", item("/receipts", id)), &serde_json::json!({}))?).await
    }

    /// Lists records of a kind, in order of their keys.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn list_records(&self, kind: &str, query: &RecordQuery) -> Result<RecordListBody, ClientError> {
        self.fetch(Call::get(filtered(&item("/records", kind), query)?)).await
    }

    /// Looks at a record.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn get_record(&self, kind: &str, key: &str) -> Result<RecordBody, ClientError> {
        self.fetch(Call::get(record(kind, key))).await
    }

    /// Replaces a record's data.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn put_record(&self, kind: &str, key: &str, put: &PutRecord) -> Result<RecordBody, ClientError> {
        self.fetch(Call::new(Method::PUT, record(kind, key)).json(put)?).await
    }

    /// Deletes a record; its versions stay.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn delete_record(&self, kind: &str, key: &str) -> Result<(), ClientError> {
        self.execute(Call::new(Method::DELETE, record(kind, key))).await
    }

    /// Lists what became of a record, newest first, below a version.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn record_history(
        &self,
        kind: &str,
        key: &str,
        below: Option<u32>,
        limit: u32,
    ) -> Result<RecordHistoryBody, ClientError> {
        let path = format!("{}/history", record(kind, key));
        self.fetch(Call::get(filtered(&path, &Versions { below, limit })?)).await
    }
}
