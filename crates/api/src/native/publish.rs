//! `POST /events`: accepted once it is on disk.

use std::borrow::Cow;

use axum::{extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use tidings_contract::{
    codes::ErrorCode,
    event::{PublishRequest, PublishedBody},
    problem::FieldError,
};
use tidings_domain::{
    event::{
        DELIVER_AHEAD_MS_MAX, EVENT_ID_CHARACTERS_MAX, EVENT_SCOPES_MAX, SCOPE_CHARACTERS_MAX, is_event_id, is_scope,
    },
    event_type::EventTypeName,
    time::Timestamp,
};
use tidings_engine::{Accepted, IdempotencyKey, Publish, PublishError, Published, Violation};

use crate::{
    answer::{json_bytes, raw_json, replayed},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::{Repeatable, conflict},
    patience,
    request::{EVENT_BODY_BYTES_MAX, EventBytes, parse},
    state::Api,
};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Seconds after which a full backlog has room again, as a rule.
const BACKLOG_RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

pub(crate) async fn publish(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    EventBytes(bytes): EventBytes,
) -> Result<Response, ApiError> {
    let request: PublishRequest<'_> = parse(&bytes)?;
    let publish = read(request, &bytes, api.engine().now(), repeatable)?;
    match patience::publish(api.engine().publish(caller.project(&api), publish)).await {
        Ok(Published::Accepted(accepted)) => Ok(raw_json(StatusCode::ACCEPTED, answer(&accepted))),
        Ok(Published::Replayed { status, response }) => Ok(replayed(status, response)),
        Err(error) => Err(refusal(error)),
    }
}

pub(crate) fn answer(accepted: &Accepted) -> Bytes {
    json_bytes(&PublishedBody {
        id: accepted.id.clone(),
        event_type: accepted.event_type.to_string(),
        created_at: accepted.created_at,
        deliveries: u32::try_from(accepted.deliveries).unwrap_or(u32::MAX),
        warnings: accepted.warnings.iter().map(violation).collect(),
    })
}

pub(crate) fn refusal(error: PublishError) -> ApiError {
    match error {
        PublishError::NoProject => ApiError::not_found("project"),
        PublishError::UnknownEventType(name) => {
            let message = format!("{name:?} is not in the catalogue; create it with POST /api/v1/event-types");
            ApiError::field("type", ErrorCode::UnknownEventType.as_str(), message)
        }
        PublishError::ArchivedEventType(name) => {
            let message = format!("{name:?} is archived and takes no new events");
            ApiError::field("type", ErrorCode::UnknownEventType.as_str(), message)
        }
        PublishError::SchemaViolation(violations) => {
            ApiError::schema_violation(violations.iter().map(violation).collect())
        }
        PublishError::UnknownSchemaVersion(version) => {
            let message = format!("the type's schema has no version {version} that takes events");
            ApiError::field("schema_version", "invalid", message)
        }
        PublishError::AlreadyExists(id) => {
            ApiError::new(ErrorCode::AlreadyExists, format!("the project has an event with the id {id:?} already"))
        }
        PublishError::IdempotencyConflict => conflict(),
        PublishError::BacklogFull => {
            ApiError::new(ErrorCode::BacklogFull, "too many events are waiting to be written; this one was not kept")
                .with_header(header::RETRY_AFTER, BACKLOG_RETRY_AFTER)
        }
        PublishError::Store(error) => error.into(),
    }
}

/// A place in a payload that its schema does not allow, as a field error.
pub(super) fn violation(violation: &Violation) -> FieldError {
    field_error(&violation.field, &violation.code, violation.message.clone())
}

/// Checks a request; every wrong field is named at once.
pub(crate) fn read(
    request: PublishRequest<'_>,
    bytes: &Bytes,
    now: Timestamp,
    repeatable: Repeatable,
) -> Result<Publish, ApiError> {
    let mut errors = Vec::new();
    let event_type = request.event_type.parse::<EventTypeName>();
    if let Err(error) = &event_type {
        errors.push(field_error("type", "invalid", error.to_string()));
    }
    if let Some(id) = request.id.as_deref().filter(|id| !is_event_id(id)) {
        let message = format!("{id:?} must have 1 to {EVENT_ID_CHARACTERS_MAX} characters out of A-Z a-z 0-9 _ . -");
        errors.push(field_error("id", "invalid", message));
    }
    let scopes = request.scope.map(tidings_contract::OneOrMany::into_vec).unwrap_or_default();
    if scopes.len() > EVENT_SCOPES_MAX || !scopes.iter().all(|scope| is_scope(scope)) {
        let message = format!(
            "must be one scope or up to {EVENT_SCOPES_MAX} of them, each of 1 to {SCOPE_CHARACTERS_MAX} characters without control characters"
        );
        errors.push(field_error("scope", "invalid", message));
    }
    if request.deliver_at.is_some_and(|at| at > now.plus_millis(DELIVER_AHEAD_MS_MAX)) {
        let message = format!("must be at most {} days ahead", DELIVER_AHEAD_MS_MAX / DAY_MS);
        errors.push(field_error("deliver_at", "invalid", message));
    }
    let data = request.data.map(|data| data.get());
    let content = payload(data, request.content_type, request.body_base64, bytes).map_err(|error| errors.push(error));
    let (Ok(event_type), Ok((content_type, payload)), true) = (event_type, content, errors.is_empty()) else {
        return Err(ApiError::fields(errors));
    };
    let deliver_at = request.deliver_at;
    let later = deliver_at.map(Timestamp::rfc3339_millis);
    let schema_version = request.schema_version;
    let named = schema_version.map(|version| version.to_string());
    // Each field in a place of its own; the scopes, of which there may be any number, come last.
    let key = repeatable.for_event(request.idempotency_key, || {
        let id = request.id.as_deref();
        let texts = [Some(event_type.as_str()), id, content_type.as_deref(), later.as_deref(), named.as_deref()];
        let texts = texts.into_iter().map(|text| text.unwrap_or_default().as_bytes());
        texts.chain([&payload[..]]).chain(scopes.iter().map(String::as_bytes)).collect()
    })?;
    let idempotency = key.map(|(key, request_hash)| IdempotencyKey {
        key,
        request_hash,
        status: StatusCode::ACCEPTED.as_u16(),
        answer,
    });
    Ok(Publish {
        event_type,
        custom_id: request.id,
        scopes,
        content_type,
        payload,
        schema_version,
        after_runs: 0,
        deliver_at,
        idempotency,
    })
}

/// The bytes to keep: a slice of the request where they are JSON, decoded where they are not.
fn payload(
    data: Option<&str>,
    content_type: Option<String>,
    body_base64: Option<Cow<'_, str>>,
    bytes: &Bytes,
) -> Result<(Option<String>, Bytes), FieldError> {
    match (data, content_type, body_base64) {
        (Some(data), None, None) => Ok((None, bytes.slice_ref(data.as_bytes()))),
        (None, Some(content_type), Some(body)) => {
            if !is_media_type(&content_type) {
                return Err(field_error("content_type", "invalid", "must be a media type such as text/csv"));
            }
            let decoded = STANDARD.decode(body.as_bytes());
            let decoded = decoded.map_err(|_| field_error("body_base64", "invalid", "is not base64 with padding"))?;
            debug_assert!(decoded.len() <= EVENT_BODY_BYTES_MAX, "decoding never makes a body longer");
            Ok((Some(content_type), Bytes::from(decoded)))
        }
        (None, None, None) => Err(field_error("data", "missing", "missing field `data`")),
        _ => Err(field_error("data", "invalid", "give either data, or content_type together with body_base64")),
    }
}

/// `type/subtype`, both tokens, with printable parameters.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let named = essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    named && printable && text.len() <= SCOPE_CHARACTERS_MAX
}
