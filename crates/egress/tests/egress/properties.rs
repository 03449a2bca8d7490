//! What must hold for any text at all.

use http::{HeaderValue, Uri};
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;
use tidings_domain::target::{TargetPolicy, TargetUrl};

use crate::support::public_http;

/// Pieces that addresses are made of, and those that confuse their readers.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "http",
        "https",
        "://",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "#",
        "?",
        "[",
        "]",
        ".",
        "..",
        "%",
        "%2e",
        "%00",
        "\u{ad}",
        "。",
        "１",
        "ⓛ",
        "xn--",
        "-",
        "_",
        "127.0.0.1",
        "0x7f",
        "1.1.1.1",
        "::1",
        "localhost",
        "example.com",
        "bücher",
        "8080",
        "user",
        "\n",
        "\t",
        " ",
        "&",
        "=",
        "'",
        "`",
        "\"",
        "<",
        "^",
        "|",
        "{",
        "€",
    ];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9.]{1,8}",
    ]
}

fn mangled() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

/// Addresses that mostly pass.
fn plausible() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![Just("http"), Just("https"), Just("HTTPS")];
    let user = prop_oneof![
        3 => Just(String::new()),
        1 => "[a-z%]{0,3}(%[0-9a-f]{2}){0,2}(:[!-~]{0,6})?@",
    ];
    let host = prop_oneof![
        "[a-z0-9]{1,6}(\\.[a-z0-9-]{1,6}){1,3}\\.?",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}",
        "\\[2606:[0-9a-f]{1,4}::[0-9a-f]{1,4}\\]",
        "[a-zäöüß]{1,8}\\.example",
    ];
    let tail = "(:[0-9]{1,5})?(/\\PC{0,12}){0,3}(\\?\\PC{0,12})?(#[a-z]{0,3})?";
    (scheme, user, host, tail).prop_map(|(scheme, user, host, tail)| format!("{scheme}://{user}{host}{tail}"))
}

fn holds_for(text: &str) -> Result<bool, proptest::test_runner::TestCaseError> {
    let Ok(url) = public_http().check_url(text) else { return Ok(false) };
    // What was accepted is read alike when it is read again, by this parser and by the policy.
    prop_assert_eq!(&TargetUrl::parse(url.with_credentials()).unwrap(), &url);
    let shown = TargetUrl::parse(url.as_str()).unwrap();
    prop_assert_eq!(shown.as_str(), url.as_str());
    prop_assert_eq!(shown.host(), url.host());
    prop_assert_eq!(public_http().check_target(&url), Ok(()));
    // What was accepted can be put on the wire as it is.
    let uri = Uri::try_from(url.path_and_query()).unwrap();
    prop_assert_eq!(uri.to_string(), url.path_and_query());
    prop_assert_eq!(HeaderValue::from_str(url.authority()).unwrap(), url.authority());
    // What is shown has nothing before the host.
    prop_assert_eq!(url.origin().contains('@'), false);
    Ok(true)
}

proptest! {
    #![proptest_config(Config { cases: 4000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,64}") {
        TargetPolicy::default().check_url(&text).ok();
        holds_for(&text)?;
    }

    #[test]
    fn mangled_addresses_are_read_the_same_way_twice_or_refused(text in mangled()) {
        holds_for(&text)?;
    }

    #[test]
    fn plausible_addresses_are_read_the_same_way_twice_or_refused(text in plausible()) {
        holds_for(&text)?;
    }
}

/// The properties would hold of a parser that refuses everything.
#[test]
fn plausible_addresses_are_mostly_accepted() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..500)
        .filter(|_| {
            let text = plausible().new_tree(&mut runner).unwrap().current();
            holds_for(&text).unwrap()
        })
        .count();
    assert!(accepted > 100, "only {accepted} of 500 were accepted");
}
