//! `POST /webhooks/test-filter`: what a selection would have done with recent events.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::webhook::{TestFilter, TestFilterBody, TestedEventBody};
use tidings_domain::{
    event::Event,
    event_type::TEST_EVENT_TYPE,
    filter::Subject,
    ids::ProjectId,
    matching::selects,
    page::{PAGE_ROWS_MAX, PageRequest},
    profile::Profile,
    webhook::WebhookSettings,
};
use tidings_ports::store::EventFilter;

use super::settings::{apply_selection, read_filter};
use crate::{
    answer::json,
    auth::Caller,
    error::{ApiError, field_error},
    request::{Body, parse},
    state::Api,
};

pub(crate) async fn test_filter(
    State(api): State<Api>,
    caller: Caller,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: TestFilter = parse(&bytes)?;
    let since = request.since;
    let limit = request.limit.unwrap_or(PAGE_ROWS_MAX);
    let mut errors = Vec::new();
    if !(1..=PAGE_ROWS_MAX).contains(&limit) {
        errors.push(field_error("limit", "invalid", format!("must lie between 1 and {PAGE_ROWS_MAX}")));
    }
    let mut settings = WebhookSettings::new(String::new(), Profile::default());
    apply_selection(&mut settings, request.events, request.scopes, &mut errors);
    settings.filter = read_filter(&request.filter, &mut errors);
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let project = caller.project(&api);
    let filter = EventFilter { since, ..EventFilter::default() };
    let page = api.store().list_events(project, filter, PageRequest { limit, before: None }).await?;
    let mut data = Vec::with_capacity(page.rows.len());
    // Tests go to the webhook that is tested, whatever it selects.
    for view in page.rows.into_iter().filter(|view| view.event.event_type.as_str() != TEST_EVENT_TYPE) {
        data.extend(try_on(&api, project, &settings, &view.event).await?);
    }
    let matched = data.iter().filter(|tested| tested.matched).count() as u32;
    let tested = data.len() as u32;
    Ok(json(StatusCode::OK, &TestFilterBody { data, matched, tested }))
}

/// Events come one by one: each may have a large payload. `None`: it is gone meanwhile.
async fn try_on(
    api: &Api,
    project: ProjectId,
    settings: &WebhookSettings,
    listed: &Event,
) -> Result<Option<TestedEventBody>, ApiError> {
    let Some(event) = api.store().find_event(project, &listed.id()).await? else { return Ok(None) };
    let subject = Subject::new(&event.event_type, &event.scopes, event.content_type.as_deref(), &event.payload);
    let selected = selects(settings, &subject);
    Ok(Some(TestedEventBody {
        event_id: event.id(),
        event_type: event.event_type.to_string(),
        created_at: event.created_at(),
        matched: selected.is_ok(),
        reason: selected.err().map(|mismatch| mismatch.as_str().to_owned()),
    }))
}
