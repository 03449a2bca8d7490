//! Signatures as providers publish them, and what becomes of tampered ones.

use serde_json::json;

use super::*;

const STRIPE_SECRET: &str = "whsec_your-secret-key";
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const BODY: &str = r#"{"id":"evt_123abc","type":"tag.subscribed"}"#;
const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=\
https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

struct Vector {
    kind: SourceKind,
    secret: &'static str,
    settings: Settings,
    headers: Vec<(String, String)>,
    body: &'static str,
    at_s: i64,
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the providers' documents give as examples, and for the others what their formula gives.
fn vectors() -> Vec<Vector> {
    let vector = |kind, secret, pairs: &[(&str, &str)], body, at_s| Vector {
        kind,
        secret,
        settings: Settings::default(),
        headers: headers(pairs),
        body,
        at_s,
    };
    let svix = "v1,zJF6tpSZsyqycwynjDXKzuZyEkOpXHdvu9dpdrNb7cc=";
    let form = json!({
        "header": "X-Signature", "layout": "sha256={signature}", "signed": "{body}", "algorithm": "sha256", "encoding": "hex",
    });
    let mut hmac = vector(SourceKind::Hmac, "It's-a-Secret", &[("x-signature", "sha256=0c")], "Hello, World!", 0);
    hmac.settings.verify = Some(serde_json::from_value(form).expect("a form"));
    let code = signing::hmac_sha256(b"It's-a-Secret", &[b"Hello, World!"]);
    hmac.headers[0].1 = format!("sha256={}", hex(&code));
    let stamped = codes_with_a_time();
    let shopify = "hush-hush";
    let code = signing::hmac_sha256(shopify.as_bytes(), &[BODY.as_bytes()]);
    let code = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, code);
    vec![
        vector(
            SourceKind::Stripe,
            STRIPE_SECRET,
            &[(
                "stripe-signature",
                "t=1730000000,v1=4ef4e4df5b93133d7bca53b86349c8782805c09e22dff2796352f17f326c4019,v0=00",
            )],
            BODY,
            1_730_000_000,
        ),
        vector(
            SourceKind::Resend,
            STANDARD_SECRET,
            &[("svix-id", "msg_1"), ("svix-timestamp", "1730000000"), ("svix-signature", svix)],
            BODY,
            1_730_000_000,
        ),
        vector(
            SourceKind::Standard,
            STANDARD_SECRET,
            &[("webhook-id", "msg_1"), ("webhook-timestamp", "1730000000"), ("webhook-signature", svix)],
            BODY,
            1_730_000_000,
        ),
        vector(
            SourceKind::GitHub,
            "It's a Secret to Everybody",
            &[("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")],
            "Hello, World!",
            0,
        ),
        vector(
            SourceKind::Slack,
            "8f742231b10e8888abcd99yyyzzz85a5",
            &[
                ("x-slack-request-timestamp", "1531420618"),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ],
            SLACK_BODY,
            1_531_420_618,
        ),
        vector(SourceKind::Shopify, shopify, &[("x-shopify-hmac-sha256", &code)], BODY, 0),
        vector(SourceKind::Token, "open-sesame", &[("authorization", "Bearer open-sesame")], BODY, 0),
        hmac,
    ]
    .into_iter()
    .chain(stamped)
    .collect()
}

/// Forms of kind `hmac` that sign a time: in the signature's own header, and in another one.
fn codes_with_a_time() -> [Vector; 2] {
    let at_s = 1_730_000_000_i64;
    let vector = |form: Value, headers: Vec<(String, String)>| Vector {
        kind: SourceKind::Hmac,
        secret: "It's-a-Secret",
        settings: Settings { verify: Some(serde_json::from_value(form).expect("a form")), ..Settings::default() },
        headers,
        body: BODY,
        at_s,
    };
    let stamp = at_s.to_string();
    let code = signing::hmac_sha256(b"It's-a-Secret", &[stamp.as_bytes(), b".", BODY.as_bytes()]);
    let written = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &code);
    [
        vector(
            json!({
                "header": "X-Signature", "layout": "t={timestamp},v1={signature}", "signed": "{timestamp}.{body}",
                "encoding": "hex",
            }),
            headers(&[("x-signature", &format!("t={stamp},v1={}", hex(&code)))]),
        ),
        vector(
            json!({
                "header": "X-Signature", "layout": "{signature}", "signed": "{timestamp}.{body}", "encoding": "base64",
                "timestamp_header": "X-Timestamp",
            }),
            headers(&[("x-signature", &written), ("x-timestamp", &stamp)]),
        ),
    ]
}

