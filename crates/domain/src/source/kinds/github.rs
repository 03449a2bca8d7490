//! GitHub: `X-Hub-Signature-256: sha256=HEX` over the body.

use super::Provider;
use crate::{
    secret::hex,
    source::{
        Settings,
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing, headers},
        signing::{any_is_hex, hmac_sha256},
    },
};

const SIGNATURE: &str = "x-hub-signature-256";

pub(in crate::source) struct GitHub;

impl Provider for GitHub {
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let form = || Rejection::Form { header: SIGNATURE.to_owned(), form: "sha256=HEX" };
        let given = incoming.need(SIGNATURE)?.strip_prefix("sha256=").ok_or_else(form)?;
        any_is_hex([given].into_iter(), &hmac_sha256(secret.as_bytes(), &[incoming.body]))?;
        Ok(None)
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let code = hex(&hmac_sha256(secret.as_bytes(), &[outgoing.body]));
        headers([
            (SIGNATURE, &format!("sha256={code}")),
            ("x-github-delivery", outgoing.id),
            ("x-github-event", outgoing.event_type),
        ])
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-github-delivery").map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header("x-github-event").map(str::to_owned)
    }

    fn handshake(&self, incoming: &Incoming<'_>) -> Option<String> {
        (incoming.header("x-github-event") == Some("ping")).then(|| "pong".to_owned())
    }
}
