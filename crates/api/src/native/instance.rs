//! The instance itself: version, counts, health.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::{
    instance::{LANES_MAX, LaneBody, LanesBody},
    tenancy::{InstanceBody, LedgerBody, NodeBody, RestoredBody},
};
use tidings_engine::LaneView;
use tidings_ports::store::{NodeView, StoredLane, WebhookStanding};

use crate::{answer::json, audit::Audit, auth::Caller, error::ApiError, state::Api};

pub(crate) async fn get(State(api): State<Api>, _: Caller) -> Result<Response, ApiError> {
    shown(&api).await
}

/// Lets an instance send that was restored; one that was not, sends already.
pub(crate) async fn resume(State(api): State<Api>, _: Caller, audit: Audit) -> Result<Response, ApiError> {
    audit.makes("instance");
    api.engine().resume(&*audit.store(&api)).await?;
    shown(&api).await
}

async fn shown(api: &Api) -> Result<Response, ApiError> {
    let counts = api.engine().counts().await?;
    let ledger = api.engine().audit_ledger().await?;
    let body = InstanceBody {
        version: api.parts().version.to_owned(),
        pending_deliveries: counts.pending_deliveries,
        oldest_due_at: counts.oldest_due_at,
        ledger: LedgerBody {
            accepted: ledger.born,
            delivered: ledger.delivered,
            failed: ledger.failed,
            dropped: ledger.dropped,
            cancelled: ledger.cancelled,
            pending: ledger.unfinished,
            unaccounted: ledger.unaccounted(),
        },
        operations_project_id: api.engine().operations_project(),
        nodes: api.engine().nodes().await?.into_iter().map(node_body).collect(),
        restored: api.engine().restored().map(|it| RestoredBody { at: it.at(), taken_at: it.taken_at() }),
    };
    Ok(json(StatusCode::OK, &body))
}

fn node_body(node: NodeView) -> NodeBody {
    NodeBody {
        number: node.number,
        name: node.name,
        version: node.version,
        started_at: node.started_at,
        seen_at: node.beaten_at,
        leads: node.leads,
        answers: node.is_asked,
    }
}

pub(crate) async fn lanes(State(api): State<Api>, _: Caller) -> Result<Response, ApiError> {
    let (view, lanes) = api.engine().lanes(LANES_MAX).await?;
    let body = LanesBody {
        busy: view.busy as u64,
        waiting_in_memory: view.waiting as u64,
        in_flight: view.in_flight as u64,
        breakers_open: view.breakers_open as u64,
        held: view.held as u64,
        lanes: lanes.into_iter().map(|(stored, lane)| lane_body(stored, lane)).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

fn lane_body(stored: StoredLane, lane: Option<LaneView>) -> LaneBody {
    let status = match stored.standing {
        WebhookStanding::Active => "active",
        WebhookStanding::Paused => "paused",
        WebhookStanding::Disabled => "disabled",
    };
    LaneBody {
        webhook_id: stored.webhook_id,
        project_id: stored.project_id,
        source_id: stored.source_id,
        name: stored.name,
        status: status.to_owned(),
        waiting: u64::from(stored.waiting) + lane.map_or(0, |lane| lane.waiting as u64),
        in_flight: lane.map_or(0, |lane| lane.in_flight),
        limit: lane.map_or(1, |lane| lane.limit),
        breaker: if lane.is_some_and(|lane| lane.breaker_open) { "open" } else { "closed" }.to_owned(),
        next_probe_at: lane.and_then(|lane| lane.next_probe_at),
        next_due_at: stored.next_due_at,
    }
}

/// The process runs.
pub(crate) async fn healthz() -> Response {
    json(StatusCode::OK, &serde_json::json!({"status": "ok"}))
}

/// The process runs and its store answers.
pub(crate) async fn readyz(State(api): State<Api>) -> Result<Response, ApiError> {
    api.store().last_sequence().await?;
    Ok(json(StatusCode::OK, &serde_json::json!({"status": "ready"})))
}
