//! The instance itself: version, counts, health.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::tenancy::{InstanceBody, LedgerBody};

use crate::{answer::json, auth::Caller, error::ApiError, state::Api};

pub(crate) async fn get(State(api): State<Api>, _: Caller) -> Result<Response, ApiError> {
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
    };
    Ok(json(StatusCode::OK, &body))
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
