//! Stripe: `Stripe-Signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX]` over `t.body`. Other schemes than `v1`
//! are for Stripe's own tests and are not looked at.

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

const SIGNATURE: &str = "stripe-signature";

pub(in crate::source) struct Stripe;

impl Provider for Stripe {
    fn tolerance_s(&self) -> Option<u32> {
        Some(300)
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let items =
            || incoming.header(SIGNATURE).unwrap_or_default().split(',').filter_map(|item| item.trim().split_once('='));
        incoming.need(SIGNATURE)?;
        let form = || Rejection::Form { header: SIGNATURE.to_owned(), form: "t=UNIX_SECONDS,v1=HEX" };
        let (_, timestamp) = items().find(|(name, _)| *name == "t").ok_or_else(form)?;
        let at = seconds(SIGNATURE, timestamp).map_err(|_| form())?;
        let code = hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", incoming.body]);
        any_is_hex(items().filter(|(name, _)| *name == "v1").map(|(_, value)| value), &code)?;
        Ok(Some(at))
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let timestamp = outgoing.at_s.to_string();
        let code = hex(&hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", outgoing.body]));
        headers([(SIGNATURE, &format!("t={timestamp},v1={code}"))])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/id")
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type")
    }
}
