//! Deliveries and their attempts.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    delivery::{
        AttemptBody, DeliveryBody, DeliverySummary, LogBody, LogEntry, RequestBody, ResponseBody, RetryDelivery,
        TimingBody,
    },
};
use tidings_domain::{
    delivery::{DeliveryState, WaitingFor},
    event::Event,
    head::{HeadValues, URL_LINE, fill, header_lines},
    ids::{DeliveryId, ProjectId, WebhookId},
    outcome::Outcome,
    render::{Rendering, render},
    time::Timestamp,
};
use tidings_engine::RetryError;
use tidings_ports::store::{AttemptView, DeliveryFilter, DeliveryView};

use crate::{
    answer::{json, list as list_body},
    auth::Caller,
    error::ApiError,
    request::{Body, Query, parse_or_default},
    state::Api,
};

/// A delivery as lists show it.
pub(crate) fn summary(api: &Api, view: &DeliveryView, now: Timestamp) -> DeliverySummary {
    let delivered = view.state == DeliveryState::Delivered;
    let (waiting_for, waiting_until) = waiting(api, view, now).unzip();
    DeliverySummary {
        id: view.id,
        webhook_id: view.webhook_id,
        event_id: view.event_id.clone(),
        event_type: view.event_type.to_string(),
        status: view.state.as_str().to_owned(),
        attempt_count: view.attempts_made,
        response_status_code: view.last_status,
        response_time_ms: view.last_total_us.map(|us| us / 1000),
        error_message: view.last_error.clone(),
        created_at: view.id.timestamp(),
        attempted_at: view.attempted_at,
        delivered_at: view.finished_at.filter(|_| delivered),
        next_retry_at: view.due_at.filter(|_| view.attempts_made > 0).map(|at| api.engine().shown(at)),
        waiting_for: waiting_for.map(|waiting_for: WaitingFor| waiting_for.as_str().to_owned()),
        waiting_until: waiting_until.flatten(),
    }
}

/// Why it is not being sent right now, and until when, where that is known.
fn waiting(api: &Api, view: &DeliveryView, now: Timestamp) -> Option<(WaitingFor, Option<Timestamp>)> {
    if view.state.is_final() {
        return None;
    }
    if view.held {
        return Some((WaitingFor::Held, None));
    }
    let due_at = api.engine().shown(view.due_at?);
    if due_at > now {
        return Some((WaitingFor::Schedule, Some(due_at)));
    }
    let broken = api.engine().lane(view.webhook_id).filter(|lane| lane.breaker_open);
    Some(match broken {
        // A time that has come is no answer: the probe is under way, or in line.
        Some(lane) => (WaitingFor::Breaker, lane.next_probe_at.map(|at| api.engine().shown(at)).filter(|&at| at > now)),
        None => (WaitingFor::Slot, None),
    })
}

async fn page(api: &Api, project: ProjectId, filter: DeliveryFilter, query: &Query) -> Result<Response, ApiError> {
    let page = api.store().list_deliveries(project, filter, query.page()?).await?;
    let now = api.engine().now();
    Ok(json(StatusCode::OK, &list_body(page.map(|view| summary(api, &view, now)))))
}

fn filter(query: &Query, webhook_id: Option<WebhookId>) -> Result<DeliveryFilter, ApiError> {
    Ok(DeliveryFilter {
        webhook_id,
        event_type: query.parsed("event_type", "an event type", |text| text.parse().ok())?,
        state: query.parsed(
            "status",
            "one of pending, retrying, delivered, failed, dropped, cancelled",
            DeliveryState::parse,
        )?,
        since: query.time("since")?,
        until: query.time("until")?,
    })
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let webhook_id = query.parsed("webhook_id", "the id of a webhook (wh_…)", |text| text.parse().ok())?;
    let filter = filter(&query, webhook_id)?;
    page(&api, caller.project(&api), filter, &query).await
}

pub(crate) async fn list_of_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let id: WebhookId = id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    if api.store().find_webhook(project, id).await?.is_none() {
        return Err(ApiError::not_found("webhook"));
    }
    let filter = filter(&query, Some(id))?;
    page(&api, project, filter, &query).await
}

/// A webhook's deliveries in brief; those that nobody has attempted yet are left out.
pub(crate) async fn log_of_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let id: WebhookId = id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    if api.store().find_webhook(project, id).await?.is_none() {
        return Err(ApiError::not_found("webhook"));
    }
    let filter = DeliveryFilter { webhook_id: Some(id), ..DeliveryFilter::default() };
    let page = list_body(api.store().list_deliveries(project, filter, query.page()?).await?);
    let data = page.data.iter().filter(|view| view.attempts_made > 0).map(log_entry).collect();
    Ok(json(StatusCode::OK, &LogBody { data, cursor: page.cursor }))
}

fn log_entry(view: &DeliveryView) -> LogEntry {
    let delivered = view.state == DeliveryState::Delivered;
    let answered = || view.last_status.map(|status| format!("the receiver answered {status}"));
    LogEntry {
        id: view.id,
        event_type: view.event_type.to_string(),
        status: if delivered { DeliveryState::Delivered } else { DeliveryState::Failed }.as_str().to_owned(),
        response_code: view.last_status,
        duration_ms: view.last_total_us.map(|us| us / 1000),
        error: view.last_error.clone().or_else(answered).filter(|_| !delivered),
        retry_count: view.attempts_made.checked_sub(1).filter(|&retries| retries > 0),
        created_at: view.id.timestamp(),
    }
}

