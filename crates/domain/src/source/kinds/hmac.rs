//! A signature of any form: the source says in which header, how it is written, and over what.

use aws_lc_rs::hmac as codes;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Provider;
use crate::{
    secret::hex,
    signature::{Encoding, SignedContent},
    source::{
        Algorithm, Settings, SignatureForm,
        incoming::{Incoming, Rejection},
        outgoing::{Headers, Outgoing},
        signing::{any_is_base64, any_is_hex, authenticate, body_text, seconds},
    },
};

/// Where a request that is signed with its id carries that.
const ID: &str = "webhook-id";

pub(in crate::source) struct Hmac;

/// What this form's signature is written from.
fn code(form: &SignatureForm, secret: &str, id: &str, stamp: &str, body: &[u8]) -> Vec<u8> {
    let (id, stamp) = (id.as_bytes(), stamp.as_bytes());
    let parts: &[&[u8]] = match form.signed {
        SignedContent::Body => &[body],
        SignedContent::TimestampBody => &[stamp, b".", body],
        SignedContent::IdTimestampBody => &[id, b".", stamp, b".", body],
    };
    let algorithm = match form.algorithm {
        Algorithm::Sha1 => codes::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::Sha256 => codes::HMAC_SHA256,
        Algorithm::Sha512 => codes::HMAC_SHA512,
    };
    authenticate(algorithm, secret.as_bytes(), parts)
}

impl Provider for Hmac {
    fn tolerance_s(&self) -> Option<u32> {
        Some(300)
    }

    fn verify(&self, incoming: &Incoming<'_>, secret: &str, settings: &Settings) -> Result<Option<i64>, Rejection> {
        let form = settings.verify.as_ref().ok_or(Rejection::Mismatch)?;
        let header = form.header.to_ascii_lowercase();
        let wrong = || Rejection::Form { header: header.clone(), form: "that the source's layout gives" };
        let (timestamp, given) = form.layout.places_in(incoming.need(&header)?).ok_or_else(wrong)?;
        let timestamp = match (timestamp, &form.timestamp_header) {
            (Some(text), _) => Some(text),
            (None, Some(name)) => Some(incoming.need(&name.to_ascii_lowercase())?),
            (None, None) => None,
        };
        let at = timestamp.map(|text| seconds(&header, text)).transpose()?;
        let id = match form.signed {
            SignedContent::IdTimestampBody => incoming.need(ID)?,
            _ => "",
        };
        let code = code(form, secret, id, timestamp.unwrap_or_default(), incoming.body);
        match form.encoding {
            Encoding::Hex => any_is_hex([given].into_iter(), &code)?,
            Encoding::Base64 => any_is_base64([given].into_iter(), &code)?,
        }
        Ok(at)
    }

    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, settings: &Settings) -> Headers {
        // Settings are checked when they are set; without a form there is nothing to sign.
        let Some(form) = &settings.verify else { return Headers::new() };
        let stamp = outgoing.at_s.to_string();
        let code = code(form, secret, outgoing.id, &stamp, outgoing.body);
        let written = match form.encoding {
            Encoding::Hex => hex(&code),
            Encoding::Base64 => STANDARD.encode(&code),
        };
        let mut headers = vec![(form.header.to_ascii_lowercase(), form.layout.render(&stamp, &written))];
        headers.extend(form.timestamp_header.iter().map(|name| (name.to_ascii_lowercase(), stamp.clone())));
        headers.push((ID.to_owned(), outgoing.id.to_owned()));
        headers
    }

    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String> {
        incoming.header(ID).map(str::to_owned)
    }

    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String> {
        body_text(incoming, "/type").or_else(|| body_text(incoming, "/event"))
    }
}
