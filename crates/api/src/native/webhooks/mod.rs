//! Webhooks.

mod address;
mod body;
mod making;
mod retry;
mod secret;
mod settings;
mod signature;
mod status;
mod test_filter;
mod transform;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    parameters::SEARCH_CHARACTERS_MAX,
    webhook::{TestResultBody, TestWebhook, WebhookRequest},
};
use tidings_domain::{
    ids::{ProjectId, WebhookId},
    profile::Profile,
    webhook::{WebhookSettings, WebhookStatus},
};
use tidings_engine::{TestError, open_secrets, seal_secrets};
use tidings_ports::store::{Changed, WebhookChange, WebhookFilter, WebhookRecord, WebhookStanding};

use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    native::plans::{limit_exceeded, webhook_deleted},
    request::{Body, IfMatch, Query, parse, parse_or_default, revision_tag, tagged},
    state::Api,
};
use body::webhook_body;
pub(crate) use making::{Making, prepare};
pub(crate) use secret::{public_keys, reveal, rotate, rotated};
use settings::{Draft, apply};
use status::switched;
pub(crate) use status::{disable, enable, pause, resume};
pub(crate) use test_filter::test_filter;
use transform::check_syntax;
pub(crate) use transform::test_transform;

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: WebhookRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    if let Some(first) = repeatable.first_answer(&api, project_id.sequence(), &bytes).await? {
        return Ok(first);
    }
    let by_default = match request.profile {
        Some(_) => Profile::default(),
        None => default_profile(&api, project_id).await?,
    };
    let making = prepare(&api, &caller, project_id, request, by_default).await?;
    let answer = json_bytes(&making.body());
    let owner = project_id.sequence();
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    caller.audit().makes(making.record.webhook.id);
    let created = caller.store(&api).create_webhook(making.new_webhook(), idempotency).await?;
    api.engine().project_changed(project_id).await;
    repeatable.answer(&api, owner, created, answer, "webhook")
}

/// What new webhooks of the project have unless they name another profile.
async fn default_profile(api: &Api, project_id: ProjectId) -> Result<Profile, ApiError> {
    let found = api.store().find_project(project_id).await?;
    found.map(|found| found.profile).ok_or_else(|| ApiError::not_found("project"))
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let (project_id, filter, page) = (caller.project(&api), filter(&query)?, query.page()?);
    let page = if filter == WebhookFilter::default() {
        api.store().list_webhooks(project_id, page).await?
    } else {
        api.store().search_webhooks(project_id, filter, page).await?
    };
    let master = &api.parts().master_key;
    let page = page.map(|record| {
        // A webhook whose secrets do not open is shown all the same; its deliveries wait.
        let secrets = open_secrets(master, record.webhook.id, &record.sealed).unwrap_or_default();
        webhook_body(&record, &secrets)
    });
    Ok(json(StatusCode::OK, &list_body(page)))
}

fn filter(query: &Query) -> Result<WebhookFilter, ApiError> {
    let status = query.parsed("status", "one of active, paused, disabled", |text| match text {
        "active" => Some(WebhookStanding::Active),
        "paused" => Some(WebhookStanding::Paused),
        "disabled" => Some(WebhookStanding::Disabled),
        _ => None,
    })?;
    let text = query.parsed("q", "a text of at most 200 characters", |text| {
        (text.chars().count() <= SEARCH_CHARACTERS_MAX).then(|| text.trim().to_owned())
    })?;
    Ok(WebhookFilter { status, is_failing: query.flag("failing")?, text: text.filter(|text| !text.is_empty()) })
}

/// What a precondition speaks of.
const WHAT: &str = "webhook";

async fn find(api: &Api, project: ProjectId, id: &str) -> Result<WebhookRecord, ApiError> {
    let missing = || ApiError::not_found("webhook");
    let id: WebhookId = id.parse().map_err(|_| missing())?;
    api.store().find_webhook(project, id).await?.ok_or_else(missing)
}

fn shown(api: &Api, record: &WebhookRecord) -> Response {
    let secrets = open_secrets(&api.parts().master_key, record.webhook.id, &record.sealed).unwrap_or_default();
    tagged(json(StatusCode::OK, &webhook_body(record, &secrets)), &revision_tag(record.revision))
}

/// The address as it may be shown, credentials masked.
pub(crate) fn shown_url(api: &Api, record: &WebhookRecord) -> String {
    let secrets = open_secrets(&api.parts().master_key, record.webhook.id, &record.sealed).unwrap_or_default();
    webhook_body(record, &secrets).url
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let record = find(&api, caller.project(&api), &id).await?;
    Ok(shown(&api, &record))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    wanted: IfMatch,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: WebhookRequest = parse(&bytes)?;
    let record = find(&api, caller.project(&api), &id).await?;
    wanted.check(WHAT, &revision_tag(record.revision), Some(record.updated_at))?;
    let changed = update_record(&api, &caller, &record, request).await;
    // The store takes a change of the revision that was checked, and of no other.
    let changed = changed.map_err(|error| match error.code() {
        ErrorCode::ChangedMeanwhile => wanted.overtaken(WHAT),
        _ => error,
    });
    Ok(shown(&api, &changed?))
}

