//! A request as a provider would make it, for samples that are sent to a source of one's own.

use super::{Settings, SourceKind};

/// Names, in lower case, and values.
pub type Headers = Vec<(String, String)>;

/// What is to be sent. Where a provider writes id and type into the body, they are there already.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The provider's id of it.
    pub id: &'a str,
    /// What the provider calls it.
    pub event_type: &'a str,
    /// When it is signed, in Unix seconds.
    pub at_s: i64,
    /// The body's bytes.
    pub body: &'a [u8],
}

/// The headers with which a provider of this kind would send it: a source of the kind with these
/// settings and this secret takes it for genuine.
pub fn sign(kind: SourceKind, settings: &Settings, secret: &str, outgoing: &Outgoing<'_>) -> Headers {
    kind.provider().sign(outgoing, secret, settings)
}

/// Headers out of names and values.
pub(super) fn headers<const COUNT: usize>(pairs: [(&str, &str); COUNT]) -> Headers {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
