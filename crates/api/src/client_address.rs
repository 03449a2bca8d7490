//! Whose address a request has: the other end of the connection, or, behind proxies that the operator trusts, what
//! the last of them was connected to.
//!
//! Deliberately absent: `Forwarded`. A proxy writes one of the two headers and hands the other one through as it
//! came, so whoever read both would let strangers choose their address by the header that the proxy does not write.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use tidings_domain::target::Cidr;

/// Each proxy puts at its end whom it was connected to.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// Whose request it is that came over a connection from `peer`.
///
/// Anybody can write the header, so it says something only as far back as trusted proxies wrote it: the answer is the
/// right-most address that is not itself trusted. What is no address was not written by a trusted proxy, and ends the
/// search at the proxy that handed it on.
pub(crate) fn client_address(peer: IpAddr, trusted: &[Cidr], headers: &HeaderMap) -> IpAddr {
    // A socket for both families shows IPv4 as IPv6; blocks of IPv4 are meant all the same.
    let mut address = peer.to_canonical();
    let is_trusted = |address| trusted.iter().any(|block| block.contains(address));
    let told =
        headers.get_all(FORWARDED_FOR).iter().rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','));
    for entry in told {
        if !is_trusted(address) {
            break;
        }
        match entry.trim_ascii() {
            // An empty place in a list means nothing (RFC 9110, section 5.6.1).
            b"" => {}
            entry => match parse(entry) {
                Some(before) => address = before,
                None => break,
            },
        }
    }
    address
}

/// `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, and both with a port.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bare {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => text.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const PROXIES: &[&str] = &["10.0.0.0/8", "fd00::/8"];

    /// Peer, trusted blocks, lines of the header, and whose request it is.
    type Case = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);

    const CASES: &[Case] = &[
        // No proxy is trusted, or the peer is none of them: the header is a stranger's word.
        ("192.0.2.9", &[], &["198.51.100.1"], "192.0.2.9"),
        ("192.0.2.9", PROXIES, &["198.51.100.1"], "192.0.2.9"),
        ("192.0.2.9", PROXIES, &["10.0.0.1"], "192.0.2.9"),
        ("2001:db8::9", PROXIES, &["198.51.100.1"], "2001:db8::9"),
        // One proxy.
        ("10.0.0.1", PROXIES, &["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", PROXIES, &["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", PROXIES, &["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &[" 198.51.100.1\t"], "198.51.100.1"),
        // What stands before the proxy's own word was written by the client.
        ("10.0.0.1", PROXIES, &["203.0.113.7, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["10.0.0.2, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["203.0.113.7", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["'; drop table, 198.51.100.1"], "198.51.100.1"),
        // Several proxies, in one line or one line each.
        ("10.0.0.1", PROXIES, &["203.0.113.7, 198.51.100.1, 10.0.0.3, fd00::2"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["203.0.113.7, 198.51.100.1", "10.0.0.3", "10.0.0.2"], "198.51.100.1"),
        // A proxy that is not trusted is who asks.
        ("10.0.0.1", PROXIES, &["198.51.100.1, 192.0.2.2, 10.0.0.3"], "192.0.2.2"),
        // Somebody within the proxies' own network asks.
        ("10.0.0.1", PROXIES, &["10.0.0.7, 10.0.0.3"], "10.0.0.7"),
        // IPv6, brackets and ports.
        ("10.0.0.1", PROXIES, &["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.1", PROXIES, &["[2001:db8::5]"], "2001:db8::5"),
        ("10.0.0.1", PROXIES, &["[2001:db8::5]:4711"], "2001:db8::5"),
        ("10.0.0.1", PROXIES, &["198.51.100.1:4711, [fd00::2]:80"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
        // What is no address is nobody's: the proxy that handed it on is as far as is known.
        ("10.0.0.1", PROXIES, &["unknown"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, unknown, 10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, 300.1.1.1"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, 192.0.2.7:99999"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, [192.0.2.7]"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, 2001:db8::5%eth0"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1, \u{e9}"], "10.0.0.1"),
        // Nothing.
        ("10.0.0.1", PROXIES, &[], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &[""], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &[" , ,"], "10.0.0.1"),
        ("10.0.0.1", PROXIES, &["198.51.100.1,", ","], "198.51.100.1"),
    ];

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn headers<'a>(lines: impl IntoIterator<Item = &'a str>) -> HeaderMap {
        let value = |line: &str| HeaderValue::from_bytes(line.as_bytes()).expect("a value");
        lines.into_iter().map(|line| (FORWARDED_FOR, value(line))).collect()
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_whose_request_it_is() {
        for &(peer, trusted, lines, expected) in CASES {
            let blocks: Vec<Cidr> = trusted.iter().map(|text| text.parse().expect("a block")).collect();
            let found = client_address(address(peer), &blocks, &headers(lines.iter().copied()));
            assert_eq!(found, address(expected), "from {peer} with {lines:?}, trusting {trusted:?}");
        }
    }

    #[test]
    fn a_header_as_long_as_a_head_may_be_is_read_once_from_its_end() {
        let blocks = [PROXIES[0].parse().expect("a block")];
        let long = "10.0.0.2,".repeat(3_000);
        let lines = [long.as_str(), "198.51.100.1", long.as_str()];
        assert_eq!(client_address(address("10.0.0.1"), &blocks, &headers(lines)), address("198.51.100.1"));
        let many: Vec<String> = (0..1_000).map(|number| format!("10.0.{}.{}", number / 250, number % 250)).collect();
        let lines = std::iter::once("198.51.100.1").chain(many.iter().map(String::as_str));
        assert_eq!(client_address(address("10.0.0.1"), &blocks, &headers(lines)), address("198.51.100.1"));
    }

    #[test]
    fn another_header_says_nothing() {
        let mut headers = headers([]);
        headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.1"));
        headers.insert("x-real-ip", HeaderValue::from_static("198.51.100.1"));
        let blocks = [PROXIES[0].parse().expect("a block")];
        assert_eq!(client_address(address("10.0.0.1"), &blocks, &headers), address("10.0.0.1"));
    }
}
