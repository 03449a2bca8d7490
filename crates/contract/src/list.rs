//! Lists: a page, where it goes on, and how much there is.

use serde::{Deserialize, Serialize};

/// One page, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListBody<T> {
    /// The rows.
    pub data: Vec<T>,
    /// How many rows there are in all pages; `null` beyond 10,000.
    pub total: Option<u64>,
    /// Beyond 10,000: at least so many.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total_at_least: Option<u64>,
    /// Pass it as `cursor` for the next page; `null` on the last.
    pub cursor: Option<String>,
}
