//! Webhooks of a project.

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidings_contract::{codes::ErrorCode, webhook::WebhookRequest};
use tidings_domain::{
    ids::ProjectId,
    page::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, PageRequest, TOTAL_EXACT_MAX},
    profile::Profile,
    time::Timestamp,
};
use tidings_ports::store::WebhookRecord;

use super::{envelope::answer, project};
use crate::{
    auth::Caller,
    compat::{ids, verbs},
    error::ApiError,
    native::webhooks::shown_url,
    request::{Body, Query, parse},
    state::Api,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateWebhook {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateWebhook {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
}

/// What creating and rotating show.
#[derive(Serialize)]
struct WithSecret {
    url: String,
    id: String,
    secret: Option<String>,
}

/// What lists show.
#[derive(Serialize)]
struct Listed {
    url: String,
    id: String,
    enabled: bool,
    created_at: Timestamp,
}

fn listed(api: &Api, record: &WebhookRecord) -> Listed {
    Listed {
        url: shown_url(api, record),
        id: record.webhook.id.0.uuid(),
        enabled: verbs::is_active(record),
        created_at: record.webhook.id.timestamp(),
    }
}

fn with_secret(api: &Api, record: &WebhookRecord, secret: Option<String>) -> WithSecret {
    WithSecret { url: shown_url(api, record), id: record.webhook.id.0.uuid(), secret }
}

pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Path(project_id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let CreateWebhook { url } = parse(&bytes)?;
    let request = WebhookRequest {
        url: Some(url),
        profile: Some(Profile::BotSubscription.to_string()),
        ..WebhookRequest::default()
    };
    let made = verbs::create(&api, &caller, project_id, request).await?;
    let data = with_secret(&api, &made.record, made.shown_secret());
    Ok(answer("Webhook created successfully", &data))
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(project_id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let limit = query.parsed("limit", "a number from 1 to 100", |text| {
        text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit))
    })?;
    let offset = query.parsed("offset", "a number from 0 to 10,000", |text| {
        text.parse().ok().filter(|&offset: &u64| offset <= TOTAL_EXACT_MAX)
    })?;
    let rows = rows(&api, project_id, limit.unwrap_or(PAGE_ROWS_DEFAULT), offset.unwrap_or(0)).await?;
    let data: Vec<_> = rows.iter().map(|record| listed(&api, record)).collect();
    Ok(answer("Webhooks retrieved successfully", &data))
}

/// Rows behind an offset. The store pages by place, so what comes before is walked over; the
/// offset's maximum bounds that.
async fn rows(api: &Api, project_id: ProjectId, limit: u32, mut offset: u64) -> Result<Vec<WebhookRecord>, ApiError> {
    let mut before = None;
    while offset > 0 {
        let step = u32::try_from(offset).unwrap_or(u32::MAX).min(PAGE_ROWS_MAX);
        let page = api.store().list_webhooks(project_id, PageRequest { limit: step, before }).await?;
        let Some(next) = page.next_before else { return Ok(Vec::new()) };
        (before, offset) = (Some(next), offset - u64::from(step));
    }
    Ok(api.store().list_webhooks(project_id, PageRequest { limit, before }).await?.rows)
}

/// A look at a webhook shows its secret again, where its profile allows that.
pub(super) async fn inspect(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let record = verbs::find(&api, project_id, ids::read(&id)?).await?;
    let revealable = record.webhook.settings.secret_revealable();
    let secret = if revealable { verbs::secrets(&api, &record)?.secret } else { None };
    let Listed { url, id, enabled, created_at } = listed(&api, &record);
    let data = json!({"url": url, "id": id, "enabled": enabled, "created_at": created_at, "secret": secret});
    Ok(answer("Webhook retrieved successfully", &data))
}

pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let UpdateWebhook { url, enabled } = parse(&bytes)?;
    if url.is_none() && enabled.is_none() {
        return Err(ApiError::new(ErrorCode::ValidationFailed, "body: gives at least one of url, enabled"));
    }
    let request = WebhookRequest { url, enabled, ..WebhookRequest::default() };
    let record = verbs::update(&api, &caller, project_id, ids::read(&id)?, request).await?;
    Ok(answer("Webhook updated successfully", &listed(&api, &record)))
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    verbs::delete(&api, &caller, project_id, ids::read(&id)?).await?;
    Ok(answer("Webhook deleted successfully", &json!({})))
}

pub(super) async fn test(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let outcome = verbs::test(&api, project_id, ids::read(&id)?).await?;
    let data = json!({
        "success": outcome.delivered,
        "status_code": outcome.status,
        "response_time_ms": outcome.duration_ms,
        "error": outcome.error,
    });
    Ok(answer("Test event sent", &data))
}

pub(super) async fn rotate(
    State(api): State<Api>,
    caller: Caller,
    Path((project_id, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let project_id = project(&api, &caller, &project_id).await?;
    let (record, secret) = verbs::rotate(&api, &caller, project_id, ids::read(&id)?).await?;
    Ok(answer("Webhook secret rotated successfully", &with_secret(&api, &record, secret)))
}
