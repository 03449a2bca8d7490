//! The catalogue of event types: an organization's own, or with the operator's key the instance's.

mod aside;
mod bundle;
mod document;
mod import;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::value::RawValue;
use tidings_contract::{
    event_type::{EventTypeBody, EventTypeRequest, RefusedTypeBody, SchemaVersionBody},
    list::ListBody,
    problem::FieldError,
};
use tidings_domain::{
    event_type::{
        EventType, EventTypeName, RESERVED_EVENT_TYPE, SCHEMA_VERSIONS_ACTIVE_MAX, SchemaVersion, TEST_EVENT_TYPE,
        current_version,
    },
    ids::OrganizationId,
    webhook::DESCRIPTION_CHARACTERS_MAX,
};
use tidings_engine::{RefusedType, Schema, Violation};
use tidings_ports::store::{EventTypeChanged, SchemaRetired};

pub(crate) use aside::COMPILATIONS_MAX;
pub(crate) use import::import;

use aside::aside;

use super::{check_name, check_text};
use crate::{
    answer::{empty, json, json_bytes},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, IfMatch, content_tag, parse, tagged},
    state::Api,
};

/// What keys that are bound to one project cannot change.
const CATALOGUE: &str = "the organization's event types";

/// An event type as lists show it.
fn body(event_type: &EventType) -> EventTypeBody {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
    let current = current_version(&event_type.versions);
    EventTypeBody {
        schema: current.and_then(|current| raw(&current.schema)),
        schema_version: current.map(|current| current.version),
        versions: Vec::new(),
        name: event_type.name.to_string(),
        group: event_type.group.clone(),
        description: event_type.description.clone(),
        example: event_type.example.as_deref().and_then(raw),
        archived: event_type.archived,
    }
}

/// An event type by itself.
fn whole(event_type: &EventType) -> EventTypeBody {
    let version = |version: &SchemaVersion| {
        Some(SchemaVersionBody {
            version: version.version,
            schema: RawValue::from_string(version.schema.clone()).ok()?,
            created_at: version.created_at,
            retired: version.retired,
        })
    };
    EventTypeBody { versions: event_type.versions.iter().filter_map(version).collect(), ..body(event_type) }
}

/// Compiles a schema, and holds the example to it.
fn check_schema(schema: &str, example: Option<&str>) -> Vec<FieldError> {
    let compiled = match Schema::compile(schema) {
        Ok(compiled) => compiled,
        Err(error) => return vec![field_error(&format!("schema{}", error.place), "invalid", error.message)],
    };
    let example = example.and_then(|text| serde_json::from_str(text).ok());
    let violations = example.map(|example| compiled.violations(&example)).unwrap_or_default();
    let in_example = |violation: Violation| {
        let place = violation.field.strip_prefix("data").unwrap_or_default();
        field_error(&format!("example{place}"), "invalid", format!("breaks the schema: {}", violation.message))
    };
    violations.into_iter().map(in_example).collect()
}

/// An event type as it is to be, without versions, and its schema.
fn read(request: EventTypeRequest, name_in_path: Option<&str>) -> Result<(EventType, Option<String>), ApiError> {
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
        Ok(Some(name)) if name.as_str() == RESERVED_EVENT_TYPE => {
            errors.push(field_error("name", "invalid", "import is the path of imports: choose another name"));
        }
        Ok(_) => {}
    }
    errors.extend(request.group.as_deref().and_then(|group| check_name("group", group).err()));
    let description = request.description.as_deref();
    errors.extend(description.and_then(|text| check_text("description", text, DESCRIPTION_CHARACTERS_MAX).err()));
    let schema = request.schema.map(|raw| raw.get().to_owned());
    let example = request.example.as_deref().map(RawValue::get);
    errors.extend(schema.as_deref().map(|schema| check_schema(schema, example)).unwrap_or_default());
    match name {
        Ok(Some(name)) if errors.is_empty() => {
            let event_type = EventType {
                name,
                group: request.group,
                description: request.description,
                example: request.example.map(|raw| raw.get().to_owned()),
                archived: request.archived,
                versions: Vec::new(),
            };
            Ok((event_type, schema))
        }
        _ => Err(ApiError::fields(errors)),
    }
}

