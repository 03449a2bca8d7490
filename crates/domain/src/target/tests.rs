//! The rules as tables.

use std::net::IpAddr;

use super::{Cidr, CidrError, Host, RefusalReason, TargetPolicy, TargetUrl};

fn http_allowed() -> TargetPolicy {
    TargetPolicy { allow_http: true, ..TargetPolicy::default() }
}

fn opening(blocks: &[&str]) -> TargetPolicy {
    let allowed = blocks.iter().map(|block| block.parse().unwrap()).collect();
    TargetPolicy { allowed, ..http_allowed() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn reason(policy: &TargetPolicy, text: &str) -> &'static str {
    policy.check_url(text).map_or_else(|refusal| refusal.reason.as_str(), |_| "ok")
}

#[test]
fn every_rule_has_its_reason() {
    let cases = [
        ("https://example.com/hook", "ok"),
        ("https://example.com", "ok"),
        ("HTTPS://EXAMPLE.com:8443/a?b", "ok"),
        ("https://bücher.example/", "ok"),
        ("https://user:p%40ss@example.com/", "ok"),
        ("https://example.com/a@b?c=@d", "ok"),
        ("https://[2606:4700::1111]:8443/", "ok"),
        ("https://example.com/#section", "ok"),
        ("", "syntax"),
        ("example.com/hook", "syntax"),
        ("https:/example.com/", "syntax"),
        ("https:///example.com/", "syntax"),
        ("https://?a", "syntax"),
        ("https://exa\nmple.com/", "syntax"),
        ("https://example.com/a\u{a0}b", "syntax"),
        ("https://example.com\\@127.0.0.1/", "syntax"),
        ("https://a@b@example.com/", "syntax"),
        ("https://127.0.0.1@example.com/", "syntax"),
        ("https://localhost:80@example.com/", "syntax"),
        ("https://example.com#@10.0.0.1/", "syntax"),
        ("https://example.com:0/", "syntax"),
        ("https://example.com:65536/", "syntax"),
        ("https://example.com:+80/", "syntax"),
        ("https://example%2ecom/", "syntax"),
        ("https://a_b.example.com/", "syntax"),
        ("https://-a.example.com/", "syntax"),
        ("https://a-.example.com/", "syntax"),
        ("https://a..example.com/", "syntax"),
        ("https://xn--a.example.com/", "syntax"),
        ("https://[::1].example.com/", "syntax"),
        ("https://u%00:p@example.com/", "syntax"),
        ("https://u%zz:p@example.com/", "syntax"),
        ("ftp://example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://example.com:6379/", "port"),
        ("https://example.com:22/", "port"),
        ("https://10.0.0.1/", "private_address"),
        ("https://0x7f.1/", "private_address"),
        ("https://[::ffff:127.0.0.1]/", "private_address"),
        ("https://localhost/", "name"),
        ("https://a.localhost./", "name"),
        ("https://printer/", "name"),
        ("https://metadata.google.internal/", "name"),
        ("https://router.home.arpa/", "name"),
    ];
    for (text, expected) in cases {
        assert_eq!(reason(&http_allowed(), text), expected, "{text}");
    }
}

#[test]
fn http_needs_the_operators_leave() {
    assert_eq!(reason(&TargetPolicy::default(), "http://example.com/"), "scheme");
    assert_eq!(reason(&http_allowed(), "http://example.com/"), "ok");
}

#[test]
fn an_address_has_at_most_2048_characters() {
    let fits = format!("https://example.com/{}", "a".repeat(2048 - 20));
    assert_eq!(reason(&http_allowed(), &fits), "ok");
    assert_eq!(reason(&http_allowed(), &format!("{fits}a")), "syntax");
    // Normalising would make nine characters out of each.
    let grows = format!("https://example.com/{}", "€".repeat(300));
    assert_eq!(reason(&http_allowed(), &grows), "syntax");
}

#[test]
fn addresses_are_normalised() {
    let url = TargetUrl::parse("HTTP://EXAMPLE.com:80/a/../b?c=d#e").unwrap();
    assert_eq!(url.as_str(), "http://example.com/b?c=d");
    assert_eq!(url.path_and_query(), "/b?c=d");
    assert_eq!(url.authority(), "example.com");
    assert_eq!(url.origin(), "http://example.com");
    assert_eq!((url.host(), url.port()), (Host::Name("example.com"), 80));
    let url = TargetUrl::parse("https://[2606:4700:0::1111]:8443").unwrap();
    assert_eq!(url.authority(), "[2606:4700::1111]:8443");
    assert_eq!((url.host(), url.port()), (Host::Ip(ip("2606:4700::1111")), 8443));
    assert_eq!(url.path_and_query(), "/");
}

#[test]
fn credentials_are_kept_apart_and_never_shown() {
    let url = TargetUrl::parse("https://us%65r:p%40ss%3A@example.com:8443/hook").unwrap();
    assert_eq!(url.credentials(), Some(("user", "p@ss:")));
    assert_eq!(url.as_str(), "https://example.com:8443/hook");
    assert_eq!(url.masked(), "https://***@example.com:8443/hook");
    assert_eq!(url.origin(), "https://example.com:8443");
    assert_eq!(url.authority(), "example.com:8443");
    for shown in [format!("{url}"), format!("{url:?}"), url.masked(), url.as_str().to_owned()] {
        assert!(!shown.contains("ss"), "{shown}");
    }
    assert_eq!(TargetUrl::parse(url.with_credentials()).unwrap(), url);
    let user_only = TargetUrl::parse("https://token@example.com/").unwrap();
    assert_eq!(user_only.credentials(), Some(("token", "")));
    let refusal = TargetPolicy::default().check_url("http://u:secret@example.com/").unwrap_err();
    assert!(!refusal.message.contains("secret"), "{refusal}");
}

#[test]
fn opened_blocks_skip_the_port_list_and_the_private_rule() {
    let policy = opening(&["127.0.0.0/8", "10.1.0.0/16"]);
    let cases = [
        ("http://localhost:3000/", "ok"),
        ("http://127.0.0.1:6379/", "ok"),
        ("http://10.1.2.3/", "ok"),
        ("http://app:3000/", "ok"),
        ("http://db.internal:6379/", "ok"),
        ("http://10.2.0.1/", "private_address"),
        ("http://[::1]/", "private_address"),
        ("http://93.184.216.34:6379/", "port"),
        // Another spelling of IPv4 is not what was opened.
        ("http://[::ffff:127.0.0.1]/", "private_address"),
    ];
    for (text, expected) in cases {
        assert_eq!(reason(&policy, text), expected, "{text}");
    }
    // A block elsewhere does not open this machine's own names.
    assert_eq!(reason(&opening(&["10.0.0.0/8"]), "http://localhost/"), "name");
    assert_eq!(reason(&opening(&["::1"]), "http://localhost/"), "ok");
}

#[test]
fn an_opened_translation_prefix_does_not_open_what_lies_behind_it() {
    let policy = opening(&["64:ff9b::/96"]);
    let check = |text| policy.check_address(ip(text), 443).map_err(|refusal| refusal.reason);
    assert_eq!(check("64:ff9b::5db8:d822"), Ok(()));
    assert_eq!(check("64:ff9b::a9fe:a9fe"), Err(RefusalReason::PrivateAddress));
    assert_eq!(check("64:ff9b::7f00:1"), Err(RefusalReason::PrivateAddress));
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
fn extra_ports_are_opened_one_by_one() {
    let policy = TargetPolicy { extra_ports: vec![9200], ..http_allowed() };
    assert_eq!(reason(&policy, "http://example.com:9200/"), "ok");
    assert_eq!(reason(&policy, "http://example.com:9300/"), "port");
}

#[test]
fn refusals_name_the_thing_the_reason_and_the_way_out() {
    let refusal = http_allowed().check_url("http://10.0.0.1/").unwrap_err();
    assert_eq!(
        refusal.message,
        "10.0.0.1 is a private address (RFC 1918); use a public address, or start the server with --allow-target 10.0.0.1"
    );
    let refusal = http_allowed().check_url("http://[64:ff9b::a9fe:a9fe]/").unwrap_err();
    assert_eq!(
        refusal.message,
        "64:ff9b::a9fe:a9fe is an IPv4 address behind NAT64 (RFC 6052), namely for 169.254.169.254; use the receiver's own public address or name"
    );
    let refusal = http_allowed().check_url("http://example.com:6379/").unwrap_err();
    assert_eq!(
        refusal.message,
        "port 6379 belongs to Redis, not to a webhook; use 80, 443 or a free port from 1024 on, or start the server with --allow-port 6379"
    );
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
