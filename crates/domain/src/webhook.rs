//! A registered endpoint: what it selects, and how it wants to be called.

use serde::{Deserialize, Serialize};

use crate::{
    event_type::EventPattern,
    filter::Filter,
    ids::{ProjectId, WebhookId},
    outcome::Rule,
    profile::Profile,
    retry::{DisableReason, OnExhausted, RetryPolicy, Schedule},
    secret::SecretForm,
    signature::{STANDARD_HEADERS, SignatureScheme},
};

pub use crate::webhook_secrets::{PreviousSecret, WebhookSecrets};

/// Characters of a name.
pub const NAME_CHARACTERS_MAX: usize = 128;
/// Characters of a description.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 1_024;
/// Patterns one webhook may select by.
pub const EVENTS_MAX: usize = 256;
/// Scopes one webhook may name.
pub const SCOPES_MAX: usize = 256;
/// Custom headers of one webhook.
pub const HEADERS_MAX: usize = 32;
/// Characters of a custom header's value.
pub const HEADER_VALUE_CHARACTERS_MAX: usize = 1_024;
/// The range of `timeout_ms`.
pub const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 1_000..=30_000;
/// The range of `max_in_flight`.
pub const MAX_IN_FLIGHT: std::ops::RangeInclusive<u32> = 1..=crate::lane::LIMIT_MAX;

/// Everything about a webhook that its owner sets, apart from what is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebhookSettings {
    /// A name to recognise it by.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The address without credentials.
    pub url: String,
    /// Which event types; empty means all.
    pub events: Vec<EventPattern>,
    /// Which scopes; empty means all.
    pub scopes: Vec<String>,
    /// Which events by what stands in them; `None` means all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub filter: Option<Filter>,
    /// Where the defaults come from.
    pub profile: Profile,
    /// Overrides the profile's signature.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<SignatureScheme>,
    /// Overrides the profile's retries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry: Option<RetryOverride>,
    /// Overrides the profile's deadline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timeout_ms: Option<u32>,
    /// Requests at the same time at most.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_in_flight: Option<u32>,
    /// Whether `X-Tidings-…` headers are sent.
    pub tidings_headers: bool,
    /// What changes each body before it is signed; see [`crate::transform`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub transform: Option<String>,
}

/// Overrides of a profile's retries; what is `None` stays the profile's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RetryOverride {
    /// When.
    pub schedule: Option<Schedule>,
    /// By how much waits are lengthened at random.
    pub jitter: Option<f64>,
    /// Rules that stand before the profile's.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What used-up attempts do to the webhook.
    pub on_exhausted: Option<OnExhausted>,
}

/// Whether a webhook gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookStatus {
    /// It does.
    Active,
    /// New events are kept for it, nothing is sent.
    Paused,
    /// New events pass it by, what is pending is held.
    Disabled(DisableReason),
}

impl WebhookStatus {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled(_) => "disabled",
        }
    }

    /// Whether new events are queued for it.
    pub const fn takes_events(self) -> bool {
        !matches!(self, Self::Disabled(_))
    }
}

/// A webhook as the engine sees it; its secrets come apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub project_id: ProjectId,
    /// What its owner set.
    pub settings: WebhookSettings,
    /// Whether it gets requests.
    pub status: WebhookStatus,
}

impl WebhookSettings {
    /// A webhook as its profile wants it: every event, no overrides.
    pub const fn new(url: String, profile: Profile) -> Self {
        Self {
            name: None,
            description: None,
            url,
            events: Vec::new(),
            scopes: Vec::new(),
            filter: None,
            profile,
            signature: None,
            retry: None,
            timeout_ms: None,
            max_in_flight: None,
            tidings_headers: true,
            transform: None,
        }
    }

    /// The signature, override or profile's.
    pub fn signature(&self) -> SignatureScheme {
        self.signature.clone().unwrap_or_else(|| self.profile.signature())
    }

    /// The form of a secret that is generated for this webhook.
    pub fn secret_form(&self) -> SecretForm {
        match self.signature() {
            SignatureScheme::Standard => SecretForm::Whsec,
            SignatureScheme::StandardEd25519 => SecretForm::Whsk,
            SignatureScheme::Hmac { .. } => self.profile.generated_secret().unwrap_or(SecretForm::Hex),
        }
    }

    /// Whether the webhook gets a secret when its creator says nothing about it. A key pair is
    /// asked for by name, whatever the profile does by itself.
    pub fn signs_by_default(&self) -> bool {
        self.profile.generated_secret().is_some() || self.signature() == SignatureScheme::StandardEd25519
    }

