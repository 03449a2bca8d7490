//! A block of addresses, as operators write it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A block of IP addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr(IpNet);

/// The text is no block of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// Neither an address nor an address with a prefix length.
    #[error("`{0}` is not a block of addresses; write it like 10.0.0.0/8, fd00::/8 or 127.0.0.1")]
    Syntax(String),
    /// The address has bits set beyond the prefix, so that it is unclear which block is meant.
    #[error("`{text}` has bits set beyond its prefix; write {block} for the whole block")]
    HostBits {
        /// What was given.
        text: String,
        /// The block that holds the given address.
        block: Cidr,
    },
}

impl Cidr {
    /// Whether the block holds the address.
    ///
    /// IPv4 blocks hold only IPv4 addresses: `127.0.0.0/8` does not hold `::ffff:127.0.0.1`.
    /// That spelling of an IPv4 address has no use in a webhook and is refused on its own.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether every address of its family is in it: `0.0.0.0/0` or `::/0`.
    pub fn holds_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Cidr, CidrError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Cidr(IpNet::from(address)));
        }
        let block: IpNet = text.parse().map_err(|_| CidrError::Syntax(text.to_owned()))?;
        if block != block.trunc() {
            return Err(CidrError::HostBits { text: text.to_owned(), block: Cidr(block.trunc()) });
        }
        Ok(Cidr(block))
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
