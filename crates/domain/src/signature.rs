//! Signatures: what is signed, how it is written, under which header.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::secret::{InvalidSecret, Secret, hex};

/// How requests are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum SignatureScheme {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>`.
    Standard,
    /// HMAC-SHA256 in one header of a chosen form. The key is the secret's text as it stands.
    Hmac {
        /// The header's name.
        header: String,
        /// The header's value.
        layout: SignatureLayout,
        /// What is signed.
        signed: SignedContent,
        /// How the signature is written.
        encoding: Encoding,
    },
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignedContent {
    /// The body alone: no protection against replays.
    #[serde(rename = "{body}")]
    Body,
    /// Unix seconds, a full stop, the body.
    #[serde(rename = "{timestamp}.{body}")]
    TimestampBody,
    /// The event's id, Unix seconds, the body, joined by full stops.
    #[serde(rename = "{id}.{timestamp}.{body}")]
    IdTimestampBody,
}

/// How signature bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Base 64 with padding.
    Base64,
}

/// A header value with the places `{timestamp}` and `{signature}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignatureLayout(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Timestamp,
    Signature,
}

/// Characters of a layout.
const LAYOUT_CHARACTERS_MAX: usize = 128;

impl SignatureLayout {
    /// Reads a layout; it must hold `{signature}` exactly once and `{timestamp}` at most once.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| {
            Err(format!(
                "{text:?} is not a signature layout: {reason}; an example is \"t={{timestamp}},v1={{signature}}\""
            ))
        };
        if text.len() > LAYOUT_CHARACTERS_MAX || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return wrong("it has at most 128 printable ASCII characters");
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            rest = &rest[open..];
            if let Some(after) = rest.strip_prefix("{timestamp}") {
                parts.push(Part::Timestamp);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{signature}") {
                parts.push(Part::Signature);
                rest = after;
            } else {
                return wrong("the only places are {timestamp} and {signature}");
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let count = |wanted: &Part| parts.iter().filter(|part| *part == wanted).count();
        if count(&Part::Signature) != 1 || count(&Part::Timestamp) > 1 {
            return wrong("{signature} stands in it exactly once and {timestamp} at most once");
        }
        Ok(Self(parts))
    }

    fn render(&self, timestamp: &str, signature: &str) -> String {
        let mut out = String::with_capacity(signature.len() + 24);
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Timestamp => out.push_str(timestamp),
                Part::Signature => out.push_str(signature),
            }
        }
        out
    }
}

impl TryFrom<String> for SignatureLayout {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<SignatureLayout> for String {
    fn from(layout: SignatureLayout) -> Self {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Timestamp => "{timestamp}".to_owned(),
            Part::Signature => "{signature}".to_owned(),
        };
        layout.0.iter().map(text).collect()
    }
}

/// What stands in history in the place of a signature.
pub const MASKED_SIGNATURE: &str = "********";

/// The header names of Standard Webhooks.
pub const STANDARD_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

impl SignatureScheme {
    /// The names of the headers this scheme writes, in lower case.
    pub fn header_names(&self) -> Vec<String> {
        match self {
            Self::Standard => STANDARD_HEADERS.map(str::to_owned).to_vec(),
            Self::Hmac { header, .. } => vec![header.to_ascii_lowercase()],
        }
    }
}

/// A scheme and its key, ready to sign.
#[derive(Debug)]
pub struct Signer {
    scheme: SignatureScheme,
    key: Option<hmac::Key>,
}

/// Header names and values that a signature consists of.
pub type SignatureHeaders = Vec<(String, String)>;

