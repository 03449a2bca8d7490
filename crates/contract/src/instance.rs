//! How the instance is: its lanes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    ids::{ProjectId, SourceId, WebhookId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// Lanes that `GET /instance/lanes` shows at most.
pub const LANES_MAX: u32 = 50;

/// How the lanes stand: each webhook has one, and so has each source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lanes")]
pub struct LanesBody {
    /// Lanes with something under way, waiting or held.
    pub busy: u64,
    /// Deliveries that wait in memory for their turn.
    pub waiting_in_memory: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Lanes whose breaker is open: their webhooks fail, and are asked one request at a time.
    pub breakers_open: u64,
    /// Lanes whose webhook is paused or disabled.
    pub held: u64,
    /// Lanes whose breaker is open, then those with most waiting; 50 at most.
    pub lanes: Vec<LaneBody>,
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Lane")]
pub struct LaneBody {
    /// The webhook; of a source's lane, an id that nobody else uses.
    pub webhook_id: WebhookId,
    /// Whose.
    pub project_id: ProjectId,
    /// The source whose actions it does; `null`: it is a webhook's.
    pub source_id: Option<SourceId>,
    /// What the webhook or the source is called.
    pub name: Option<String>,
    /// `active`, `paused` or `disabled`.
    pub status: String,
    /// Deliveries that wait; of those that wait on disk, 1,000 are counted at most.
    pub waiting: u64,
    /// Requests in flight.
    pub in_flight: u32,
    /// Requests that may be in flight now.
    pub limit: u32,
    /// `open`: it fails, and is asked one request at a time; else `closed`.
    pub breaker: String,
    /// When the next request may go out, while the breaker is open.
    pub next_probe_at: Option<Timestamp>,
    /// When the next delivery that waits on disk is due.
    pub next_due_at: Option<Timestamp>,
}

impl Wire for LanesBody {
    fn example() -> Value {
        json!({
            "busy": 3, "waiting_in_memory": 12, "in_flight": 4, "breakers_open": 1, "held": 1,
            "lanes": [{
                "webhook_id": sample::WEBHOOK, "project_id": sample::PROJECT, "source_id": null, "name": "CRM mirror",
                "status": "active", "waiting": 1_000, "in_flight": 1, "limit": 1, "breaker": "open",
                "next_probe_at": "2026-05-25T10:00:30.000Z", "next_due_at": "2026-05-25T09:41:12.001Z",
            }],
        })
    }
}
