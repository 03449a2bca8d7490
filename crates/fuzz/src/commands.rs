//! What strangers hand to commands: URLs, addresses to go on to, patterns of schedules, what transforms give back.

use serde_json::Value;
use tidings_domain::{
    command::{
        OldUrl, RedirectHost, Schedule,
        hook_url::{HookKey, HookUrl},
        redirect_target,
    },
    ids::ProjectId,
    signature::SignatureScheme,
    time::Timestamp,
    transform::{self, Transformed},
    webhook::check_header,
};
use url::Url;

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// What the URLs of the corpus are made with.
const TOKEN: &[u8] = b"123:abc";

fn key() -> HookKey {
    HookKey::new(&[7; 32])
}

/// A URL that is taken says what its signature covers, and nothing else.
pub(crate) fn hook_url(input: &[u8]) {
    let Ok(query) = std::str::from_utf8(input) else { return };
    let project_id = ProjectId::from_parts(1, 1);
    if let Ok(called) = HookUrl::verify(query, project_id, |_| key(), NOW) {
        let again = called.url.query(project_id, called.version, &key());
        let again = HookUrl::verify(&again, project_id, |_| key(), NOW).expect("what was made is good");
        assert_eq!(again.url, called.url, "{query:?} is read another way the second time");
        assert!(HookUrl::verify(query, ProjectId::from_parts(2, 1), |_| key(), NOW).is_err(), "of another project");
    }
    if let Ok(old) = OldUrl::read(query)
        && old.is_genuine(TOKEN)
    {
        assert!(!old.is_genuine(b"123:abd"), "{query:?} is good whatever the token");
        let _ = old.into_parts();
    }
}

/// Whoever is sent on arrives where somebody has said.
pub(crate) fn redirect(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let hosts: Vec<RedirectHost> =
        ["shop.example.com", "*.example.org"].iter().map(|host| host.parse().expect("a host")).collect();
    let Some(address) = redirect_target(&hosts, text) else { return };
    let url = Url::parse(&address).expect("what is sent can be read");
    let host = url.host_str().expect("it has a host");
    assert!(host == "shop.example.com" || host.ends_with(".example.org"), "{text:?} leads to {host}");
    assert!(address.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{address:?} goes into a head");
    let _ = text.parse::<RedirectHost>();
}

/// A schedule that is taken has a next time, and that lies ahead.
pub(crate) fn cron(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (cron, timezone) = match text.split_once('|') {
        Some((cron, timezone)) => (cron, Some(timezone.to_owned())),
        None => (text, None),
    };
    let schedule = Schedule::Cron { cron: cron.to_owned(), timezone };
    if schedule.check(NOW).is_ok() {
        let next = schedule.next(NOW, NOW).expect("it was found a moment ago");
        assert!(next > NOW, "{text:?} is due in the past");
    }
}

/// What a transform makes of a request stays a request to the same receiver.
pub(crate) fn transformed(input: &[u8]) {
    let Ok(output) = serde_json::from_slice::<Value>(input) else { return };
    for is_json in [true, false] {
        let Ok(Transformed::Send { body, headers }) =
            transform::read(output.clone(), is_json, &SignatureScheme::Standard)
        else {
            continue;
        };
        if is_json {
            let sent: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(Some(&sent), output.get("payload"));
        }
        for (name, value) in headers {
            check_header(&name, &value, &SignatureScheme::Standard).expect("a header that may be set");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_holds_urls_that_are_good() {
        let corpus = include_str!("../corpus/hook_url.txt");
        let good = |query: &&str| {
            let old = OldUrl::read(query).is_ok_and(|old| old.is_genuine(TOKEN));
            old || HookUrl::verify(query, ProjectId::from_parts(1, 1), |_| key(), NOW).is_ok()
        };
        let command: tidings_domain::command::CommandName = "/pay".to_owned().try_into().expect("a name");
        let url = HookUrl {
            command,
            user_id: Some("42".to_owned()),
            content: Some("a&b".to_owned()),
            redirect_to: Some("https://shop.example.com/".to_owned()),
            expires_at: Some(NOW.plus_millis(1)),
        };
        let made = url.query(ProjectId::from_parts(1, 1), 1, &key());
        assert_eq!(corpus.lines().filter(good).count(), 3, "one of them: {made}");
    }
}
