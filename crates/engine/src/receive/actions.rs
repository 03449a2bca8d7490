//! Doing one action of a receipt. What comes of it looks like an HTTP exchange, so that schedule,
//! history and statistics are those of every delivery: 200 with what was done, 422 with the reason
//! why it could not be, 503 while the store does not answer.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;
use tidings_domain::{
    command::{RunInput, is_user_id},
    event_type::EventTypeName,
    head::header_lines,
    ids::ReceiptId,
    render::Rendering,
    source::{Action, Incoming, Template, receipt_value},
    target::TargetUrl,
};
use tidings_ports::{
    sender::{Exchange, OutgoingRequest},
    store::{LeasedDelivery, NewDelivery, ReceiptRecord, RecordChanged},
};

use super::{Acting, place_after};
use crate::{
    Call, Engine,
    dispatch::{Acted, Actor},
    publish::{Accepted, IdempotencyKey, Publish, PublishError, Published},
    run::{Attempted, Trouble},
    snapshot::Target,
};

/// Keys of clients are printable, so none of theirs is ever one of these.
const KEY_PREFIX: &str = "\u{1}action ";
/// Counts how often a request was sent on, so that what goes in a circle ends.
pub const HOPS: HeaderName = HeaderName::from_static("x-tidings-hops");
/// Says in the answer of a try which kind of action it was: the source may have another one there
/// by the time somebody looks.
pub const ACTION_KIND: HeaderName = HeaderName::from_static("x-tidings-action");
/// Headers that belong to one connection, or to whoever stands between, and are not sent on.
const HOP_BY_HOP: [&str; 19] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-real-ip",
];

#[async_trait]
impl Actor for Engine {
    async fn act(&self, target: &Target, acting: &Acting, lease: &LeasedDelivery, place: u8) -> Acted {
        let begun = self.clock.now();
        let receipt = match self.store.receipt_of(lease.event.key.sequence()).await {
            Ok(Some(receipt)) => receipt,
            Ok(None) => return done(self.as_exchange(Err(Trouble::Refused("the receipt is gone".to_owned())), begun)),
            Err(error) => return done(self.as_exchange(Err(error.into()), begun)),
        };
        let next = place_after(&receipt.actions, Some(place), receipt.event_type.as_deref());
        let next = next.map(|(place, action)| NewDelivery {
            id: self.ids.deliveries(1).remove(0),
            webhook_id: acting.lane_of(action),
            rendering: Rendering::Action(place),
            leased: false,
            due_at: Some(self.clock.now()),
        });
        let action = receipt.actions.get(usize::from(place));
        let mut busy = false;
        let (mut exchange, here) = match action {
            None => (self.as_exchange(Err(Trouble::Refused("the source has no such action".to_owned())), begun), true),
            Some(Action::Forward { url, .. }) => match TargetUrl::parse(url) {
                Ok(url) => {
                    let headers = forwarded(target, &receipt, lease.event.content_type.as_deref());
                    let (timeout_ms, body) = (target.webhook.settings.timeout_ms(), lease.event.payload.clone());
                    (self.sender.send(OutgoingRequest::post(Arc::new(url), headers, body, timeout_ms)).await, false)
                }
                Err(refusal) => (self.as_exchange(Err(Trouble::Refused(refusal.to_string())), begun), true),
            },
            Some(action) => {
                let result = self.act_here(acting, action, lease, &receipt).await;
                busy = matches!(result, Err(Trouble::Busy(_)));
                (self.as_exchange(result, begun), true)
            }
        };
        if let (Some(action), Ok(answer)) = (action, &mut exchange.result) {
            // Whatever a receiver says there, it is not asked.
            answer.headers.insert(ACTION_KIND, HeaderValue::from_static(action.kind()));
        }
        Acted { next, here, busy, ..Acted::here(exchange) }
    }

    async fn reach(&self, target: &Target, attempted: Attempted<'_>) -> Acted {
        self.reach_special(target, attempted).await
    }
}

fn done(exchange: Exchange) -> Acted {
    Acted::here(exchange)
}

