//! Which IP addresses are not the public internet.
//!
//! Source: the IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and later) and
//! the addresses that clouds use for their own services. Ranges which the registry calls
//! globally reachable but which only carry infrastructure (AS112, AMT) are listed too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// The narrower range stands before the wider one, so that the message is as exact as it can be.
const IPV4_SPECIAL: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "an address of this host or network (RFC 1122)"),
    (v4(10, 0, 0, 0, 8), "a private address (RFC 1918)"),
    (v4(100, 100, 100, 200, 32), "a cloud metadata address"),
    (v4(100, 64, 0, 0, 10), "a carrier-grade NAT address (RFC 6598)"),
    (v4(127, 0, 0, 0, 8), "a loopback address (RFC 1122)"),
    (v4(168, 63, 129, 16, 32), "a cloud platform's internal address"),
    (v4(169, 254, 169, 254, 32), "a cloud metadata address"),
    (v4(169, 254, 0, 0, 16), "a link-local address (RFC 3927)"),
    (v4(172, 16, 0, 0, 12), "a private address (RFC 1918)"),
    (v4(192, 0, 0, 192, 32), "a cloud metadata address"),
    (v4(192, 0, 0, 0, 24), "reserved for protocol assignments (RFC 6890)"),
    (v4(192, 0, 2, 0, 24), "a documentation address (RFC 5737)"),
    (v4(192, 31, 196, 0, 24), "an AS112 address (RFC 7535)"),
    (v4(192, 52, 193, 0, 24), "a multicast tunnel address (RFC 7450)"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay address (RFC 7526)"),
    (v4(192, 168, 0, 0, 16), "a private address (RFC 1918)"),
    (v4(192, 175, 48, 0, 24), "an AS112 address (RFC 7534)"),
    (v4(198, 18, 0, 0, 15), "a benchmarking address (RFC 2544)"),
    (v4(198, 51, 100, 0, 24), "a documentation address (RFC 5737)"),
    (v4(203, 0, 113, 0, 24), "a documentation address (RFC 5737)"),
    (v4(224, 0, 0, 0, 4), "a multicast address (RFC 5771)"),
    (v4(255, 255, 255, 255, 32), "the broadcast address (RFC 919)"),
    (v4(240, 0, 0, 0, 4), "a reserved address (RFC 1112)"),
];

/// Inside 2000::/3, the only part of IPv6 that is handed out for the public internet.
const IPV6_SPECIAL_GLOBAL: &[(Ipv6Net, &str)] = &[
    (v6(0x2001, 0, 0, 32), "a Teredo address (RFC 4380)"),
    (v6(0x2001, 2, 0, 48), "a benchmarking address (RFC 5180)"),
    (v6(0x2001, 0x10, 0, 28), "an ORCHID (RFC 4843)"),
    (v6(0x2001, 0x20, 0, 28), "an ORCHID (RFC 7343)"),
    (v6(0x2001, 0, 0, 23), "reserved for protocol assignments (RFC 2928)"),
    (v6(0x2001, 0xdb8, 0, 32), "a documentation address (RFC 3849)"),
    (v6(0x2002, 0, 0, 16), "a 6to4 address (RFC 3056)"),
    (v6(0x2620, 0x4f, 0x8000, 48), "an AS112 address (RFC 7534)"),
    (v6(0x3fff, 0, 0, 20), "a documentation address (RFC 9637)"),
];

/// Outside 2000::/3 everything is refused; these only give the reason a name.
const IPV6_SPECIAL_OTHER: &[(Ipv6Net, &str)] = &[
    (v6(0x64, 0xff9b, 0, 96), "an IPv4 address behind NAT64 (RFC 6052)"),
    (v6(0x64, 0xff9b, 1, 48), "an IPv4 address behind local NAT64 (RFC 8215)"),
    (v6(0x100, 0, 0, 64), "a discard address (RFC 6666)"),
    (v6(0x5f00, 0, 0, 16), "a segment routing address (RFC 9602)"),
    (v6(0xfc00, 0, 0, 7), "a private address (RFC 4193)"),
    (v6(0xfe80, 0, 0, 10), "a link-local address (RFC 4291)"),
    (v6(0xfec0, 0, 0, 10), "a site-local address (RFC 3879)"),
    (v6(0xff00, 0, 0, 8), "a multicast address (RFC 4291)"),
];

