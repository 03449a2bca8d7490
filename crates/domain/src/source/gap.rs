//! Filling gaps: what a provider is asked for that did not come by itself, and how its answers are
//! read. Whoever asks, waits and stores stands elsewhere.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::SourceKind;
use crate::{
    retry::{RETRY_AFTER_MS_MAX, parse_retry_after_ms},
    time::Timestamp,
};

/// Seconds between two rounds, unless the source says otherwise.
pub const FILL_EVERY_S: u32 = 300;
/// Seconds that may lie between two rounds: no provider likes to be asked more often, and none
/// keeps what it lists for less than three days.
const FILL_EVERY_S_RANGE: std::ops::RangeInclusive<u32> = 60..=86_400;
/// Characters of an API key.
const API_KEY_CHARACTERS_MAX: usize = 512;
/// Characters of what a provider calls something.
const ID_CHARACTERS_MAX: usize = 200;
/// How long is waited where a provider says "too often" and not until when, in milliseconds.
const TOO_OFTEN_MS: u64 = 60_000;
/// How long is waited at least, whatever the provider says: one that says "at once" again and again is not
/// to be asked without a pause.
const WAIT_MS_MIN: u64 = 1_000;
/// Numbers from here on are seconds since 1970, and not from now.
const SECONDS_SINCE_1970_MIN: u64 = 1_000_000_000;

/// How a source asks its provider. The key it asks with stands elsewhere, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapFill {
    /// Seconds between two rounds.
    pub every_s: u32,
    /// Where the API is, in place of the provider's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_url: Option<String>,
    /// Which of the provider's webhooks leads here, where the provider lists webhook by webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// Which types are asked for, where the provider lists more than it sends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// How a receipt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Its provider sent it.
    #[default]
    Webhook,
    /// Its provider was asked for it. Nobody signed it; the API's key vouches for it.
    GapFill,
}

impl Via {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::GapFill => "gap_fill",
        }
    }
}

/// What is particular about one provider's lists.
pub trait Listing: Sync {
    /// Where its API is.
    fn api_url(&self) -> &'static str;

    /// Headers that its API wants beside the key.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// What is wrong with how a source wants to ask: member and reason.
    fn check(&self, gap_fill: &GapFill) -> Vec<(&'static str, String)>;

    /// The path of a page of what happened since a time: the newest, or what follows a cursor.
    fn page_path(&self, gap_fill: &GapFill, since: Timestamp, cursor: Option<&str>, size: u32) -> String;

    /// Reads a page.
    fn read_page(&self, reply: &Reply<'_>) -> Result<ListPage, Unreadable>;

    /// The path of one thing, by its [`Listed::key`].
    fn one_path(&self, gap_fill: &GapFill, key: &str) -> String;

    /// Reads one thing.
    fn read_one(&self, reply: &Reply<'_>) -> Result<Missed, Unreadable>;
}

/// A page of a provider's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// Newest first.
    pub entries: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Something that a provider lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The id that its webhook has as well.
    pub id: String,
    /// What it is asked for by.
    pub key: String,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// All of it, where the list has that already.
    pub missed: Option<Missed>,
}

/// A webhook that did not come, as it would have come; but nobody has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

/// An answer of a provider's API.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// An answer that is not of the form that the provider describes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provider's answer is not what its API gives: {0}")]
pub struct Unreadable(pub String);

/// What an answer means before anybody reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has what was asked for.
    Answered,
    /// There is no such thing.
    Missing,
    /// Too many questions: so many milliseconds from now there may be another.
    Wait(u64),
    /// Somebody has to change something, for this reason.
    Refused(String),
    /// It may work another time.
    Trouble(String),
}

impl Reply<'_> {
    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What it means. `now` is what the wall clock shows.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let status = self.status;
        let asked_to_wait = self.header("retry-after").and_then(|value| parse_retry_after_ms(value, now));
        let wait_ms = asked_to_wait.or_else(|| self.spent_until(now));
        match status {
            200 => Verdict::Answered,
            // GitHub says "too often" with 403 as well, and then says until when.
            429 | 403 if status == 429 || wait_ms.is_some() => {
                Verdict::Wait(wait_ms.unwrap_or(TOO_OFTEN_MS).clamp(WAIT_MS_MIN, RETRY_AFTER_MS_MAX))
            }
            503 if asked_to_wait.is_some() => {
                Verdict::Wait(asked_to_wait.unwrap_or(TOO_OFTEN_MS).clamp(WAIT_MS_MIN, RETRY_AFTER_MS_MAX))
            }
            401 | 403 => Verdict::Refused(format!("the provider refuses the API key ({status})")),
            404 | 410 => Verdict::Missing,
            300..=399 => Verdict::Refused(format!(
                "the provider answers from another address ({status}), and redirects are not followed: check api_url and \
                 hook"
            )),
            400..=499 => Verdict::Refused(format!("the provider does not take the question ({status})")),
            _ => Verdict::Trouble(format!("the provider's API answers with {status}")),
        }
    }

    /// How many milliseconds are to pass before the next question, if this answer was the last one
    /// for a while.
    pub fn spent_until(&self, now: Timestamp) -> Option<u64> {
        // GitHub gives seconds since 1970, and who follows the IETF's draft seconds from now.
        let families = [("x-ratelimit-remaining", "x-ratelimit-reset"), ("ratelimit-remaining", "ratelimit-reset")];
        families.iter().find_map(|(remaining, reset)| {
            if self.header(remaining)?.trim() != "0" {
                return None;
            }
            let seconds: u64 = self.header(reset)?.trim().parse().ok()?;
            let ms = seconds.saturating_mul(1000);
            Some(match seconds >= SECONDS_SINCE_1970_MIN {
                true => Timestamp::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)).millis_since(now),
                false => ms,
            })
            .map(|ms| ms.min(RETRY_AFTER_MS_MAX))
        })
    }
}

