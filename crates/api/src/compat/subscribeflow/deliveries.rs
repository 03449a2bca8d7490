//! Deliveries, the log of the guide, and statistics.

use std::{cmp::Reverse, time::Duration};

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::{Value, json as object};
use tidings_domain::{
    delivery::DeliveryState,
    ids::{DeliveryId, ProjectId, WebhookId},
    page::{Page, PageRequest, Total},
};
use tidings_ports::store::{DeliveryFilter, DeliveryView};

use super::{
    bodies::{Delivery, Detail, LogLine, Stats, TestResult},
    webhooks::list_of,
};
use crate::{
    answer::json,
    auth::Caller,
    compat::{ids, verbs},
    error::ApiError,
    native::{deliveries, statistics},
    request::Query,
    state::Api,
};

/// How long a retry is waited for: the longest deadline of an attempt, and a little.
const RETRY_WAIT: Duration = Duration::from_secs(32);
/// How often it is looked at meanwhile.
const RETRY_LOOK: Duration = Duration::from_millis(50);

/// The states that one of the system's words stands for.
fn states(word: &str) -> Option<&'static [DeliveryState]> {
    match word {
        "pending" => Some(&[DeliveryState::Pending]),
        "retrying" => Some(&[DeliveryState::Retrying]),
        "delivered" => Some(&[DeliveryState::Delivered]),
        "failed" => Some(&[DeliveryState::Failed, DeliveryState::Dropped, DeliveryState::Cancelled]),
        _ => None,
    }
}

/// A page of deliveries in any of some states: the newest out of a page of each.
async fn page(
    api: &Api,
    project_id: ProjectId,
    filter: DeliveryFilter,
    states: &[DeliveryState],
    request: PageRequest,
) -> Result<Page<DeliveryView>, ApiError> {
    if states.is_empty() {
        return Ok(api.store().list_deliveries(project_id, filter, request).await?);
    }
    let (mut rows, mut counted, mut more) = (Vec::new(), 0, false);
    for &state in states {
        let filter = DeliveryFilter { state: Some(state), ..filter.clone() };
        let page = api.store().list_deliveries(project_id, filter, request).await?;
        let (Total::Exact(total) | Total::AtLeast(total)) = page.total;
        counted += total;
        more |= page.next_before.is_some();
        rows.extend(page.rows);
    }
    rows.sort_by_key(|view| Reverse(view.id));
    let limit = request.limit as usize;
    more |= rows.len() > limit;
    rows.truncate(limit);
    let next_before = if more { rows.last().map(|view| view.id.sequence()) } else { None };
    Ok(Page { rows, next_before, total: Total::Exact(counted) })
}

async fn answer_list(
    api: &Api,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    query: Query,
) -> Result<Response, ApiError> {
    let word = query.parsed("status", "one of pending, retrying, delivered, failed", states)?;
    let filter = DeliveryFilter {
        webhook_id,
        event_type: query.parsed("event_type", "an event type", |text| text.parse().ok())?,
        ..DeliveryFilter::default()
    };
    let page = page(api, project_id, filter, word.unwrap_or_default(), query.page()?).await?;
    Ok(json(StatusCode::OK, &list_of(page.map(|view| Delivery::of(api, &view, None)))))
}

/// The endpoint in the path.
async fn endpoint(api: &Api, project_id: ProjectId, id: &str) -> Result<WebhookId, ApiError> {
    Ok(verbs::find(api, project_id, ids::read(id)?).await?.webhook.id)
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let webhook_id = endpoint(&api, project_id, &id).await?;
    answer_list(&api, project_id, Some(webhook_id), query).await
}

pub(super) async fn list_all(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    answer_list(&api, caller.project(&api), None, query).await
}

/// The log as the guide shows it.
pub(super) async fn logs(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let webhook_id = endpoint(&api, project_id, &id).await?;
    let filter = DeliveryFilter { webhook_id: Some(webhook_id), ..DeliveryFilter::default() };
    let page = api.store().list_deliveries(project_id, filter, query.page()?).await?;
    let lines: Vec<_> = page.rows.iter().map(LogLine::of).collect();
    Ok(json(StatusCode::OK, &object!({"data": lines})))
}

