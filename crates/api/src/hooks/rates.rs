//! How often a URL that runs a command may be called, and how often from one address.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hash},
    net::IpAddr,
};

use http::{HeaderValue, header};
use tidings_contract::codes::ErrorCode;
use tidings_domain::{
    command::settings::{CommandSettings, caller_of},
    ids::ProjectId,
    time::Timestamp,
};

use crate::{
    error::ApiError,
    pace::{Counted, Pace},
    state::Api,
};

/// The limits of all hook URLs.
#[derive(Debug, Default)]
pub(crate) struct HookRates {
    calls: Pace<(ProjectId, Whose)>,
    hashing: RandomState,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// A URL, by what is signed of it: what its caller adds makes it no other.
    Url(u64),
    Caller(IpAddr),
}

impl Counted for (ProjectId, Whose) {
    /// Whoever calls can have many addresses; URLs are made by the project.
    fn is_cheap(&self) -> bool {
        matches!(self.1, Whose::Caller(_))
    }
}

/// Which limit is reached, and when there is room again.
#[derive(Debug, PartialEq, Eq)]
enum Full {
    Address(u64),
    Url(u64),
}

impl HookRates {
    /// The address first: a caller who is turned away uses up nothing of what the URL takes from others.
    fn take(
        &self,
        settings: &CommandSettings,
        project_id: ProjectId,
        url: impl Hash,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Full> {
        if let (Some(address), Some(per_minute)) = (address, settings.address_rate_limit)
            && !settings.allows(address)
        {
            let whose = Whose::Caller(caller_of(address));
            self.calls.take((project_id, whose), per_minute, now).map_err(Full::Address)?;
        }
        match settings.rate_limit {
            Some(per_minute) => {
                let whose = Whose::Url(self.hashing.hash_one(url));
                self.calls.take((project_id, whose), per_minute, now).map_err(Full::Url)
            }
            None => Ok(()),
        }
    }
}

/// Takes a place among the calls of a URL, or says when there is one. To be asked once it is known that the URL is
/// good, and before anything is read or run. `url`: what makes it this URL and no other, whatever a caller adds.
pub(crate) async fn take_place(
    api: &Api,
    project_id: ProjectId,
    url: impl Hash,
    address: Option<IpAddr>,
) -> Result<(), ApiError> {
    let settings = api.store().find_command_settings(project_id).await?;
    api.hook_rates().calls.shared_by(api.engine().standing().alive());
    let (whose, wait_s) = match api.hook_rates().take(&settings, project_id, url, address, api.engine().now()) {
        Ok(()) => return Ok(()),
        Err(Full::Address(wait_s)) => ("this address makes too many calls: it is to make", wait_s),
        Err(Full::Url(wait_s)) => ("this URL is called too often: it takes", wait_s),
    };
    let detail = format!("{whose} no more for {wait_s} s; nothing was run");
    Err(ApiError::new(ErrorCode::RateLimited, detail).with_header(header::RETRY_AFTER, HeaderValue::from(wait_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn urls_and_callers_have_limits_of_their_own_and_projects_share_nothing() {
        let settings = CommandSettings {
            rate_limit: Some(3),
            address_rate_limit: Some(2),
            allow: vec!["192.0.2.0/24".parse().expect("a block")],
        };
        let (rates, now) = (HookRates::default(), Timestamp::from_millis(1_000_000));
        let (one, other) = (ProjectId::from_parts(1, 2), ProjectId::from_parts(3, 4));
        let take = |project, url: &str, from: &str| rates.take(&settings, project, url, address(from), now);
        assert_eq!(take(one, "/a", "198.51.100.1"), Ok(()));
        assert_eq!(take(one, "/b", "198.51.100.1"), Ok(()));
        assert_eq!(take(one, "/a", "198.51.100.1"), Err(Full::Address(30)), "whichever URL it calls");
        assert_eq!(take(other, "/a", "198.51.100.1"), Ok(()), "another project's are not counted");
        assert_eq!(take(one, "/a", "198.51.100.2"), Ok(()), "who was turned away has used up nothing");
        assert_eq!(take(one, "/a", "192.0.2.1"), Ok(()));
        assert_eq!(take(one, "/a", "192.0.2.1"), Err(Full::Url(20)), "whoever calls it");
        for _ in 0..2 {
            assert_eq!(take(one, "/b", "192.0.2.1"), Ok(()), "an allowed address is not counted");
        }
    }
}
