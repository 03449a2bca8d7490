//! The operations, one file per resource.

mod api_keys;
mod audit_log;
mod commands;
mod deliveries;
mod event_types;
mod events;
mod instance;
mod jobs;
mod members;
mod organizations;
mod plans;
mod portal;
mod presets;
mod projects;
mod sources;
pub(crate) mod statistics;
mod stream;
mod webhooks;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::ClientError;

/// What stands in a path or query as it is (RFC 3986's unreserved characters).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/collection/id`, with whatever the id holds made safe.
fn item(collection: &str, id: &str) -> String {
    format!("{collection}/{}", utf8_percent_encode(id, RESERVED))
}

/// `/collection?name=value&…`
fn filtered(collection: &str, query: &impl Serialize) -> Result<String, ClientError> {
    let refused = || ClientError::Setting("the query cannot be written".to_owned());
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(query) else { return Err(refused()) };
    // By name, whatever order the map keeps: the same query is the same address.
    let fields: BTreeMap<_, _> = fields.into_iter().collect();
    let mut path = collection.to_owned();
    for (index, (name, value)) in fields.iter().enumerate() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path.push(if index == 0 { '?' } else { '&' });
        path.push_str(name);
        path.push('=');
        path.extend(utf8_percent_encode(&text, RESERVED));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeliveryQuery, PageQuery};

    #[test]
    fn paths_carry_any_id_and_any_filter() {
        assert_eq!(item("/events", "a/b?c d"), "/events/a%2Fb%3Fc%20d");
        assert_eq!(filtered("/events", &PageQuery::default()).expect("a path"), "/events");
        let query = DeliveryQuery {
            page: PageQuery { limit: Some(5), cursor: None },
            event_type: Some("a&b".to_owned()),
            ..DeliveryQuery::default()
        };
        assert_eq!(filtered("/deliveries", &query).expect("a path"), "/deliveries?event_type=a%26b&limit=5");
    }
}
