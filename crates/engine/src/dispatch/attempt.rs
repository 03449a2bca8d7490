//! One HTTP request of a delivery: how it is built, and what is kept of its exchange.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tidings_domain::{
    event::Event,
    ids::DeliveryId,
    lane::Load,
    outcome::Outcome,
    profile::Profile,
    render::Rendering,
    retry::{AttemptFacts, parse_retry_after_ms},
    time::Timestamp,
};
use tidings_ports::{
    sender::{Answer, Exchange, FailureKind, OutgoingRequest},
    store::AttemptRecord,
};

use crate::snapshot::Target;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const TIDINGS_EVENT: HeaderName = HeaderName::from_static("x-tidings-event");
const TIDINGS_EVENT_ID: HeaderName = HeaderName::from_static("x-tidings-event-id");
const TIDINGS_DELIVERY: HeaderName = HeaderName::from_static("x-tidings-delivery");
const TIDINGS_ATTEMPT: HeaderName = HeaderName::from_static("x-tidings-attempt");
const SERVERAVATAR_EVENT: HeaderName = HeaderName::from_static("x-webhook-event");

/// Bytes of response headers that history keeps.
const RESPONSE_HEADER_BYTES_MAX: usize = 16 * 1024;

/// Builds the request of one attempt: the same body each time, a fresh signature.
pub(crate) fn build_request(
    target: &Target,
    event: &Event,
    delivery_id: DeliveryId,
    body: Bytes,
    attempt: u32,
    started_at: Timestamp,
) -> OutgoingRequest {
    let settings = &target.webhook.settings;
    let event_id = event.id();
    let mut headers = target.fixed_headers.clone();
    let content_type = match &event.content_type {
        Some(other) => header_value(other),
        None => HeaderValue::from_static(Rendering::CONTENT_TYPE),
    };
    headers.insert(header::CONTENT_TYPE, content_type);
    for (name, value) in target.signer.headers(&event_id, started_at, &body) {
        headers.insert(signature_header(&name), header_value(&value));
    }
    if settings.profile == Profile::ServerAvatar {
        headers.insert(SERVERAVATAR_EVENT, header_value(event.event_type.as_str()));
    }
    if settings.tidings_headers {
        headers.insert(TIDINGS_EVENT, header_value(event.event_type.as_str()));
        headers.insert(TIDINGS_EVENT_ID, header_value(&event_id));
        headers.insert(TIDINGS_DELIVERY, header_value(&delivery_id.to_string()));
        headers.insert(TIDINGS_ATTEMPT, HeaderValue::from(attempt));
    }
    OutgoingRequest::post(std::sync::Arc::clone(&target.url), headers, body, settings.timeout_ms())
}

fn signature_header(name: &str) -> HeaderName {
    match name {
        "webhook-id" => WEBHOOK_ID,
        "webhook-timestamp" => WEBHOOK_TIMESTAMP,
        "webhook-signature" => WEBHOOK_SIGNATURE,
        other => {
            HeaderName::from_bytes(other.as_bytes()).expect("signature header names are checked when they are set")
        }
    }
}

/// Everything that becomes a header value was checked at the border: ids and types by their
/// alphabets, content types by the API, signatures by construction.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("header values are checked before they get here")
}

/// What retry rules see of an exchange.
fn outcome_of(exchange: &Exchange) -> Outcome {
    match &exchange.result {
        Ok(answer) => Outcome::Status(answer.status.as_u16()),
        Err(failure) => match failure.kind {
            FailureKind::Timeout => Outcome::Timeout,
            FailureKind::Network | FailureKind::Refused => Outcome::Network,
            FailureKind::Tls => Outcome::Tls,
        },
    }
}

/// What the lane sees of an exchange.
pub(crate) fn load_of(exchange: &Exchange) -> Load {
    match &exchange.result {
        Ok(answer) if matches!(answer.status.as_u16(), 429 | 503) => Load::TooMuch,
        Ok(_) => Load::Answered(exchange.timing.total_us / 1000),
        Err(_) => Load::Silent,
    }
}

/// What the decision about the delivery depends on: waits begin now, while a receiver that names a
/// time means the wall clock's.
pub(crate) fn facts_of(
    exchange: &Exchange,
    number: u32,
    (now, wall): (Timestamp, Timestamp),
    manual: bool,
    failing_since: Option<Timestamp>,
) -> AttemptFacts {
    let retry_after = exchange.result.as_ref().ok().and_then(|answer| answer.headers.get(header::RETRY_AFTER));
    AttemptFacts {
        number,
        outcome: outcome_of(exchange),
        retry_after_ms: retry_after
            .and_then(|value| value.to_str().ok())
            .and_then(|value| parse_retry_after_ms(value, wall)),
        ended_at: now,
        manual,
        failing_since,
    }
}

/// What history keeps of an exchange.
pub(crate) fn record_exchange(
    target: &Target,
    exchange: Exchange,
    number: u32,
    started_at: Timestamp,
) -> AttemptRecord {
    let outcome = outcome_of(&exchange);
    let timing = exchange.timing;
    let (error, answer) = match exchange.result {
        Ok(answer) => (None, Some(answer)),
        Err(failure) => (Some(failure.message), None),
    };
    let (response_headers, response_body, response_truncated) = match answer {
        Some(Answer { headers, body, truncated, .. }) => (headers_text(&headers), body, truncated),
        None => (String::new(), Bytes::new(), false),
    };
    AttemptRecord {
        number,
        started_at,
        outcome,
        error,
        timing,
        request_head: std::sync::Arc::clone(target.head_template(started_at)),
        response_headers,
        response_body,
        response_truncated,
        request_body: None,
    }
}

/// One `name: value` a line; bytes that are no text become replacement characters.
fn headers_text(headers: &HeaderMap) -> String {
    let mut text = String::with_capacity(headers.len() * 40);
    for (name, value) in headers {
        let line_bytes = name.as_str().len() + value.len() + 3;
        if text.len() + line_bytes > RESPONSE_HEADER_BYTES_MAX {
            break;
        }
        text.push_str(name.as_str());
        text.push_str(": ");
        text.push_str(&String::from_utf8_lossy(value.as_bytes()));
        text.push('\n');
    }
    text
}

/// Whether an outcome counts as success for this webhook.
pub(crate) fn is_delivered(target: &Target, outcome: Outcome) -> bool {
    use tidings_domain::outcome::{Action, classify};
    classify(&target.policy.own_rules, target.policy.profile_rules, outcome) == Action::Success
}
