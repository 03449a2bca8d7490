//! The guard: the only place that makes an address diallable (INV-DIAL).

use std::net::{IpAddr, SocketAddr};

use tidings_domain::target::{Host, Refusal, TargetPolicy, TargetUrl};

/// An address that the policy lets through, for the connection that is about to be dialled.
///
/// Only this module makes one, and [`Dialler::dial`](crate::Dialler::dial) takes nothing else:
/// what was checked is what is dialled, with no second look-up between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    address: SocketAddr,
}

impl Checked {
    /// The address to dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Checks what a target resolved to. One forbidden address refuses them all: a name that means
/// both a public and a private place is an attack or a mistake, and picking the public one
/// would leave the outcome to luck.
///
/// The names of this machine itself are the exception: `localhost` is both 127.0.0.1 and ::1
/// everywhere, and an operator who opens one of them means that one.
pub(crate) fn check(policy: &TargetPolicy, url: &TargetUrl, addresses: &[IpAddr]) -> Result<Vec<Checked>, Refusal> {
    let mut checked = Vec::with_capacity(addresses.len());
    let mut refused = None;
    for address in addresses {
        match policy.check_address(*address, url.port()) {
            Ok(()) => checked.push(Checked { address: SocketAddr::new(*address, url.port()) }),
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) if checked.is_empty() || !url.names_this_machine() => Err(name_in_message(url, refusal)),
        _ => Ok(checked),
    }
}

fn name_in_message(url: &TargetUrl, refusal: Refusal) -> Refusal {
    match url.host() {
        Host::Ip(_) => refusal,
        Host::Name(name) => Refusal {
            reason: refusal.reason,
            message: format!("`{name}` is refused for what it resolves to: {}", refusal.message),
        },
    }
}
