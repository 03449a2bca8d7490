//! Receipts: what came in through sources, and what was done about it.

use axum::{
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::Value;
use tidings_contract::{
    codes::ErrorCode,
    source::{HeaderBody, ReceiptActionBody, ReceiptBody, ReceiptReplayedBody},
};
use tidings_domain::{
    head::header_lines,
    ids::{ReceiptId, SourceId},
    render::Rendering,
    source::{Incoming, receipt_value},
};
use tidings_engine::ACTION_KIND;
use tidings_ports::store::{AttemptView, DeliveryView, ReceiptFilter, ReceiptRecord};

use crate::{
    answer::{json, json_bytes, list as list_body},
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    request::Query,
    state::Api,
};

/// Bytes of an answer that are shown as the result of an action.
const RESULT_BYTES_MAX: usize = 4_096;

/// Actions that are shown with their receipt, the newest: replays add to them.
const ACTIONS_SHOWN_MAX: usize = 100;

/// What templates are filled from.
pub(super) fn value_of(receipt: &ReceiptRecord) -> Value {
    let headers: Vec<_> =
        header_lines(&receipt.headers).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let incoming = Incoming::new(&headers, "", &receipt.event.payload);
    let (id, event_type) = (receipt.provider_id.as_deref(), receipt.event_type.as_deref());
    receipt_value(&incoming, id, event_type, receipt.event.created_at())
}

fn brief(receipt: &ReceiptRecord) -> ReceiptBody {
    ReceiptBody {
        id: ReceiptId(receipt.event.key.0),
        source_id: receipt.source_id,
        provider_id: receipt.provider_id.clone(),
        event_type: receipt.event_type.clone(),
        received_at: receipt.event.created_at(),
        address: receipt.address.clone(),
        via: receipt.via,
        headers: None,
        body: None,
        body_base64: None,
        actions: None,
    }
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let source_id = query.parsed("source_id", "the id of a source", |text| text.parse::<SourceId>().ok())?;
    if let Some(id) = source_id
        && api.store().find_source(project_id, id).await?.is_none()
    {
        return Err(ApiError::not_found("source"));
    }
    let filter = ReceiptFilter { source_id, event_type: query.text("type").map(str::to_owned) };
    let page = api.store().list_receipts(project_id, filter, query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|receipt| brief(&receipt)))))
}

async fn find(api: &Api, caller: &Caller, id: &str) -> Result<ReceiptRecord, ApiError> {
    let missing = || ApiError::not_found("receipt");
    let id: ReceiptId = id.parse().map_err(|_| missing())?;
    api.store().find_receipt(caller.project(api), id).await?.ok_or_else(missing)
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let receipt = find(&api, &caller, &id).await?;
    let actions = actions(&api, &receipt).await?;
    let headers = header_lines(&receipt.headers);
    let headers = headers.map(|(name, value)| HeaderBody { name: name.to_owned(), value: value.to_owned() });
    let value = serde_json::from_slice(&receipt.event.payload).ok();
    let body = ReceiptBody {
        headers: Some(headers.collect()),
        body: value,
        body_base64: Some(STANDARD.encode(&receipt.event.payload)),
        actions: Some(actions),
        ..brief(&receipt)
    };
    Ok(json(StatusCode::OK, &body))
}

async fn actions(api: &Api, receipt: &ReceiptRecord) -> Result<Vec<ReceiptActionBody>, ApiError> {
    let mut all = Vec::new();
    let views = api.store().deliveries_of(&receipt.event).await?;
    let first = views.len().saturating_sub(ACTIONS_SHOWN_MAX);
    for view in views.into_iter().skip(first) {
        let Some(Rendering::Action(place)) = Rendering::from_code(view.rendering_code) else {
            return Err(unknown_action(&view));
        };
        let attempts = api.store().attempts_of(receipt.event.project_id, view.id).await?;
        let result = attempts.last().map(|last| match &last.attempt.error {
            Some(reason) => serde_json::json!({ "error": reason }),
            None => shown(&last.attempt.response_body, view.last_status),
        });
        all.push(ReceiptActionBody {
            delivery_id: view.id,
            place,
            kind: kind_of(receipt, &view, place, attempts.last()),
            status: view.state.as_str().to_owned(),
            attempts: view.attempts_made,
            next_attempt_at: view.due_at,
            finished_at: view.finished_at,
            result,
        });
    }
    Ok(all)
}

/// What an action is: for one that was tried, what was done then, whatever its source says by now;
/// otherwise what stands at its place.
fn kind_of(receipt: &ReceiptRecord, view: &DeliveryView, place: u8, last: Option<&AttemptView>) -> Option<String> {
    let done = last.and_then(|last| {
        let mut headers = header_lines(&last.attempt.response_headers);
        let told = headers.find(|(name, _)| *name == ACTION_KIND.as_str()).map(|(_, kind)| kind.to_owned());
        // Only a request to somebody else can be without an answer, and these have a lane of their own.
        told.or_else(|| (view.webhook_id.0 != receipt.source_id.0).then(|| "forward".to_owned()))
    });
    done.or_else(|| Some(receipt.actions.get(usize::from(place))?.kind().to_owned()))
}

/// What a later version or a damaged file left behind is nobody's first action.
fn unknown_action(view: &DeliveryView) -> ApiError {
    let (id, code) = (view.id, view.rendering_code);
    tracing::error!(delivery.id = %id, rendering.code = code, "a receipt's delivery is no action that this version knows");
    let detail = format!("the delivery {id} of the receipt is no action that this version knows ({code})");
    ApiError::new(ErrorCode::Internal, detail)
}

/// What an action did, or what the receiver of a forwarded receipt answered.
fn shown(body: &[u8], status: Option<u16>) -> Value {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() && body.len() <= RESULT_BYTES_MAX => value,
        _ => {
            let text: String = String::from_utf8_lossy(&body[..body.len().min(RESULT_BYTES_MAX)]).into_owned();
            serde_json::json!({"status": status, "body": text})
        }
    }
}

pub(crate) async fn replay(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    repeatable: Repeatable,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let owner = project_id.sequence();
    if let Some(first) = repeatable.first_answer(&api, owner, b"").await? {
        return Ok(first);
    }
    let receipt = find(&api, &caller, &id).await?;
    let answer = json_bytes(&ReceiptReplayedBody { id: ReceiptId(receipt.event.key.0) });
    let idempotency = repeatable.record_as(StatusCode::ACCEPTED, &api, owner, b"", &answer);
    let created = api.engine().replay_receipt(&receipt, idempotency).await?;
    let created = created.ok_or_else(|| {
        let message = "the receipt's source was deleted, or has no action for its type";
        ApiError::field("id", "invalid", message)
    })?;
    repeatable.answer_as(&api, owner, created, answer, "replay", StatusCode::ACCEPTED)
}
