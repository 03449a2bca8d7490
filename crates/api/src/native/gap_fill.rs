//! What sources ask their providers for.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::Value;
use tidings_contract::{
    codes::ErrorCode,
    gap_fill::{FillBody, FillRequest, GapFillBody, GapFillRequest},
    problem::FieldError,
};
use tidings_domain::{
    source::{FILL_EVERY_S, GapFill, check_api_key},
    target::Refusal,
    time::Timestamp,
};
use tidings_engine::FillView;
use tidings_ports::store::SourceRecord;

use super::sources;
use crate::{
    answer::json,
    auth::Caller,
    error::{ApiError, field_error},
    request::{Body, parse_or_default},
    state::Api,
};

pub(super) fn settings(request: &GapFillRequest) -> GapFill {
    GapFill {
        every_s: request.every_s.unwrap_or(FILL_EVERY_S),
        api_url: request.api_url.clone(),
        hook: request.hook.clone(),
        types: request.types.clone(),
    }
}

/// The key to ask with: the one that is given, or the former one. Whoever changes where it goes has
/// to know it: a key that can be used must not be a key that can be had.
pub(super) fn api_key(
    request: &GapFillRequest,
    former: Option<&GapFill>,
    former_key: Option<String>,
) -> Result<String, FieldError> {
    let wrong = |message: String| field_error("gap_fill.api_key", "invalid", message);
    if let Some(key) = &request.api_key {
        return check_api_key(key).map(|()| key.clone()).map_err(wrong);
    }
    match former_key {
        None => Err(wrong("the provider's API is asked with a key: give one".to_owned())),
        Some(_) if former.is_some_and(|former| former.api_url != request.api_url) => {
            Err(wrong("with another api_url, give the key again: it goes there from now on".to_owned()))
        }
        Some(key) => Ok(key),
    }
}

/// The same addresses are allowed as for webhooks.
pub(super) async fn check_api_url(api: &Api, gap_fill: &GapFill) -> Result<(), ApiError> {
    let Some(text) = &gap_fill.api_url else { return Ok(()) };
    let field = "gap_fill.api_url";
    let refused = |refusal: Refusal| {
        let error = field_error(field, ErrorCode::UrlNotAllowed.as_str(), refusal.to_string());
        ApiError::fields(vec![error]).with("reason", Value::from(refusal.reason.as_str()))
    };
    let url = api.parts().policy.check_url(text).map_err(refused)?;
    if url.credentials().is_some() || text.contains(['?', '#']) {
        let message = "an API's address has no user, password, parameters or fragment";
        return Err(ApiError::field(field, "invalid", message));
    }
    api.parts().sender.check(&url).await.map_err(refused)
}

/// What is under way about a source. To be looked at before the store, or a round that ends in
/// between would seem to have come to nothing.
pub(super) fn view(api: &Api, id: &str) -> FillView {
    id.parse().map(|id| api.engine().fill_view(id)).unwrap_or_default()
}

pub(super) fn body(record: &SourceRecord, view: FillView) -> Option<GapFillBody> {
    let gap_fill = record.source.settings.gap_fill.as_ref()?;
    let state = record.fill.as_ref();
    Some(GapFillBody {
        every_s: gap_fill.every_s,
        api_url: gap_fill.api_url.clone(),
        hook: gap_fill.hook.clone(),
        types: gap_fill.types.clone(),
        filled_until: state.map_or(record.source.updated_at, |state| state.mark),
        running: view.running && !record.source.disabled,
        next_run_at: view.next_run_at,
        last_run_at: state.and_then(|state| state.last_run_at),
        last_error: state.and_then(|state| state.last_error.clone()),
        taken_in: state.map_or(0, |state| state.taken_in),
        left_out: state.map_or(0, |state| state.left_out),
    })
}

pub(crate) async fn fill(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: FillRequest = parse_or_default(&bytes)?;
    let project_id = caller.project(&api);
    let source = sources::find(&api, project_id, &id).await?.source;
    sources::check_plans(&api, &caller, source.kind, &source.name, &source.settings.actions)?;
    if source.settings.gap_fill.is_none() || source.disabled {
        let message = "the source does not ask its provider: it has no gap_fill, or is disabled";
        return Err(ApiError::field("gap_fill", "invalid", message));
    }
    // Nothing is later than that, so without a time the mark stays where it is.
    let since = request.since.unwrap_or(Timestamp::from_millis(i64::MAX));
    caller.store(&api).ask_fill(project_id, source.id, since).await?;
    api.engine().ask_provider(source.id);
    let view = view(&api, &id);
    let record = sources::find(&api, project_id, &id).await?;
    let gap_fill = body(&record, view).ok_or_else(|| ApiError::not_found("source"))?;
    Ok(json(StatusCode::ACCEPTED, &FillBody { id: record.source.id, gap_fill }))
}