impl Vector {
    fn accept(
        &self,
        secrets: &[&str],
        body: &[u8],
        headers: &[(String, String)],
        now_s: i64,
    ) -> Result<Identity, Rejection> {
        let incoming = Incoming::new(headers, "", body);
        accept(self.kind, &self.settings, secrets, &incoming, Timestamp::from_millis(now_s * 1000))
    }
}

#[test]
fn every_provider_is_believed_by_its_own_signature() {
    for vector in vectors() {
        let accepted = vector.accept(&[vector.secret], vector.body.as_bytes(), &vector.headers, vector.at_s);
        assert!(accepted.is_ok(), "{:?}: {accepted:?}", vector.kind);
        // While a secret is exchanged two are valid, whichever comes first.
        let (other, body) = ("another-secret-that-is-long-enough", vector.body.as_bytes());
        for secrets in [[other, vector.secret], [vector.secret, other]] {
            assert!(vector.accept(&secrets, body, &vector.headers, vector.at_s).is_ok(), "{:?}", vector.kind);
        }
        assert!(vector.accept(&[other], body, &vector.headers, vector.at_s).is_err(), "{:?}", vector.kind);
        assert!(vector.accept(&[], body, &vector.headers, vector.at_s).is_err(), "{:?}", vector.kind);
    }
}

#[test]
fn no_byte_can_be_changed() {
    for vector in vectors() {
        // A token vouches for its sender, not for the body.
        let signed = vector.kind != SourceKind::Token;
        for place in 0..vector.body.len() * usize::from(signed) {
            let mut body = vector.body.as_bytes().to_vec();
            body[place] ^= 1;
            assert!(
                vector.accept(&[vector.secret], &body, &vector.headers, vector.at_s).is_err(),
                "{:?} {place}",
                vector.kind
            );
        }
        for (header, (name, value)) in vector.headers.iter().enumerate() {
            for place in 0..value.len() {
                let mut headers = vector.headers.clone();
                let mut bytes = value.clone().into_bytes();
                bytes[place] ^= 1;
                headers[header].1 = String::from_utf8(bytes).expect("ASCII");
                let accepted = vector.accept(&[vector.secret], vector.body.as_bytes(), &headers, vector.at_s);
                // Stripe's other schemes stand in the same header and are not looked at.
                let ignored = vector.kind == SourceKind::Stripe && place >= value.find(",v0").expect("a scheme");
                assert!(accepted.is_err() || ignored, "{:?} {name} {place}: {accepted:?}", vector.kind);
            }
        }
    }
}

/// SplitMix64: enough to choose places with.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from((mixed ^ (mixed >> 27)) >> 33).expect("31 bits fit")
}

/// Changes one to four bytes; never the case of a letter alone, which says nothing in hexadecimal.
fn scramble(bytes: &mut [u8], ascii: bool, state: &mut u64) {
    let before = bytes.to_vec();
    while bytes == before {
        for _ in 0..=random(state) % 4 {
            let place = random(state) % bytes.len();
            let mask = 1 + random(state) % if ascii { 0x1f } else { 0xff };
            bytes[place] ^= u8::try_from(mask).expect("a byte");
        }
    }
}

#[test]
fn no_one_of_a_hundred_thousand_tampered_requests_is_taken() {
    const TAMPERED: usize = 100_000;
    // A token is no signature, and only its header could be changed.
    let vectors: Vec<_> = vectors().into_iter().filter(|vector| vector.kind != SourceKind::Token).collect();
    let mut state = 1;
    for number in 0..TAMPERED {
        let vector = &vectors[number % vectors.len()];
        let (mut headers, mut body) = (vector.headers.clone(), vector.body.as_bytes().to_vec());
        // Stripe's other schemes stand in the same header and are not looked at.
        headers.iter_mut().for_each(|(_, value)| value.truncate(value.find(",v0").unwrap_or(value.len())));
        let what = random(&mut state) % (headers.len() + 1);
        match headers.get_mut(what) {
            None => scramble(&mut body, false, &mut state),
            Some((_, value)) => {
                let mut bytes = std::mem::take(value).into_bytes();
                scramble(&mut bytes, true, &mut state);
                *value = String::from_utf8(bytes).expect("ASCII");
            }
        }
        let accepted = vector.accept(&[vector.secret], &body, &headers, vector.at_s);
        assert!(accepted.is_err(), "{number}: {:?} took {headers:?} {}", vector.kind, String::from_utf8_lossy(&body));
    }
}

