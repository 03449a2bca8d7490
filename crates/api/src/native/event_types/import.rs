//! A catalogue filled from the `webhooks` of an OpenAPI document.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::{Value, value::RawValue};
use tidings_contract::event_type::{
    EventTypeRequest, ImportEventTypes, ImportResult, ImportedEventTypeBody, ImportedEventTypesBody,
};
use tidings_domain::event_type::{
    EVENT_TYPE_CHARACTERS_MAX, EVENT_TYPES_MAX, EventType, SCHEMA_VERSIONS_ACTIVE_MAX, current_version,
};
use tidings_ports::store::{EventTypeImport, EventTypeImported};

use super::{
    CATALOGUE, aside,
    document::{self, Described},
    visible,
};
use crate::{
    answer::json,
    auth::Caller,
    error::ApiError,
    request::{Body, parse},
    state::Api,
};

/// Mistakes of one webhook that are told.
const MISTAKES_MAX: usize = 3;

/// An event type as it is to be and its schema, or why it cannot be.
type Prepared = Result<(EventType, Option<String>), String>;

pub(crate) async fn import(State(api): State<Api>, caller: Caller, Body(bytes): Body) -> Result<Response, ApiError> {
    caller.refuse_bound(CATALOGUE)?;
    let ImportEventTypes { document, dry_run } = parse(&bytes)?;
    let known = visible(&api, &caller).await?;
    let prepared = aside(&api, caller.organization(), move || prepare(document.get(), &known)).await??;
    let (names, prepared): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
    let event_types = prepared.iter().filter_map(|prepared| prepared.clone().ok()).collect();
    let import =
        EventTypeImport { organization_id: caller.organization(), event_types, dry_run, now: api.engine().now() };
    let mut imported = api.store().import_event_types(import).await?.into_iter();
    if !dry_run {
        api.engine().catalogue_changed(caller.organization());
    }
    let result = |(name, prepared): (String, Prepared)| match prepared {
        Ok(_) => answer(name, imported.next().ok_or("the store said nothing of it".to_owned())),
        Err(reason) => answer(name, Err(reason)),
    };
    let data = names.into_iter().zip(prepared).map(result).collect();
    Ok(json(StatusCode::OK, &ImportedEventTypesBody { data, dry_run }))
}

fn answer(name: String, imported: Result<EventTypeImported, String>) -> ImportedEventTypeBody {
    let (result, reason) = match imported {
        Ok(EventTypeImported::Created) => (ImportResult::Created, None),
        Ok(EventTypeImported::Updated) => (ImportResult::Updated, None),
        Ok(EventTypeImported::Unchanged) => (ImportResult::Unchanged, None),
        Ok(EventTypeImported::TooManyVersions) => {
            let reason =
                format!("schema: {SCHEMA_VERSIONS_ACTIVE_MAX} versions of it take events already: retire one first");
            (ImportResult::Refused, Some(reason))
        }
        Ok(EventTypeImported::CatalogueFull) => {
            (ImportResult::Refused, Some(format!("the catalogue has {EVENT_TYPES_MAX} event types: delete one first")))
        }
        Err(reason) => (ImportResult::Refused, Some(reason)),
    };
    let name = name.chars().take(EVENT_TYPE_CHARACTERS_MAX).collect();
    ImportedEventTypeBody { name, result, reason }
}

/// Every webhook of the document, held to what event types have to be.
fn prepare(document: &str, known: &[EventType]) -> Result<Vec<(String, Prepared)>, ApiError> {
    let document: Value =
        serde_json::from_str(document).map_err(|error| ApiError::field("document", "invalid", error.to_string()))?;
    let each = |(name, described): document::Webhook| {
        let there = known.iter().find(|event_type| event_type.name.as_str() == name);
        let prepared =
            described.and_then(|described| super::read(request(&name, described, there), None).map_err(reason));
        (name, prepared)
    };
    Ok(document::read(&document)?.into_iter().map(each).collect())
}

/// What the document does not say stays as it is.
fn request(name: &str, described: Described, there: Option<&EventType>) -> EventTypeRequest {
    let raw = |text: String| RawValue::from_string(text).ok();
    let schema = || Some(current_version(&there?.versions)?.schema.clone());
    EventTypeRequest {
        name: Some(name.to_owned()),
        group: described.group.or_else(|| there?.group.clone()),
        description: described.description.or_else(|| there?.description.clone()),
        example: described.example.or_else(|| there?.example.clone()).and_then(raw),
        schema: described.schema.or_else(schema).and_then(raw),
        archived: false,
    }
}

/// The mistakes in one sentence.
fn reason(error: ApiError) -> String {
    let details = error.summary().details;
    let told: Vec<_> =
        details.iter().take(MISTAKES_MAX).map(|error| format!("{}: {}", error.field, error.message)).collect();
    told.join("; ")
}