/// The same; schemas are compiled aside.
async fn read_aside(
    api: &Api,
    caller: &Caller,
    request: EventTypeRequest,
    name_in_path: Option<String>,
) -> Result<(EventType, Option<String>), ApiError> {
    match request.schema {
        None => read(request, name_in_path.as_deref()),
        Some(_) => aside(api, caller.organization(), move || read(request, name_in_path.as_deref())).await?,
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    caller.refuse_bound(CATALOGUE)?;
    let (mut event_type, schema) = read_aside(&api, &caller, parse(&bytes)?, None).await?;
    let now = api.engine().now();
    let first = schema.map(|schema| SchemaVersion { version: 1, schema, created_at: now, retired: false });
    event_type.versions.extend(first);
    let owner = caller.organization();
    let owner_sequence = owner.map_or(0, OrganizationId::sequence);
    let answer = json_bytes(&whole(&event_type));
    let idempotency = repeatable.record(&api, owner_sequence, &bytes, &answer);
    caller.audit().makes(&event_type.name);
    let created = caller.store(&api).create_event_type(owner, event_type, idempotency, now).await?;
    api.engine().catalogue_changed(caller.organization());
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

async fn find(api: &Api, caller: &Caller, name: &str) -> Result<Option<EventType>, ApiError> {
    let known = visible(api, caller).await?;
    Ok(known.into_iter().find(|event_type| event_type.name.as_str() == name))
}

fn shown(event_type: &EventType) -> Response {
    tagged(json(StatusCode::OK, &whole(event_type)), &tag(event_type))
}

/// An event type has no revision; its tag is made of all that is shown of it.
fn tag(event_type: &EventType) -> String {
    content_tag(&whole(event_type))
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let found = find(&api, &caller, &name).await?;
    Ok(shown(&found.ok_or_else(|| ApiError::not_found("event type"))?))
}

/// Unknown types that were refused lately, for whoever wonders where their events are.
pub(crate) async fn refused(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    let refused = api.engine().refused_types(caller.project(&api));
    let body = |(event_type, RefusedType { count, last_at })| RefusedTypeBody { event_type, count, last_at };
    let data: Vec<_> = refused.into_iter().map(body).collect();
    let total = Some(data.len() as u64);
    Ok(json(StatusCode::OK, &ListBody { data, total, total_at_least: None, cursor: None }))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    wanted: IfMatch,
    Path(name): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    caller.refuse_bound(CATALOGUE)?;
    let expected = match wanted.is_given() {
        true => find(&api, &caller, &name).await?,
        false => None,
    };
    if let Some(expected) = &expected {
        wanted.check("event type", &tag(expected), None)?;
    }
    let (event_type, schema) = read_aside(&api, &caller, parse(&bytes)?, Some(name)).await?;
    let now = api.engine().now();
    let changed =
        caller.store(&api).update_event_type(caller.organization(), event_type, schema, expected, now).await?;
    api.engine().catalogue_changed(caller.organization());
    match changed {
        EventTypeChanged::Changed(event_type) => Ok(shown(&event_type)),
        EventTypeChanged::Stale => Err(wanted.overtaken("event type")),
        EventTypeChanged::Missing => Err(ApiError::not_found("event type")),
        EventTypeChanged::TooManyVersions => {
            let message = format!("{SCHEMA_VERSIONS_ACTIVE_MAX} versions of it take events already: retire one first");
            Err(ApiError::field("schema", "too_many", message))
        }
    }
}

pub(crate) async fn retire(
    State(api): State<Api>,
    caller: Caller,
    Path((name, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    caller.refuse_bound(CATALOGUE)?;
    let missing = || ApiError::not_found("version");
    let name: EventTypeName = name.parse().map_err(|_| missing())?;
    let version: u32 = version.parse().map_err(|_| missing())?;
    let retired = caller.store(&api).retire_schema(caller.organization(), name, version).await?;
    api.engine().catalogue_changed(caller.organization());
    match retired {
        SchemaRetired::Retired(event_type) => Ok(json(StatusCode::OK, &whole(&event_type))),
        SchemaRetired::Missing => Err(missing()),
        SchemaRetired::InForce => {
            let message = "is in force: give the event type another schema, or none, instead of retiring it";
            Err(ApiError::field("version", "invalid", message))
        }
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    caller.refuse_bound(CATALOGUE)?;
    let name: EventTypeName = name.parse().map_err(|_| ApiError::not_found("event type"))?;
    let deleted = caller.store(&api).delete_event_type(caller.organization(), name).await?;
    api.engine().catalogue_changed(caller.organization());
    if deleted { Ok(empty()) } else { Err(ApiError::not_found("event type")) }
}
