//! One line of the doctor's report.

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing to do.
    Ok,
    /// It works, but not as well or as safely as it should.
    Warn,
    /// The server will not start or not work.
    Fail,
}

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What was looked at, what was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    pub(super) way_out: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), way_out: None }
    }

    pub(super) fn warn(name: &'static str, found: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, found: found.into(), way_out: Some(way_out.into()) }
    }

    pub(super) fn fail(name: &'static str, found: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, found: found.into(), way_out: Some(way_out.into()) }
    }
}