impl ListPage {
    /// A page of a list that goes on after its last entry, if it goes on.
    pub(super) fn after_last(entries: Vec<Listed>, has_more: bool) -> Result<Self, Unreadable> {
        match (has_more, entries.last()) {
            (false, _) => Ok(Self { entries, next: None }),
            (true, Some(last)) => Ok(Self { next: Some(last.key.clone()), entries }),
            (true, None) => Err(Unreadable("an empty page that others follow".to_owned())),
        }
    }
}

impl Missed {
    /// A JSON body with these headers beside its type.
    pub(super) fn json(body: &str, headers: Vec<(String, String)>) -> Self {
        let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
        // Stored one a line, so that a line break within one would make another.
        all.extend(headers.into_iter().filter(|(_, value)| !value.chars().any(char::is_control)));
        Self { headers: all, body: Bytes::copy_from_slice(body.as_bytes()) }
    }
}

/// An id as a provider gave it. It becomes part of an address, so it must not lead anywhere else.
pub(super) fn checked_id(id: String) -> Result<String, Unreadable> {
    match is_word(&id, "_-") && id.len() <= ID_CHARACTERS_MAX {
        true => Ok(id),
        false => Err(Unreadable("an id has characters that ids do not have".to_owned())),
    }
}

pub(super) fn is_word(text: &str, also: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || also.as_bytes().contains(&byte);
    !text.is_empty() && text.bytes().all(legal) && text.bytes().any(|byte| byte != b'.')
}

pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    // The parser's own message quotes what stands there, which is for nobody's log.
    serde_json::from_slice(body).map_err(|error| {
        let what = if error.is_data() { "a member is missing or of another type" } else { "it is no whole JSON" };
        Unreadable(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

/// An address below the API's, to which parameters are added.
pub(super) fn query(path: &str) -> url::form_urlencoded::Serializer<'static, String> {
    let start = format!("{path}?");
    let length = start.len();
    url::form_urlencoded::Serializer::for_suffix(start, length)
}

/// Everything that is wrong with how a source wants to ask, each with the member it concerns.
pub(super) fn check(kind: SourceKind, gap_fill: &GapFill, dedupe: Option<&str>) -> Vec<(String, String)> {
    let Some(listing) = kind.listing() else {
        let names: Vec<_> =
            SourceKind::ALL.iter().filter(|kind| kind.listing().is_some()).map(|it| it.as_str()).collect();
        let reason = format!("a source of kind {} has nobody to ask; {} have", kind.as_str(), names.join(", "));
        return vec![("gap_fill".to_owned(), reason)];
    };
    let mut wrong: Vec<(&str, String)> = listing.check(gap_fill);
    if !FILL_EVERY_S_RANGE.contains(&gap_fill.every_s) {
        let (from, to) = (FILL_EVERY_S_RANGE.start(), FILL_EVERY_S_RANGE.end());
        wrong.push(("every_s", format!("it is {from} to {to} s")));
    }
    let mut wrong: Vec<_> = wrong.into_iter().map(|(member, reason)| (format!("gap_fill.{member}"), reason)).collect();
    if dedupe.is_some() {
        let reason = "with gap_fill, what came already is told by the id that the provider gives it";
        wrong.push(("dedupe".to_owned(), reason.to_owned()));
    }
    wrong
}

/// Whether a text can be an API key.
pub fn check_api_key(key: &str) -> Result<(), String> {
    let printable = key.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    match !key.is_empty() && key.len() <= API_KEY_CHARACTERS_MAX && printable {
        true => Ok(()),
        false => Err(format!("an API key has 1 to {API_KEY_CHARACTERS_MAX} printable characters")),
    }
}

/// Says that a kind has no such member.
pub(super) fn has_none(wrong: &mut Vec<(&'static str, String)>, member: &'static str, given: bool, instead: &str) {
    if given {
        wrong.push((member, instead.to_owned()));
    }
}
