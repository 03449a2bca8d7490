//! What an action would do: filled in from a receipt, and held to what would be asked of it then.

use axum::{
    extract::{Path, State},
    response::Response,
};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tidings_contract::source::{PreviewBody, PreviewRequest};
use tidings_domain::{
    billing,
    event_type::{EventTypeName, InvalidEventType},
    ids::{ProjectId, ReceiptId, SourceId},
    page::PageRequest,
    source::{Action, Template},
    time::Timestamp,
};
use tidings_engine::{Publish, PublishError};
use tidings_ports::store::{ReceiptFilter, ReceiptRecord};

use super::{receipts, sources};
use crate::{
    answer::json as json_answer,
    auth::Caller,
    error::ApiError,
    request::{Body, parse},
    state::Api,
};

pub(crate) async fn preview(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: PreviewRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    let record = sources::find(&api, project_id, &id).await?;
    if let Err((member, reason)) = request.action.check() {
        return Err(ApiError::field(&format!("action.{member}"), "invalid", reason));
    }
    sources::check_may_run(&caller, std::slice::from_ref(&request.action))?;
    let receipt = match request.receipt_id {
        Some(id) => api.store().find_receipt(project_id, id).await?.filter(|it| it.source_id == record.source.id),
        None => latest(&api, project_id, record.source.id).await?,
    };
    let receipt = receipt.ok_or_else(|| {
        let message = "the source has no such receipt; leave it out for the latest, once there is one";
        ApiError::field("receipt_id", "invalid", message)
    })?;
    let (result, error) = match result(&api, project_id, &request.action, &receipt).await? {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    let applies = request.action.is_for(receipt.event_type.as_deref());
    let body = PreviewBody { receipt_id: ReceiptId(receipt.event.key.0), applies, result, error };
    Ok(json_answer(StatusCode::OK, &body))
}

async fn latest(api: &Api, project_id: ProjectId, id: SourceId) -> Result<Option<ReceiptRecord>, ApiError> {
    let filter = ReceiptFilter { source_id: Some(id), event_type: None };
    let page = PageRequest { limit: 1, before: None };
    let found = api.store().list_receipts(project_id, filter, page).await?.rows.into_iter().next();
    match found {
        Some(found) => Ok(api.store().find_receipt(project_id, ReceiptId(found.event.key.0)).await?),
        None => Ok(None),
    }
}

/// What the action would do, or why it could not be done.
async fn result(
    api: &Api,
    project_id: ProjectId,
    action: &Action,
    receipt: &ReceiptRecord,
) -> Result<Result<Value, String>, ApiError> {
    let value = receipts::value_of(receipt);
    Ok(match action {
        Action::Emit { event_type, data, .. } => match emitted(event_type, data, &value) {
            Ok((event_type, data)) => publishable(api, project_id, event_type, data).await?,
            Err(reason) => Err(reason),
        },
        Action::Plan { .. } => reported(&value["body"], receipt.event.created_at()),
        Action::Forward { url, .. } => match sources::check_forward(api, url).await {
            Ok(()) => Ok(json!({ "url": url })),
            Err(reason) => Err(reason.in_words()),
        },
        Action::Command { command, user_id, .. } => {
            let user_id = user_id.as_ref().map(|user_id| user_id.fill_text(&value)).transpose();
            match (user_id, sources::check_command(api, project_id, "command", command).await) {
                (Err(reason), _) => Err(reason),
                (Ok(_), Err(_)) => Err(format!("there is no command {command}")),
                (Ok(user_id), Ok(())) => Ok(json!({"command": command, "user_id": user_id.flatten()})),
            }
        }
        Action::Record { .. } => match action.record_change(&value) {
            Some(Ok(change)) => {
                let increment: Map<_, _> =
                    change.increment.iter().map(|(name, by)| (name.clone(), Value::from(*by))).collect();
                Ok(json!({"record": change.kind, "key": change.key, "set": change.set, "increment": increment}))
            }
            Some(Err(reason)) => Err(reason),
            None => Ok(Value::Null),
        },
    })
}

/// What an event of Stripe's says about whom.
fn reported(event: &Value, received_at: Timestamp) -> Result<Value, String> {
    let Some(report) = billing::read(event, received_at)? else { return Ok(json!({"ignored": true})) };
    let organization = report.organization.map(|named| named.map_or_else(|text| text, |id| id.to_string()));
    let (customer, subscription) = (report.customer, report.about.subscription().map(str::to_owned));
    Ok(json!({"customer": customer, "organization": organization, "subscription": subscription}))
}

fn emitted(event_type: &Template, data: &Template, value: &Value) -> Result<(EventTypeName, Value), String> {
    let name = event_type.fill_text(value)?.ok_or("the receipt gives no type for the event")?;
    let name = name.parse().map_err(|error: InvalidEventType| error.to_string())?;
    Ok((name, data.fill(value)?))
}

/// Whether the catalogue would take the event: its type and, if it has one, its schema.
async fn publishable(
    api: &Api,
    project_id: ProjectId,
    event_type: EventTypeName,
    data: Value,
) -> Result<Result<Value, String>, ApiError> {
    let publish = Publish {
        event_type,
        custom_id: None,
        scopes: Vec::new(),
        content_type: None,
        payload: Bytes::from(data.to_string()),
        deliver_at: None,
        schema_version: None,
        after_runs: 0,
        idempotency: None,
    };
    match api.engine().would_refuse(project_id, &publish).await {
        Ok(()) => Ok(Ok(json!({"type": publish.event_type, "data": data}))),
        Err(PublishError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Err(error.in_words())),
    }
}
