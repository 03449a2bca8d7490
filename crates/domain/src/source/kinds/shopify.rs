//! Shopify: `X-Shopify-Hmac-Sha256: BASE64` over the body.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Provider;
use crate::source::{
    Settings,
    incoming::{Incoming, Rejection},
    outgoing::{Headers, Outgoing, headers},
    signing::{any_is_base64, hmac_sha256},
};

pub(in crate::source) struct Shopify;

impl Provider for Shopify {
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let given = incoming.need("x-shopify-hmac-sha256")?;
        any_is_base64([given].into_iter(), &hmac_sha256(secret.as_bytes(), &[incoming.body]))?;
        Ok(None)
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let code = STANDARD.encode(hmac_sha256(secret.as_bytes(), &[outgoing.body]));
        headers([
            ("x-shopify-hmac-sha256", &code),
            ("x-shopify-webhook-id", outgoing.id),
            ("x-shopify-topic", outgoing.event_type),
        ])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        // One thing that happened can set off several subscriptions; each has a webhook id of its own.
        incoming.header("x-shopify-webhook-id").map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-shopify-topic").map(str::to_owned)
    }
}