const IPV6_GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);
const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const COMPATIBLE: Ipv6Net = v6(0, 0, 0, 96);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const NAT64_LOCAL: Ipv6Net = v6(0x64, 0xff9b, 1, 48);
const TEREDO: Ipv6Net = v6(0x2001, 0, 0, 32);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

/// What kind of special address this is, or `None` for a public one.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_ipv4(address),
        IpAddr::V6(address) => special_ipv6(address),
    }
}

fn special_ipv4(address: Ipv4Addr) -> Option<&'static str> {
    IPV4_SPECIAL.iter().find(|(range, _)| range.contains(&address)).map(|(_, what)| *what)
}

fn special_ipv6(address: Ipv6Addr) -> Option<&'static str> {
    let listed = |ranges: &'static [(Ipv6Net, &'static str)]| {
        ranges.iter().find(|(range, _)| range.contains(&address)).map(|(_, what)| *what)
    };
    if IPV6_GLOBAL.contains(&address) {
        return listed(IPV6_SPECIAL_GLOBAL).or_else(|| {
            let hidden = embedded_ipv4(address).into_iter().flatten().any(is_special_ipv4);
            hidden.then_some("an IPv6 address that leads to a special IPv4 address")
        });
    }
    let special = match address {
        Ipv6Addr::LOCALHOST => "the loopback address (RFC 4291)",
        Ipv6Addr::UNSPECIFIED => "the unspecified address (RFC 4291)",
        _ if MAPPED.contains(&address) => "an IPv4 address in IPv6 form (RFC 4291)",
        _ if COMPATIBLE.contains(&address) => "an IPv4 address in an old IPv6 form (RFC 4291)",
        _ => listed(IPV6_SPECIAL_OTHER).unwrap_or("outside the public part of IPv6, 2000::/3"),
    };
    Some(special)
}

fn is_special_ipv4(address: Ipv4Addr) -> bool {
    special_ipv4(address).is_some()
}

/// The IPv4 addresses that a packet to this address may end up at, for every transition scheme.
///
/// Teredo holds two: its server, and its client with all bits turned round (RFC 4380 section 4).
pub(super) fn embedded_ipv4(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let octets = address.octets();
    let at = |offset: usize| Ipv4Addr::new(octets[offset], octets[offset + 1], octets[offset + 2], octets[offset + 3]);
    let interface = &octets[8..12];
    let isatap = matches!(interface, [0 | 2, 0, 0x5e, 0xfe]);
    if TEREDO.contains(&address) {
        let client = Ipv4Addr::from_bits(!at(12).to_bits());
        [Some(at(4)), Some(client)]
    } else if SIX_TO_FOUR.contains(&address) {
        // A 6to4 prefix may itself hold ISATAP interfaces.
        [Some(at(2)), isatap.then(|| at(12))]
    } else if NAT64_LOCAL.contains(&address) {
        // RFC 8215 leaves the prefix length to the network: /48 splits the address around the
        // always-zero octet 8, /96 puts it last (RFC 6052 section 2.2). The other place is empty.
        let split = Ipv4Addr::new(octets[6], octets[7], octets[9], octets[10]);
        [split, at(12)].map(|address| (!address.is_unspecified()).then_some(address))
    } else if [MAPPED, COMPATIBLE, NAT64].iter().any(|range| range.contains(&address)) || isatap {
        [Some(at(12)), None]
    } else {
        [None, None]
    }
}
