//! Slack: `X-Slack-Signature: v0=HEX` over `v0:timestamp:body`.

use super::Provider;
use crate::{
    secret::hex,
    source::{
        Settings,
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing, headers},
        signing::{any_is_hex, body_text, hmac_sha256, seconds},
    },
};

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

pub(in crate::source) struct Slack;

impl Provider for Slack {
    fn tolerance_s(&self) -> Option<u32> {
        Some(300)
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let timestamp = incoming.need(TIMESTAMP)?;
        let at = seconds(TIMESTAMP, timestamp)?;
        let form = || Rejection::Form { header: SIGNATURE.to_owned(), form: "v0=HEX" };
        let given = incoming.need(SIGNATURE)?.strip_prefix("v0=").ok_or_else(form)?;
        let code = hmac_sha256(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", incoming.body]);
        any_is_hex([given].into_iter(), &code)?;
        Ok(Some(at))
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let timestamp = outgoing.at_s.to_string();
        let code = hex(&hmac_sha256(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", outgoing.body]));
        headers([(TIMESTAMP, &timestamp), (SIGNATURE, &format!("v0={code}"))])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        // Commands are no events, but each call of one has an id as well.
        body_text(incoming, "/event_id").or_else(|| body_text(incoming, "/trigger_id"))
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        // Events are wrapped; commands and interactions say what they are themselves.
        let places = ["/event/type", "/type", "/command"];
        places.iter().find_map(|place| body_text(incoming, place))
    }

    fn handshake(&self, incoming: &Incoming<'_>) -> Option<String> {
        let asked = body_text(incoming, "/type").as_deref() == Some("url_verification");
        asked.then(|| body_text(incoming, "/challenge")).flatten()
    }
}
