//! The shapes. The SDK refuses fields that it does not know, so there are no others.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{profile::Profile, time::Timestamp};
use tidings_engine::TestOutcome;
use tidings_ports::store::{DeliveryView, WebhookRecord};

use crate::{compat::verbs::is_active, native::webhooks::shown_url, state::Api};

/// A new endpoint. The guide supplies a secret, the SDK never does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateEndpoint {
    pub(super) url: String,
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) secret: Option<String>,
}

/// What is left out, or `null`, stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateEndpoint {
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) events: Option<Vec<String>>,
    #[serde(default)]
    pub(super) is_active: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct Endpoint {
    id: String,
    url: String,
    events: Vec<String>,
    description: Option<String>,
    is_active: bool,
    last_triggered_at: Option<Timestamp>,
    failure_count: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Endpoint {
    /// The endpoint, with its secret where that is to be shown.
    pub(super) fn of(api: &Api, record: &WebhookRecord, secret: Option<String>) -> Self {
        let settings = &record.webhook.settings;
        let events: Vec<_> = settings.events.iter().map(ToString::to_string).collect();
        Self {
            id: record.webhook.id.0.uuid(),
            url: shown_url(api, record),
            events: if events.is_empty() { vec!["*".to_owned()] } else { events },
            description: settings.description.clone(),
            is_active: is_active(record),
            last_triggered_at: record.state.last_triggered_at,
            failure_count: record.state.failure_count,
            created_at: record.webhook.id.timestamp(),
            updated_at: record.updated_at,
            secret,
        }
    }
}

#[derive(Serialize)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) total: u64,
    pub(super) cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Delivery {
    id: String,
    endpoint_id: String,
    event_id: String,
    event_type: String,
    status: &'static str,
    attempt_count: u32,
    response_status_code: Option<u16>,
    response_time_ms: Option<u32>,
    error_message: Option<String>,
    created_at: Timestamp,
    delivered_at: Option<Timestamp>,
    next_retry_at: Option<Timestamp>,
    #[serde(flatten)]
    detail: Option<Detail>,
}

/// What only a single delivery has.
#[derive(Serialize)]
pub(super) struct Detail {
    pub(super) payload: Value,
    pub(super) response_body: Option<String>,
}

/// The system's word for a state.
pub(super) fn status_word(view: &DeliveryView) -> &'static str {
    Profile::SubscribeFlow.state_word(view.state)
}

impl Delivery {
    pub(super) fn of(api: &Api, view: &DeliveryView, detail: Option<Detail>) -> Self {
        let status = status_word(view);
        Self {
            id: view.id.0.uuid(),
            endpoint_id: view.webhook_id.0.uuid(),
            event_id: view.event_id.clone(),
            event_type: view.event_type.to_string(),
            status,
            attempt_count: view.attempts_made,
            response_status_code: view.last_status,
            response_time_ms: view.last_total_us.map(|us| us / 1000),
            error_message: view.last_error.clone(),
            created_at: view.id.timestamp(),
            delivered_at: view.finished_at.filter(|_| status == "delivered"),
            next_retry_at: view.due_at.filter(|_| view.attempts_made > 0).map(|at| api.engine().shown(at)),
            detail,
        }
    }
}

/// A line of the guide's log.
#[derive(Serialize)]
pub(super) struct LogLine {
    id: String,
    event_type: String,
    status: &'static str,
    response_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_count: Option<u32>,
    duration_ms: Option<u32>,
    created_at: Timestamp,
}

impl LogLine {
    pub(super) fn of(view: &DeliveryView) -> Self {
        let status = status_word(view);
        Self {
            id: view.id.0.uuid(),
            event_type: view.event_type.to_string(),
            status,
            response_code: view.last_status,
            error: view.last_error.clone(),
            retry_count: (status != "delivered").then(|| view.attempts_made.saturating_sub(1)),
            duration_ms: view.last_total_us.map(|us| us / 1000),
            created_at: view.id.timestamp(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct TestResult {
    pub(super) success: bool,
    pub(super) status_code: Option<u16>,
    pub(super) response_time_ms: Option<u32>,
    pub(super) error: Option<String>,
}

impl From<TestOutcome> for TestResult {
    fn from(outcome: TestOutcome) -> Self {
        Self {
            success: outcome.delivered,
            status_code: outcome.status,
            response_time_ms: Some(outcome.duration_ms),
            error: outcome.error,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Stats {
    pub(super) total_deliveries: u64,
    pub(super) successful_deliveries: u64,
    pub(super) failed_deliveries: u64,
    pub(super) pending_deliveries: u64,
    pub(super) success_rate: f64,
    pub(super) avg_response_time_ms: Option<f64>,
}