/// Changes what a request gives.
pub(crate) async fn update_record(
    api: &Api,
    caller: &Caller,
    record: &WebhookRecord,
    request: WebhookRequest,
) -> Result<WebhookRecord, ApiError> {
    let id = record.webhook.id;
    let status = request.enabled.and_then(|enabled| switched(record.webhook.status, enabled));
    let secrets = open_secrets(&api.parts().master_key, id, &record.sealed)
        .map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    caller.audit().before(&webhook_body(record, &secrets));
    let url_given = request.url.is_some();
    let new_transform = request.transform.clone().flatten();
    let draft = apply(Draft { settings: record.webhook.settings.clone(), secrets, is_new: false }, request, api)?;
    address::check_may_run(caller, &draft)?;
    if url_given {
        address::check_resolved(api, record.webhook.project_id, &draft).await?;
    }
    if let Some(code) = new_transform {
        check_syntax(api, &code).await?;
    }
    let sealed = seal_secrets(&api.parts().master_key, id, &draft.secrets, api.engine().ids().nonce());
    apply_change(api, caller, record, (Some(draft.settings), Some(sealed), status)).await
}

/// Carries out a change against the revision it was made from.
pub(crate) async fn apply_change(
    api: &Api,
    caller: &Caller,
    record: &WebhookRecord,
    (settings, sealed, status): (Option<WebhookSettings>, Option<Vec<u8>>, Option<WebhookStatus>),
) -> Result<WebhookRecord, ApiError> {
    let project_id = record.webhook.project_id;
    let change = WebhookChange {
        project_id,
        id: record.webhook.id,
        expected_revision: record.revision,
        settings,
        sealed,
        status,
        now: api.engine().now(),
    };
    let changed = caller.store(api).update_webhook(change).await?;
    api.engine().project_changed(project_id).await;
    match changed {
        Changed::Stored(changed) => Ok(*changed),
        Changed::LimitExceeded(exceeded) => Err(limit_exceeded(api, exceeded)),
        Changed::Stale if api.store().find_webhook(project_id, record.webhook.id).await?.is_none() => {
            Err(ApiError::not_found("webhook"))
        }
        Changed::Stale => {
            Err(ApiError::new(ErrorCode::ChangedMeanwhile, "the webhook was changed by somebody else meanwhile"))
        }
    }
}

/// The same for a change of status alone.
async fn change(
    api: &Api,
    caller: &Caller,
    record: &WebhookRecord,
    status: WebhookStatus,
) -> Result<Response, ApiError> {
    Ok(shown(api, &apply_change(api, caller, record, (None, None, Some(status))).await?))
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id: WebhookId = id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    delete_record(&api, &caller, caller.project(&api), id).await?;
    Ok(empty())
}

/// Deletes a webhook for good.
pub(crate) async fn delete_record(
    api: &Api,
    caller: &Caller,
    project_id: ProjectId,
    id: WebhookId,
) -> Result<(), ApiError> {
    let deleted = caller.store(api).delete_webhook(project_id, id, api.engine().now()).await?;
    api.engine().project_changed(project_id).await;
    if !deleted {
        return Err(ApiError::not_found("webhook"));
    }
    webhook_deleted(api, project_id).await
}

pub(crate) async fn test(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: TestWebhook = parse_or_default(&bytes)?;
    let event_type = request.event_type.as_deref().map(str::parse).transpose();
    let event_type = event_type.map_err(|error: tidings_domain::event_type::InvalidEventType| {
        ApiError::field("event_type", "invalid", error.to_string())
    })?;
    let id: WebhookId = id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    let sent = api.engine().send_test(caller.project(&api), id, event_type).await;
    let outcome = sent.map_err(test_refused)?;
    let body = TestResultBody {
        success: outcome.delivered,
        status_code: outcome.status,
        response_time_ms: outcome.duration_ms,
        error: outcome.error,
        delivery_id: outcome.delivery_id,
    };
    Ok(json(StatusCode::OK, &body))
}

/// Why no test was sent.
pub(crate) fn test_refused(error: TestError) -> ApiError {
    match error {
        TestError::NoWebhook => ApiError::not_found("webhook"),
        TestError::UnknownEventType(name) => {
            let message = format!("{name:?} is not in the catalogue");
            ApiError::field("event_type", ErrorCode::UnknownEventType.as_str(), message)
        }
        TestError::Busy => ApiError::rate_limited("as many test events are being sent as may be at a time"),
        TestError::Store(error) => error.into(),
    }
}
