//! Bodies: from one stored event to the bytes a profile sends.
//!
//! Rendered bodies are not stored; they are a pure function of the event, the rendering and the
//! delivery's id, so that every attempt sends identical bytes (INV-BYTES). A rendering that has
//! been released never changes: a new shape gets a new code.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{event::Event, ids::DeliveryId, json::push_string};

/// How an event becomes a body. The code is stored with each delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rendering {
    /// `{id,type,created_at,data}`, milliseconds.
    Standard,
    /// `{id,event,created_at,schema_version,data}`, milliseconds.
    BotSubscription,
    /// `{id,type,created_at,data}`, whole seconds.
    SubscribeFlow,
    /// `{id,timestamp,eventType,humanReadableEventName,…data}`; `id` is the delivery's.
    Botdog,
    /// What the source's action in this place makes of a receipt.
    Action(u8),
}

/// Codes from here on are places of actions.
const ACTION_CODES: u8 = 64;

impl Rendering {
    /// The stored code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Standard => 1,
            Self::BotSubscription => 2,
            Self::SubscribeFlow => 3,
            Self::Botdog => 4,
            Self::Action(place) => ACTION_CODES.saturating_add(place),
        }
    }

    /// From the stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        if code >= ACTION_CODES {
            return Some(Self::Action(code - ACTION_CODES));
        }
        [Self::Standard, Self::BotSubscription, Self::SubscribeFlow, Self::Botdog]
            .into_iter()
            .find(|rendering| rendering.code() == code)
    }

    /// Whether all webhooks of one event get the same bytes, so that one body serves them all.
    pub const fn is_shared(self) -> bool {
        !matches!(self, Self::Botdog)
    }

    /// The content type of rendered bodies.
    pub const CONTENT_TYPE: &'static str = "application/json";
}

/// Members that `botdog` bodies write themselves; the same names in the data are left out.
const FLAT_MEMBERS: [&str; 4] = ["id", "timestamp", "eventType", "humanReadableEventName"];

/// The body of a delivery. An event with its own content type is sent as it came.
pub fn render(event: &Event, rendering: Rendering, delivery_id: DeliveryId) -> Bytes {
    if event.content_type.is_some() || matches!(rendering, Rendering::Action(_)) {
        return event.payload.clone();
    }
    let mut out = Vec::with_capacity(event.payload.len() + 160);
    match rendering {
        Rendering::Standard | Rendering::SubscribeFlow => {
            let seconds = rendering == Rendering::SubscribeFlow;
            push_head(&mut out, event, b",\"type\":", seconds);
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(&event.payload);
        }
        Rendering::BotSubscription => {
            push_head(&mut out, event, b",\"event\":", false);
            out.extend_from_slice(b",\"schema_version\":\"v1\",\"data\":");
            out.extend_from_slice(&event.payload);
        }
        Rendering::Botdog => push_flat(&mut out, event, delivery_id),
        Rendering::Action(_) => {}
    }
    out.push(b'}');
    Bytes::from(out)
}

fn push_head(out: &mut Vec<u8>, event: &Event, type_member: &[u8], seconds: bool) {
    out.extend_from_slice(b"{\"id\":");
    push_string(out, &event.id());
    out.extend_from_slice(type_member);
    push_string(out, event.event_type.as_str());
    out.extend_from_slice(b",\"created_at\":");
    let at = event.created_at();
    push_string(out, &if seconds { at.rfc3339_seconds() } else { at.rfc3339_millis() });
}

fn push_flat(out: &mut Vec<u8>, event: &Event, delivery_id: DeliveryId) {
    out.extend_from_slice(b"{\"id\":");
    push_string(out, &delivery_id.to_string());
    out.extend_from_slice(b",\"timestamp\":");
    push_string(out, &event.created_at().rfc3339_millis());
    out.extend_from_slice(b",\"eventType\":");
    push_string(out, event.event_type.as_str());
    out.extend_from_slice(b",\"humanReadableEventName\":");
    push_string(out, event.label.as_deref().unwrap_or(event.event_type.as_str()));
    match object_members(&event.payload) {
        Some(members) => {
            for (name, value) in members.iter().filter(|(name, _)| !FLAT_MEMBERS.contains(&name.as_ref())) {
                out.push(b',');
                push_string(out, name);
                out.push(b':');
                out.extend_from_slice(value.get().as_bytes());
            }
        }
        // Data that is no object has no members to lay beside the others.
        None => {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(&event.payload);
        }
    }
}

type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The members of a JSON object in their order with their exact text; `None` if it is no object.
fn object_members(json: &[u8]) -> Option<Members<'_>> {
    struct MembersVisitor;

    impl<'de> Visitor<'de> for MembersVisitor {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                members.push((Cow::Owned(name), map.next_value::<&RawValue>()?));
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_slice(json).deserialize_map(MembersVisitor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EventKey, ProjectId};

    fn event(data: &'static str) -> Event {
        Event {
            key: EventKey::from_parts(1_779_703_200_042 << 15, 5),
            custom_id: Some("evt_123abc".to_owned()),
            project_id: ProjectId::from_parts(1, 1),
            event_type: "tag.subscribed".parse().expect("a type"),
            scopes: Vec::new(),
            content_type: None,
            label: Some("Tag \"subscribed\"".to_owned()),
            schema_version: None,
            payload: Bytes::from_static(data.as_bytes()),
        }
    }

    fn body(event: &Event, rendering: Rendering) -> String {
        let bytes = render(event, rendering, DeliveryId::from_parts(77, 7));
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn nested_bodies_keep_the_publishers_bytes() {
        let event = event(r#"{"b": 1.0,  "a":[1e3]}"#);
        assert_eq!(
            body(&event, Rendering::Standard),
            r#"{"id":"evt_123abc","type":"tag.subscribed","created_at":"2026-05-25T10:00:00.042Z","data":{"b": 1.0,  "a":[1e3]}}"#
        );
        assert_eq!(
            body(&event, Rendering::SubscribeFlow),
            r#"{"id":"evt_123abc","type":"tag.subscribed","created_at":"2026-05-25T10:00:00Z","data":{"b": 1.0,  "a":[1e3]}}"#
        );
        assert_eq!(
            body(&event, Rendering::BotSubscription),
            r#"{"id":"evt_123abc","event":"tag.subscribed","created_at":"2026-05-25T10:00:00.042Z","schema_version":"v1","data":{"b": 1.0,  "a":[1e3]}}"#
        );
    }

    #[test]
    fn flat_bodies_carry_the_deliverys_id_and_no_member_twice() {
        let delivery = DeliveryId::from_parts(77, 7).to_string();
        let event = event(r#"{"campaignId":"c1","id":"mine","eventType":"x","message":"h\"i"}"#);
        assert_eq!(
            body(&event, Rendering::Botdog),
            format!(
                r#"{{"id":"{delivery}","timestamp":"2026-05-25T10:00:00.042Z","eventType":"tag.subscribed","humanReadableEventName":"Tag \"subscribed\"","campaignId":"c1","message":"h\"i"}}"#
            )
        );
        let list = self::event("[1,2]");
        assert!(body(&list, Rendering::Botdog).ends_with(r#","data":[1,2]}"#));
    }

    #[test]
    fn foreign_content_types_go_out_as_they_came() {
        let mut event = event("<xml/>");
        event.content_type = Some("application/xml".to_owned());
        for code in 1..=4 {
            let rendering = Rendering::from_code(code).expect("a released rendering");
            assert_eq!(body(&event, rendering), "<xml/>");
        }
    }
}
