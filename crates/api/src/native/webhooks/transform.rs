//! Transforms: checked when they are saved, and tried on recent events.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    problem::FieldError,
    transform::{TestTransform, TestTransformBody, TransformedEventBody},
};
use tidings_domain::{
    command::Script,
    transform::{TRANSFORM_BYTES_MAX, TRANSFORM_FUNCTION, Transformed, defines_function},
};
use tidings_engine::{TransformPreview, TransformTrouble};

use crate::{
    answer::json,
    auth::Caller,
    error::{ApiError, field_error},
    native::{commands::check_script, runs},
    request::{Body, parse_or_default},
    state::Api,
};

/// Events that one is tried on, unless somebody says otherwise.
const EVENTS: u32 = 5;
const EVENTS_MAX: u32 = 20;

/// What can be said about a transform without reading it as a script.
pub(super) fn check_transform(code: &str) -> Result<(), FieldError> {
    if code.len() > TRANSFORM_BYTES_MAX {
        let message = format!("must have at most {TRANSFORM_BYTES_MAX} bytes");
        return Err(field_error("transform", "too_long", message));
    }
    if !defines_function(code) {
        let message = format!("must define function {TRANSFORM_FUNCTION}(webhook) {{ …; return webhook; }}");
        return Err(field_error("transform", "invalid", message));
    }
    Ok(())
}

/// Reads it where it will be run.
pub(super) async fn check_syntax(api: &Api, code: &str) -> Result<(), ApiError> {
    check_script(api, "transform", Script { name: "transform".to_owned(), code: code.to_owned() }).await
}

pub(crate) async fn test_transform(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: TestTransform = parse_or_default(&bytes)?;
    let missing = || ApiError::not_found("webhook");
    let webhook_id = id.parse().map_err(|_| missing())?;
    if let Some(code) = &request.transform {
        check_transform(code).map_err(|error| ApiError::fields(vec![error]))?;
        check_syntax(&api, code).await?;
    }
    let limit = request.limit.unwrap_or(EVENTS);
    if !(1..=EVENTS_MAX).contains(&limit) {
        return Err(ApiError::field("limit", "invalid", format!("must be a number from 1 to {EVENTS_MAX}")));
    }
    let on = request.event_id.as_deref().ok_or(limit as usize);
    let tried = api.engine().preview_transform(caller.project(&api), webhook_id, request.transform.as_deref(), on);
    let previews = tried.await.map_err(|trouble| match trouble {
        TransformTrouble::NoWebhook => missing(),
        TransformTrouble::NoEvent => {
            ApiError::field("event_id", "invalid", "there is no such event, or its payload was deleted")
        }
        TransformTrouble::NoTransform => {
            ApiError::field("transform", "missing", "the webhook has no transform: give one to try")
        }
        TransformTrouble::Store(error) => error.into(),
        TransformTrouble::Busy(reason) => ApiError::no_time(&reason, "nothing has time to try the transform"),
    })?;
    Ok(json(StatusCode::OK, &TestTransformBody { data: previews.into_iter().map(body).collect() }))
}

fn body(preview: TransformPreview) -> TransformedEventBody {
    let TransformPreview { event, selected, tried } = preview;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (outcome, after, headers, error) = match tried.result {
        Ok(Transformed::Send { body, headers }) => ("sent", Some(text(&body)), headers, None),
        Ok(Transformed::Cancelled) => ("cancelled", None, Vec::new(), None),
        Err(error) => ("failed", None, Vec::new(), Some(runs::script_error(&error))),
    };
    TransformedEventBody {
        event_id: event.id(),
        event_type: event.event_type.to_string(),
        selected,
        outcome: outcome.to_owned(),
        before: text(&tried.before),
        after,
        headers: headers.into_iter().collect(),
        error,
        console: tried.console.into_iter().map(Into::into).collect(),
        duration_ms: tried.duration_us as f64 / 1_000.0,
    }
}
