//! The providers: one small file for each. A new one is a file here and a line in [`super::SourceKind`].

mod github;
mod hmac;
mod none;
mod resend;
mod shopify;
mod slack;
mod standard;
mod stripe;
mod token;

use super::{
    Settings,
    gap::Listing,
    incoming::{Incoming, Rejection},
    outgoing::{Headers, Outgoing},
};

pub(super) use github::GitHub;
pub(super) use hmac::Hmac;
pub(super) use none::Nobody;
pub(super) use resend::Resend;
pub(super) use shopify::Shopify;
pub(super) use slack::Slack;
pub(super) use standard::Standard;
pub(super) use stripe::Stripe;
pub(super) use token::Token;

/// What is particular about one provider's webhooks.
pub(super) trait Provider: Sync {
    /// Whether its requests carry a time, and how far that may be off unless the source says so.
    fn tolerance_s(&self) -> Option<u32> {
        None
    }

    /// Whether a source of this kind works without a secret.
    fn needs_secret(&self) -> bool {
        true
    }

    /// Whether a text can be a secret of this provider; if not, what one looks like.
    fn check_secret(&self, _secret: &str) -> Result<(), String> {
        Ok(())
    }

    /// Whether whoever knows the secret made this request; returns the time it carries, in Unix seconds.
    fn verify(&self, incoming: &Incoming<'_>, secret: &str, settings: &Settings) -> Result<Option<i64>, Rejection>;

    /// The headers that it puts to a request of its own, so that this kind finds it genuine.
    fn sign(&self, outgoing: &Outgoing<'_>, secret: &str, settings: &Settings) -> Headers;

    /// The provider's own id of what it reports, which is the same when it sends it again.
    fn event_id(&self, incoming: &Incoming<'_>) -> Option<String>;

    /// What kind of thing it reports.
    fn event_type(&self, incoming: &Incoming<'_>) -> Option<String>;

    /// The answer to a request that only asks whether somebody is there.
    fn handshake(&self, _incoming: &Incoming<'_>) -> Option<String> {
        None
    }

    /// How it is asked for what did not come by itself, if it can be asked.
    fn listing(&self) -> Option<&'static dyn Listing> {
        None
    }
}
