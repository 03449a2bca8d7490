//! The portal: how a platform's customers see the webhooks of their project, in the platform's colours.

mod colour;
mod return_url;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{PortalSessionId, ProjectId},
    tenancy::{Scope, Scopes},
    time::Timestamp,
};

pub use colour::{Colour, InvalidColour};
pub use return_url::{InvalidReturnUrl, RETURN_URL_CHARACTERS_MAX, ReturnUrl};

/// Characters of the platform's name.
pub const PORTAL_NAME_CHARACTERS_MAX: usize = 64;
/// Radius of corners, in pixels.
pub const PORTAL_RADIUS_MAX: u8 = 12;
/// Sites that may show the portal in a frame.
pub const FRAME_ORIGINS_MAX: usize = 16;
/// Bytes of a logo.
pub const LOGO_BYTES_MAX: usize = 64 * 1024;
/// Open sessions of a project.
pub const PORTAL_SESSIONS_MAX: u32 = 10_000;
/// How long a session lasts unless somebody says otherwise, in seconds.
pub const PORTAL_SESSION_S: u32 = 3_600;
/// How long a session may last, in seconds.
pub const PORTAL_SESSION_S_MAX: u32 = 86_400;
/// How long an ended session is kept, so that its page can say where to open it again, in milliseconds.
pub const PORTAL_SESSION_KEPT_MS: u64 = 7 * 86_400 * 1_000;
/// Characters of a frame's origin.
const ORIGIN_CHARACTERS_MAX: usize = 255;

/// Light, dark, or what the visitor's system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As the visitor's system says.
    #[default]
    System,
}

impl Mode {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    /// From the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Light, Self::Dark, Self::System].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// How a project's portal looks, and who may show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portal {
    /// The platform's name.
    pub name: String,
    /// Light or dark.
    pub mode: Mode,
    /// The platform's colour.
    pub accent: Colour,
    /// Radius of corners, in pixels.
    pub radius: u8,
    /// Sites that may show it in a frame; none unless they are named.
    pub frame_origins: Vec<FrameOrigin>,
    /// Where it leads back to.
    #[serde(default)]
    pub return_url: Option<ReturnUrl>,
}

impl Portal {
    /// What a project has that said nothing.
    pub fn of(name: &str) -> Self {
        let name = name.chars().take(PORTAL_NAME_CHARACTERS_MAX).collect();
        Self { name, mode: Mode::System, accent: Colour::INK, radius: 6, frame_origins: Vec::new(), return_url: None }
    }
}

/// Whether a text can be a platform's name: one that is seen.
pub fn is_portal_name(text: &str) -> bool {
    text.chars().count() <= PORTAL_NAME_CHARACTERS_MAX
        && !text.chars().any(char::is_control)
        && text.chars().any(|character| !character.is_whitespace() && !is_unseen(character))
}

/// Characters that are drawn as nothing (Unicode's `Default_Ignorable_Code_Point`, the blank of Braille, and marks
/// between annotations).
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A site as a browser names it: `https://app.example.com`, `https://*.example.com`, `http://localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameOrigin(String);

/// A text is no site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write an origin without a path, such as https://app.example.com")]
pub struct InvalidFrameOrigin;

impl FrameOrigin {
    /// Whether what it shows cannot be changed on the way.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for FrameOrigin {
    type Err = InvalidFrameOrigin;

    /// Nothing else may come through: it becomes part of a header.
    fn from_str(text: &str) -> Result<Self, InvalidFrameOrigin> {
        let text = text.to_ascii_lowercase();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(InvalidFrameOrigin)?;
        let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        let labels = host.strip_prefix("*.").unwrap_or(host);
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
        let is_origin = text.len() <= ORIGIN_CHARACTERS_MAX && labels.split('.').all(is_label) && is_port;
        // With a wildcard below everything anybody could show it.
        let is_named = !host.starts_with("*.") || labels.contains('.');
        if is_origin && is_named { Ok(Self(text)) } else { Err(InvalidFrameOrigin) }
    }
}

impl TryFrom<String> for FrameOrigin {
    type Error = InvalidFrameOrigin;

    fn try_from(text: String) -> Result<Self, InvalidFrameOrigin> {
        text.parse()
    }
}

impl From<FrameOrigin> for String {
    fn from(origin: FrameOrigin) -> Self {
        origin.0
    }
}

impl fmt::Display for FrameOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Pictures that a logo can be: neither can hold a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl LogoKind {
    /// What these bytes are by what they begin with, whatever they are called.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Its content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// Somebody who may look at one project's portal for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalSession {
    /// Its id.
    pub id: PortalSessionId,
    /// Which project.
    pub project_id: ProjectId,
    /// What they may do there.
    pub scopes: Scopes,
    /// Light or dark, if not as the portal says.
    pub mode: Option<Mode>,
    /// Where it leads back to, or that it leads nowhere, if not as the portal says.
    pub return_url: Option<Option<ReturnUrl>>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a session may be for: looking, or changing webhooks as well.
pub const PORTAL_SCOPES: [Scope; 2] = [Scope::DeliveriesRead, Scope::WebhooksManage];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_seen() {
        for name in ["Acme", "Ä", "株", "★", "a\u{200b}b", &"a".repeat(64)] {
            assert!(is_portal_name(name), "{name:?}");
        }
        for name in ["", " ", "\u{200b}", "\u{2060} \u{feff}", "\u{3164}", "\u{2800}", "a\nb", &"a".repeat(65)] {
            assert!(!is_portal_name(name), "{name:?}");
        }
    }

    #[test]
    fn origins_are_origins_and_nothing_else() {
        for good in [
            "https://app.example.com",
            "https://*.example.com",
            "http://localhost:3000",
            "HTTPS://App.Example.com:8443",
            "http://127.0.0.1",
        ] {
            assert!(good.parse::<FrameOrigin>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "https://",
            "https://*",
            "https://*.com",
            "app.example.com",
            "https://a.example.com/",
            "https://a.example.com/path",
            "https://a.example.com; script-src *",
            "https://a.example.com https://b.example.com",
            "https://a.example.com,b",
            "javascript:alert(1)",
            "https://user@example.com",
            "https://a.example.com:99999",
            "https://a.example.com:",
            "https://a..example.com",
            "'self'",
            "https://a.example.com\r\nx: y",
        ] {
            assert!(bad.parse::<FrameOrigin>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_logo_is_what_its_bytes_say() {
        assert_eq!(LogoKind::of(b"\x89PNG\r\n\x1a\nrest"), Some(LogoKind::Png));
        assert_eq!(LogoKind::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(LogoKind::Webp));
        for other in
            [&b"<svg xmlns='http://www.w3.org/2000/svg'>"[..], b"GIF89a", b"\xff\xd8\xff", b"", b"RIFF\0\0\0\0WAVE"]
        {
            assert_eq!(LogoKind::of(other), None);
        }
    }
}
