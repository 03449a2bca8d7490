//! People: what they sign in with, and what their roles let them do.
//!
//! Sources: OWASP's cheat sheets on authentication and on password storage, and NIST SP 800-63B (5.1.1.2): length
//! counts, composition rules do not.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    ids::{AccountId, OrganizationId},
    tenancy::{Scope, Scopes},
};

/// Bytes of an email address (RFC 5321, errata 1690).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Bytes of what stands before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_PART_BYTES_MAX: usize = 64;
/// Bytes of one label of a host name (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Bytes of a password: short ones are guessed; the upper bound is for what hashing reads, and far beyond what
/// anybody types.
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 10..=1024;
/// Members an organization has at most, so that all of them can be read at once.
pub const MEMBERS_MAX: u32 = 1_000;
/// Organizations somebody may be a member of, so that all of them are read with each page.
pub const MEMBERSHIPS_MAX: u32 = 200;
/// Browsers somebody is signed in with at most; the oldest sign-in ends when there are more.
pub const SESSIONS_MAX: u32 = 20;
/// Invites of an organization, or of the operator, that are open at the same time.
pub const INVITES_MAX: u32 = 100;

/// How long a session lasts, however much it is used: after a month somebody signs in again, so that a browser that
/// was forgotten somewhere is not signed in for ever.
pub const SESSION_MS: u64 = 30 * 86_400_000;
/// How long a session may be unused: over a weekend and a short week nobody has to sign in again.
pub const SESSION_IDLE_MS: u64 = 7 * 86_400_000;
/// How long an invite is good, and the link that makes an operator: long enough for a holiday, short enough that an
/// old message gives nothing away.
pub const INVITE_MS: u64 = 7 * 86_400_000;

/// What a member may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything but secrets and keys, changes nothing.
    Viewer,
    /// Everything but what is an administrator's: webhooks, sources, commands, events.
    Developer,
    /// Everything, members below owner included.
    Admin,
    /// Everything. The last one of an organization stays.
    Owner,
}

impl Role {
    /// All roles, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// The number in the store: it grows with what the role allows.
    pub const fn code(self) -> u8 {
        match self {
            Self::Viewer => 0,
            Self::Developer => 1,
            Self::Admin => 2,
            Self::Owner => 3,
        }
    }

