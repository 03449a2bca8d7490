//! What is asked of the providers of sources, and what came of it.

use std::collections::HashSet;

use async_trait::async_trait;
use tidings_domain::{
    ids::{ProjectId, SourceId},
    time::Timestamp,
};

use super::{SourceRecord, StoreError};

/// Sources that ask their providers for what did not come by itself.
#[async_trait]
pub trait Gaps: Send + Sync {
    /// Lists sources that ask and take things in, in order of their keys, beginning after one (0:
    /// with the first).
    async fn list_sources_to_fill(&self, after: i64, limit: u32) -> Result<Vec<SourceToFill>, StoreError>;

    /// Finds one of them.
    async fn find_source_to_fill(&self, id: SourceId) -> Result<Option<SourceRecord>, StoreError>;

    /// Which of these ids of its provider's a source has receipts of.
    async fn known_receipts(&self, id: SourceId, provider_ids: Vec<String>) -> Result<HashSet<String>, StoreError>;

    /// Notes what a round came to.
    async fn note_fill(&self, note: FillNote) -> Result<(), StoreError>;

    /// Has the next round look back to a time, if it would not do so anyway. False if the source
    /// does not ask.
    async fn ask_fill(&self, project_id: ProjectId, id: SourceId, since: Timestamp) -> Result<bool, StoreError>;
}

/// A source that asks its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceToFill {
    /// Which.
    pub id: SourceId,
    /// Counts changes of its settings.
    pub revision: u32,
}

/// What came of asking a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillState {
    /// Up to when, by the provider's clock, nothing is missing.
    pub mark: Timestamp,
    /// When a round ended last, by the wall clock.
    pub last_run_at: Option<Timestamp>,
    /// Why the last round did not come to its end.
    pub last_error: Option<String>,
    /// Receipts that came of it, all time.
    pub taken_in: u64,
    /// What was listed and could not be had, all time.
    pub left_out: u64,
}

/// What one round came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillNote {
    /// Whose.
    pub source_id: SourceId,
    /// The mark that the round began with. If it is another one by now, it stays: somebody asked
    /// for more meanwhile.
    pub former_mark: Timestamp,
    /// The mark from now on.
    pub mark: Timestamp,
    /// When the round ended, by the wall clock.
    pub at: Timestamp,
    /// Why it did not come to its end.
    pub error: Option<String>,
    /// What it could not get and will not ask for again.
    pub left_out: u32,
}
