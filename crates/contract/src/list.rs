//! Lists: a page, where it goes on, and how much there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::Wire;

/// One page, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
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

impl<T: Wire> Wire for ListBody<T> {
    fn example() -> Value {
        json!({"data": [T::example()], "total": 1, "cursor": null})
    }
}
