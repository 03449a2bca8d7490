//! Bots that were imported from Bots.Business: URLs that it made for them go on running commands of a project.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{ids::ProjectId, time::Timestamp};

/// Characters of a bot's id.
const ID_CHARACTERS_MAX: usize = 64;
/// Bytes of a bot's token.
pub const BOT_TOKEN_BYTES_MAX: usize = 256;
/// Hosts that a bot's URLs may lead to.
pub const REDIRECT_HOSTS_MAX: usize = 32;
/// Bytes of an address that a URL leads to.
const REDIRECT_BYTES_MAX: usize = 2_048;

/// The id that a bot has with Bots.Business, as it stands in its URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BotId(String);

/// Why a text is not a bot's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a bot's id has 1 to {ID_CHARACTERS_MAX} characters of A-Z a-z 0-9 _ -, as it stands in the bot's URLs")]
pub struct InvalidBotId;

impl BotId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BotId {
    type Error = InvalidBotId;

    fn try_from(text: String) -> Result<Self, InvalidBotId> {
        let fits = (1..=ID_CHARACTERS_MAX).contains(&text.len());
        match fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            true => Ok(Self(text)),
            false => Err(InvalidBotId),
        }
    }
}

impl From<BotId> for String {
    fn from(id: BotId) -> Self {
        id.0
    }
}

/// Whether a text can be a bot's token.
pub fn is_bot_token(text: &str) -> bool {
    (1..=BOT_TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A bot, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Its id.
    pub id: BotId,
    /// Whose commands its URLs run.
    pub project_id: ProjectId,
    /// Where its URLs may lead.
    pub redirect_hosts: Vec<RedirectHost>,
    /// When it was imported, or changed last.
    pub updated_at: Timestamp,
}

/// A host that URLs may lead to, or all hosts below it. Without a port: the usual one of the address's scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectHost {
    host: String,
    below: bool,
    port: Option<u16>,
}

/// Why a text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name such as shop.example.com, or *.example.com for all below it, with :PORT if it has another")]
pub struct InvalidRedirectHost;

impl FromStr for RedirectHost {
    type Err = InvalidRedirectHost;

    fn from_str(text: &str) -> Result<Self, InvalidRedirectHost> {
        let (rest, port) = match text.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte != b']')) {
            Some((rest, port)) => (rest, Some(port.parse().map_err(|_| InvalidRedirectHost)?)),
            None => (text, None),
        };
        let (name, below) = rest.strip_prefix("*.").map_or((rest, false), |name| (name, true));
        let host = Host::parse(name).map_err(|_| InvalidRedirectHost)?;
        // All names of a whole country or kind belong to nobody.
        let narrow = matches!(&host, Host::Domain(name) if name.trim_end_matches('.').contains('.'));
        match name.contains('*') || (below && !narrow) {
            true => Err(InvalidRedirectHost),
            false => Ok(Self { host: host.to_string(), below, port }),
        }
    }
}

impl TryFrom<String> for RedirectHost {
    type Error = InvalidRedirectHost;

    fn try_from(text: String) -> Result<Self, InvalidRedirectHost> {
        text.parse()
    }
}

impl fmt::Display for RedirectHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.below { "*." } else { "" })?;
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl From<RedirectHost> for String {
    fn from(host: RedirectHost) -> Self {
        host.to_string()
    }
}

impl RedirectHost {
    fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().filter(|_| url.port() == self.port) else { return false };
        match self.below {
            true => host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            false => host == self.host,
        }
    }
}

/// Where a URL may send whoever called it: the address as it was understood, so that what is sent is what was
/// checked. `None`: not there.
pub fn redirect_target(hosts: &[RedirectHost], address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let fits = address.len() <= REDIRECT_BYTES_MAX && hosts.iter().any(|host| host.covers(&url));
    fits.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(texts: &[&str]) -> Vec<RedirectHost> {
        texts.iter().map(|text| text.parse().expect("a host")).collect()
    }

    #[test]
    fn urls_lead_to_the_hosts_that_are_named_and_nowhere_else() {
        let hosts = hosts(&["shop.example.com", "*.Example.org", "localhost:3000", "[::1]", "b\u{fc}cher.example"]);
        for good in [
            "https://shop.example.com/thanks?a=1",
            "http://SHOP.example.com",
            "https://shop.example.com:443/",
            "https://a.example.org",
            "https://a.b.example.org/",
            "http://localhost:3000/",
            "http://[::1]/",
            "https://xn--bcher-kva.example/",
        ] {
            assert!(redirect_target(&hosts, good).is_some(), "{good}");
        }
        let long = format!("https://shop.example.com/{}", "a".repeat(REDIRECT_BYTES_MAX));
        for bad in [
            "https://example.com/",
            "https://evil.example/?shop.example.com",
            "https://shop.example.com@evil.example/",
            "https://shop.example.com.evil.example/",
            "https://shop.example.com.",
            "https://shop.example.com:8443/",
            "https://evil.example\\@shop.example.com/",
            "https://evil.example\t.shop.example.com/",
            "https://example.org/",
            "https://.example.org/",
            "https://evilexample.org/",
            "http://localhost/",
            "javascript:alert(1)",
            "ftp://shop.example.com/",
            "//shop.example.com/",
            "/thanks",
            "",
            &long,
        ] {
            assert_eq!(redirect_target(&hosts, bad), None, "{bad}");
        }
        assert_eq!(redirect_target(&[], "https://shop.example.com/"), None);
        let told = redirect_target(&hosts, "HTTPS://shop.example.com\\a b");
        assert_eq!(told.as_deref(), Some("https://shop.example.com/a%20b"), "as it was understood");
    }

    #[test]
    fn a_host_is_a_name_and_no_more() {
        for (text, written) in
            [("Shop.Example.com", "shop.example.com"), ("*.a.example:81", "*.a.example:81"), ("10.1.2.3", "10.1.2.3")]
        {
            assert_eq!(text.parse::<RedirectHost>().expect("a host").to_string(), written);
        }
        let bad =
            ["", "*", "*.com", "a.*.example", "*.10.1.2.3", "https://a.example", "a.example/x", "a b", "a.example:x"];
        for bad in bad {
            assert!(bad.parse::<RedirectHost>().is_err(), "{bad}");
        }
        for bad in ["", "a/b", "a b", "\u{e4}", &"1".repeat(65)] {
            assert!(BotId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(is_bot_token("123:ABC") && !is_bot_token("") && !is_bot_token("a b"));
    }
}
