//! Signatures of real deliveries, checked by libraries that nobody here wrote: `standardwebhooks`
//! by the authors of the specification, and `svix` as its customers use it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tidings_testkit::{Received, Receiver, Server, Signature, Verifier, World, unix_seconds};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "payment-request.completed";
const BOUND: Duration = Duration::from_secs(20);

/// A library's verdict on a request.
type Library = fn(&str, &HeaderMap, &[u8]) -> Result<(), String>;

const LIBRARIES: [(&str, Library); 2] = [
    ("standardwebhooks", |secret, headers, body| {
        let library = standardwebhooks::Webhook::new(secret).map_err(|error| error.to_string())?;
        library.verify(body, headers).map_err(|error| error.to_string())
    }),
    ("svix", |secret, headers, body| {
        let library = svix::webhooks::Webhook::new(secret).map_err(|error| error.to_string())?;
        library.verify(body, headers).map_err(|error| error.to_string())
    }),
];

/// Publishes one event of each kind to one webhook with this profile and further settings, and
/// returns the requests with the webhook's verifier.
async fn deliveries(signature: Signature, settings: Value) -> (Vec<Received>, Verifier) {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let webhook = world.subscribe(&project, &receiver, "/hook", signature, settings).await;
    let events = [
        json!({"type": EVENT_TYPE, "data": {"amount": "19.99", "currency": "USD"}}),
        json!({"type": EVENT_TYPE, "id": "order-4711.paid", "data": "äöü € \u{1F514} \u{0}"}),
        json!({"type": EVENT_TYPE, "data": {"long": "x".repeat(200_000)}}),
        json!({"type": EVENT_TYPE, "content_type": "text/csv", "body_base64": "aWQ7bsOkbWUKMTt4Cg=="}),
    ];
    for event in &events {
        project.api.post("/events", event).await.expect(202);
    }
    (receiver.wait_for("/hook", events.len(), BOUND).await, webhook.verifier)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_of_standard_webhooks_take_every_delivery_and_refuse_every_tampered_one() {
    let supplied = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    let mut tampered = 0;
    let mut taken = 0;
    for (signature, settings) in [
        (Signature::Standard, json!({})),
        (Signature::Standard, json!({"secret": supplied})),
        (Signature::Botdog, json!({"signature": {"scheme": "standard"}})),
    ] {
        let (requests, verifier) = deliveries(signature, settings).await;
        let secret = verifier.secret.expect("these webhooks sign");
        for request in &requests {
            for (name, library) in LIBRARIES {
                library(&secret, &request.headers, &request.body).unwrap_or_else(|error| panic!("{name}: {error}"));
                taken += 1;
                tampered += refuses_tampering(name, library, &secret, request);
            }
        }
    }
    println!("signatures: {taken} verdicts on real deliveries, all valid; {tampered} on tampered ones, all refused");
}

/// Changes what is signed, piece by piece; returns how many changes the library refused.
fn refuses_tampering(name: &str, library: Library, secret: &str, request: &Received) -> usize {
    let mut refused = 0;
    let mut refuse = |what: &str, secret: &str, headers: &HeaderMap, body: &[u8]| {
        assert!(library(secret, headers, body).is_err(), "{name} takes a request with {what}");
        refused += 1;
    };
    let headers = &request.headers;
    // Every byte of short bodies, and some of long ones.
    for place in (0..request.body.len()).step_by(1 + request.body.len() / 200) {
        let mut body = request.body.to_vec();
        body[place] ^= 1;
        refuse("another body", secret, headers, &body);
    }
    refuse("a longer body", secret, headers, &[&request.body[..], b" "].concat());
    let with = |name: &'static str, value: &str| {
        let mut headers = headers.clone();
        headers.insert(name, HeaderValue::from_str(value).expect("a header value"));
        headers
    };
    let signature = request.header("webhook-signature");
    for place in "v1,".len()..signature.len() {
        let mut changed = signature.as_bytes().to_vec();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("base 64 is ASCII");
        // The last character before the padding carries two bits that nobody reads.
        if place < signature.len() - 2 {
            refuse("another signature", secret, &with("webhook-signature", &changed), &request.body);
        }
    }
    for seconds in [unix_seconds() + 1, unix_seconds() - 600, unix_seconds() + 600, 0] {
        if seconds.to_string() != request.header("webhook-timestamp") {
            refuse("another time", secret, &with("webhook-timestamp", &seconds.to_string()), &request.body);
        }
    }
    refuse("another id", secret, &with("webhook-id", "evt_other"), &request.body);
    refuse("another key", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", headers, &request.body);
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_profile_signs_as_its_system_documents() {
    let supplied = json!({"secret": "whsec_your-secret-key"});
    for (signature, settings) in [
        (Signature::BotSubscription, json!({})),
        (Signature::SubscribeFlow, json!({})),
        (Signature::SubscribeFlow, supplied.clone()),
        (Signature::ServerAvatar, supplied),
        (Signature::Botdog, json!({})),
    ] {
        let (requests, verifier) = deliveries(signature, settings).await;
        for request in &requests {
            verifier.check(&request.headers, &request.body).unwrap_or_else(|error| panic!("{signature:?}: {error}"));
            let changed = [&request.body[..], b" "].concat();
            assert!(verifier.check(&request.headers, &changed).is_err(), "{signature:?}: another body");
            let other = Verifier { secret: Some("another-secret".to_owned()), ..verifier.clone() };
            assert!(other.check(&request.headers, &request.body).is_err(), "{signature:?}: another key");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_nothing_is_signed() {
    for (signature, settings) in [
        (Signature::ServerAvatar, json!({})),
        (Signature::Standard, json!({"secret": null})),
        (Signature::Botdog, json!({"secret": null})),
    ] {
        let (requests, verifier) = deliveries(signature, settings).await;
        assert_eq!(verifier.secret, None, "{signature:?}");
        for request in &requests {
            verifier.check(&request.headers, &request.body).unwrap_or_else(|error| panic!("{signature:?}: {error}"));
        }
    }
}
