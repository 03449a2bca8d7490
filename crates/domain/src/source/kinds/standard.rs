//! Standard Webhooks, under its own header names or Svix's; Resend and many others send these.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Provider;
use crate::{
    secret::Secret,
    source::{
        Settings,
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing},
        signing::{any_is_base64, body_text, hmac_sha256, seconds},
    },
};

/// The two families of header names; the first is the standard's.
const PREFIXES: [&str; 2] = ["webhook", "svix"];

/// Takes both families; the one named is what a sample is sent with.
pub(in crate::source) struct Standard(pub(in crate::source) &'static str);

fn header<'a>(incoming: &Incoming<'a>, name: &str) -> Result<&'a str, Rejection> {
    let mut found = PREFIXES.iter().filter_map(|prefix| incoming.header(&format!("{prefix}-{name}")));
    found.next().ok_or_else(|| Rejection::MissingHeader(format!("webhook-{name} (or svix-{name})")))
}

fn code(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<Vec<u8>> {
    let key = Secret::parse(secret).and_then(|secret| secret.standard_key()).ok()?;
    Some(hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]))
}

impl Provider for Standard {
    fn tolerance_s(&self) -> Option<u32> {
        Some(300)
    }

    fn check_secret(&self, secret: &str) -> Result<(), String> {
        let parsed = Secret::parse(secret).and_then(|secret| secret.standard_key().map(drop));
        parsed.map_err(|error| error.to_string())
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, _: &Settings) -> Result<Option<i64>, Rejection> {
        let (id, timestamp) = (header(incoming, "id")?, header(incoming, "timestamp")?);
        let given = header(incoming, "signature")?;
        let at = seconds("webhook-timestamp", timestamp)?;
        // Secrets are checked when they are set, so one that cannot be read matches nothing.
        let code = code(secret, id, timestamp, incoming.body).ok_or(Rejection::Mismatch)?;
        any_is_base64(given.split(' ').filter_map(|one| one.strip_prefix("v1,")), &code)?;
        Ok(Some(at))
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, _: &Settings) -> Headers {
        let timestamp = outgoing.at_s.to_string();
        // A secret of another form signs nothing that any source would take.
        let code = code(secret, outgoing.id, &timestamp, outgoing.body).unwrap_or_default();
        let signature = format!("v1,{}", STANDARD.encode(code));
        let named = [("id", outgoing.id), ("timestamp", &timestamp), ("signature", &signature)];
        named.map(|(name, value)| (format!("{}-{name}", self.0), value.to_owned())).to_vec()
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        header(incoming, "id").ok().map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type")
    }
}
