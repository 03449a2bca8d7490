//! URLs that run a command. Everything in one is signed, so nobody who has it can change whom it is for,
//! what it runs, what it hands over, where it leads, or how long it is good.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use url::form_urlencoded;

use super::{CommandName, is_user_id};
use crate::{ids::ProjectId, time::Timestamp};

/// Names that belong to the URL itself; all other parameters are the caller's.
pub const RESERVED: [&str; 7] = ["command", "user_id", "content", "redirect_to", "expires_at", "key", "sig"];
/// Bytes of what a URL may hand over.
pub const URL_CONTENT_BYTES_MAX: usize = 4_096;
/// Bytes of the address that a URL may lead to.
const REDIRECT_BYTES_MAX: usize = 2_048;

/// What a URL stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HookUrl {
    /// The command it runs.
    pub command: CommandName,
    /// For which user; without one it is global.
    pub user_id: Option<String>,
    /// What is handed over, unless the request brings something.
    pub content: Option<String>,
    /// Where whoever called is sent after a success.
    pub redirect_to: Option<String>,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

/// A URL that was called and that this instance made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledUrl {
    /// What it stands for.
    pub url: HookUrl,
    /// The version of the key that signed it.
    pub version: u32,
    /// The caller's own parameters.
    pub params: Vec<(String, String)>,
}

/// A key of one project, derived from the instance's; none is stored.
pub struct HookKey(hmac::Key);

impl HookKey {
    /// From 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

/// A URL is not one that this instance made, or no longer good. Nobody is told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL is not valid")]
pub struct Refused;

impl HookUrl {
    /// Everything that is wrong with it, each with the member it concerns.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.user_id.as_deref().is_some_and(|id| !is_user_id(id)) {
            wrong.push(("user_id", "it has 1 to 128 characters, none of them a control character".to_owned()));
        }
        if self.content.as_ref().is_some_and(|content| content.len() > URL_CONTENT_BYTES_MAX) {
            wrong.push(("content", format!("it has at most {URL_CONTENT_BYTES_MAX} bytes")));
        }
        if let Some(address) = &self.redirect_to {
            let parsed = url::Url::parse(address).ok();
            let fits = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            if address.len() > REDIRECT_BYTES_MAX || !parsed.as_ref().is_some_and(fits) {
                let reason = format!("it is an address with http or https of at most {REDIRECT_BYTES_MAX} bytes");
                wrong.push(("redirect_to", reason));
            }
        }
        wrong
    }

    fn signature(&self, project_id: ProjectId, version: u32, key: &HookKey) -> String {
        // As JSON, so that no value can pass for the end of one and the beginning of the next.
        let signed = json!([
            "hook url 1",
            project_id.to_string(),
            version,
            self.command.as_str(),
            self.user_id,
            self.content,
            self.redirect_to,
            self.expires_at.map(Timestamp::as_millis),
        ]);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key.0, signed.to_string().as_bytes()).as_ref())
    }

    /// The query of its URL.
    pub fn query(&self, project_id: ProjectId, version: u32, key: &HookKey) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("command", self.command.as_str());
        let expires_at = self.expires_at.map(|at| at.as_millis().to_string());
        let optional = [
            ("user_id", &self.user_id),
            ("content", &self.content),
            ("redirect_to", &self.redirect_to),
            ("expires_at", &expires_at),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("key", &version.to_string());
        query.append_pair("sig", &self.signature(project_id, version, key));
        query.finish()
    }

    /// Reads a query that was called. `key_of` gives the key of a version, good or not: whether it still is, is
    /// asked once the signature says that this instance made the URL, and not before.
    pub fn verify(
        query: &str,
        project_id: ProjectId,
        key_of: impl FnOnce(u32) -> HookKey,
        now: Timestamp,
    ) -> Result<CalledUrl, Refused> {
        let mut own: [Option<String>; RESERVED.len()] = Default::default();
        let mut others = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match RESERVED.iter().position(|reserved| *reserved == name) {
                // Two of the same, and it would depend on the reader which one counts.
                Some(place) if own[place].is_some() => return Err(Refused),
                Some(place) => own[place] = Some(value.into_owned()),
                None => others.push((name.into_owned(), value.into_owned())),
            }
        }
        let [command, user_id, content, redirect_to, expires_at, version, signature] = own;
        let number = |text: String| text.parse::<i64>().map_err(|_| Refused);
        let url = Self {
            command: command.and_then(|text| text.try_into().ok()).ok_or(Refused)?,
            user_id,
            content,
            redirect_to,
            expires_at: expires_at.map(number).transpose()?.map(Timestamp::from_millis),
        };
        let version: u32 = version.and_then(|text| text.parse().ok()).ok_or(Refused)?;
        let key = key_of(version);
        let expected = url.signature(project_id, version, &key);
        let given = signature.ok_or(Refused)?;
        verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).map_err(|_| Refused)?;
        match url.expires_at.is_some_and(|expires_at| expires_at <= now) {
            true => Err(Refused),
            false => Ok(CalledUrl { url, version, params: others }),
        }
    }
}
