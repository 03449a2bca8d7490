//! `POST /events/batch`: many events, one commit; one that is wrong spoils no other.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tidings_contract::{
    batch::{BATCH_EVENTS_MAX, RawBatchRequest, RefusedItem},
    codes::ErrorCode,
    event::PublishRequest,
};
use tidings_domain::time::Timestamp;
use tidings_engine::{BatchIdempotency, BatchOutcome, BatchPublished, Publish, Published};

use super::publish::{answer, read, refusal};
use crate::{
    answer::{json_bytes, raw_json, replayed},
    auth::Caller,
    error::ApiError,
    idempotency::Repeatable,
    request::{EVENT_BODY_BYTES_MAX, discard, parse, parse_shallow, read_batch},
    state::Api,
};

pub(crate) async fn publish_batch(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    request: Request,
) -> Result<Response, ApiError> {
    let project = caller.project(&api);
    let _slot = match api.batches().take(project).await {
        Ok(slot) => slot,
        Err(refused) => {
            // Its sender is still sending, and would see a broken connection in place of the answer.
            discard(request.into_body());
            return Err(refused);
        }
    };
    let (bytes, lines) = read_batch(request).await?;
    let (items, events) = read_items(&bytes, lines, &repeatable, api.engine().now())?;
    let idempotency = repeatable.for_batch(&bytes).map(|(key, request_hash)| {
        let items = Arc::clone(&items);
        BatchIdempotency {
            key,
            request_hash,
            status: StatusCode::ACCEPTED.as_u16(),
            answer: Arc::new(move |outcomes| write(&items, outcomes)),
        }
    });
    match api.engine().publish_batch(project, &events, idempotency.as_ref()).await {
        Ok(BatchPublished::Done(outcomes)) => Ok(raw_json(StatusCode::ACCEPTED, write(&items, &outcomes))),
        Ok(BatchPublished::Replayed { status, response }) => Ok(replayed(status, response)),
        Err(error) => Err(refusal(error)),
    }
}

/// What is known about an event before it is published: why it cannot be, or nothing.
type Item = Option<ApiError>;

fn read_items(
    bytes: &Bytes,
    lines: bool,
    repeatable: &Repeatable,
    now: Timestamp,
) -> Result<(Arc<Vec<Item>>, Vec<Publish>), ApiError> {
    let texts = if lines { split_lines(bytes)? } else { split_json(bytes)? };
    let mut items = Vec::with_capacity(texts.len());
    let mut events = Vec::with_capacity(texts.len());
    for text in texts {
        match read_item(text, repeatable, now) {
            Ok(publish) => {
                events.push(publish);
                items.push(None);
            }
            Err(error) => items.push(Some(error)),
        }
    }
    Ok((Arc::new(items), events))
}

fn split_json(bytes: &[u8]) -> Result<Vec<&[u8]>, ApiError> {
    // The events are not descended into here, so their depth is checked one by one.
    let request: RawBatchRequest<'_> = parse_shallow(bytes)?;
    if request.events.is_empty() {
        return Err(count_refused("has no events"));
    }
    Ok(request.events.into_iter().map(|event| event.get().as_bytes()).collect())
}

fn split_lines(bytes: &[u8]) -> Result<Vec<&[u8]>, ApiError> {
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.take(BATCH_EVENTS_MAX + 1).collect();
    match lines.len() {
        0 => Err(count_refused("has no events")),
        count if count > BATCH_EVENTS_MAX => Err(count_refused("has more events")),
        _ => Ok(lines),
    }
}

fn count_refused(what: &str) -> ApiError {
    ApiError::field("events", "invalid", format!("the batch {what}; a batch has 1 to {BATCH_EVENTS_MAX} of them"))
}

fn read_item(text: &[u8], repeatable: &Repeatable, now: Timestamp) -> Result<Publish, ApiError> {
    if text.len() > EVENT_BODY_BYTES_MAX {
        let detail = format!("the event is larger than {EVENT_BODY_BYTES_MAX} bytes");
        return Err(ApiError::new(ErrorCode::PayloadTooLarge, detail));
    }
    // A copy, so that an event which waits for its receiver keeps no whole batch in memory.
    let bytes = Bytes::copy_from_slice(text);
    let request: PublishRequest<'_> = parse(&bytes)?;
    let repeatable = repeatable.for_item(request.idempotency_key.as_deref())?;
    read(request, &bytes, now, repeatable)
}

/// The whole answer: what was refused here, and what became of the rest.
fn write(items: &[Item], outcomes: &[BatchOutcome]) -> Bytes {
    let mut outcomes = outcomes.iter();
    let mut body = BytesMut::with_capacity(items.len() * 160);
    body.extend_from_slice(b"{\"data\":[");
    for (index, item) in (0..).zip(items) {
        if index > 0 {
            body.extend_from_slice(b",");
        }
        let refused = match item {
            Some(error) => Some(error.clone()),
            None => match outcomes.next() {
                Some(Ok(Published::Accepted(accepted))) => {
                    body.extend_from_slice(&answer(accepted));
                    None
                }
                Some(Ok(Published::Replayed { response, .. })) => {
                    body.extend_from_slice(response);
                    None
                }
                Some(Err(error)) => Some(refusal(error.clone())),
                None => unreachable!("every event that was read has an outcome"),
            },
        };
        if let Some(error) = refused {
            body.extend_from_slice(&json_bytes(&RefusedItem { index, error: error.summary() }));
        }
    }
    body.extend_from_slice(b"]}");
    body.freeze()
}
