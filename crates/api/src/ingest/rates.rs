//! How many requests a source takes in, and how many from one address.

use std::net::IpAddr;

use tidings_domain::{ids::SourceId, source::Source, time::Timestamp};

use crate::pace::{Counted, Pace};

/// The limits of all sources.
#[derive(Debug, Default)]
pub(crate) struct Rates(Pace<(SourceId, Option<IpAddr>)>);

impl Counted for (SourceId, Option<IpAddr>) {
    /// There are few sources, and their owners chose their limits.
    fn is_cheap(&self) -> bool {
        self.1.is_some()
    }
}

impl Rates {
    /// So many processes take in beside each other.
    pub(crate) fn shared_by(&self, processes: u32) {
        self.0.shared_by(processes);
    }

    /// Takes a place among what an address may ask a source, before anything is read; or says in how
    /// many seconds there is one.
    pub(crate) fn take_of_address(&self, source: &Source, address: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        match (address, source.settings.address_rate_limit) {
            (Some(_), Some(per_minute)) if !is_allowed(source, address) => {
                self.0.take((source.id, address), per_minute, now)
            }
            _ => Ok(()),
        }
    }

    /// Takes a place among what a source takes in. Only genuine requests are asked for one: forged
    /// ones must not use up what the provider needs.
    pub(crate) fn take_of_source(&self, source: &Source, address: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        match source.settings.rate_limit {
            Some(per_minute) if !is_allowed(source, address) => self.0.take((source.id, None), per_minute, now),
            _ => Ok(()),
        }
    }
}

fn is_allowed(source: &Source, address: Option<IpAddr>) -> bool {
    address.is_some_and(|address| source.settings.allow.iter().any(|block| block.contains(address)))
}

#[cfg(test)]
mod tests {
    use tidings_domain::{
        ids::ProjectId,
        source::{Settings, SourceKind},
    };

    use super::*;

    fn source(settings: Settings) -> Source {
        Source {
            id: SourceId::from_parts(1, 2),
            project_id: ProjectId::from_parts(3, 4),
            name: "a".to_owned(),
            kind: SourceKind::None,
            disabled: false,
            settings,
            updated_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_minutes_worth_comes_at_once_and_then_evenly() {
        let source = source(Settings { rate_limit: Some(60), ..Settings::default() });
        let (rates, at) = (Rates::default(), |ms: i64| Timestamp::from_millis(1_000_000 + ms));
        for _ in 0..60 {
            assert_eq!(rates.take_of_source(&source, None, at(0)), Ok(()));
        }
        assert_eq!(rates.take_of_source(&source, None, at(0)), Err(1));
        assert_eq!(rates.take_of_source(&source, None, at(1_000)), Ok(()));
        assert_eq!(rates.take_of_source(&source, None, at(1_000)), Err(1));
    }

    #[test]
    fn a_limit_is_kept_to_the_microsecond() {
        // A request each 666 µs: in milliseconds there would be 60,000 a minute, or no limit at all.
        const PER_MINUTE: i64 = 90_000;
        let source = source(Settings { rate_limit: Some(90_000), ..Settings::default() });
        let (rates, at) = (Rates::default(), |ms: i64| Timestamp::from_millis(1_000_000 + ms));
        let taken = |ms: i64| {
            let tries = 0..2 * PER_MINUTE;
            tries.take_while(|_| rates.take_of_source(&source, None, at(ms)).is_ok()).count()
        };
        let at_once = taken(0);
        assert!((90_000..90_100).contains(&at_once), "{at_once} at once");
        let then: usize = (1..=1_000).map(taken).sum();
        assert!((1_500..1_510).contains(&then), "{then} in the second after");
        assert_eq!(rates.take_of_source(&source, None, at(1_000)), Err(1));
    }

    #[test]
    fn addresses_have_limits_of_their_own_and_some_have_none() {
        let settings = Settings {
            address_rate_limit: Some(1),
            allow: vec!["10.0.0.0/8".parse().expect("a block")],
            ..Settings::default()
        };
        let (source, rates, now) = (source(settings), Rates::default(), Timestamp::from_millis(1_000_000));
        let address = |text: &str| Some(text.parse().expect("an address"));
        assert_eq!(rates.take_of_address(&source, address("192.0.2.1"), now), Ok(()));
        assert_eq!(rates.take_of_address(&source, address("192.0.2.1"), now), Err(60));
        assert_eq!(rates.take_of_address(&source, address("192.0.2.2"), now), Ok(()));
        for _ in 0..10 {
            assert_eq!(rates.take_of_address(&source, address("10.1.2.3"), now), Ok(()));
        }
    }
}
