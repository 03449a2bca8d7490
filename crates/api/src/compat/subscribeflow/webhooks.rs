//! Endpoints: create, list, get, update, delete, test, new secret, event types.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::webhook::WebhookRequest;
use tidings_domain::{
    page::{Page, Total},
    profile::Profile,
};

use super::bodies::{CreateEndpoint, Endpoint, List, TestResult, UpdateEndpoint};
use crate::{
    answer::{empty, json},
    auth::Caller,
    compat::{ids, verbs},
    error::ApiError,
    request::{Body, Query, cursor, parse},
    state::Api,
};

/// A page as the SDK reads it: it wants a number, exact or not.
pub(super) fn list_of<T>(page: Page<T>) -> List<T> {
    let (Total::Exact(total) | Total::AtLeast(total)) = page.total;
    List { items: page.rows, total, cursor: page.next_before.map(cursor) }
}

pub(super) async fn create(State(api): State<Api>, caller: Caller, Body(bytes): Body) -> Result<Response, ApiError> {
    let CreateEndpoint { url, events, description, secret } = parse(&bytes)?;
    if events.is_empty() {
        return Err(ApiError::field("events", "invalid", "names at least one event type"));
    }
    let request = WebhookRequest {
        url: Some(url),
        events: Some(events),
        description: Some(description),
        secret: secret.map(Some),
        profile: Some(Profile::SubscribeFlow.to_string()),
        ..WebhookRequest::default()
    };
    let made = verbs::create(&api, &caller, caller.project(&api), request).await?;
    Ok(json(StatusCode::CREATED, &Endpoint::of(&api, &made.record, made.shown_secret())))
}

pub(super) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let page = api.store().list_webhooks(caller.project(&api), query.page()?).await?;
    Ok(json(StatusCode::OK, &list_of(page.map(|record| Endpoint::of(&api, &record, None)))))
}

pub(super) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let record = verbs::find(&api, caller.project(&api), ids::read(&id)?).await?;
    Ok(json(StatusCode::OK, &Endpoint::of(&api, &record, None)))
}

pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let UpdateEndpoint { url, description, events, is_active } = parse(&bytes)?;
    if url.is_none() && description.is_none() && events.is_none() && is_active.is_none() {
        return Err(ApiError::field("body", "invalid", "gives at least one of url, description, events, is_active"));
    }
    if events.as_ref().is_some_and(Vec::is_empty) {
        return Err(ApiError::field("events", "invalid", "names at least one event type"));
    }
    let request = WebhookRequest {
        url,
        events,
        description: description.map(Some),
        enabled: is_active,
        ..WebhookRequest::default()
    };
    let record = verbs::update(&api, &caller, caller.project(&api), ids::read(&id)?, request).await?;
    Ok(json(StatusCode::OK, &Endpoint::of(&api, &record, None)))
}

pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    verbs::delete(&api, &caller, caller.project(&api), ids::read(&id)?).await?;
    Ok(empty())
}

pub(super) async fn test(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let outcome = verbs::test(&api, caller.project(&api), ids::read(&id)?).await?;
    Ok(json(StatusCode::OK, &TestResult::from(outcome)))
}

pub(super) async fn regenerate_secret(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (record, secret) = verbs::rotate(&api, &caller, caller.project(&api), ids::read(&id)?).await?;
    Ok(json(StatusCode::OK, &Endpoint::of(&api, &record, secret)))
}

/// Event types by name, with what each means.
pub(super) async fn event_types(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let types = api.store().list_event_types(Some(caller.organization_or_default(&api))).await?;
    let usable = types.into_iter().filter(|known| !known.archived);
    let described: BTreeMap<_, _> =
        usable.map(|known| (known.name.to_string(), known.description.unwrap_or_default())).collect();
    Ok(json(StatusCode::OK, &described))
}
