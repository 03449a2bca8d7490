//! Reading events.

use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::value::RawValue;
use tidings_contract::{
    codes::ErrorCode,
    event::{EventBody, EventDeliveries},
};
use tidings_domain::event::Event;
use tidings_ports::store::{EventFilter, Expunged};

use super::{deliveries::summary, explanation::explanation};
use crate::{
    answer::{empty, json, list as list_body},
    auth::Caller,
    error::ApiError,
    request::Query,
    state::Api,
};

fn body(event: &Event, deliveries: EventDeliveries) -> EventBody {
    EventBody {
        id: event.id(),
        event_type: event.event_type.to_string(),
        created_at: event.created_at(),
        scope: event.scopes.clone(),
        content_type: event.content_type.clone(),
        schema_version: event.schema_version,
        payload: None,
        body_base64: None,
        expunged_at: None,
        deliver_at: None,
        deliveries,
        delivered: None,
        explanation: None,
    }
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let filter = EventFilter {
        event_type: query.parsed("type", "an event type", |text| text.parse().ok())?,
        scope: query.text("scope").map(str::to_owned),
        since: query.time("since")?,
        until: query.time("until")?,
    };
    let page = api.store().list_events(caller.project(&api), filter, query.page()?).await?;
    let page = page.map(|view| {
        let counted = EventDeliveries::Count(view.deliveries);
        EventBody { delivered: view.delivered, ..body(&view.event, counted) }
    });
    Ok(json(StatusCode::OK, &list_body(page)))
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let found = api.store().find_event(caller.project(&api), &id).await?;
    let event = found.ok_or_else(|| ApiError::not_found("event"))?;
    let deliveries = api.store().deliveries_of(&event).await?;
    let explanation = explanation(&api, &event, &deliveries).await?;
    let now = api.engine().now();
    // Before its first attempt, a delivery whose time has not come is one that was scheduled.
    let scheduled = deliveries.iter().filter(|view| view.attempts_made == 0).filter_map(|view| view.due_at);
    let deliver_at = scheduled.map(|due_at| api.engine().shown(due_at)).filter(|&due_at| due_at > now).min();
    let deliveries = deliveries.iter().map(|view| summary(&api, view, now)).collect();
    let mut answer = body(&event, EventDeliveries::List(deliveries));
    answer.explanation = Some(explanation);
    answer.deliver_at = deliver_at;
    answer.expunged_at = api.store().expunged_at(event.project_id, event.key).await?;
    if answer.expunged_at.is_some() {
        return Ok(json(StatusCode::OK, &answer));
    }
    let text = std::str::from_utf8(&event.payload).ok().filter(|_| event.content_type.is_none());
    match text.and_then(|text| RawValue::from_string(text.to_owned()).ok()) {
        Some(raw) => answer.payload = Some(raw),
        None => answer.body_base64 = Some(STANDARD.encode(&event.payload)),
    }
    Ok(json(StatusCode::OK, &answer))
}

pub(crate) async fn expunge(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let missing = || ApiError::not_found("event");
    let event = api.store().find_event(project, &id).await?.ok_or_else(missing)?;
    match caller.store(&api).expunge_payload(project, event.key, api.engine().now()).await? {
        Expunged::Done => Ok(empty()),
        Expunged::NotFound => Err(missing()),
        Expunged::InFlight => {
            let detail = "a delivery of the event is being sent at this moment; repeat the request when it has ended";
            Err(ApiError::new(ErrorCode::InFlight, detail))
        }
    }
}