    /// Whether its secret may be looked at again; a private key never is.
    pub fn secret_revealable(&self) -> bool {
        self.profile.secret_revealable() && self.signature() != SignatureScheme::StandardEd25519
    }

    /// The deadline of one exchange, in milliseconds.
    pub fn timeout_ms(&self) -> u32 {
        self.timeout_ms.unwrap_or(self.profile.timeout_ms())
    }

    /// The retry policy, overrides and profile put together.
    pub fn retry_policy(&self) -> RetryPolicy {
        let own = self.retry.clone().unwrap_or_default();
        RetryPolicy {
            schedule: own.schedule.unwrap_or_else(|| self.profile.schedule()),
            jitter: own.jitter.unwrap_or(self.profile.jitter()),
            own_rules: own.rules,
            profile_rules: self.profile.rules(),
            on_exhausted: own.on_exhausted.unwrap_or(self.profile.on_exhausted()),
            disable_after_failing_ms: self.profile.disable_after_failing_ms(),
        }
    }
}

/// Headers that Tidings or HTTP itself sets; a custom header must not replace them.
const RESERVED_HEADERS: [&str; 17] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "user-agent",
    "accept-encoding",
    "content-encoding",
    "x-project-id",
    "x-webhook-event",
];

/// Why a custom header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    /// The name is no token of RFC 9110.
    #[error("{0:?} is not a header name: use letters, digits and any of !#$%&'*+-.^_`|~")]
    Name(String),
    /// The name belongs to HTTP, to Tidings or to the signature.
    #[error("the header {0:?} is set by Tidings itself and cannot be given; choose another name")]
    Reserved(String),
    /// The value holds characters that HTTP does not carry.
    #[error(
        "the value of {0:?} must be 1 to {HEADER_VALUE_CHARACTERS_MAX} printable ASCII characters without line breaks"
    )]
    Value(String),
}

/// Checks a custom header against HTTP's rules and the names that are taken.
pub fn check_header(name: &str, value: &str, signature: &SignatureScheme) -> Result<(), InvalidHeader> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.bytes().all(token) {
        return Err(InvalidHeader::Name(name.chars().take(NAME_CHARACTERS_MAX).collect()));
    }
    let lower = name.to_ascii_lowercase();
    let reserved = RESERVED_HEADERS.contains(&lower.as_str())
        || STANDARD_HEADERS.contains(&lower.as_str())
        || lower.starts_with("x-tidings-")
        || is_signature_header(&lower)
        || signature.header_names().contains(&lower);
    if reserved {
        return Err(InvalidHeader::Reserved(name.to_owned()));
    }
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    if value.is_empty()
        || value.len() > HEADER_VALUE_CHARACTERS_MAX
        || !value.bytes().all(printable)
        || value.trim() != value
    {
        return Err(InvalidHeader::Value(name.to_owned()));
    }
    Ok(())
}

/// Whether a signature scheme may use this header name.
pub fn check_signature_header(name: &str) -> Result<(), InvalidHeader> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.bytes().all(token) {
        return Err(InvalidHeader::Name(name.chars().take(NAME_CHARACTERS_MAX).collect()));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-tidings-") || lower == "authorization" {
        return Err(InvalidHeader::Reserved(name.to_owned()));
    }
    Ok(())
}

/// The signature headers of all profiles, and the names they get while two secrets overlap.
fn is_signature_header(lower: &str) -> bool {
    let base = lower.strip_suffix("-previous").unwrap_or(lower);
    Profile::ALL.iter().any(|profile| profile.signature().header_names().iter().any(|name| name == base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_broken_headers_are_refused() {
        let signature = Profile::Standard.signature();
        for (name, value) in [
            ("Host", "x"),
            ("content-LENGTH", "1"),
            ("X-Webhook-Signature", "forged"),
            ("X-SubscribeFlow-Signature-Previous", "forged"),
            ("webhook-id", "x"),
            ("X-Tidings-Event", "x"),
            ("bad name", "x"),
            ("", "x"),
            ("X-Ok", "line\r\nbreak"),
            ("X-Ok", "nul\0"),
            ("X-Ok", ""),
            ("X-Ok", " padded"),
        ] {
            assert!(check_header(name, value, &signature).is_err(), "{name:?}: {value:?}");
        }
        assert_eq!(check_header("Authorization", "Bearer t", &signature), Ok(()));
        assert!(check_signature_header("Content-Type").is_err());
        assert_eq!(check_signature_header("X-Acme-Signature"), Ok(()));
    }
}
