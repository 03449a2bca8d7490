//! Two secrets of one webhook sign side by side until the clock says that it is over.

use bytes::Bytes;
use http::HeaderMap;
use tidings_domain::{
    head::{HeadValues, fill},
    ids::WebhookId,
    profile::Profile,
    secret::Secret,
    signature::SignatureScheme,
    signer::Signer,
    time::Timestamp,
};
use tidings_engine::Publish;
use tidings_fakes::{Reply, SentRequest};
use tidings_ports::store::History as _;

use crate::platform::{Platform, publish, schedule};

const URL: &str = "https://receiver.example/hook";
const NEW: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const OVERLAP_S: u32 = 100;

/// What the secret alone would have written for this request, header by header.
fn signed_by(profile: Profile, secret: &str, sent: &SentRequest) -> Vec<(String, String)> {
    let secret = Secret::parse(secret).expect("a secret");
    let signer = Signer::new(profile.signature(), Some(&secret)).expect("a signer");
    let id = sent.headers.get("x-tidings-event-id").expect("an id").to_str().expect("text");
    let headers = signer.headers(id, sent.at, &sent.body).into_iter();
    headers.filter(|(name, _)| name.to_lowercase().contains("signature")).collect()
}

fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn what_is_signed_is_what_is_sent_however_it_is_written() {
    for profile in Profile::ALL {
        let Some(form) = profile.generated_secret() else { continue };
        let platform = Platform::start().await;
        platform.webhook_with(profile, URL, |settings| settings.tidings_headers = true).await;
        // Spaces, a number and an escape that any JSON library would write another way.
        let payload = Bytes::from_static(br#"{ "b" : 1.50,  "a":"\u0041" }"#);
        platform.try_publish(Publish { payload, ..publish("tag.subscribed") }).await.expect("accepted");
        platform.settle().await;
        let sent = platform.sender.sent_to(URL).remove(0);
        let signed = signed_by(profile, Secret::generate(form, &[3; 32]).expose(), &sent);
        assert!(!signed.is_empty(), "{profile}");
        for (name, expected) in signed {
            assert_eq!(value(&sent.headers, &name), Some(expected), "{profile}");
        }
    }
}

async fn rotate(platform: &Platform, webhook: WebhookId) -> String {
    let now = platform.now();
    let mut old = None;
    platform
        .change_secrets(webhook, |secrets| {
            old.clone_from(&secrets.secret);
            secrets.rotate(NEW.to_owned(), OVERLAP_S, now);
        })
        .await;
    old.expect("it had a secret")
}

/// Fails thrice, at 0 s, 99 s and 100 s after the rotation: twice within the overlap, once behind it.
async fn three_attempts(profile: Profile) -> (Platform, WebhookId, String, Vec<SentRequest>) {
    let platform = Platform::start().await;
    let waits = |settings: &mut tidings_domain::webhook::WebhookSettings| {
        settings.retry = Some(schedule(&[0, 99_000, 1_000]));
    };
    let webhook = platform.webhook_with(profile, URL, waits).await;
    platform.sender.always(URL, Reply::Status(500));
    let old = rotate(&platform, webhook).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    platform.advance_s(u64::from(OVERLAP_S)).await;
    let sent = platform.sender.sent_to(URL);
    assert_eq!(platform.seconds_of(URL), [0, 99, 100], "{profile}");
    (platform, webhook, old, sent)
}

#[tokio::test]
async fn each_attempt_asks_the_clock_which_secrets_sign() {
    for profile in [Profile::BotSubscription, Profile::SubscribeFlow, Profile::Botdog] {
        let (_, _, old, sent) = three_attempts(profile).await;
        for (place, request) in sent.iter().enumerate() {
            let (name, new) = signed_by(profile, NEW, request).remove(0);
            assert_eq!(value(&request.headers, &name), Some(new), "{profile}: attempt {place}");
            let previous = signed_by(profile, &old, request).remove(0).1;
            let expected = (place < 2).then_some(previous);
            assert_eq!(value(&request.headers, &format!("{name}-Previous")), expected, "{profile}: attempt {place}");
        }
    }
}

#[tokio::test]
async fn standard_puts_both_signatures_into_one_header_newest_first() {
    let (platform, webhook, old, sent) = three_attempts(Profile::Standard).await;
    for (place, request) in sent.iter().enumerate() {
        let by = |secret| signed_by(Profile::Standard, secret, request).remove(0).1;
        let expected = if place < 2 { format!("{} {}", by(NEW), by(&old)) } else { by(NEW) };
        assert_eq!(value(&request.headers, "webhook-signature"), Some(expected), "attempt {place}");
    }
    let id = platform.deliveries(webhook).await[0].id;
    let shown = attempts_heads(&platform, id).await;
    let signatures: Vec<_> = shown.iter().map(|head| find(head, "webhook-signature")).collect();
    let both = Some("v1,******** v1,********".to_owned());
    assert_eq!(signatures, [both.clone(), both, Some("v1,********".to_owned())]);
}

#[tokio::test]
async fn history_masks_the_second_header_as_well() {
    let (platform, webhook, _, _) = three_attempts(Profile::BotSubscription).await;
    let id = platform.deliveries(webhook).await[0].id;
    let shown = attempts_heads(&platform, id).await;
    let previous: Vec<_> = shown.iter().map(|head| find(head, "x-webhook-signature-previous")).collect();
    let started = platform.sender.sent_to(URL).iter().map(|sent| sent.at.as_seconds()).collect::<Vec<_>>();
    let masked = |at: i64| Some(format!("v1=********,t={at}"));
    assert_eq!(previous, [masked(started[0]), masked(started[1]), None]);
}

#[tokio::test]
async fn an_overlap_holds_over_a_restart_and_ends_without_one() {
    let platform = Platform::start().await;
    let webhook = platform.webhook(Profile::Botdog, URL).await;
    rotate(&platform, webhook).await;
    let platform = platform.crash_and_restart().await;
    for (wait_s, signatures) in [(u64::from(OVERLAP_S) - 1, 2), (1, 1)] {
        platform.advance_s(wait_s).await;
        platform.publish("tag.subscribed").await;
        platform.settle().await;
        let sent = platform.sender.sent_to(URL).pop().expect("sent");
        let names = sent.headers.keys().filter(|name| name.as_str().contains("signature"));
        assert_eq!(names.count(), signatures);
    }
}

#[tokio::test]
async fn key_pairs_overlap_as_well() {
    let platform = Platform::start().await;
    let asymmetric = |settings: &mut tidings_domain::webhook::WebhookSettings| {
        settings.signature = Some(SignatureScheme::StandardEd25519);
    };
    // The platform's webhooks begin with symmetric secrets, so it begins unsigned.
    let webhook = platform.webhook_with(Profile::ServerAvatar, URL, asymmetric).await;
    let key = |byte: u8| Secret::generate(tidings_domain::secret::SecretForm::Whsk, &[byte; 32]).expose().to_owned();
    let now = platform.now();
    platform.change_secrets(webhook, |secrets| assert_eq!(secrets.rotate(key(1), OVERLAP_S, now), None)).await;
    platform.change_secrets(webhook, |secrets| assert!(secrets.rotate(key(2), OVERLAP_S, now).is_some())).await;
    platform.publish("tag.subscribed").await;
    platform.settle().await;
    let sent = platform.sender.sent_to(URL).remove(0);
    let signature = value(&sent.headers, "webhook-signature").expect("signed");
    assert_eq!(signature.split(' ').filter(|one| one.starts_with("v1a,")).count(), 2, "{signature}");
}

async fn attempts_heads(platform: &Platform, id: tidings_domain::ids::DeliveryId) -> Vec<Vec<(String, String)>> {
    let attempts = platform.store.attempts_of(platform.project, id).await.expect("read");
    let filled = |view: &tidings_ports::store::AttemptView| {
        let values = HeadValues {
            content_type: "application/json",
            event_id: "evt",
            event_type: "tag.subscribed",
            delivery_id: id,
            attempt: view.attempt.number,
            started_at: Timestamp::from_millis(view.attempt.started_at.as_millis()),
        };
        fill(&view.attempt.request_head, &values)
    };
    attempts.iter().map(filled).collect()
}

fn find(head: &[(String, String)], name: &str) -> Option<String> {
    head.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}
