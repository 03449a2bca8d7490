//! What a receiver does with a signature, profile by profile, as the systems' documents say it.

use anyhow::{Context as _, bail};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{platform::DemoProfile, receiver::Received};

/// A signature that was checked.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// The header it stood in.
    pub(super) header: &'static str,
    /// The header's value.
    pub(super) value: String,
    /// What it covers.
    pub(super) covers: &'static str,
}

/// Checks a request's signature; a wrong one ends the demo.
pub(super) fn verify(profile: DemoProfile, secret: &str, request: &Received) -> anyhow::Result<Verified> {
    let header = profile.signature_header();
    let value = request.headers.get(header).with_context(|| format!("the request has no {header}"))?.clone();
    let part = |name: &str| value.split(',').find_map(|part| part.strip_prefix(name)).map(str::to_owned);
    let timed = |timestamp: &str| [timestamp.as_bytes(), b".", &request.body].concat();
    let (key, signed, given, covers) = match profile {
        DemoProfile::Standard => {
            let key = STANDARD.decode(secret.strip_prefix("whsec_").context("the secret has no whsec_ prefix")?)?;
            let id = request.headers.get("webhook-id").context("no webhook-id")?;
            let timestamp = request.headers.get("webhook-timestamp").context("no webhook-timestamp")?;
            let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body].concat();
            let given = value.strip_prefix("v1,").context("the signature does not start with v1,")?;
            (key, signed, STANDARD.decode(given)?, "id.timestamp.body")
        }
        DemoProfile::BotSubscription | DemoProfile::Botdog => {
            let name = if profile == DemoProfile::Botdog { "s=" } else { "v1=" };
            let timestamp = part("t=").context("the signature has no t=")?;
            let given = part(name).context("the signature has no value")?;
            (secret.as_bytes().to_vec(), timed(&timestamp), from_hex(&given)?, "timestamp.body")
        }
        DemoProfile::SubscribeFlow | DemoProfile::ServerAvatar => {
            let given = value.strip_prefix("sha256=").context("the signature does not start with sha256=")?;
            (secret.as_bytes().to_vec(), request.body.to_vec(), from_hex(given)?, "body")
        }
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    if hmac::verify(&key, &signed, &given).is_err() {
        bail!("the signature {value:?} of the request to {} does not verify", request.path);
    }
    Ok(Verified { header, value, covers })
}

fn from_hex(text: &str) -> anyhow::Result<Vec<u8>> {
    let pair = |pair: &[u8]| Some(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    text.as_bytes()
        .chunks(2)
        .map(|digits| pair(digits).flatten())
        .collect::<Option<_>>()
        .context("no hexadecimal digits")
}
