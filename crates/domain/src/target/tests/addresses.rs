//! Which IP addresses may be dialled.

use super::super::{Cidr, CidrError, RefusalReason, TargetPolicy};
use super::{ip, opening, reason};

#[test]
fn an_opened_translation_prefix_does_not_open_what_lies_behind_it() {
    let policy = opening(&["64:ff9b::/96", "64:ff9b:1::/48"]);
    let check = |text| policy.check_address(ip(text), 443).map_err(|refusal| refusal.reason);
    assert_eq!(check("64:ff9b::5db8:d822"), Ok(()));
    assert_eq!(check("64:ff9b::a9fe:a9fe"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("64:ff9b::7f00:1"), Err(RefusalReason::PrivateAddress));
    // 93.184.216.34 and 10.0.0.1 behind a local prefix of 96 and of 48 bits.
    assert_eq!(check("64:ff9b:1::5db8:d822"), Ok(()));
    assert_eq!(check("64:ff9b:1::a00:1"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("64:ff9b:1:5db8:d8:2200::"), Ok(()));
    assert_eq!(check("64:ff9b:1:a00:0:100::"), Err(RefusalReason::PrivateAddress));
}

#[test]
fn transition_addresses_inside_the_public_part_are_unwrapped() {
    let policy = TargetPolicy::default();
    let check = |text| policy.check_address(ip(text), 443).map_err(|refusal| refusal.reason);
    assert_eq!(check("2606:4700::5efe:93.184.216.34"), Ok(()));
    assert_eq!(check("2606:4700::5efe:10.0.0.1"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("2606:4700::200:5efe:127.0.0.1"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("2002:5db8:d822::1"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("2001:0:5db8:d822::1"), Err(RefusalReason::PrivateAddress));
}

#[test]
fn the_edges_of_every_special_range() {
    // (last public before, first in, last in, first public after); None at the end of the space
    // or where another special range begins.
    let edges = [
        (None, "0.0.0.0", "0.255.255.255", Some("1.0.0.0")),
        (Some("9.255.255.255"), "10.0.0.0", "10.255.255.255", Some("11.0.0.0")),
        (Some("100.63.255.255"), "100.64.0.0", "100.127.255.255", Some("100.128.0.0")),
        (Some("126.255.255.255"), "127.0.0.0", "127.255.255.255", Some("128.0.0.0")),
        (Some("168.63.129.15"), "168.63.129.16", "168.63.129.16", Some("168.63.129.17")),
        (Some("169.253.255.255"), "169.254.0.0", "169.254.255.255", Some("169.255.0.0")),
        (Some("172.15.255.255"), "172.16.0.0", "172.31.255.255", Some("172.32.0.0")),
        (Some("191.255.255.255"), "192.0.0.0", "192.0.0.255", Some("192.0.1.0")),
        (Some("192.0.1.255"), "192.0.2.0", "192.0.2.255", Some("192.0.3.0")),
        (Some("192.31.195.255"), "192.31.196.0", "192.31.196.255", Some("192.31.197.0")),
        (Some("192.52.192.255"), "192.52.193.0", "192.52.193.255", Some("192.52.194.0")),
        (Some("192.88.98.255"), "192.88.99.0", "192.88.99.255", Some("192.88.100.0")),
        (Some("192.167.255.255"), "192.168.0.0", "192.168.255.255", Some("192.169.0.0")),
        (Some("192.175.47.255"), "192.175.48.0", "192.175.48.255", Some("192.175.49.0")),
        (Some("198.17.255.255"), "198.18.0.0", "198.19.255.255", Some("198.20.0.0")),
        (Some("198.51.99.255"), "198.51.100.0", "198.51.100.255", Some("198.51.101.0")),
        (Some("203.0.112.255"), "203.0.113.0", "203.0.113.255", Some("203.0.114.0")),
        (Some("223.255.255.255"), "224.0.0.0", "255.255.255.255", None),
        (None, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2000::")),
        (Some("2000:ffff::1"), "2001::", "2001:1ff:ffff:ffff::", Some("2001:200::")),
        (Some("2001:db7:ffff::1"), "2001:db8::", "2001:db8:ffff:ffff::", Some("2001:db9::")),
        (Some("2001:ffff::1"), "2002::", "2002:ffff:ffff:ffff::", Some("2003::")),
        (Some("2620:4f:7fff::1"), "2620:4f:8000::", "2620:4f:8000:ffff::", Some("2620:4f:8001::")),
        (Some("3ffe:ffff::1"), "3fff::", "3fff:fff:ffff::", Some("3fff:1000::")),
        (Some("3fff:ffff::1"), "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
    ];
    let policy = TargetPolicy::default();
    for (before, first, last, after) in edges {
        for public in [before, after].into_iter().flatten() {
            assert_eq!(policy.check_address(ip(public), 443), Ok(()), "{public}");
        }
        for special in [first, last] {
            let refusal = policy.check_address(ip(special), 443).unwrap_err();
            assert_eq!(refusal.reason, RefusalReason::PrivateAddress, "{special}");
        }
    }
}

#[test]
fn the_server_does_not_call_itself() {
    let own = |text: &str| TargetPolicy {
        own_addresses: vec![text.parse().unwrap()],
        ..opening(&["127.0.0.0/8", "::1", "::ffff:0:0/96"])
    };
    let policy = own("0.0.0.0:8080");
    assert_eq!(reason(&policy, "http://127.0.0.1:8080/"), "own_address");
    assert_eq!(reason(&policy, "http://[::1]:8080/"), "own_address");
    assert_eq!(reason(&policy, "http://[::ffff:127.0.0.1]:8080/"), "own_address");
    assert_eq!(reason(&policy, "http://127.0.0.1:8081/"), "ok");
    let policy = own("93.184.216.34:8080");
    assert_eq!(reason(&policy, "http://93.184.216.34:8080/"), "own_address");
    assert_eq!(reason(&policy, "http://127.0.0.1:8080/"), "ok");
}

#[test]
fn blocks_are_read_strictly() {
    let block: Cidr = "10.0.0.0/8".parse().unwrap();
    assert!(block.contains(ip("10.255.0.1")) && !block.contains(ip("11.0.0.0")));
    let single: Cidr = "::1".parse().unwrap();
    assert!(single.contains(ip("::1")) && !single.contains(ip("::2")));
    assert_eq!("10.0.0.1/8".parse::<Cidr>(), Err(CidrError::HostBits { text: "10.0.0.1/8".into(), block }));
    assert!(matches!("10.0.0.0/33".parse::<Cidr>(), Err(CidrError::Syntax(_))));
    assert!(matches!("localhost".parse::<Cidr>(), Err(CidrError::Syntax(_))));
}
