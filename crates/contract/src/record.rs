//! Records: small documents that actions keep, and that anybody may look at and change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidings_domain::time::Timestamp;

use crate::{sample, wire::Wire};

/// `PUT /records/{kind}/{key}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutRecord {
    /// All of its data; at most 65,536 bytes.
    pub data: Map<String, Value>,
    /// Only if it has this version; 0: only if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordBody {
    /// Its kind.
    pub kind: String,
    /// Its key, unique among records of its kind in the project.
    pub key: String,
    /// Its data.
    pub data: Map<String, Value>,
    /// Counts changes, from 1.
    pub version: u32,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Records of a kind, in order of their keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RecordList")]
pub struct RecordListBody {
    /// The records.
    pub data: Vec<RecordBody>,
    /// How many there are in all pages; `null` beyond 10,000.
    pub total: Option<u64>,
    /// Pass it as `after` for the next page; `null` on the last.
    pub next: Option<String>,
}

/// What became of a record, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RecordHistory")]
pub struct RecordHistoryBody {
    /// The versions.
    pub data: Vec<RecordVersionBody>,
    /// Pass it as `below` for the next page; `null` on the last.
    pub next: Option<u32>,
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordVersionBody {
    /// Which.
    pub version: u32,
    /// The data it had; `null` if it was deleted.
    pub data: Option<Map<String, Value>>,
    /// What changed it: a receipt's id, or a key's.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

fn data() -> Value {
    json!({"status": "bounced", "bounced_at": sample::ACCEPTED, "delivered_count": 2})
}

impl Wire for PutRecord {
    fn example() -> Value {
        json!({"data": data(), "version": 3})
    }
}

impl Wire for RecordBody {
    fn example() -> Value {
        json!({
            "kind": "subscriber", "key": "ann@example.com", "data": data(), "version": 3, "updated_at": sample::DELIVERED,
        })
    }
}

impl Wire for RecordListBody {
    fn example() -> Value {
        json!({"data": [RecordBody::example()], "total": 1, "next": null})
    }
}

impl Wire for RecordHistoryBody {
    fn example() -> Value {
        json!({
            "data": [{"version": 3, "data": data(), "cause": sample::RECEIPT, "at": sample::DELIVERED}],
            "next": null,
        })
    }
}
