//! One question to a provider's API, through the one guarded client.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use tidings_domain::{
    source::{GapFill, Listing, Reply, Source, Verdict},
    target::TargetUrl,
};
use tidings_ports::sender::{FailureKind, OutgoingRequest};
use zeroize::Zeroizing;

use super::round::Round;
use crate::Engine;

/// Bytes of an answer: a page of a hundred things, each of which may be large.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a provider may take to answer, in milliseconds.
const TIMEOUT_MS: u32 = 30_000;

/// A source, and whom it asks.
pub(super) struct Asking {
    pub(super) source: Source,
    pub(super) gap_fill: GapFill,
    pub(super) listing: &'static dyn Listing,
    pub(super) api_key: Zeroizing<String>,
}

/// An answer that has what was asked for.
pub(super) struct Answered {
    headers: Vec<(String, String)>,
    body: bytes::Bytes,
}

/// Why there is none.
pub(super) enum Stop {
    /// The provider wants no question before [`Round::hold_until`].
    Hold,
    /// There is no such thing.
    Missing,
    /// It is longer than what is taken in.
    TooLong,
    /// It could not be asked; whether somebody has to change something.
    Failed { reason: String, refused: bool },
}

impl Asking {
    /// Where its API is.
    pub(super) fn api_url(&self) -> &str {
        self.gap_fill.api_url.as_deref().unwrap_or(self.listing.api_url()).trim_end_matches('/')
    }

    fn headers(&self, user_agent: &str) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_str(user_agent).ok()?);
        for (name, value) in self.listing.headers() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let bearer = Zeroizing::new(format!("Bearer {}", *self.api_key));
        let mut value = HeaderValue::from_str(&bearer).ok()?;
        // So that whoever prints a request prints no key.
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
        Some(headers)
    }
}

impl Answered {
    pub(super) fn reply(&self) -> Reply<'_> {
        Reply { status: 200, headers: &self.headers, body: &self.body }
    }
}

impl Engine {
    /// Asks for a path of the provider's API, unless it has to wait.
    pub(super) async fn question(&self, asking: &Asking, round: &mut Round, path: &str) -> Result<Answered, Stop> {
        if round.hold_until > self.clock.now() {
            return Err(Stop::Hold);
        }
        let refused = |reason: String| Stop::Failed { reason, refused: true };
        let url = TargetUrl::parse(&format!("{}{path}", asking.api_url()));
        let url = url.map_err(|refusal| refused(format!("the provider's API has no usable address: {refusal}")))?;
        let headers = asking.headers(&self.user_agent).ok_or_else(|| refused("the API key is no header".to_owned()))?;
        let request = OutgoingRequest::get(Arc::new(url), headers, TIMEOUT_MS, ANSWER_BYTES_MAX);
        let answer = self.sender.send(request).await.result.map_err(|failure| Stop::Failed {
            reason: format!("the provider's API does not answer: {}", failure.message),
            refused: failure.kind == FailureKind::Refused,
        })?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers: Vec<_> = answer.headers.iter().filter_map(text).collect();
        let reply = Reply { status: answer.status.as_u16(), headers: &headers, body: &answer.body };
        let (now, wall) = (self.clock.now(), self.clock.wall());
        match reply.verdict(wall) {
            Verdict::Wait(ms) => {
                round.hold_until = now.plus_millis(ms);
                return Err(Stop::Hold);
            }
            Verdict::Missing => return Err(Stop::Missing),
            Verdict::Refused(reason) => return Err(refused(reason)),
            Verdict::Trouble(reason) => return Err(Stop::Failed { reason, refused: false }),
            Verdict::Answered => {}
        }
        if let Some(ms) = reply.spent_until(wall) {
            round.hold_until = now.plus_millis(ms);
        }
        match answer.truncated {
            true => Err(Stop::TooLong),
            false => Ok(Answered { headers, body: answer.body }),
        }
    }
}