/// A delivery of this endpoint, and of no other.
async fn find(api: &Api, project_id: ProjectId, endpoint: &str, delivery: &str) -> Result<DeliveryView, ApiError> {
    let webhook_id = ids::read::<WebhookId>(endpoint)?;
    let id = ids::read::<DeliveryId>(delivery)?;
    let found = api.store().find_delivery(project_id, id).await?;
    found.filter(|view| view.webhook_id == webhook_id).ok_or_else(|| ApiError::not_found("delivery"))
}

pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let view = find(&api, project_id, &endpoint, &delivery).await?;
    let last = deliveries::attempt_bodies(&api, project_id, &view).await?.pop();
    let (sent, response) = last.map(|attempt| (attempt.request.body, attempt.response)).unzip();
    let detail = Detail {
        payload: payload(&api, project_id, &view, sent).await?,
        response_body: response.flatten().map(|response| response.body),
    };
    Ok(json(StatusCode::OK, &Delivery::of(&api, &view, Some(detail))))
}

/// What was sent, or will be: an object. Bodies that are none stand in one.
async fn payload(
    api: &Api,
    project_id: ProjectId,
    view: &DeliveryView,
    sent: Option<String>,
) -> Result<Value, ApiError> {
    let text = match sent {
        Some(sent) => sent,
        None => {
            let event = api.store().find_event(project_id, &view.event_id).await?;
            event.map(|event| String::from_utf8_lossy(&event.payload).into_owned()).unwrap_or_default()
        }
    };
    Ok(match serde_json::from_str(&text) {
        Ok(object @ Value::Object(_)) => object,
        Ok(other) => object!({"data": other}),
        Err(_) => object!({"data": text}),
    })
}

pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Path((endpoint, delivery)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let before = find(&api, project_id, &endpoint, &delivery).await?;
    api.engine().retry(project_id, before.id, false).await.map_err(deliveries::retry_refused)?;
    let waited = tokio::time::timeout(RETRY_WAIT, attempted(&api, project_id, &before)).await;
    let result = match waited {
        Ok(view) => {
            let view = view?;
            TestResult {
                success: view.state == DeliveryState::Delivered,
                status_code: view.last_status,
                response_time_ms: view.last_total_us.map(|us| us / 1000),
                error: view.last_error,
            }
        }
        Err(_) => TestResult {
            success: false,
            status_code: None,
            response_time_ms: None,
            error: Some("the attempt has not ended yet; look at the delivery later".to_owned()),
        },
    };
    Ok(json(StatusCode::OK, &result))
}

/// The delivery once it has one attempt more. Ends by its caller's time-out at the latest.
async fn attempted(api: &Api, project_id: ProjectId, before: &DeliveryView) -> Result<DeliveryView, ApiError> {
    loop {
        let found = api.store().find_delivery(project_id, before.id).await?;
        let view = found.ok_or_else(|| ApiError::not_found("delivery"))?;
        if view.attempts_made > before.attempts_made {
            return Ok(view);
        }
        tokio::time::sleep(RETRY_LOOK).await;
    }
}

async fn answer_stats(
    api: &Api,
    project_id: ProjectId,
    webhook_id: Option<WebhookId>,
    query: Query,
) -> Result<Response, ApiError> {
    let read = statistics::read(api, project_id, webhook_id, statistics::period_of(&query)?).await?;
    let stats = Stats {
        total_deliveries: read.successful_deliveries + read.failed_deliveries + read.pending_deliveries,
        successful_deliveries: read.successful_deliveries,
        failed_deliveries: read.failed_deliveries,
        pending_deliveries: read.pending_deliveries,
        success_rate: read.success_rate.unwrap_or(0.0),
        avg_response_time_ms: read.avg_response_time_ms,
    };
    Ok(json(StatusCode::OK, &stats))
}

pub(super) async fn stats(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    answer_stats(&api, project_id, Some(ids::read(&id)?), query).await
}

pub(super) async fn stats_of_all(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    answer_stats(&api, caller.project(&api), None, query).await
}
