//! How addresses are read, shown and refused.

use super::super::{Host, TargetPolicy, TargetUrl};
use super::{http_allowed, ip, opening, reason};

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
        ("https:127.0.0.1@example.com/x://example.com/", "syntax"),
        ("https:/127.0.0.1/x://example.com/", "syntax"),
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
