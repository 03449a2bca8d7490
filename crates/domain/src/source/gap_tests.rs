//! What providers are asked, how their answers are read, and what becomes of answers that are wrong.

use serde_json::{Value, json};

use super::{gap::check as check_gap_fill, *};

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn gap_fill(hook: Option<&str>, types: &[&str]) -> GapFill {
    let types = types.iter().map(|&name| name.to_owned()).collect();
    GapFill { every_s: FILL_EVERY_S, api_url: None, hook: hook.map(str::to_owned), types }
}

fn listing(kind: SourceKind) -> &'static dyn Listing {
    kind.listing().expect("it lists")
}

fn page(kind: SourceKind, headers: &[(&str, &str)], body: &Value) -> Result<ListPage, Unreadable> {
    let headers: Vec<_> = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    listing(kind).read_page(&Reply { status: 200, headers: &headers, body: body.to_string().as_bytes() })
}

fn one(kind: SourceKind, body: &str) -> Result<Missed, Unreadable> {
    listing(kind).read_one(&Reply { status: 200, headers: &[], body: body.as_bytes() })
}

/// What a receipt of it would be known by.
fn identity(kind: SourceKind, missed: &Missed) -> (Option<String>, Option<String>) {
    let identity = identify(kind, &Settings::default(), &Incoming::new(&missed.headers, "", &missed.body));
    (identity.provider_id, identity.event_type)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn stripe_lists_events_which_are_the_bodies_of_its_webhooks() {
    let stripe = listing(SourceKind::Stripe);
    let since = Timestamp::from_millis(1_730_000_000_999);
    assert_eq!(
        stripe.page_path(&gap_fill(None, &[]), since, None, 100),
        "/v1/events?limit=100&created%5Bgte%5D=1730000000&delivery_success=false"
    );
    let named = gap_fill(None, &["invoice.paid", "customer.created"]);
    assert_eq!(
        stripe.page_path(&named, since, Some("evt_2"), 50),
        "/v1/events?limit=50&created%5Bgte%5D=1730000000&types%5B%5D=invoice.paid\
         &types%5B%5D=customer.created&starting_after=evt_2"
    );
    let event = |id: &str| json!({"id": id, "object": "event", "type": "invoice.paid", "created": 1_730_000_002});
    let list =
        json!({"object": "list", "url": "/v1/events", "has_more": true, "data": [event("evt_3"), event("evt_2")]});
    let read = page(SourceKind::Stripe, &[], &list).expect("a page");
    assert_eq!(read.next, text("evt_2"));
    assert_eq!((read.entries[0].id.as_str(), read.entries[0].at.as_seconds()), ("evt_3", 1_730_000_002));
    let missed = read.entries[0].missed.as_ref().expect("the list has all of it");
    assert_eq!(missed.body, event("evt_3").to_string(), "byte for byte as Stripe gave it");
    assert_eq!(identity(SourceKind::Stripe, missed), (text("evt_3"), text("invoice.paid")));
    assert_eq!(stripe.one_path(&gap_fill(None, &[]), "evt_3"), "/v1/events/evt_3");
    assert_eq!(one(SourceKind::Stripe, &event("evt_3").to_string()).as_ref(), Ok(missed));
}

#[test]
fn github_lists_deliveries_and_gives_what_was_in_them_one_by_one() {
    let github = listing(SourceKind::GitHub);
    let hook = gap_fill(Some("repos/acme/shop.web/hooks/7"), &[]);
    let path = github.page_path(&hook, NOW, Some("v1_12=&x"), 100);
    assert_eq!(path, "/repos/acme/shop.web/hooks/7/deliveries?per_page=100&cursor=v1_12%3D%26x");
    let delivery = |id: u64, guid: &str, event: &str| {
        json!({"id": id, "guid": guid, "delivered_at": "2025-11-30T10:00:00Z", "redelivery": false, "event": event,
               "action": null, "status": "failed to connect", "status_code": 502})
    };
    let list = json!([delivery(12, "g-2", "push"), delivery(11, "g-1", "ping")]);
    let link = "<https://api.github.com/x?per_page=100&cursor=v1_11>; rel=\"next\", \
                <https://api.github.com/x?cursor=v0>; rel=\"first\"";
    let read = page(SourceKind::GitHub, &[("link", link)], &list).expect("a page");
    assert_eq!(read.next, text("v1_11"));
    assert_eq!(read.entries.len(), 1, "a ping is not kept: {read:?}");
    assert_eq!((read.entries[0].id.as_str(), read.entries[0].key.as_str()), ("g-2", "12"));
    assert_eq!(page(SourceKind::GitHub, &[], &list).expect("a page").next, None);

    let payload = r#"{"ref":"refs/heads/main",  "n":1.10}"#;
    let whole = format!(
        r#"{{"id":12,"guid":"g-2","event":"push","request":{{"headers":{{"X-GitHub-Hook-ID":"7","X-GitHub-Event":"lies",
            "X-Hub-Signature-256":"sha256=00","Authorization":"no","X-GitHub-Bad":"a\nforged: 1"}},"payload":{payload}}}}}"#
    );
    let missed = one(SourceKind::GitHub, &whole).expect("all of it");
    assert_eq!(missed.body, payload);
    assert_eq!(identity(SourceKind::GitHub, &missed), (text("g-2"), text("push")));
    let names: Vec<_> = missed.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-github-delivery", "x-github-event", "x-github-hook-id"]);
}

