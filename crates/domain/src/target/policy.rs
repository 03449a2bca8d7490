//! What the operator lets the server dial.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::names::{self, LocalName};
use super::{Cidr, Host, Refusal, RefusalReason, TargetUrl, ports, ranges};

/// What the guard lets through. The default is the strictest: https to public addresses.
#[derive(Debug, Clone, Default)]
pub struct TargetPolicy {
    /// Whether `http:` is allowed besides `https:`.
    pub allow_http: bool,
    /// Blocks that the operator opened. An address inside one skips the port list and the
    /// private-address rule. An IPv6 address that carries an IPv4 address (NAT64 and others)
    /// needs more: what it carries must be public or be opened as well.
    pub allowed: Vec<Cidr>,
    /// Ports that are allowed although they stand on the list of infrastructure ports.
    pub extra_ports: Vec<u16>,
    /// Where this server itself listens: refused even inside `allowed`, so that nobody makes the
    /// server call itself. An unspecified address (`0.0.0.0`, `::`) stands for loopback here;
    /// list the machine's other addresses beside it where they matter.
    pub own_addresses: Vec<SocketAddr>,
}

impl TargetPolicy {
    /// Reads and checks an address without resolving its name.
    ///
    /// # Errors
    ///
    /// The rule that the address breaks. Passing says nothing about what the name resolves to.
    pub fn check_url(&self, text: &str) -> Result<TargetUrl, Refusal> {
        let url = TargetUrl::parse(text)?;
        self.check_target(&url)?;
        Ok(url)
    }

    /// Checks an address that is already parsed, for instance one that was stored before the
    /// policy changed. Resolves nothing.
    ///
    /// # Errors
    ///
    /// The rule that the address breaks.
    pub fn check_target(&self, url: &TargetUrl) -> Result<(), Refusal> {
        if !url.is_https() && !self.allow_http {
            return Err(Refusal::new(
                RefusalReason::Scheme,
                format!("`{}` is not https; use https, or start the server with --allow-http", url.masked()),
            ));
        }
        match url.host() {
            Host::Ip(address) => self.check_address(address, url.port()),
            Host::Name(name) => self.check_name(name, url.port()),
        }
    }

    /// Checks an address that is about to be dialled.
    ///
    /// # Errors
    ///
    /// `own_address`, `private_address` or `port`.
    pub fn check_address(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if self.is_own(address, port) {
            return Err(Refusal::new(
                RefusalReason::OwnAddress,
                format!(
                    "{} is where this server itself listens; use the receiver's address",
                    SocketAddr::new(address, port)
                ),
            ));
        }
        if self.is_opened(address) {
            return Ok(());
        }
        if let Some(special) = ranges::special(address) {
            return Err(private_address(address, special));
        }
        self.check_port(port)
    }

    /// A name is refused only where no opened block could make sense of it; else the addresses
    /// that it resolves to decide.
    fn check_name(&self, name: &str, port: u16) -> Result<(), Refusal> {
        match names::classify(name) {
            Some(LocalName::Loopback) if !self.opens_loopback() => Err(Refusal::new(
                RefusalReason::Name,
                format!(
                    "`{name}` is this machine itself; use a public name, or start the server with --allow-target 127.0.0.0/8"
                ),
            )),
            Some(LocalName::Network) if self.allowed.is_empty() => Err(Refusal::new(
                RefusalReason::Name,
                format!(
                    "`{name}` is a name of a local network; use a public name, or start the server with --allow-target and the network's block, such as 10.0.0.0/8"
                ),
            )),
            // Whether the port matters is known once the name is resolved.
            _ if !self.allowed.is_empty() => Ok(()),
            _ => self.check_port(port),
        }
    }

    fn check_port(&self, port: u16) -> Result<(), Refusal> {
        match ports::denied(port) {
            Some(service) if !self.extra_ports.contains(&port) => Err(Refusal::new(
                RefusalReason::Port,
                format!(
                    "port {port} belongs to {service}, not to a webhook; use 80, 443 or a free port from 1024 on, or start the server with --allow-port {port}"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn is_opened(&self, address: IpAddr) -> bool {
        let opened = |address: IpAddr| self.allowed.iter().any(|block| block.contains(address));
        let carried = match address {
            IpAddr::V4(_) => [None, None],
            // `::` and `::1` look like old IPv4-compatible addresses but are not.
            IpAddr::V6(Ipv6Addr::LOCALHOST | Ipv6Addr::UNSPECIFIED) => [None, None],
            IpAddr::V6(address) => ranges::embedded_ipv4(address),
        };
        opened(address)
            && carried
                .into_iter()
                .flatten()
                .map(IpAddr::V4)
                .all(|carried| opened(carried) || ranges::special(carried).is_none())
    }

    fn is_own(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.own_addresses.iter().any(|own| {
            let own_ip = own.ip().to_canonical();
            let here = address.is_loopback() || address.is_unspecified();
            own.port() == port && (own_ip == address || (own_ip.is_unspecified() && here))
        })
    }

    fn opens_loopback(&self) -> bool {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        loopback.into_iter().any(|address| self.is_opened(address))
    }
}

fn private_address(address: IpAddr, special: &str) -> Refusal {
    let carried = match address {
        IpAddr::V6(address) if !address.is_loopback() && !address.is_unspecified() => ranges::embedded_ipv4(address),
        _ => [None, None],
    };
    let message = match carried {
        [Some(ipv4), _] => {
            format!("{address} is {special}, namely for {ipv4}; use the receiver's own public address or name")
        }
        _ => format!("{address} is {special}; use a public address, or start the server with --allow-target {address}"),
    };
    Refusal::new(RefusalReason::PrivateAddress, message)
}