impl Signer {
    /// Joins scheme and secret. Without a secret nothing is signed.
    pub fn new(scheme: SignatureScheme, secret: Option<&Secret>) -> Result<Self, InvalidSecret> {
        let key = match (secret, &scheme) {
            (None, _) => None,
            (Some(secret), SignatureScheme::Standard) => {
                Some(hmac::Key::new(hmac::HMAC_SHA256, &secret.standard_key()?))
            }
            (Some(secret), SignatureScheme::Hmac { .. }) => {
                Some(hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
            }
        };
        Ok(Self { scheme, key })
    }

    /// Writes the headers for one attempt. `standard` keeps its id and timestamp without a secret.
    pub fn headers(&self, event_id: &str, timestamp_s: i64, body: &[u8]) -> SignatureHeaders {
        match &self.scheme {
            SignatureScheme::Standard => {
                let timestamp = timestamp_s.to_string();
                let mut headers = Vec::with_capacity(3);
                if let Some(key) = &self.key {
                    let tag = sign(key, &[event_id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
                    headers.push(("webhook-signature".to_owned(), format!("v1,{}", STANDARD.encode(tag.as_ref()))));
                }
                headers.push(("webhook-id".to_owned(), event_id.to_owned()));
                headers.push(("webhook-timestamp".to_owned(), timestamp));
                headers
            }
            SignatureScheme::Hmac { header, layout, signed, encoding } => {
                let Some(key) = &self.key else { return Vec::new() };
                let timestamp = timestamp_s.to_string();
                let tag = match signed {
                    SignedContent::Body => sign(key, &[body]),
                    SignedContent::TimestampBody => sign(key, &[timestamp.as_bytes(), b".", body]),
                    SignedContent::IdTimestampBody => {
                        sign(key, &[event_id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
                    }
                };
                let signature = match encoding {
                    Encoding::Hex => hex(tag.as_ref()),
                    Encoding::Base64 => STANDARD.encode(tag.as_ref()),
                };
                vec![(header.clone(), layout.render(&timestamp, &signature))]
            }
        }
    }

    /// The same headers as history shows them: the signature itself is masked. Id and timestamp
    /// are texts, because history puts named places there.
    pub fn masked_headers(&self, event_id: &str, timestamp: &str) -> SignatureHeaders {
        let masked = self.key.as_ref().map(|_| MASKED_SIGNATURE);
        match &self.scheme {
            SignatureScheme::Standard => {
                let signature = masked.map(|mask| ("webhook-signature".to_owned(), format!("v1,{mask}")));
                let id = ("webhook-id".to_owned(), event_id.to_owned());
                let timestamp = ("webhook-timestamp".to_owned(), timestamp.to_owned());
                [id, timestamp].into_iter().chain(signature).collect()
            }
            SignatureScheme::Hmac { header, layout, .. } => {
                masked.map(|mask| (header.clone(), layout.render(timestamp, mask))).into_iter().collect()
            }
        }
    }
}

fn sign(key: &hmac::Key, parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    /// The body of every published vector.
    const BODY: &[u8] = br#"{"id":"evt_123abc","type":"tag.subscribed"}"#;

    fn header(profile: Profile, secret: &str, timestamp_s: i64) -> (String, String) {
        let secret = Secret::parse(secret).expect("a secret");
        let signer = Signer::new(profile.signature(), Some(&secret)).expect("a signer");
        signer.headers("msg_1", timestamp_s, BODY).remove(0)
    }

    #[test]
    fn botsubscription_signs_timestamp_and_body_with_the_secret_as_text() {
        let (name, value) = header(Profile::BotSubscription, &"0123456789abcdef".repeat(4), 1_779_836_400);
        assert_eq!(name, "X-Webhook-Signature");
        assert_eq!(value, "v1=6462e5ec6a69bed1009787830f877b3ba6c01950413b84047acbfc1b509415e7,t=1779836400");
    }

    #[test]
    fn subscribeflow_signs_the_body_alone() {
        let (name, value) = header(Profile::SubscribeFlow, "whsec_your-secret-key", 1);
        assert_eq!(name, "X-SubscribeFlow-Signature");
        assert_eq!(value, "sha256=35e11efa9c1dc2fdc4baa54766fa6bc83cdc74c00093a552d7908a4ceee519f3");
    }

    #[test]
    fn subscribeflow_in_base64_as_an_integrator_reports_it() {
        let scheme = SignatureScheme::Hmac {
            header: "X-SubscribeFlow-Signature".to_owned(),
            layout: SignatureLayout::parse("{signature}").expect("a layout"),
            signed: SignedContent::Body,
            encoding: Encoding::Base64,
        };
        let secret = Secret::parse("whsec_your-secret-key").expect("a secret");
        let signer = Signer::new(scheme, Some(&secret)).expect("a signer");
        let headers = signer.headers("x", 1, BODY);
        assert_eq!(headers[0].1, "NeEe+pwdwv3EuqVHZvpryDzcdMAAk6VS15CKTO7lGfM=");
    }

    #[test]
    fn botdog_signs_timestamp_and_body() {
        let (name, value) = header(Profile::Botdog, "whsec_your-secret-key", 1_730_000_000);
        assert_eq!(name, "X-Webhook-Signature");
        assert_eq!(value, "t=1730000000,s=4ef4e4df5b93133d7bca53b86349c8782805c09e22dff2796352f17f326c4019");
    }

    #[test]
    fn standard_is_what_svix_publishes() {
        let (name, value) = header(Profile::Standard, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", 1_730_000_000);
        assert_eq!(name, "webhook-signature");
        assert_eq!(value, "v1,zJF6tpSZsyqycwynjDXKzuZyEkOpXHdvu9dpdrNb7cc=");
    }

    #[test]
    fn without_a_secret_there_is_no_signature() {
        for profile in Profile::ALL {
            let signer = Signer::new(profile.signature(), None).expect("no secret is fine");
            let headers = signer.headers("msg_1", 1, BODY);
            assert!(headers.iter().all(|(name, _)| !name.to_lowercase().contains("signature")), "{profile}");
        }
    }

    #[test]
    fn history_masks_the_signature_and_nothing_else() {
        let secret = Secret::parse("whsec_your-secret-key").expect("a secret");
        let signer = Signer::new(Profile::Botdog.signature(), Some(&secret)).expect("a signer");
        assert_eq!(signer.masked_headers("x", "5"), [("X-Webhook-Signature".to_owned(), "t=5,s=********".to_owned())]);
    }

    #[test]
    fn layouts_are_checked() {
        for bad in ["", "t={timestamp}", "{signature}{signature}", "{body}", "a\r\n{signature}", "{signature"] {
            assert!(SignatureLayout::parse(bad).is_err(), "{bad:?}");
        }
        let layout = SignatureLayout::parse("t={timestamp},v1={signature}").expect("a layout");
        assert_eq!(String::from(layout), "t={timestamp},v1={signature}");
    }
}
