//! A webhook address, parsed and normalised.

use std::fmt;
use std::net::IpAddr;

use url::{Position, Url};

use super::names::{self, LocalName};
use super::{Refusal, RefusalReason, syntax};

/// How long an address may be, in characters, both as given and as normalised.
pub const TARGET_URL_CHARS_MAX: usize = 2048;

/// A parsed webhook address: `http` or `https`, a host, a port, a path.
///
/// What is shown of it never holds its credentials; only [`credentials`](Self::credentials) and
/// [`with_credentials`](Self::with_credentials) give them out. A fragment is dropped: it never
/// travels over HTTP, so keeping it would only make equal targets look different.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    /// Without credentials and fragment.
    url: Url,
    host: ParsedHost,
    port: u16,
    credentials: Option<Box<Credentials>>,
}

/// Where a target lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A lower-case ASCII name (punycode where needed), with a final dot if one was given.
    Name(&'a str),
    /// A literal address.
    Ip(IpAddr),
}

#[derive(Clone, PartialEq, Eq)]
enum ParsedHost {
    Name,
    Ip(IpAddr),
}

#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: String,
    password: String,
    /// The whole normalised address with the credentials in it.
    full: String,
}

impl TargetUrl {
    /// Reads an address. Says only whether it is well-formed, not whether the server may go
    /// there: that is [`TargetPolicy::check_url`](super::TargetPolicy::check_url).
    ///
    /// # Errors
    ///
    /// `syntax` or `scheme`.
    pub fn parse(text: &str) -> Result<TargetUrl, Refusal> {
        check_length(text)?;
        check_scheme(text)?;
        syntax::check_spelling(text)?;
        let mut url = Url::parse(text).map_err(|error| {
            Refusal::syntax(format!("the address is not a URL ({error}); write it like https://example.com/hook"))
        })?;
        let host = match url.host() {
            None => return Err(Refusal::syntax("the address has no host")),
            Some(url::Host::Domain(name)) => {
                syntax::check_host_name(name)?;
                ParsedHost::Name
            }
            Some(url::Host::Ipv4(address)) => ParsedHost::Ip(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => ParsedHost::Ip(IpAddr::V6(address)),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        url.set_fragment(None);
        check_length(url.as_str())?;
        let credentials = take_credentials(&mut url)?;
        Ok(TargetUrl { url, host, port, credentials })
    }

    /// The normalised address without credentials: safe in logs and answers.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The normalised address with `***@` where credentials stand: safe in logs and answers.
    pub fn masked(&self) -> String {
        match self.credentials {
            None => self.as_str().to_owned(),
            Some(_) => {
                let (scheme, rest) = (&self.url[..Position::BeforeHost], &self.url[Position::BeforeHost..]);
                format!("{scheme}***@{rest}")
            }
        }
    }

    /// The normalised address with its credentials in plain text: a secret, for storage only.
    pub fn with_credentials(&self) -> &str {
        self.credentials.as_ref().map_or_else(|| self.as_str(), |credentials| &credentials.full)
    }

    /// User name and password, percent-decoded, to be sent as `Authorization: Basic`.
    pub fn credentials(&self) -> Option<(&str, &str)> {
        let credentials = self.credentials.as_ref()?;
        Some((&credentials.user, &credentials.password))
    }

    /// Whether the scheme is `https`; else it is `http`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The name or literal address to reach.
    pub fn host(&self) -> Host<'_> {
        match self.host {
            ParsedHost::Ip(address) => Host::Ip(address),
            ParsedHost::Name => Host::Name(self.url.host_str().unwrap_or_default()),
        }
    }

    /// Whether the name always means this machine itself: `localhost` and its like.
    pub fn names_this_machine(&self) -> bool {
        match self.host() {
            Host::Ip(_) => false,
            Host::Name(name) => names::classify(name) == Some(LocalName::Loopback),
        }
    }

    /// The port to reach: as given, else 443 or 80. Never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header: the host, with the port unless it is the scheme's own.
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Scheme and authority, `https://example.com:8443`: what connections are shared by.
    pub fn origin(&self) -> &str {
        &self.url[..Position::AfterPort]
    }

    /// The request target: an absolute path and the query, percent-encoded ASCII.
    pub fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

/// Masked.
impl fmt::Display for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.masked())
    }
}

/// Masked.
impl fmt::Debug for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TargetUrl({})", self.masked())
    }
}

fn check_length(text: &str) -> Result<(), Refusal> {
    // Bytes are cheap to count and never fewer than characters.
    if text.len() > TARGET_URL_CHARS_MAX && text.chars().count() > TARGET_URL_CHARS_MAX {
        return Err(Refusal::syntax(format!(
            "the address is longer than {TARGET_URL_CHARS_MAX} characters; use a shorter path or query"
        )));
    }
    Ok(())
}

fn check_scheme(text: &str) -> Result<(), Refusal> {
    let Some((scheme, _)) = text.split_once(':') else {
        return Ok(()); // The spelling's own message says more.
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if is_scheme && !known {
        return Err(Refusal::new(
            RefusalReason::Scheme,
            format!("`{scheme}:` addresses cannot receive webhooks; use https"),
        ));
    }
    Ok(())
}

/// Moves the credentials out of the URL, so that what is left can be shown.
fn take_credentials(url: &mut Url) -> Result<Option<Box<Credentials>>, Refusal> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let full = url.as_str().to_owned();
    let user = decode(url.username())?;
    let password = decode(url.password().unwrap_or_default())?;
    // RFC 7617 section 2: a colon would end the user name early.
    if user.contains(':') {
        return Err(Refusal::syntax("the user name in the address holds a colon"));
    }
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    if cleared.is_err() {
        return Err(Refusal::syntax("the address cannot hold a user name"));
    }
    Ok(Some(Box::new(Credentials { user, password, full })))
}

/// Percent-decodes a user name or password.
fn decode(text: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match after {
            [high, low, after @ ..] if *first == b'%' => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => return Err(bad_credentials()),
            },
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    let decoded = String::from_utf8(bytes).map_err(|_| bad_credentials())?;
    if decoded.chars().any(char::is_control) {
        return Err(bad_credentials());
    }
    Ok(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn bad_credentials() -> Refusal {
    Refusal::syntax(
        "the user name or password in the address is not percent-encoded UTF-8 text without control characters",
    )
}
