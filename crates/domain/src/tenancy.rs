//! Who owns what: organizations, projects, API keys and what a key may do.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ApiKeyId, OrganizationId, ProjectId},
    time::Timestamp,
};

/// How strictly an organization's payloads are held to their schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaMode {
    /// What breaks its schema is refused.
    #[default]
    Refuse,
    /// It is accepted, with a warning in the answer.
    Warn,
    /// Nothing is checked.
    Off,
}

impl SchemaMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Warn, Self::Off];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }

    /// From the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// The number in the store.
    pub const fn code(self) -> u8 {
        match self {
            Self::Refuse => 0,
            Self::Warn => 1,
            Self::Off => 2,
        }
    }

    /// From the number in the store; one of a later version means the strictest.
    pub fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|mode| mode.code() == code).unwrap_or_default()
    }
}

/// A customer of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// The project that requests without a project mean.
    pub default_project_id: ProjectId,
}

/// The isolation boundary: nothing crosses it (INV-ISOLATION).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Publish events.
    #[serde(rename = "events:write")]
    EventsWrite,
    /// Create, change, test and delete webhooks, and send deliveries again.
    #[serde(rename = "webhooks:manage")]
    WebhooksManage,
    /// Read events, deliveries and attempts.
    #[serde(rename = "deliveries:read")]
    DeliveriesRead,
    /// Manage sources and read receipts.
    #[serde(rename = "sources:manage")]
    SourcesManage,
    /// Manage and run commands.
    #[serde(rename = "commands:manage")]
    CommandsManage,
    /// Everything inside the organization.
    #[serde(rename = "admin")]
    Admin,
    /// Read everything but secrets and what is an administrator's.
    #[serde(rename = "read")]
    Read,
}

impl Scope {
    /// All scopes, in the order the contract lists them. Their places are stored: new ones come last.
    pub const ALL: [Self; 7] = [
        Self::EventsWrite,
        Self::WebhooksManage,
        Self::DeliveriesRead,
        Self::SourcesManage,
        Self::CommandsManage,
        Self::Admin,
        Self::Read,
    ];

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::WebhooksManage => "webhooks:manage",
            Self::DeliveriesRead => "deliveries:read",
            Self::SourcesManage => "sources:manage",
            Self::CommandsManage => "commands:manage",
            Self::Admin => "admin",
            Self::Read => "read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|scope| scope.as_str()).collect();
            format!("{text:?} is not a scope; the scopes are {}", known.join(", "))
        })
    }
}

/// A set of scopes in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Everything.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether an operation that asks for `scope` is allowed; `admin` allows all, `read` all reading.
    pub fn allow(self, scope: Scope) -> bool {
        let reads = if scope == Scope::DeliveriesRead { 1 << Scope::Read as u8 } else { 0 };
        self.0 & (1 << scope as u8 | 1 << Scope::Admin as u8 | reads) != 0
    }

    /// Whether every scope of `other` is allowed by this set.
    pub fn cover(self, other: Self) -> bool {
        other.iter().all(|scope| self.allow(scope))
    }

    /// The scopes in the set.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |&scope| self.0 & (1 << scope as u8) != 0)
    }

    /// The stored form.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// From the stored form; unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & ((1 << Scope::ALL.len()) - 1))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }
}

/// Whom a key speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// The operator of the instance: may act for any organization.
    Operator,
    /// One organization, optionally only one of its projects.
    Organization {
        /// The organization.
        id: OrganizationId,
        /// The only project the key reaches, if it is bound to one.
        project_id: Option<ProjectId>,
    },
}

/// An API key without its secret part, of which only a hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public name.
    pub id: ApiKeyId,
    /// Whom it speaks for.
    pub owner: KeyOwner,
    /// What it is for, in its maker's words.
    pub name: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Characters of a key behind its prefix: 256 random bits in URL-safe base 64.
pub const KEY_RANDOM_CHARACTERS: usize = 43;
/// What an organization's keys start with.
pub const KEY_PREFIX: &str = "tdk_";
/// What an operator's keys start with.
pub const OPERATOR_KEY_PREFIX: &str = "tdo_";
/// How many characters of a key are kept to recognise it by.
pub const KEY_SHOWN_CHARACTERS: usize = 10;

/// Makes a key's text out of 32 random bytes.
pub fn key_text(prefix: &str, random: [u8; 32]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random))
}

/// Whether a text could be a key at all: saves a look-up for everything else.
pub fn is_key_shaped(text: &str) -> bool {
    [KEY_PREFIX, OPERATOR_KEY_PREFIX].iter().any(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == KEY_RANDOM_CHARACTERS
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
    })
}

/// The hash a key is stored and looked up by. Keys are 256 random bits, so a fast hash is safe.
pub fn key_hash(text: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_covers_everything_and_nothing_covers_admin() {
        let admin: Scopes = [Scope::Admin].into_iter().collect();
        let writer: Scopes = [Scope::EventsWrite].into_iter().collect();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        assert!(writer.allow(Scope::EventsWrite) && !writer.allow(Scope::WebhooksManage));
        assert!(admin.cover(writer) && !writer.cover(admin));
        assert_eq!(Scopes::from_bits(writer.bits()), writer);
    }

    #[test]
    fn read_is_all_reading_and_nothing_else() {
        let reader: Scopes = [Scope::Read].into_iter().collect();
        let allowed: Vec<_> = Scope::ALL.into_iter().filter(|&scope| reader.allow(scope)).collect();
        assert_eq!(allowed, [Scope::DeliveriesRead, Scope::Read]);
        let deliveries: Scopes = [Scope::DeliveriesRead].into_iter().collect();
        assert!(!deliveries.allow(Scope::Read), "commands may hold what whoever looks at deliveries is not to see");
    }

    #[test]
    fn keys_look_like_keys() {
        let key = key_text(KEY_PREFIX, [7; 32]);
        assert!(is_key_shaped(&key));
        assert_eq!(key.len(), KEY_PREFIX.len() + KEY_RANDOM_CHARACTERS);
        for bad in ["", "tdk_", "tdk_short", &key[1..], &format!("{key}x"), &key.replace('B', " ")] {
            assert!(!is_key_shaped(bad), "{bad:?}");
        }
    }
}