impl Engine {
    /// Actions that end within the process.
    async fn act_here(
        &self,
        acting: &Acting,
        action: &Action,
        lease: &LeasedDelivery,
        receipt: &ReceiptRecord,
    ) -> Result<serde_json::Value, Trouble> {
        let project_id = acting.source.project_id;
        let headers = kept_headers(receipt);
        let incoming = Incoming::new(&headers, "", &receipt.event.payload);
        let (id, event_type) = (receipt.provider_id.as_deref(), receipt.event_type.as_deref());
        let value = receipt_value(&incoming, id, event_type, receipt.event.created_at());
        if let Some(change) = action.record_change(&value) {
            let change = change.map_err(Trouble::Refused)?;
            let (cause, now) = (ReceiptId(receipt.event.key.0).to_string(), self.clock.wall());
            let (kind, key) = (change.kind.clone(), change.key.clone());
            return match self.store.change_record(project_id, change, lease.id, cause, now).await? {
                RecordChanged::Version(version) => Ok(json!({"record": kind, "key": key, "version": version})),
                RecordChanged::NoNumber(reason) => Err(Trouble::Refused(reason)),
                RecordChanged::NoProject => Err(Trouble::Refused("the project was deleted".to_owned())),
                RecordChanged::TooLarge => Err(Trouble::Refused(format!("the record {kind}/{key} would be too large"))),
            };
        }
        if let Action::Command { command, user_id, .. } = action {
            let user_id = user_id.as_ref().map(|user_id| user_id.fill_text(&value)).transpose();
            let user_id = user_id.map_err(Trouble::Refused)?.flatten();
            if user_id.as_deref().is_some_and(|id| !is_user_id(id)) {
                return Err(Trouble::Refused("the receipt gives no user's id that can be one".to_owned()));
            }
            let call = Call::new(command.clone(), user_id, run_input(&acting.source.name, receipt, &value));
            return self.run_once(project_id, Call { delivery_id: Some(lease.id), ..call }).await;
        }
        if let Action::Plan { .. } = action {
            let cause = ReceiptId(receipt.event.key.0);
            return self.set_plans_by(incoming.data(), &acting.source, cause).await;
        }
        let Action::Emit { event_type, data, .. } = action else {
            return Err(Trouble::Refused("the action cannot be done by this version".to_owned()));
        };
        let event_type = type_of(event_type, &value)?;
        let payload =
            serde_json::to_vec(&data.fill(&value).map_err(Trouble::Refused)?).expect("values always become JSON");
        let publish = Publish {
            event_type,
            custom_id: None,
            scopes: Vec::new(),
            content_type: None,
            payload: Bytes::from(payload),
            deliver_at: None,
            schema_version: None,
            after_runs: 0,
            // However often it is tried, the event is published once.
            idempotency: Some(IdempotencyKey {
                key: format!("{KEY_PREFIX}{}", lease.id),
                request_hash: [0; 32],
                status: 200,
                answer: emitted,
            }),
        };
        match self.publish(project_id, publish).await {
            Ok(Published::Accepted(accepted)) => Ok(serde_json::from_slice(&emitted(&accepted)).unwrap_or_default()),
            Ok(Published::Replayed { response, .. }) => Ok(serde_json::from_slice(&response).unwrap_or_default()),
            Err(error @ (PublishError::Store(_) | PublishError::BacklogFull)) => {
                Err(Trouble::Passing(error.to_string()))
            }
            Err(error) => Err(Trouble::Refused(error.in_words())),
        }
    }
}

/// What a command finds of a receipt.
fn run_input(source: &str, receipt: &ReceiptRecord, value: &serde_json::Value) -> RunInput {
    let about = json!({
        "id": ReceiptId(receipt.event.key.0),
        "source": source,
        "type": receipt.event_type,
        "provider_id": receipt.provider_id,
        "received_at": receipt.event.created_at().rfc3339_millis(),
    });
    let options = json!({"receipt": about, "headers": value["headers"], "ip": receipt.address});
    let content = String::from_utf8_lossy(&receipt.event.payload).into_owned();
    RunInput { content, options, ..RunInput::default() }
}

fn emitted(accepted: &Accepted) -> Bytes {
    let done = json!({"event_id": accepted.id, "type": accepted.event_type, "deliveries": accepted.deliveries});
    Bytes::from(done.to_string())
}

fn type_of(template: &Template, receipt: &serde_json::Value) -> Result<EventTypeName, Trouble> {
    let text = template.fill_text(receipt).map_err(Trouble::Refused)?.unwrap_or_default();
    text.parse().map_err(|error: tidings_domain::event_type::InvalidEventType| Trouble::Refused(error.to_string()))
}

/// The headers that a receipt keeps.
fn kept_headers(receipt: &ReceiptRecord) -> Vec<(String, String)> {
    header_lines(&receipt.headers).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the provider said about its request goes with it, its signature included.
fn forwarded(target: &Target, receipt: &ReceiptRecord, content_type: Option<&str>) -> HeaderMap {
    let mut headers = target.fixed_headers.clone();
    let lines = kept_headers(receipt);
    let named: Vec<_> =
        lines.iter().filter(|(name, _)| name == "connection").map(|(_, value)| value.as_str()).collect();
    let of_connection =
        |name: &str| named.iter().flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(name));
    for (name, value) in &lines {
        let own = HOP_BY_HOP.contains(&name.as_str())
            || name.starts_with("x-forwarded-")
            || name.starts_with("x-tidings-")
            || of_connection(name);
        if let (false, Ok(name), Ok(value)) =
            (own, HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
    }
    if let Some(Ok(value)) = content_type.map(HeaderValue::from_str) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    headers.insert(HOPS, HeaderValue::from(hops(&lines).saturating_add(1)));
    headers
}

/// How often a request was sent on already.
fn hops(headers: &[(String, String)]) -> u32 {
    let found = headers.iter().find(|(name, _)| name == HOPS.as_str());
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}
