//! Statistics of a webhook or of a project.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::time::Timestamp;

use crate::wire::Wire;

/// `GET /webhooks/{id}/stats` and `GET /stats`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsBody {
    /// From when on is counted: the beginning of a day, or of an hour.
    pub since: Timestamp,
    /// Deliveries that ended since then, by a receiver's doing.
    pub total_deliveries: u64,
    /// Of these, the ones a receiver took.
    pub successful_deliveries: u64,
    /// Of these, the ones that used up their attempts or were dropped.
    pub failed_deliveries: u64,
    /// Deliveries that have not ended now; counted up to 10,001 per webhook.
    pub pending_deliveries: u64,
    /// Successful ones in percent of all; `null` while none has ended.
    pub success_rate: Option<f64>,
    /// How long attempts took on average, in milliseconds.
    pub avg_response_time_ms: Option<f64>,
    /// How long 95 of 100 attempts took at most, in milliseconds, to within a fifth.
    pub p95_response_time_ms: Option<f64>,
    /// By day, or by hour for up to two days; spans in which nothing happened are left out.
    pub series: Vec<SpanBody>,
}

/// One span of the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpanBody {
    /// When it began.
    pub at: Timestamp,
    /// Deliveries that a receiver took.
    pub delivered: u64,
    /// Deliveries that used up their attempts.
    pub failed: u64,
    /// Deliveries that a receiver's answer ended.
    pub dropped: u64,
    /// Attempts, retries included.
    pub attempts: u64,
    /// How long attempts took on average, in milliseconds.
    pub avg_response_time_ms: Option<f64>,
    /// How long 95 of 100 attempts took at most, in milliseconds.
    pub p95_response_time_ms: Option<f64>,
}

impl Wire for StatisticsBody {
    fn example() -> Value {
        json!({
            "since": "2026-05-25T00:00:00.000Z",
            "total_deliveries": 1200,
            "successful_deliveries": 1188,
            "failed_deliveries": 12,
            "pending_deliveries": 3,
            "success_rate": 99.0,
            "avg_response_time_ms": 48.2,
            "p95_response_time_ms": 120.0,
            "series": [{
                "at": "2026-05-25T10:00:00.000Z",
                "delivered": 1188,
                "failed": 8,
                "dropped": 4,
                "attempts": 1231,
                "avg_response_time_ms": 48.2,
                "p95_response_time_ms": 120.0,
            }],
        })
    }
}