    /// From the number in the store; one of a later version means the least.
    pub fn from_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|role| role.code() == code).unwrap_or(Self::Viewer)
    }

    /// What a member with this role may do, as an API key would.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Owner | Self::Admin => Scopes::all(),
            Self::Developer => Scope::ALL.into_iter().filter(|&scope| scope != Scope::Admin).collect(),
            Self::Viewer => [Scope::Read].into_iter().collect(),
        }
    }

    /// Whether a member with this role may make, change or remove one with the other: owners are made and unmade by
    /// owners alone.
    pub fn manages(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => other != Self::Owner,
            Self::Developer | Self::Viewer => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| format!("{text:?} is not a role; the roles are {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// An email address, in lower case: one account is found however its address is typed.
///
/// It has the shape `local@domain`. ASCII only: what looks the same is the same. Whether mail arrives there is found
/// out by nobody; it is the name somebody signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// Why a text is no email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Too long.
    #[error("has more than {EMAIL_BYTES_MAX} bytes, or more than {LOCAL_PART_BYTES_MAX} before the @")]
    TooLong,
    /// Not what an address looks like.
    #[error("must look like name@example.com, without spaces, names beside it or characters outside of ASCII")]
    Shape,
}

impl Email {
    /// Reads an address; spaces around it are dropped.
    ///
    /// # Errors
    ///
    /// It has not the shape of one, or is too long.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Shape)?;
        if text.len() > EMAIL_BYTES_MAX || local.len() > LOCAL_PART_BYTES_MAX {
            return Err(InvalidEmail::TooLong);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        let is_local = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(plain));
        match is_local && is_domain(domain) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(InvalidEmail::Shape),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Whether a text is a host name.
pub fn is_domain(text: &str) -> bool {
    text.len() <= EMAIL_BYTES_MAX
        && text.split('.').all(|label| {
            (1..=LABEL_BYTES_MAX).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password that somebody may have. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too short.
    #[error("must have at least {} bytes; a few words in a row are easy to keep in mind", PASSWORD_BYTES.start())]
    TooShort,
    /// Too long.
    #[error("must have at most {} bytes", PASSWORD_BYTES.end())]
    TooLong,
    /// The first thing anybody tries.
    #[error("must not be the email address")]
    IsEmail,
}

impl Password {
    /// Takes a new password for the account with this address. Any characters will do.
    ///
    /// # Errors
    ///
    /// It is too short, too long, or the address itself.
    pub fn parse(text: &str, email: &Email) -> Result<Self, InvalidPassword> {
        if text.len() < *PASSWORD_BYTES.start() {
            return Err(InvalidPassword::TooShort);
        }
        if text.len() > *PASSWORD_BYTES.end() {
            return Err(InvalidPassword::TooLong);
        }
        match text.trim().eq_ignore_ascii_case(email.as_str()) {
            true => Err(InvalidPassword::IsEmail),
            false => Ok(Self(Zeroizing::new(text.to_owned()))),
        }
    }

    /// The text, for hashing and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Their id; also says since when.
    pub id: AccountId,
    /// What they sign in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// Whether they act as the operator of the instance.
    pub operator: bool,
}

/// Somebody's place in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization_id: OrganizationId,
    /// What it is called.
    pub organization_name: String,
    /// What they may do there.
    pub role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).expect("an address")
    }

    #[test]
    fn roles_allow_what_their_table_says() {
        let allowed = |role: Role| role.scopes().iter().map(Scope::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(Role::Owner.scopes(), Scopes::all());
        assert_eq!(Role::Admin.scopes(), Scopes::all());
        let developer = "events:write webhooks:manage deliveries:read sources:manage commands:manage read";
        assert_eq!(allowed(Role::Developer), developer);
        assert_eq!(allowed(Role::Viewer), "read");
        assert!(!Role::Developer.scopes().allow(Scope::Admin) && !Role::Viewer.scopes().allow(Scope::WebhooksManage));
        for role in Role::ALL {
            assert_eq!((role.as_str().parse(), Role::from_code(role.code())), (Ok(role), role));
        }
        assert!("Owner".parse::<Role>().is_err_and(|error| error.contains("owner, admin, developer, viewer")));
    }

    #[test]
    fn owners_are_made_and_unmade_by_owners_alone() {
        for other in Role::ALL {
            assert!(Role::Owner.manages(other));
            assert_eq!(Role::Admin.manages(other), other != Role::Owner);
            assert!(!Role::Developer.manages(other) && !Role::Viewer.manages(other));
        }
    }

    #[test]
    fn addresses_are_one_however_they_are_typed() {
        assert_eq!(email(" Mia@Example.COM ").as_str(), "mia@example.com");
        assert_eq!(email("mia+tidings@mail.example.com").domain(), "mail.example.com");
        for good in ["a@b", "o'neill@example.com", "a.b.c@x-y.example", "root@localhost"] {
            assert_eq!(email(good).as_str(), good);
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", ["a"; 128].join("."));
        for bad in [
            "",
            "@",
            "mia",
            "mia@",
            "@example.com",
            "a b@example.com",
            "mia@exa mple.com",
            "mia@@example.com",
            "Mia <mia@example.com>",
            "mia@example..com",
            "mia@-example.com",
            ".mia@example.com",
            "mia.@example.com",
            "mi\u{e4}@example.com",
            "mia@ex\u{e4}mple.com",
            "mia@example.com\n\nbcc:x@y.z",
            "mia\0@example.com",
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail::Shape), "{bad:?}");
        }
        assert_eq!(Email::parse(&long), Err(InvalidEmail::TooLong));
        assert_eq!(Email::parse(&longer), Err(InvalidEmail::TooLong));
    }

    #[test]
    fn passwords_are_judged_by_their_length_alone() {
        let email = email("mia@example.com");
        let parse = |text: &str| Password::parse(text, &email).map(|password| password.expose().to_owned());
        for good in ["0123456789", "          ", "\u{1f511}\u{1f511}\u{1f511}", &"x".repeat(1024)] {
            assert_eq!(parse(good), Ok(good.to_owned()), "nothing is cut off or trimmed");
        }
        assert_eq!(parse("012345678"), Err(InvalidPassword::TooShort));
        assert_eq!(parse(&"x".repeat(1025)), Err(InvalidPassword::TooLong));
        assert_eq!(parse(" MIA@example.com"), Err(InvalidPassword::IsEmail));
        assert_eq!(format!("{:?}", Password::parse("0123456789", &email)), "Ok(Password(…))");
    }
}
