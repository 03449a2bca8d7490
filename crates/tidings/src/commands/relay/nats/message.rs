//! Messages of JetStream, read into events.

use async_nats::{HeaderMap, jetstream};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;
use tidings_client::contract::codes::ErrorCode;
use tidings_domain::{event::is_idempotency_key, time::Timestamp};

use crate::commands::relay::intake::{Event, Payload, Refusal, Taken};

/// Headers that say what an event is besides its data.
pub(super) const TYPE: &str = "Tidings-Type";
const SCOPE: &str = "Tidings-Scope";
const EVENT_ID: &str = "Tidings-Event-Id";
const PROJECT: &str = "Tidings-Project";
const DELIVER_AT: &str = "Tidings-Deliver-At";
const SCHEMA_VERSION: &str = "Tidings-Schema-Version";
const CONTENT_TYPE: &str = "Content-Type";
/// What a publisher calls a message, so that a repetition is known.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// A message as an event. `strip` goes from the front of the subject, where the subject is the type.
pub(super) fn read(message: &jetstream::Message, strip: &str) -> Taken {
    let place = match message.info() {
        Ok(info) => Place {
            stream: info.stream.to_owned(),
            sequence: info.stream_sequence,
            published_ns: info.published.unix_timestamp_nanos(),
        },
        Err(error) => {
            let event = Err(refused(&format!("it does not say where it stands in its stream: {error}")));
            return Taken { name: format!("message on {}", message.subject), project: None, event };
        }
    };
    let headers = message.headers.as_ref();
    Taken {
        name: format!("message {} of {}", place.sequence, place.stream),
        project: header(headers, PROJECT).map(str::to_owned),
        event: event(&message.subject, headers, &message.payload, &place, strip),
    }
}

/// Where a message stands.
struct Place {
    stream: String,
    sequence: u64,
    /// A stream that was deleted and made again counts from 1 again, but not at the same time.
    published_ns: i128,
}

fn event(
    subject: &str,
    headers: Option<&HeaderMap>,
    payload: &[u8],
    place: &Place,
    strip: &str,
) -> Result<Event, Refusal> {
    let number = |text: &str| text.parse().map_err(|_| refused(&format!("{SCHEMA_VERSION} {text:?} is no number")));
    let time = |text: &str| {
        let way_out = "write an RFC 3339 time such as 2026-05-25T10:00:00Z";
        Timestamp::parse(text).ok_or_else(|| refused(&format!("{DELIVER_AT} {text:?} is no time; {way_out}")))
    };
    let scopes = headers.into_iter().flat_map(|headers| headers.get_all(SCOPE));
    Ok(Event {
        event_type: header(headers, TYPE).unwrap_or_else(|| subject.strip_prefix(strip).unwrap_or(subject)).to_owned(),
        payload: read_payload(payload, header(headers, CONTENT_TYPE))?,
        id: header(headers, EVENT_ID).map(str::to_owned),
        scopes: scopes.map(|scope| scope.as_str().to_owned()).collect(),
        idempotency_key: key(place, header(headers, MESSAGE_ID)),
        deliver_at: header(headers, DELIVER_AT).map(time).transpose()?,
        schema_version: header(headers, SCHEMA_VERSION).map(number).transpose()?,
    })
}

fn header<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    headers?.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
}

fn read_payload(payload: &[u8], content_type: Option<&str>) -> Result<Payload, Refusal> {
    let essence = content_type.map(|text| text.split(';').next().unwrap_or_default().trim());
    match content_type {
        Some(content_type) if essence.is_some_and(|essence| !essence.eq_ignore_ascii_case("application/json")) => {
            Ok(Payload::Bytes { content_type: content_type.to_owned(), base64: STANDARD.encode(payload) })
        }
        _ => {
            let way_out = "give the header Content-Type where it is none";
            let text = std::str::from_utf8(payload).map_err(|_| refused(&format!("it is not UTF-8; {way_out}")))?;
            let json = RawValue::from_string(text.to_owned());
            Ok(Payload::Json(json.map_err(|error| refused(&format!("it is not JSON: {error}; {way_out}")))?))
        }
    }
}

/// The same for each delivery of a message, and another one for any other message.
fn key(place: &Place, message_id: Option<&str>) -> String {
    let Place { stream, sequence, published_ns } = place;
    let key = match message_id {
        Some(id) => format!("nats-{stream}-id-{id}"),
        None => format!("nats-{stream}-{sequence}-{published_ns}"),
    };
    if is_idempotency_key(&key) {
        return key;
    }
    let digits: String = digest(&SHA256, key.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("nats-{digits}")
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(ErrorCode::ValidationFailed.as_str(), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { stream: "orders".to_owned(), sequence: 7, published_ns: 1_000 }
    }

    #[test]
    fn a_message_is_what_its_headers_and_its_subject_say() {
        let mut headers = HeaderMap::new();
        for (name, value) in [(SCOPE, "a"), (SCOPE, "b c"), (EVENT_ID, "evt-1"), (SCHEMA_VERSION, "2")] {
            headers.append(name, value);
        }
        let read = event("app.order.paid", Some(&headers), b" {\"a\": 1.0}", &place(), "app.").expect("an event");
        assert_eq!((read.event_type.as_str(), read.id.as_deref()), ("order.paid", Some("evt-1")));
        assert_eq!((read.scopes.join("|").as_str(), read.schema_version), ("a|b c", Some(2)));
        assert_eq!(read.idempotency_key, "nats-orders-7-1000");
        assert!(matches!(&read.payload, Payload::Json(json) if json.get() == "{\"a\": 1.0}"));
        headers.insert(TYPE, "other");
        headers.insert(CONTENT_TYPE, "text/csv; charset=utf-8");
        let read = event("app.order.paid", Some(&headers), b"a;b", &place(), "").expect("an event");
        assert_eq!(read.event_type, "other");
        assert!(matches!(&read.payload, Payload::Bytes { base64, .. } if base64 == "YTti"));
    }

    #[test]
    fn what_is_no_event_says_why() {
        let refused = |name: &str, value: &str, payload: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value);
            event("t", Some(&headers), payload, &place(), "").expect_err("refused").reason
        };
        assert!(refused("X", "", b"{").starts_with("it is not JSON"));
        assert!(refused("X", "", b"\xff").starts_with("it is not UTF-8"));
        assert!(refused(DELIVER_AT, "soon", b"1").contains("is no time; write an RFC 3339 time"));
        assert!(refused(SCHEMA_VERSION, "x", b"1").contains("is no number"));
    }

    #[test]
    fn keys_are_a_messages_own() {
        assert_eq!(key(&place(), Some("order-7")), "nats-orders-id-order-7");
        assert_ne!(key(&place(), None), key(&Place { published_ns: 1_001, ..place() }, None));
        for odd in ["é", "a b\n", &"x".repeat(300)] {
            let key = key(&place(), Some(odd));
            assert!(is_idempotency_key(&key) && key.len() == 69, "{key}");
        }
    }
}