#[test]
fn resend_lists_what_a_webhook_was_to_get_under_the_ids_that_it_has_there() {
    let resend = listing(SourceKind::Resend);
    let hook = gap_fill(Some("4dd369bc-aa82-4ff3-97de-514ae3000ee0"), &[]);
    assert_eq!(
        resend.page_path(&hook, NOW, Some("msg_2"), 100),
        "/webhooks/4dd369bc-aa82-4ff3-97de-514ae3000ee0/events?limit=100&after=msg_2"
    );
    assert_eq!(resend.one_path(&hook, "msg_2"), "/webhooks/4dd369bc-aa82-4ff3-97de-514ae3000ee0/events/msg_2");
    let event = |id: &str, at: &str| json!({"id": id, "type": "email.bounced", "created_at": at, "status": "failed"});
    let list = json!({"object": "list", "has_more": false, "data":
        [event("msg_2", "2026-08-22T15:28:00.000Z"), event("msg_1", "2026-08-22 15:27:00.123456+00")]});
    let read = page(SourceKind::Resend, &[], &list).expect("a page");
    assert_eq!(read.next, None);
    let times: Vec<_> = read.entries.iter().map(|entry| entry.at.rfc3339_seconds()).collect();
    assert_eq!(times, ["2026-08-22T15:28:00Z", "2026-08-22T15:27:00Z"]);
    let payload = r#"{"type":"email.bounced","data":{"email_id":"e-1","to":["ann@example.com"]}}"#;
    let whole = format!(r#"{{"object":"webhook_event","id":"msg_2","type":"email.bounced","payload":{payload}}}"#);
    let missed = one(SourceKind::Resend, &whole).expect("all of it");
    assert_eq!(missed.body, payload);
    // What a webhook brings has the same id in its header, so the two are one receipt.
    assert_eq!(identity(SourceKind::Resend, &missed), (text("msg_2"), text("email.bounced")));
}

#[test]
fn answers_of_another_form_are_told_and_quote_nothing() {
    let stripe = |data: Value, has_more: bool| json!({"has_more": has_more, "data": data});
    let at = "2025-11-30T10:00:00Z";
    let rows = [
        (SourceKind::Stripe, json!({"error": {"message": "sk_live_secret"}})),
        (SourceKind::Stripe, stripe(json!([]), true)),
        (SourceKind::Stripe, stripe(json!([{"id": "../../v1/refunds", "created": 1}]), false)),
        (SourceKind::Stripe, stripe(json!([{"id": "evt_1?x=sk_live_secret", "created": 1}]), false)),
        (SourceKind::Stripe, stripe(json!([{"id": "evt_1", "created": "sk_live_secret"}]), false)),
        (SourceKind::GitHub, json!({"message": "sk_live_secret"})),
        (SourceKind::GitHub, json!([{"id": "1/../x", "guid": "g", "delivered_at": at, "event": "push"}])),
        (SourceKind::GitHub, json!([{"id": 1, "guid": "g\n", "delivered_at": at, "event": "push"}])),
        (SourceKind::Resend, json!({"has_more": true, "data": []})),
        (SourceKind::Resend, json!({"has_more": false, "data": [{"id": "msg_1", "created_at": "sk_live_secret"}]})),
    ];
    for (kind, body) in rows {
        let told = page(kind, &[], &body).expect_err("it is wrong").to_string();
        assert!(!told.contains("sk_live_secret"), "{kind:?} {body}: {told}");
    }
    for (kind, body) in [
        (SourceKind::Stripe, "{"),
        (SourceKind::Stripe, r#"{"object":"refund"}"#),
        (SourceKind::GitHub, r#"{"guid":"g","event":"push","request":{"headers":{},"payload":null}}"#),
        (SourceKind::Resend, r#"{"id":"msg_1"}"#),
        (SourceKind::Resend, r#"{"id":"msg_1","payload":"text"}"#),
    ] {
        assert!(one(kind, body).is_err(), "{kind:?} {body}");
    }
}

#[test]
fn a_provider_says_what_is_wrong_and_when_it_may_be_asked_again() {
    let verdict = |status, headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Reply { status, headers: &headers, body: b"" }.verdict(NOW)
    };
    let reset = (NOW.as_seconds() + 90).to_string();
    let github = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
    assert_eq!(verdict(200, &[]), Verdict::Answered);
    assert_eq!(verdict(404, &[]), Verdict::Missing);
    assert_eq!(verdict(429, &[("retry-after", "7")]), Verdict::Wait(7_000));
    assert_eq!(verdict(429, &[]), Verdict::Wait(60_000));
    assert_eq!(verdict(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "3")]), Verdict::Wait(3_000));
    assert_eq!(verdict(403, &github), Verdict::Wait(90_000));
    assert_eq!(verdict(429, &[("retry-after", "99999999999999999999")]), Verdict::Wait(RETRY_MAX_MS));
    assert_eq!(verdict(429, &[("retry-after", "0")]), Verdict::Wait(1_000), "never without a pause");
    assert_eq!(verdict(503, &[("retry-after", "90")]), Verdict::Wait(90_000));
    for (status, said) in [(401, "API key"), (403, "API key"), (301, "redirects"), (400, "question")] {
        assert!(matches!(verdict(status, &[]), Verdict::Refused(reason) if reason.contains(said)), "{status}");
    }
    for status in [206, 500, 503] {
        assert!(matches!(verdict(status, &[]), Verdict::Trouble(_)), "{status}");
    }
    let spent = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Reply { status: 200, headers: &headers, body: b"" }.spent_until(NOW)
    };
    assert_eq!(spent(&github), Some(90_000), "the last answer for a while is an answer");
    assert_eq!(spent(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", &reset)]), None);
    assert_eq!(spent(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "1")]), Some(1_000));
}

/// A day: whoever says more has made a mistake.
const RETRY_MAX_MS: u64 = 86_400_000;

#[test]
fn sources_that_cannot_ask_are_told_why() {
    let fields = |kind, gap_fill: &GapFill, dedupe| -> Vec<String> {
        check_gap_fill(kind, gap_fill, dedupe).into_iter().map(|(field, _)| field).collect()
    };
    assert_eq!(fields(SourceKind::Stripe, &gap_fill(None, &["invoice.paid"]), None), [""; 0]);
    assert_eq!(
        fields(SourceKind::Stripe, &gap_fill(Some("x"), &["invoice.*"]), None),
        ["gap_fill.hook", "gap_fill.types"]
    );
    assert_eq!(fields(SourceKind::Stripe, &gap_fill(None, &["a"; 21]), Some("/id")), ["gap_fill.types", "dedupe"]);
    for right in ["repos/a/b.c/hooks/1", "orgs/acme-1/hooks/22"] {
        assert_eq!(fields(SourceKind::GitHub, &gap_fill(Some(right), &[]), None), [""; 0], "{right}");
    }
    for wrong in ["repos/a/hooks/1", "repos/../b/hooks/1", "orgs/a/hooks/x", "users/a/hooks/1", "orgs/a?b/hooks/1", ""]
    {
        assert_eq!(fields(SourceKind::GitHub, &gap_fill(Some(wrong), &[]), None), ["gap_fill.hook"], "{wrong}");
    }
    assert_eq!(fields(SourceKind::Resend, &gap_fill(None, &["x"]), None), ["gap_fill.hook", "gap_fill.types"]);
    let often = GapFill { every_s: 59, ..gap_fill(None, &[]) };
    assert_eq!(fields(SourceKind::Stripe, &often, None), ["gap_fill.every_s"]);
    for kind in SourceKind::ALL.iter().filter(|kind| kind.listing().is_none()) {
        let wrong = check_gap_fill(*kind, &gap_fill(None, &[]), None);
        assert!(wrong[0].0 == "gap_fill" && wrong[0].1.contains("stripe, resend, github have"), "{wrong:?}");
    }
    assert!(check_api_key("re_123").is_ok());
    assert!(["", "a b", "a\nb"].iter().all(|key| check_api_key(key).is_err()));
}
