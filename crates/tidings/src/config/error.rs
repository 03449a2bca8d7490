//! Why a configuration was refused.

use std::fmt;

/// One thing that is wrong: where, what, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct ConfigError {
    /// `tidings.toml:3`, a variable or a flag.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) way_out: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl fmt::Display, reason: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { place: place.to_string(), reason: reason.into(), way_out: way_out.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.reason, self.way_out)
    }
}

/// All errors, one a line: whoever corrects a file wants to do it once.
pub(crate) fn join(errors: &[ConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