pub(crate) async fn find(api: &Api, project: ProjectId, id: &str) -> Result<DeliveryView, ApiError> {
    let missing = || ApiError::not_found("delivery");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    api.store().find_delivery(project, id).await?.ok_or_else(missing)
}

pub(crate) async fn attempt_bodies(
    api: &Api,
    project: ProjectId,
    view: &DeliveryView,
) -> Result<Vec<AttemptBody>, ApiError> {
    let attempts = api.store().attempts_of(project, view.id).await?;
    let mut event = api.store().find_event(project, &view.event_id).await?;
    if let Some(found) = &event
        && api.store().expunged_at(project, found.key).await?.is_some()
    {
        // What was sent cannot be shown any more.
        event = None;
    }
    Ok(attempts.into_iter().map(|attempt| attempt_body(attempt, view, event.as_ref())).collect())
}

fn attempt_body(view: AttemptView, delivery: &DeliveryView, event: Option<&Event>) -> AttemptBody {
    let attempt = view.attempt;
    let rendering = Rendering::from_code(view.rendering_code);
    let rendered = || event.zip(rendering).map(|(event, rendering)| render(event, rendering, delivery.id));
    let body = attempt.request_body.or_else(rendered);
    let content_type = event.and_then(|event| event.content_type.as_deref()).unwrap_or(Rendering::CONTENT_TYPE);
    let values = HeadValues {
        content_type,
        event_id: &delivery.event_id,
        event_type: delivery.event_type.as_str(),
        delivery_id: delivery.id,
        attempt: attempt.number,
        started_at: attempt.started_at,
    };
    let mut headers: BTreeMap<_, _> = fill(&attempt.request_head, &values).into_iter().collect();
    let url = headers.remove(URL_LINE).unwrap_or_default();
    let timing = attempt.timing;
    let ms = |us: u32| f64::from(us) / 1000.0;
    let status = match attempt.outcome {
        Outcome::Status(status) => Some(status),
        _ => None,
    };
    AttemptBody {
        number: attempt.number,
        started_at: attempt.started_at,
        duration_ms: ms(timing.total_us),
        timing: TimingBody {
            dns_ms: ms(timing.dns_us),
            connect_ms: ms(timing.connect_us),
            tls_ms: ms(timing.tls_us),
            first_byte_ms: ms(timing.first_byte_us),
            total_ms: ms(timing.total_us),
            reused_connection: timing.reused,
        },
        request: request_body(url, headers, &body.unwrap_or_default()),
        response: status.map(|status| ResponseBody {
            status,
            headers: kept_headers(&attempt.response_headers),
            body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
            body_base64: no_text(&attempt.response_body),
            truncated: attempt.response_truncated,
        }),
        error: attempt.error,
    }
}

fn request_body(url: String, headers: BTreeMap<String, String>, body: &[u8]) -> RequestBody {
    RequestBody { url, headers, body: String::from_utf8_lossy(body).into_owned(), body_base64: no_text(body) }
}

/// The bytes of a body that is no text: that of a text that was cut within a character is not all of one, either.
fn no_text(body: &[u8]) -> Option<String> {
    std::str::from_utf8(body).is_err().then(|| STANDARD.encode(body))
}

fn kept_headers(text: &str) -> Vec<(String, String)> {
    header_lines(text).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let view = find(&api, project, &id).await?;
    let attempts = attempt_bodies(&api, project, &view).await?;
    let summary = summary(&api, &view, api.engine().now());
    Ok(json(StatusCode::OK, &DeliveryBody { summary, attempts }))
}

pub(crate) async fn attempts(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let view = find(&api, project, &id).await?;
    let attempts = attempt_bodies(&api, project, &view).await?;
    let total = attempts.len() as u64;
    let body =
        tidings_contract::list::ListBody { data: attempts, total: Some(total), total_at_least: None, cursor: None };
    Ok(json(StatusCode::OK, &body))
}

pub(crate) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: RetryDelivery = parse_or_default(&bytes)?;
    let project = caller.project(&api);
    let view = find(&api, project, &id).await?;
    api.engine().retry(project, view.id, request.force).await.map_err(retry_refused)?;
    caller.audit().done();
    let view = find(&api, project, &id).await?;
    Ok(json(StatusCode::ACCEPTED, &summary(&api, &view, api.engine().now())))
}

/// Why a delivery is not sent again.
pub(crate) fn retry_refused(error: RetryError) -> ApiError {
    match error {
        RetryError::NotFound => ApiError::not_found("delivery"),
        RetryError::WebhookDisabled => {
            let detail = "the delivery's webhook is disabled: enable it, or retry with {\"force\": true}";
            ApiError::new(ErrorCode::WebhookDisabled, detail)
        }
        RetryError::WebhookDeleted => {
            ApiError::new(ErrorCode::WebhookDisabled, "the delivery's webhook was deleted; there is nobody to send to")
        }
        RetryError::Expunged => ApiError::new(ErrorCode::PayloadExpunged, "the event's payload was deleted"),
        RetryError::Busy => {
            ApiError::rate_limited("as many deliveries of disabled webhooks are being sent as may be at a time")
        }
        RetryError::Store(error) => error.into(),
    }
}
