//! Jobs: recoveries and replays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    event_type::EventPattern,
    ids::{DeliveryId, JobId, WebhookId},
    time::Timestamp,
};

use crate::{sample, wire::Wire};

/// `POST /webhooks/{id}/recover`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoverRequest {
    /// Deliveries accepted at or after this time.
    pub since: Timestamp,
    /// And before this time; now, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Those that ended like this; `failed` and `dropped`, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Vec<String>>,
    /// Of these types, which may be `prefix.*`; all, if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub event_types: Vec<EventPattern>,
    /// Only counts.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /webhooks/{id}/replay`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Events accepted at or after this time.
    pub since: Timestamp,
    /// And before this time; now, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of these types, which may be `prefix.*`; all, if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub event_types: Vec<EventPattern>,
    /// With one of these scopes; all, if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Also events that the webhook has had.
    #[serde(default)]
    pub all: bool,
    /// Only counts.
    #[serde(default)]
    pub dry_run: bool,
}

/// The answer to a recovery or replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum JobAnswer {
    /// It has begun.
    Started(JobStarted),
    /// It was a dry run.
    Counted(JobCounted),
}

/// A job has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobStarted {
    /// What to ask for its progress with.
    pub job_id: JobId,
}

/// What a job would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobCounted {
    /// So many deliveries would be sent.
    pub count: u32,
    /// Whether there may be more, because counting came to its bound.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_least: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobBody {
    /// Its id.
    pub id: JobId,
    /// `recover` or `replay`.
    pub kind: String,
    /// `running`, `done`, `cancelled` or `failed`.
    pub state: String,
    /// To which webhook.
    pub webhook_id: WebhookId,
    /// Of `total`, how much has been dealt with: deliveries sent again, or events looked at. All of
    /// it, once the job is done.
    pub done: u32,
    /// How much there was when it began.
    pub total: u32,
    /// Deliveries that came of it.
    pub queued: u32,
    /// Of `done`, how much nothing came of: events that the webhook does not select or has had
    /// already, and what was deleted, expunged or sent again by hand meanwhile.
    #[serde(default)]
    pub skipped: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
}

/// `POST /events/{id}/replay`; the body may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayEventRequest {
    /// To this webhook only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<WebhookId>,
}

/// The answer to the replay of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayedEventBody {
    /// The event's id.
    pub id: String,
    /// Its new deliveries.
    pub deliveries: Vec<ReplayedTo>,
}

/// A new delivery of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayedTo {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
}

impl Wire for RecoverRequest {
    fn example() -> Value {
        json!({"since": sample::CREATED, "statuses": ["failed", "dropped"], "event_types": ["tag.*"], "dry_run": false})
    }
}

impl Wire for ReplayRequest {
    fn example() -> Value {
        json!({"since": sample::CREATED, "until": sample::ACCEPTED, "event_types": ["tag.*"], "scopes": ["campaign-42"]})
    }
}

impl Wire for JobAnswer {
    fn example() -> Value {
        json!({"job_id": sample::JOB})
    }
}

impl Wire for JobBody {
    fn example() -> Value {
        json!({
            "id": sample::JOB,
            "kind": "recover",
            "state": "running",
            "webhook_id": sample::WEBHOOK,
            "done": 200,
            "total": 1200,
            "queued": 200,
            "skipped": 0,
            "created_at": sample::ACCEPTED,
            "finished_at": null,
            "error": null,
        })
    }
}

impl Wire for ReplayEventRequest {
    fn example() -> Value {
        json!({"webhook_id": sample::WEBHOOK})
    }
}

impl Wire for ReplayedEventBody {
    fn example() -> Value {
        json!({
            "id": sample::EVENT,
            "deliveries": [{"delivery_id": sample::DELIVERY, "webhook_id": sample::WEBHOOK}],
        })
    }
}
