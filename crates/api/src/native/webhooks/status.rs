//! Whether a webhook gets requests: enable, disable, pause, resume.
//!
//! Disabling and pausing are two things. A disabled webhook misses what happens meanwhile, a paused
//! one gets it later; disabling ends a pause, and enabling a paused webhook leaves it paused.

use axum::{
    extract::{Path, State},
    response::Response,
};
use tidings_contract::codes::ErrorCode;
use tidings_domain::{retry::DisableReason, webhook::WebhookStatus};

use super::{change, find, shown};
use crate::{auth::Caller, error::ApiError, state::Api};

/// What `enabled` makes of a status; `None`: it stays.
pub(super) fn switched(status: WebhookStatus, enabled: bool) -> Option<WebhookStatus> {
    match (enabled, status) {
        (true, WebhookStatus::Disabled(_)) => Some(WebhookStatus::Active),
        (false, WebhookStatus::Active | WebhookStatus::Paused) => Some(WebhookStatus::Disabled(DisableReason::Manual)),
        _ => None,
    }
}

/// What pausing or resuming makes of a status; `None`: it stays.
fn held(status: WebhookStatus, pause: bool) -> Result<Option<WebhookStatus>, ApiError> {
    match (pause, status) {
        (true, WebhookStatus::Active) => Ok(Some(WebhookStatus::Paused)),
        (false, WebhookStatus::Paused) => Ok(Some(WebhookStatus::Active)),
        (_, WebhookStatus::Disabled(reason)) => {
            let verb = if pause { "paused" } else { "resumed" };
            let detail = match reason {
                DisableReason::PlanLimit => format!(
                    "the webhook is over the limit of its organization's plan, which disabled it, and cannot be {verb}; \
                     choose another plan or delete another webhook"
                ),
                _ => format!("the webhook is disabled and cannot be {verb}; enable it first"),
            };
            Err(ApiError::new(ErrorCode::WebhookDisabled, detail))
        }
        _ => Ok(None),
    }
}

/// Carries out a change of status; one that changes nothing answers like one that does.
async fn set(
    api: &Api,
    caller: &Caller,
    id: &str,
    decide: impl FnOnce(WebhookStatus) -> Result<Option<WebhookStatus>, ApiError>,
) -> Result<Response, ApiError> {
    let record = find(api, caller.project(api), id).await?;
    match decide(record.webhook.status)? {
        Some(status) => change(api, caller, &record, status).await,
        None => Ok(shown(api, &record)),
    }
}

pub(crate) async fn enable(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    set(&api, &caller, &id, |status| Ok(switched(status, true))).await
}

pub(crate) async fn disable(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    set(&api, &caller, &id, |status| Ok(switched(status, false))).await
}

pub(crate) async fn pause(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    set(&api, &caller, &id, |status| held(status, true)).await
}

pub(crate) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    set(&api, &caller, &id, |status| held(status, false)).await
}
