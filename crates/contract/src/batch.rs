//! Batches of events.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    event::{PublishRequest, PublishedBody},
    problem::ErrorSummary,
    wire::Wire,
};

/// Events in one batch: as many as one transaction takes without holding up others for long.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// Bytes of a batch's body: 1,000 events of 8 KiB.
pub const BATCH_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The content type of a batch with one event a line.
pub const NDJSON: &str = "application/x-ndjson";

/// `POST /events/batch`, as a client writes it.
#[derive(Debug, Clone, Serialize)]
pub struct PublishBatchRequest<'a> {
    /// 1 to [`BATCH_EVENTS_MAX`] events.
    pub events: &'a [PublishRequest<'a>],
}

/// `POST /events/batch`, as the server reads it: each event by itself, so that one that is wrong spoils no other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PublishBatchRequest")]
pub struct RawBatchRequest<'a> {
    /// 1 to 1,000 events, each as `POST /events` takes it; one that is wrong spoils no other.
    #[serde(borrow, deserialize_with = "bounded")]
    #[schemars(with = "Vec<PublishRequest<'a>>", length(min = 1, max = BATCH_EVENTS_MAX))]
    pub events: Vec<&'a RawValue>,
}

fn bounded<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<&'a RawValue>, D::Error> {
    struct Bounded;

    impl<'de> Visitor<'de> for Bounded {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of 1 to {BATCH_EVENTS_MAX} events")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut events = Vec::new();
            while let Some(event) = list.next_element()? {
                if events.len() == BATCH_EVENTS_MAX {
                    return Err(A::Error::custom(format_args!("a batch has at most {BATCH_EVENTS_MAX} events")));
                }
                events.push(event);
            }
            Ok(events)
        }
    }

    deserializer.deserialize_seq(Bounded)
}

/// The answer to a batch: one item per event, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchBody {
    /// What became of each.
    pub data: Vec<BatchItem>,
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BatchItem {
    /// It is on disk.
    Published(PublishedBody),
    /// Nothing of it was kept.
    Refused(RefusedItem),
}

/// Why an event of a batch was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedItem {
    /// Its place in the request, from 0.
    pub index: u32,
    /// Code, reason, and the fields that are wrong.
    pub error: ErrorSummary,
}

impl Wire for RawBatchRequest<'_> {
    fn example() -> Value {
        json!({"events": [PublishRequest::example(), {"type": "tag.removed", "data": {"tag": "customer"}}]})
    }
}

impl Wire for BatchBody {
    fn example() -> Value {
        let message = "type: \"tag.removed\" is not in the catalogue";
        let refused = json!({"code": "unknown_event_type", "message": message, "details": [
            {"field": "type", "code": "unknown_event_type", "message": "\"tag.removed\" is not in the catalogue"},
        ]});
        json!({"data": [PublishedBody::example(), {"index": 1, "error": refused}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_a_maximum_and_keeps_each_events_bytes() {
        let body = r#"{"events":[ {"type":"t", "data":1.0} ,5]}"#;
        let read: RawBatchRequest<'_> = serde_json::from_str(body).expect("valid");
        let events: Vec<_> = read.events.iter().map(|event| event.get()).collect();
        assert_eq!(events, [r#"{"type":"t", "data":1.0}"#, "5"]);
        let many = format!(r#"{{"events":[{}0]}}"#, "0,".repeat(BATCH_EVENTS_MAX));
        let error = serde_json::from_str::<RawBatchRequest<'_>>(&many).expect_err("refused");
        assert!(error.to_string().contains("at most 1000 events"), "{error}");
    }
}
