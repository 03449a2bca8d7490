//! What a project's owner says about calls of its hook URLs.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{
    source::{ALLOW_MAX, RATE_MAX},
    target::Cidr,
};

/// Calls of one URL per minute, unless its owner says otherwise: 20 a second, and a minute's worth at once. More
/// than a busy shop has payments, and little enough that one URL does not keep every runner to itself for long.
pub const RATE_LIMIT: u32 = 1_200;
/// … and from one address: payment providers call from a handful of addresses, and one of them may bring what a
/// shop missed in an hour at once. A quarter of what a URL takes, so that one caller alone never uses it up for all.
pub const ADDRESS_RATE_LIMIT: u32 = 300;

/// How often the hook URLs of a project may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// Calls of one URL per minute; `None`: as many as come.
    pub rate_limit: Option<u32>,
    /// Calls from one address per minute, of all URLs of the project together; `None`: as many as come.
    pub address_rate_limit: Option<u32>,
    /// Addresses whose calls are not limited per address.
    pub allow: Vec<Cidr>,
}

impl Default for CommandSettings {
    fn default() -> Self {
        Self { rate_limit: Some(RATE_LIMIT), address_rate_limit: Some(ADDRESS_RATE_LIMIT), allow: Vec::new() }
    }
}

impl CommandSettings {
    /// Everything that is wrong with them, each with the member it concerns.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (field, limit) in [("rate_limit", self.rate_limit), ("address_rate_limit", self.address_rate_limit)] {
            if limit.is_some_and(|limit| !(1..=RATE_MAX).contains(&limit)) {
                wrong.push((field, format!("it is 1 to {RATE_MAX} calls per minute, or null for no limit")));
            }
        }
        if self.allow.len() > ALLOW_MAX {
            wrong.push(("allow", format!("it has up to {ALLOW_MAX} entries")));
        }
        wrong
    }

    /// Whether calls from there are not limited per address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|block| block.contains(address))
    }
}

/// Whom an address belongs to, as far as limits go: whoever has one IPv6 address has the whole /64 around it, and
/// an IPv4 address is the same however it is written.
pub fn caller_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn whoever_has_a_network_is_one_caller() {
        let caller = |text| caller_of(address(text));
        assert_eq!(caller("2001:db8:1:2:3::4"), caller("2001:db8:1:2:ffff::1"));
        assert_ne!(caller("2001:db8:1:2::4"), caller("2001:db8:1:3::4"));
        assert_eq!(caller("::ffff:192.0.2.1"), caller("192.0.2.1"));
        assert_ne!(caller("192.0.2.1"), caller("192.0.2.2"));
    }

    #[test]
    fn settings_are_checked_and_addresses_found_in_them() {
        let settings = CommandSettings { allow: vec!["192.0.2.0/24".parse().expect("a block")], ..Default::default() };
        assert!(settings.check().is_empty());
        assert!(settings.allows(address("192.0.2.9")) && settings.allows(address("::ffff:192.0.2.9")));
        assert!(!settings.allows(address("192.0.3.9")));
        let allow = vec!["192.0.2.1".parse().expect("an address"); ALLOW_MAX + 1];
        let wrong = CommandSettings { rate_limit: Some(0), address_rate_limit: Some(RATE_MAX + 1), allow };
        let fields: Vec<_> = wrong.check().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["rate_limit", "address_rate_limit", "allow"]);
    }
}
