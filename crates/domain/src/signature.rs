//! Signature schemes: what is signed, how it is written, under which header. [`crate::signer`] signs.

use serde::{Deserialize, Serialize};

/// How requests are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum SignatureScheme {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>`.
    Standard,
    /// Standard Webhooks with a key pair: `webhook-signature: v1a,<base64>`, ed25519.
    StandardEd25519,
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

    /// The timestamp in a header's value of this form: `None` if the value has another form,
    /// `Some(None)` if the form has no timestamp.
    pub(crate) fn timestamp_in<'a>(&self, value: &'a str) -> Option<Option<&'a str>> {
        self.places_in(value).map(|(timestamp, _)| timestamp)
    }

    /// Timestamp and signature in a header's value, if it is of this form.
    pub(crate) fn places_in<'a>(&self, value: &'a str) -> Option<(Option<&'a str>, &'a str)> {
        let (mut rest, mut timestamp, mut signature) = (value, None, "");
        for (place, part) in self.0.iter().enumerate() {
            if let Part::Text(text) = part {
                rest = rest.strip_prefix(text.as_str())?;
                continue;
            }
            // A place ends where the next text begins.
            let end = match self.0.get(place + 1) {
                Some(Part::Text(text)) => rest.find(text.as_str())?,
                Some(_) => return None,
                None => rest.len(),
            };
            match part {
                Part::Timestamp => timestamp = Some(&rest[..end]),
                _ => signature = &rest[..end],
            }
            rest = &rest[end..];
        }
        rest.is_empty().then_some((timestamp, signature))
    }

    pub(crate) fn render(&self, timestamp: &str, signature: &str) -> String {
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

/// The header in which a former secret signs while two overlap.
pub fn previous_header(header: &str) -> String {
    format!("{header}-Previous")
}

impl SignatureScheme {
    /// The names of the headers this scheme writes, in lower case, those of an overlap included.
    pub fn header_names(&self) -> Vec<String> {
        match self {
            Self::Standard | Self::StandardEd25519 => STANDARD_HEADERS.map(str::to_owned).to_vec(),
            Self::Hmac { header, .. } => {
                [header, &previous_header(header)].map(|name| name.to_ascii_lowercase()).to_vec()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_checked() {
        for bad in ["", "t={timestamp}", "{signature}{signature}", "{body}", "a\r\n{signature}", "{signature"] {
            assert!(SignatureLayout::parse(bad).is_err(), "{bad:?}");
        }
        let layout = SignatureLayout::parse("t={timestamp},v1={signature}").expect("a layout");
        assert_eq!(String::from(layout), "t={timestamp},v1={signature}");
    }
}
