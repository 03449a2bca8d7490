//! Shopify: `X-Shopify-Hmac-Sha256: BASE64` over the body.

use super::Provider;
use crate::source::{
    Settings,
    incoming::{Incoming, Rejection},
    signing::{any_is_base64, hmac_sha256},
};

pub(in crate::source) struct Shopify;

impl Provider for Shopify {
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let given = incoming.need("x-shopify-hmac-sha256")?;
        any_is_base64([given].into_iter(), &hmac_sha256(secret.as_bytes(), &[incoming.body]))?;
        Ok(None)
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        // One thing that happened can set off several subscriptions; each has a webhook id of its own.
        incoming.header("x-shopify-webhook-id").map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-shopify-topic").map(str::to_owned)
    }
}
