//! Why an address is refused.

use std::fmt;

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which rule refused it.
    pub reason: RefusalReason,
    /// For a person: the thing, the reason and the way out. Holds no credentials.
    pub message: String,
}

impl Refusal {
    pub(super) fn new(reason: RefusalReason, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into() }
    }

    pub(super) fn syntax(message: impl Into<String>) -> Refusal {
        Refusal::new(RefusalReason::Syntax, message)
    }
}

/// The rules an address can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// Not a URL that every parser reads alike.
    Syntax,
    /// Neither https nor, where allowed, http.
    Scheme,
    /// A port of infrastructure that no webhook lives on.
    Port,
    /// An address that is not on the public internet.
    PrivateAddress,
    /// The server's own listening address.
    OwnAddress,
    /// A name that only means something inside a machine, a cluster or a local network.
    Name,
}

impl RefusalReason {
    /// The stable code that the API answers with.
    pub fn as_str(self) -> &'static str {
        match self {
            RefusalReason::Syntax => "syntax",
            RefusalReason::Scheme => "scheme",
            RefusalReason::Port => "port",
            RefusalReason::PrivateAddress => "private_address",
            RefusalReason::OwnAddress => "own_address",
            RefusalReason::Name => "name",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
