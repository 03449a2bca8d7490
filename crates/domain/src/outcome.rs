//! What an attempt's outcome means: success, try again, or drop.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How one HTTP exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status came in time.
    Status(u16),
    /// The deadline passed first.
    Timeout,
    /// No answer: name, connection, broken HTTP, or a target the guard refused at the dial.
    Network,
    /// The TLS handshake failed.
    Tls,
}

/// What to do with an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The delivery is done.
    Success,
    /// Try again as the schedule says.
    Retry,
    /// Give up on this delivery at once.
    Drop,
    /// Give up on this delivery and disable the webhook: the receiver said it is gone.
    DropAndDisable,
}

/// Which outcomes a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomePattern {
    /// `404`
    Status(u16),
    /// `4xx`
    Class(u8),
    /// `timeout`
    Timeout,
    /// `network`
    Network,
    /// `tls`
    Tls,
    /// `any`
    Any,
}

impl OutcomePattern {
    /// Whether the pattern covers the outcome.
    pub fn covers(self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (Self::Status(wanted), Outcome::Status(status)) => wanted == status,
            (Self::Class(class), Outcome::Status(status)) => u16::from(class) == status / 100,
            (Self::Timeout, Outcome::Timeout) | (Self::Network, Outcome::Network) | (Self::Tls, Outcome::Tls) => true,
            (Self::Any, _) => true,
            _ => false,
        }
    }
}

impl FromStr for OutcomePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "{text:?} is not an outcome: use a status (\"404\"), a class (\"4xx\"), \"timeout\", \"network\", \"tls\" or \"any\""
            )
        };
        match text {
            "timeout" => return Ok(Self::Timeout),
            "network" => return Ok(Self::Network),
            "tls" => return Ok(Self::Tls),
            "any" => return Ok(Self::Any),
            _ => {}
        }
        if let Some(class) = text.strip_suffix("xx") {
            let class = class.parse().map_err(|_| refused())?;
            return if (2..=5).contains(&class) { Ok(Self::Class(class)) } else { Err(refused()) };
        }
        match text.parse() {
            Ok(status @ 200..=599) if text.len() == 3 => Ok(Self::Status(status)),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for OutcomePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
            Self::Timeout => f.write_str("timeout"),
            Self::Network => f.write_str("network"),
            Self::Tls => f.write_str("tls"),
            Self::Any => f.write_str("any"),
        }
    }
}

impl Serialize for OutcomePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OutcomePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// One line of a classification: the first rule that covers an outcome decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which outcomes.
    pub outcome: OutcomePattern,
    /// What to do with them.
    pub action: Action,
}

/// Rules given on a webhook stand before the profile's; what no rule covers is dropped.
pub fn classify(own: &[Rule], profile: &[Rule], outcome: Outcome) -> Action {
    own.iter().chain(profile).find(|rule| rule.outcome.covers(outcome)).map_or(Action::Drop, |rule| rule.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_wins() {
        let rule = |outcome: &str, action| Rule { outcome: outcome.parse().expect("a pattern"), action };
        let own = [rule("404", Action::Retry)];
        let profile = [rule("2xx", Action::Success), rule("4xx", Action::Drop), rule("timeout", Action::Retry)];
        assert_eq!(classify(&own, &profile, Outcome::Status(404)), Action::Retry);
        assert_eq!(classify(&own, &profile, Outcome::Status(410)), Action::Drop);
        assert_eq!(classify(&own, &profile, Outcome::Status(204)), Action::Success);
        assert_eq!(classify(&own, &profile, Outcome::Timeout), Action::Retry);
        assert_eq!(classify(&own, &profile, Outcome::Tls), Action::Drop);
    }

    #[test]
    fn patterns_are_strict() {
        for bad in ["", "2x", "1xx", "6xx", "20", "0200", "600", "Timeout", "xx"] {
            assert!(bad.parse::<OutcomePattern>().is_err(), "{bad:?}");
        }
    }
}
