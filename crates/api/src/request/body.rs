//! Bodies, refused while they stream in.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use tidings_contract::{
    batch::{BATCH_BODY_BYTES_MAX, NDJSON},
    codes::ErrorCode,
};

use crate::{audit::Audit, error::ApiError, state::Api};

/// Bytes of a request's body.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a publish request's body.
pub(crate) const EVENT_BODY_BYTES_MAX: usize = 256 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes of a body that was refused that are still taken in, and for how long: a client that is
/// still sending when its connection ends would not see why.
const DISCARD_BYTES_MAX: usize = 16 * 1024 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// A whole body of at most [`BODY_BYTES_MAX`].
pub(crate) struct Body(pub(crate) Bytes);

/// A whole body of at most [`EVENT_BODY_BYTES_MAX`].
pub(crate) struct EventBytes(pub(crate) Bytes);

impl FromRequest<Api> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        let audit = Audit::of(request.extensions());
        let body = read(request, BODY_BYTES_MAX).await?;
        audit.given(&body);
        Ok(Self(body))
    }
}

impl FromRequest<Api> for EventBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        read(request, EVENT_BODY_BYTES_MAX).await.map(Self)
    }
}

/// A whole body of at most [`BATCH_BODY_BYTES_MAX`], and whether it is one event a line.
pub(crate) async fn read_batch(request: Request) -> Result<(Bytes, bool), ApiError> {
    let lines = [NDJSON, "application/ndjson"].contains(&essence(request.headers()).as_str());
    let check = |headers: &HeaderMap| if lines { Ok(()) } else { check_type(headers) };
    Ok((read_as(request, BATCH_BODY_BYTES_MAX, check).await?, lines))
}

fn too_large(bytes_max: usize) -> ApiError {
    let detail = format!("the body is larger than {bytes_max} bytes");
    // What is left of the body is not read, so the connection cannot be used again.
    ApiError::new(ErrorCode::PayloadTooLarge, detail)
        .with("max_bytes", bytes_max)
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}

/// A whole body of whatever type, for requests that others shape.
pub(crate) async fn read_any(request: Request) -> Result<Bytes, ApiError> {
    read_as(request, BODY_BYTES_MAX, |_| Ok(())).await
}

async fn read(request: Request, bytes_max: usize) -> Result<Bytes, ApiError> {
    read_as(request, bytes_max, check_type).await
}

async fn read_as(
    request: Request,
    bytes_max: usize,
    check_type: impl FnOnce(&HeaderMap) -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    let (head, mut body) = request.into_parts();
    let checked = check_size(&head.headers, bytes_max).and_then(|()| check_type(&head.headers));
    if let Err(refused) = checked {
        discard(body);
        return Err(refused);
    }
    match tokio::time::timeout(BODY_TIMEOUT, collect(&mut body, bytes_max)).await {
        Ok(Ok(collected)) => Ok(collected),
        Ok(Err(refused)) => {
            discard(body);
            Err(refused)
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs());
            let close = HeaderValue::from_static("close");
            Err(ApiError::new(ErrorCode::RequestTimeout, detail).with_header(header::CONNECTION, close))
        }
    }
}

fn check_size(headers: &HeaderMap, bytes_max: usize) -> Result<(), ApiError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let detail = "bodies with a Content-Encoding are not accepted: send the JSON as it is";
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
    }
    Ok(())
}

/// The content type without its parameters; empty if there is none.
fn essence(headers: &HeaderMap) -> String {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    if !headers.contains_key(header::CONTENT_TYPE) {
        return Ok(());
    }
    let essence = essence(headers);
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let detail = format!("the content type {essence:?} is not accepted: send Content-Type: application/json");
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
}

/// Takes in what is left of a refused body beside its answer.
pub(crate) fn discard(mut body: axum::body::Body) {
    tokio::spawn(tokio::time::timeout(DISCARD_TIMEOUT, async move {
        let mut left = DISCARD_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(1, Bytes::len));
            if left == 0 {
                break;
            }
        }
    }));
}

async fn collect(body: &mut axum::body::Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let broken = |_| ApiError::new(ErrorCode::MalformedRequest, "the body ended before it was complete");
    let mut first = Bytes::new();
    let mut rest: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        let so_far = rest.as_ref().map_or(first.len(), BytesMut::len);
        if so_far + data.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        // Most bodies come in one piece and are never copied.
        match &mut rest {
            Some(rest) => rest.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                let mut joined = BytesMut::with_capacity((first.len() + data.len()) * 2);
                joined.extend_from_slice(&first);
                joined.extend_from_slice(&data);
                rest = Some(joined);
            }
        }
    }
    Ok(rest.map_or(first, BytesMut::freeze))
}
