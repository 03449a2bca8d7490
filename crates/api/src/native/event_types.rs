//! The catalogue of event types: an organization's own, or with the operator's key the instance's.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::value::RawValue;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest},
    list::ListBody,
};
use tidings_domain::{
    event_type::{EventType, EventTypeName, TEST_EVENT_TYPE},
    ids::OrganizationId,
    webhook::DESCRIPTION_CHARACTERS_MAX,
};

use super::{check_name, check_text};
use crate::{
    answer::{empty, json, json_bytes},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, parse},
    state::Api,
};

fn body(event_type: &EventType) -> EventTypeBody {
    EventTypeBody {
        name: event_type.name.to_string(),
        group: event_type.group.clone(),
        description: event_type.description.clone(),
        example: event_type.example.clone().and_then(|text| RawValue::from_string(text).ok()),
        archived: event_type.archived,
    }
}

fn read(request: EventTypeRequest, name_in_path: Option<&str>) -> Result<EventType, ApiError> {
    let mut errors = Vec::new();
    let name = match (request.name.as_deref(), name_in_path) {
        (Some(name), Some(path)) if name != path => {
            errors.push(field_error("name", "invalid", "an event type cannot be renamed: leave name out"));
            None
        }
        (None, None) => {
            errors.push(field_error("name", "missing", "missing field `name`"));
            None
        }
        (given, path) => given.or(path),
    };
    let name = name.map(str::parse::<EventTypeName>).transpose();
    match &name {
        Err(error) => errors.push(field_error("name", "invalid", error.to_string())),
        Ok(Some(name)) if name.as_str() == TEST_EVENT_TYPE => {
            errors.push(field_error("name", "invalid", "test.webhook is part of every catalogue already"));
        }
        Ok(_) => {}
    }
    errors.extend(request.group.as_deref().and_then(|group| check_name("group", group).err()));
    let description = request.description.as_deref();
    errors.extend(description.and_then(|text| check_text("description", text, DESCRIPTION_CHARACTERS_MAX).err()));
    match name {
        Ok(Some(name)) if errors.is_empty() => Ok(EventType {
            name,
            group: request.group,
            description: request.description,
            example: request.example.map(|raw| raw.get().to_owned()),
            archived: request.archived,
        }),
        _ => Err(ApiError::fields(errors)),
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let event_type = read(parse(&bytes)?, None)?;
    let owner = caller.organization();
    let owner_sequence = owner.map_or(0, OrganizationId::sequence);
    let answer = json_bytes(&body(&event_type));
    let idempotency = repeatable.record(&api, owner_sequence, &bytes, &answer);
    let now = api.engine().now();
    let created = api.store().create_event_type(owner, event_type, idempotency, now).await?;
    api.engine().catalogue_changed();
    repeatable.answer(&api, owner_sequence, created, answer, "event type")
}

async fn visible(api: &Api, caller: &Caller) -> Result<Vec<EventType>, ApiError> {
    Ok(api.store().list_event_types(caller.organization()).await?)
}

/// The catalogue is short and needed whole, by name: one page.
pub(crate) async fn list(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let rows: Vec<_> = visible(&api, &caller).await?.iter().map(body).collect();
    let total = Some(rows.len() as u64);
    Ok(json(StatusCode::OK, &ListBody { data: rows, total, total_at_least: None, cursor: None }))
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let known = visible(&api, &caller).await?;
    let found = known.iter().find(|event_type| event_type.name.as_str() == name);
    Ok(json(StatusCode::OK, &body(found.ok_or_else(|| ApiError::not_found("event type"))?)))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let event_type = read(parse(&bytes)?, Some(&name))?;
    let answer = body(&event_type);
    let changed = api.store().update_event_type(caller.organization(), event_type).await?;
    api.engine().catalogue_changed();
    if changed { Ok(json(StatusCode::OK, &answer)) } else { Err(ApiError::not_found("event type")) }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let name: EventTypeName = name.parse().map_err(|_| ApiError::not_found("event type"))?;
    let deleted = api.store().delete_event_type(caller.organization(), name).await?;
    api.engine().catalogue_changed();
    if deleted { Ok(empty()) } else { Err(ApiError::not_found("event type")) }
}