#[test]
fn requests_are_taken_for_five_minutes() {
    for vector in vectors().into_iter().filter(|vector| vector.at_s > 0) {
        for (off_s, taken) in [(-301, false), (-300, true), (-299, true), (299, true), (300, true), (301, false)] {
            let accepted =
                vector.accept(&[vector.secret], vector.body.as_bytes(), &vector.headers, vector.at_s + off_s);
            assert_eq!(accepted.is_ok(), taken, "{:?} {off_s}: {accepted:?}", vector.kind);
        }
    }
}

#[test]
fn providers_say_what_it_is_and_what_it_is_called() {
    let identity = |kind, pairs: &[(&str, &str)], body: &str| {
        let (headers, provider) = (headers(pairs), SourceKind::provider(kind));
        let incoming = Incoming::new(&headers, "", body.as_bytes());
        (provider.event_id(&incoming), provider.event_type(&incoming), provider.handshake(&incoming))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(identity(SourceKind::Stripe, &[], BODY), (text("evt_123abc"), text("tag.subscribed"), None));
    assert_eq!(
        identity(SourceKind::Resend, &[("svix-id", "msg_1")], BODY),
        (text("msg_1"), text("tag.subscribed"), None)
    );
    let github = [("x-github-delivery", "d-1"), ("x-github-event", "push")];
    assert_eq!(identity(SourceKind::GitHub, &github, "{}"), (text("d-1"), text("push"), None));
    let ping = [("x-github-delivery", "d-2"), ("x-github-event", "ping")];
    assert_eq!(identity(SourceKind::GitHub, &ping, "{}").2, text("pong"));
    let shopify = [("x-shopify-webhook-id", "s-1"), ("x-shopify-topic", "orders/create")];
    assert_eq!(identity(SourceKind::Shopify, &shopify, "{}"), (text("s-1"), text("orders/create"), None));
    let challenge = r#"{"type":"url_verification","challenge":"3eZbrw1aB"}"#;
    assert_eq!(identity(SourceKind::Slack, &[], challenge).2, text("3eZbrw1aB"));
    let wrapped = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}"#;
    assert_eq!(identity(SourceKind::Slack, &[], wrapped), (text("Ev1"), text("app_mention"), None));
}

#[test]
fn a_receipts_own_id_is_where_the_source_says() {
    let headers = headers(&[("x-request", "abc")]);
    let long = "x".repeat(1_000);
    let mut body = json!({"a": {"n": 7}, "long": long, "empty": ""}).to_string();
    body.insert_str(1, "\"big\":123456789012345678901,");
    let incoming = Incoming::new(&headers, "", body.as_bytes());
    for (place, id) in [
        ("/a/n", Some("7")),
        ("/empty", None),
        ("/big", None),
        ("header:X-Request", Some("abc")),
        ("/a", None),
        ("/b", None),
    ] {
        let settings = Settings { dedupe: Some(place.to_owned()), ..Settings::default() };
        let identity = accept(SourceKind::None, &settings, &[] as &[&str], &incoming, Timestamp::from_millis(0));
        assert_eq!(identity.expect("taken").provider_id.as_deref(), id, "{place}");
    }
    let settings = Settings { dedupe: Some("/long".to_owned()), ..Settings::default() };
    let identity = accept(SourceKind::None, &settings, &[] as &[&str], &incoming, Timestamp::from_millis(0));
    assert_eq!(identity.expect("taken").provider_id.map(|id| id.len()), Some(64));
}

#[test]
fn everything_that_is_wrong_with_a_source_is_named_at_once() {
    let settings: Settings = serde_json::from_value(json!({
        "tolerance_s": 9_999_999, "dedupe": "id", "token_header": "x", "rate_limit": 0,
        "response": {"status": 302},
        "actions": [{"kind": "forward", "url": "nowhere"}],
    }))
    .expect("settings");
    let fields: Vec<_> =
        check(SourceKind::Standard, &settings, &["short"], true).into_iter().map(|(field, _)| field).collect();
    assert_eq!(
        fields,
        ["secrets[0]", "tolerance_s", "token_header", "dedupe", "actions[0].url", "response.status", "rate_limit"]
    );
    assert_eq!(check(SourceKind::Hmac, &Settings::default(), &["s"], true).len(), 1);
    assert_eq!(check(SourceKind::Stripe, &Settings::default(), &[] as &[&str], true)[0].0, "secrets");
    assert!(check(SourceKind::Stripe, &Settings::default(), &[] as &[&str], false).is_empty(), "it takes nothing in");
    assert!(check(SourceKind::None, &Settings::default(), &[] as &[&str], true).is_empty());
}

#[test]
fn kinds_have_the_names_that_they_are_written_with() {
    for kind in SourceKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a name"), kind.as_str());
    }
}
