//! Statistics of a webhook or of a project, and of many webhooks beside each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{ids::WebhookId, time::Timestamp};

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
    /// Deliveries that have not ended now: all of `waiting` together.
    pub pending_deliveries: u64,
    /// Deliveries that have not ended now, by what they wait for.
    pub waiting: WaitingBody,
    /// Successful ones in percent of all; `null` while none has ended.
    pub success_rate: Option<f64>,
    /// Attempts, retries included.
    pub total_attempts: u64,
    /// Of these, the ones that a receiver took.
    pub successful_attempts: u64,
    /// Of these, the ones that a receiver did not take.
    pub failed_attempts: u64,
    /// How long attempts took on average, in milliseconds.
    pub avg_response_time_ms: Option<f64>,
    /// How long half of the attempts took at most, in milliseconds, to within a fifth.
    pub p50_response_time_ms: Option<f64>,
    /// How long 95 of 100 attempts took at most, in milliseconds, to within a fifth.
    pub p95_response_time_ms: Option<f64>,
    /// By hour if `hours` were asked for, or up to two days; else by day. Each span from `since` to now is there, the
    /// running one last.
    pub series: Vec<SpanBody>,
}

/// Deliveries that have not ended. Each count stops at 10,001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingBody {
    /// Not tried yet, or under way at this moment.
    pub pending: u64,
    /// Tried, and to be tried again.
    pub retrying: u64,
    /// Kept for webhooks that are paused or disabled.
    pub held: u64,
    /// Since when the oldest one is due that nothing holds; `null` if none is.
    pub oldest_due_at: Option<Timestamp>,
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
    /// Of these, the ones that a receiver took.
    pub successful_attempts: u64,
    /// How long attempts took on average, in milliseconds.
    pub avg_response_time_ms: Option<f64>,
    /// How long half of the attempts took at most, in milliseconds.
    pub p50_response_time_ms: Option<f64>,
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
            "waiting": {"pending": 1, "retrying": 2, "held": 0, "oldest_due_at": null},
            "success_rate": 99.0,
            "total_attempts": 1231,
            "successful_attempts": 1188,
            "failed_attempts": 43,
            "avg_response_time_ms": 48.2,
            "p50_response_time_ms": 31.5,
            "p95_response_time_ms": 120.0,
            "series": [{
                "at": "2026-05-25T10:00:00.000Z",
                "delivered": 1188,
                "failed": 8,
                "dropped": 4,
                "attempts": 1231,
                "successful_attempts": 1188,
                "avg_response_time_ms": 48.2,
                "p50_response_time_ms": 31.5,
                "p95_response_time_ms": 120.0,
            }],
        })
    }
}

/// A row of `GET /stats/webhooks`: the last 24 hours of one webhook, oldest first, the running one last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookHoursBody {
    /// Whose.
    pub webhook_id: WebhookId,
    /// When the first hour began.
    pub since: Timestamp,
    /// Deliveries that a receiver took, in each hour.
    pub delivered: Vec<u64>,
    /// Deliveries that used up their attempts or were dropped, in each hour.
    pub failed: Vec<u64>,
    /// Attempts that were followed by another one, or will be, in each hour.
    pub retried: Vec<u64>,
}

impl Wire for WebhookHoursBody {
    fn example() -> Value {
        let hours = |last: u64| (0..24).map(|hour| if hour == 23 { last } else { 0 }).collect::<Vec<_>>();
        json!({
            "webhook_id": crate::sample::WEBHOOK,
            "since": "2026-05-24T11:00:00.000Z",
            "delivered": hours(120),
            "failed": hours(0),
            "retried": hours(3),
        })
    }
}
