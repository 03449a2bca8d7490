//! Where a portal's visitor came from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

/// Characters of an address that leads back, as browsers write it: in ASCII, what is not of it as `%C3%BC`.
pub const RETURN_URL_CHARACTERS_MAX: usize = 2_048;

/// A page of the platform, which the portal leads back to: `https://app.example.com/settings`. With `http:` too where
/// the operator allows that; never anything that is no page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnUrl(String);

/// A text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReturnUrl {
    /// It cannot be read, or does not name a host.
    #[error("write a whole address, such as https://app.example.com/webhooks")]
    Syntax,
    /// It has another scheme.
    #[error("write an address that begins with https://")]
    Scheme,
    /// It holds a name or a password.
    #[error("write it without a user name and a password")]
    Credentials,
    /// It is too long.
    #[error("may have {RETURN_URL_CHARACTERS_MAX} characters, with those that are not ASCII written as %C3%BC")]
    Long,
}

impl ReturnUrl {
    /// Whether whoever goes there is spoken to in private.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The address, as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReturnUrl {
    type Err = InvalidReturnUrl;

    /// It becomes a link, so nothing comes through that a browser could take for anything but a page.
    fn from_str(text: &str) -> Result<Self, InvalidReturnUrl> {
        // Browsers leave these out, wherever they stand: what was read here would not be what they read.
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(InvalidReturnUrl::Syntax);
        }
        let url = Url::parse(text).map_err(|_| InvalidReturnUrl::Syntax)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(InvalidReturnUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidReturnUrl::Credentials);
        }
        let whole = String::from(url);
        if whole.len() > RETURN_URL_CHARACTERS_MAX { Err(InvalidReturnUrl::Long) } else { Ok(Self(whole)) }
    }
}

impl TryFrom<String> for ReturnUrl {
    type Error = InvalidReturnUrl;

    fn try_from(text: String) -> Result<Self, InvalidReturnUrl> {
        text.parse()
    }
}

impl From<ReturnUrl> for String {
    fn from(url: ReturnUrl) -> Self {
        url.0
    }
}

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_led_back_to() {
        for (text, read) in [
            ("https://app.example.com", "https://app.example.com/"),
            ("HTTPS://App.Example.com/Webhooks?tab=1#list", "https://app.example.com/Webhooks?tab=1#list"),
            ("http://localhost:3000/x", "http://localhost:3000/x"),
            ("https://app.example.com/\"><script>", "https://app.example.com/%22%3E%3Cscript%3E"),
        ] {
            assert_eq!(text.parse::<ReturnUrl>().map(|url| url.to_string()).as_deref(), Ok(read), "{text}");
        }
        let long = format!("https://app.example.com/{}", "ü".repeat(400));
        for (text, why) in [
            ("", InvalidReturnUrl::Syntax),
            ("/webhooks", InvalidReturnUrl::Syntax),
            ("//app.example.com", InvalidReturnUrl::Syntax),
            ("https://", InvalidReturnUrl::Syntax),
            ("javascript:alert(1)", InvalidReturnUrl::Scheme),
            ("java\nscript:alert(1)", InvalidReturnUrl::Syntax),
            (" javascript:alert(1)", InvalidReturnUrl::Syntax),
            ("JavaScript://app.example.com/%0aalert(1)", InvalidReturnUrl::Scheme),
            ("data:text/html,<script>", InvalidReturnUrl::Scheme),
            ("ftp://app.example.com/", InvalidReturnUrl::Scheme),
            ("https://app.example.com@evil.example/", InvalidReturnUrl::Credentials),
            ("https://:x@app.example.com/", InvalidReturnUrl::Credentials),
            (&long, InvalidReturnUrl::Long),
        ] {
            assert_eq!(text.parse::<ReturnUrl>(), Err(why), "{text}");
        }
    }
}
