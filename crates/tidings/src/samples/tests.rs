//! Every sample, signed, is what a source of its kind takes, recognises, and knows again.

use serde_json::json;
use tidings_domain::source::{Incoming, Outgoing, Settings, accept, sign};

use super::*;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
/// What a provider only asks whether somebody is there with.
const HANDSHAKES: [(SourceKind, &str); 2] = [(SourceKind::GitHub, "ping"), (SourceKind::Slack, "url_verification")];

fn choices() -> Choices {
    Choices { id: None, random: [7; 16], now: Timestamp::from_millis(1_779_836_400_123), set: Vec::new(), body: None }
}

fn settings(kind: SourceKind) -> Settings {
    let form = json!({
        "header": "X-Signature", "layout": "t={timestamp},v1={signature}", "signed": "{id}.{timestamp}.{body}",
        "encoding": "base64",
    });
    Settings {
        verify: (kind == SourceKind::Hmac).then(|| serde_json::from_value(form).expect("a form")),
        token_header: (kind == SourceKind::Token).then(|| "X-Token".to_owned()),
        // These have no place of their own for an id.
        dedupe: matches!(kind, SourceKind::Token | SourceKind::None).then(|| "/id".to_owned()),
        ..Settings::default()
    }
}

#[test]
fn every_sample_is_taken_by_a_source_of_its_kind_and_recognised() {
    let mut count = 0;
    for &kind in SourceKind::ALL {
        for Listed { event, about, .. } in list(kind) {
            let sample = make(kind, &event, choices()).expect("a sample");
            let (now, settings) = (choices().now, settings(kind));
            let at_s = now.as_millis() / 1000;
            let Sample { id, event_type, body, .. } = &sample;
            let mut headers = sample.headers.clone();
            headers.extend(sign(kind, &settings, SECRET, &Outgoing { id, event_type, at_s, body }));
            let incoming = Incoming::new(&headers, "", body);
            let secrets = if kind == SourceKind::None { &[][..] } else { &[SECRET] };
            let identity =
                accept(kind, &settings, secrets, &incoming, now).unwrap_or_else(|why| panic!("{event}: {why}"));
            assert_eq!(identity.event_type.as_deref(), Some(event.as_str()), "{kind:?}");
            assert_eq!(identity.handshake.is_some(), HANDSHAKES.contains(&(kind, &event)), "{kind:?} {event}");
            if identity.handshake.is_none() {
                assert_eq!(identity.provider_id.as_deref(), Some(id.as_str()), "{kind:?} {event}");
            }
            let text = String::from_utf8_lossy(body);
            assert!(!text.contains("{{") && !about.is_empty(), "{kind:?} {event}: {text}");
            assert!(!headers.iter().any(|(_, value)| value.contains("{{")), "{kind:?} {event}: {headers:?}");
            count += 1;
        }
    }
    assert!(count > 100, "{count} samples");
}

#[test]
fn ids_differ_unless_they_are_chosen_and_anything_can_be_put_into_a_sample() {
    let event = "checkout.session.completed";
    let of = |choices: Choices| make(SourceKind::Stripe, event, choices).expect("a sample");
    let (first, other) = (of(choices()), of(Choices { random: [8; 16], ..choices() }));
    assert_ne!(first.id, other.id);
    let chosen = Choices { id: Some("evt_1".to_owned()), ..choices() };
    assert_eq!(of(chosen.clone()), of(Choices { random: [8; 16], ..chosen }));
    let set = vec![
        ("/data/object/client_reference_id".to_owned(), json!("org_1")),
        ("/data/object/metadata/plan".to_owned(), json!("starter")),
    ];
    let body: Value = serde_json::from_slice(&of(Choices { set, ..choices() }).body).expect("JSON");
    assert_eq!(body["data"]["object"]["client_reference_id"], "org_1");
    assert_eq!(body["data"]["object"]["metadata"], json!({"plan": "starter"}));
    assert_eq!(body["created"], 1_779_836_400, "times are numbers where the provider's are");
    for (pointer, reason) in [("id", "is not a JSON pointer"), ("/nothing/here", "nothing at \"/nothing\"")] {
        let set = vec![(pointer.to_owned(), json!(1))];
        let error = make(SourceKind::Stripe, event, Choices { set, ..choices() }).expect_err("refused");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_event_without_a_sample_is_refused_with_the_name_that_is_near() {
    let error = make(SourceKind::Stripe, "checkout.session.complete", choices()).expect_err("refused").to_string();
    assert!(error.contains("did you mean `checkout.session.completed`?"), "{error}");
    let error = make(SourceKind::GitHub, "nothing-like-it", choices()).expect_err("refused").to_string();
    assert!(error.contains("known are") && error.contains("tidings trigger github --list"), "{error}");
    assert_eq!((kind("stripe"), kind("strip")), (Some(SourceKind::Stripe), None));
}
