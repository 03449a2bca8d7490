//! Secrets over their life: exchanged with an overlap, looked at again where that is allowed, and
//! key pairs whose public half anybody may have.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Project, Received, Receiver, Server, Signature, Verifier, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(20);
const HOOK: &str = "/hook";

struct Scene {
    server: Server,
    receiver: Receiver,
    world: World,
    project: Project,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let receiver = Receiver::start().await;
        let mut world = World::new(&server);
        let project = world.project("acme", EVENT_TYPE).await;
        Self { server, receiver, world, project }
    }

    fn api(&self) -> &Api {
        &self.project.api
    }

    /// A webhook with this profile: its path in the API, and its secret.
    async fn webhook(&mut self, signature: Signature, request: Value) -> (String, Option<String>) {
        let made = self.world.subscribe(&self.project, &self.receiver, HOOK, signature, request).await;
        (format!("/webhooks/{}", made.webhook_id), made.verifier.secret)
    }

    /// The request that the next event leads to.
    async fn next_request(&self) -> Received {
        let count = self.receiver.count_at(HOOK);
        self.api().post("/events", &json!({"type": EVENT_TYPE, "data": {"n": count}})).await.expect(202);
        self.receiver.wait_for(HOOK, count + 1, BOUND).await.remove(count)
    }

    /// What stands at a webhook's well-known address, without any key.
    async fn well_known(&self, id: &str) -> Answer {
        let path = format!("/.well-known/webhooks/{id}/public-key");
        let request = Request::builder().method(Method::GET).uri(path).header("host", "tidings.test");
        let request = request.body(Full::default()).expect("a request");
        self.server.client().exchange(request).await.expect("an answer")
    }
}

fn check(signature: Signature, secret: &str, request: &Received) -> Result<(), String> {
    Verifier { signature, secret: Some(secret.to_owned()) }.check(&request.headers, &request.body)
}

/// The request as a receiver sees it that looks for the former secret's signature.
fn with_previous_header(request: &Received) -> Option<Received> {
    let mut request = request.clone();
    let (name, value) = request
        .headers
        .iter()
        .find_map(|(name, value)| Some((name.as_str().strip_suffix("-previous")?.to_owned(), value.clone())))?;
    request.headers.insert(http::HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    Some(request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_an_overlap_receivers_verify_with_either_secret_and_afterwards_with_the_new_one() {
    for signature in [Signature::Standard, Signature::BotSubscription, Signature::SubscribeFlow, Signature::Botdog] {
        let mut scene = Scene::begin().await;
        let (path, old) = scene.webhook(signature, json!({})).await;
        let old = old.expect("these profiles sign");
        let rotated =
            scene.api().post(&format!("{path}/rotate-secret"), &json!({"overlap_seconds": 2})).await.expect(200);
        let new = rotated["secret"].as_str().expect("the new secret, this once").to_owned();
        assert_ne!(new, old);
        assert_eq!(scene.api().get(&path).await.expect(200)["previous_valid_until"], rotated["previous_valid_until"]);

        let both = scene.next_request().await;
        check(signature, &new, &both).unwrap_or_else(|error| panic!("{signature:?}, new: {error}"));
        let as_before = if signature == Signature::Standard { Some(both) } else { with_previous_header(&both) };
        let as_before = as_before.expect("a second header");
        check(signature, &old, &as_before).unwrap_or_else(|error| panic!("{signature:?}, old: {error}"));

        // Nothing is called and nothing restarted: time alone ends it.
        let after = until("the end of the overlap", BOUND, async || {
            let request = scene.next_request().await;
            let twice = with_previous_header(&request).is_some()
                || request.headers.get("webhook-signature").is_some_and(|value| value.as_bytes().contains(&b' '));
            (!twice).then_some(request)
        })
        .await;
        check(signature, &new, &after).unwrap_or_else(|error| panic!("{signature:?}, after: {error}"));
        assert!(check(signature, &old, &after).is_err(), "{signature:?}: the old secret still signs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_can_be_immediate_supplied_repeated_and_refused() {
    let mut scene = Scene::begin().await;
    let (path, old) = scene.webhook(Signature::Standard, json!({})).await;
    let rotate = format!("{path}/rotate-secret");
    let supplied = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    let rotated = scene.api().post(&rotate, &json!({"secret": supplied})).await.expect(200);
    assert_eq!(rotated, json!({"secret": supplied, "previous_valid_until": null}));
    let request = scene.next_request().await;
    check(Signature::Standard, supplied, &request).expect("the new secret signs");
    assert!(check(Signature::Standard, &old.expect("a secret"), &request).is_err(), "the old one is over at once");

    // A repetition shows the same secret again and makes no further one.
    let keyed = scene.api().clone().with_header("idempotency-key", "rotate-1");
    let first = keyed.post(&rotate, &json!({"overlap_seconds": 60})).await;
    let again = keyed.post(&rotate, &json!({"overlap_seconds": 60})).await;
    assert_eq!((again.expect(200), again.header("idempotent-replay")), (first.expect(200), Some("true")));
    assert_eq!(keyed.post(&rotate, &json!({})).await.expect(409)["code"], "idempotency_conflict");
    let newest = first.json()["secret"].as_str().expect("a secret").to_owned();
    check(Signature::Standard, &newest, &scene.next_request().await).expect("the one that was shown signs");

    for (request, field) in [
        (json!({"overlap_seconds": 604_801}), "overlap_seconds"),
        (json!({"overlap_seconds": -1}), "overlap_seconds"),
        (json!({"overlap_seconds": "soon"}), "overlap_seconds"),
        (json!({"secret": "no-standard-secret"}), "secret"),
        (json!({"secret": "short"}), "secret"),
        (json!({"secret": newest}), "secret"),
        (json!({"overlap": 5}), "overlap"),
    ] {
        let refused = scene.api().post(&rotate, &request).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{request}");
    }
    check(Signature::Standard, &newest, &scene.next_request().await).expect("a refusal changes nothing");

    // Whoever gives a secret with an update exchanges it at once, and ends the overlap.
    scene.api().patch(&path, &json!({"secret": supplied})).await.expect(200);
    let request = scene.next_request().await;
    check(Signature::Standard, supplied, &request).expect("the updated secret signs");
    assert!(check(Signature::Standard, &newest, &request).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotating_gives_an_unsigned_webhook_its_first_secret() {
    let mut scene = Scene::begin().await;
    let (path, none) = scene.webhook(Signature::ServerAvatar, json!({})).await;
    assert_eq!(none, None);
    let rotated = scene.api().post(&format!("{path}/rotate-secret"), &json!({"overlap_seconds": 60})).await.expect(200);
    assert_eq!(rotated["previous_valid_until"], Value::Null, "nothing overlaps");
    let secret = rotated["secret"].as_str().expect("a secret");
    check(Signature::ServerAvatar, secret, &scene.next_request().await).expect("it signs from now on");
    assert_eq!(scene.api().get(&path).await.expect(200)["signed"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_and_updates_at_once_lose_nothing() {
    let mut scene = Scene::begin().await;
    let (path, _) = scene.webhook(Signature::Standard, json!({})).await;
    let rotate = format!("{path}/rotate-secret");
    let (mut shown, mut names) = (None, 0);
    for round in 0..20 {
        let (nothing, name) = (json!({}), json!({"name": format!("round {round}")}));
        let (rotated, named) = tokio::join!(scene.api().post(&rotate, &nothing), scene.api().patch(&path, &name));
        for answer in [&rotated, &named] {
            assert!(answer.status == 200 || answer.json()["code"] == "changed_meanwhile", "{answer}");
        }
        if rotated.status == 200 {
            shown = rotated.json()["secret"].as_str().map(str::to_owned);
        }
        names += usize::from(named.status == 200);
    }
    assert!(names > 0, "no update succeeded");
    let shown = shown.expect("some rotation succeeds");
    check(Signature::Standard, &shown, &scene.next_request().await).expect("the secret shown last signs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_again_only_where_its_profile_allows_it() {
    let mut scene = Scene::begin().await;
    let (path, secret) = scene.webhook(Signature::BotSubscription, json!({})).await;
    let shown = scene.api().get(&format!("{path}/secret")).await.expect(200);
    assert_eq!(shown, json!({"secret": secret, "previous_valid_until": null}));
    let rotated = scene.api().post(&format!("{path}/rotate-secret"), &json!({"overlap_seconds": 60})).await.expect(200);
    assert_eq!(scene.api().get(&format!("{path}/secret")).await.expect(200), rotated);

    for signature in [Signature::Standard, Signature::SubscribeFlow, Signature::ServerAvatar, Signature::Botdog] {
        let (path, _) = scene.webhook(signature, json!({})).await;
        let refused = scene.api().get(&format!("{path}/secret")).await.expect(403);
        assert_eq!(refused["code"], "secret_not_revealable", "{signature:?}");
    }
    let (path, _) = scene.webhook(Signature::BotSubscription, ed25519()).await;
    let refused = scene.api().get(&format!("{path}/secret")).await.expect(403);
    assert_eq!(refused["code"], "secret_not_revealable", "a private key is never shown");
}

fn ed25519() -> Value {
    json!({"signature": {"scheme": "standard", "algorithm": "ed25519"}})
}

/// Verifies as Standard Webhooks describes it for key pairs: any of the signatures may hold.
fn verify_v1a(public_key: &str, request: &Received) -> Result<(), String> {
    let key =
        STANDARD.decode(public_key.strip_prefix("whpk_").ok_or("no whpk_")?).map_err(|error| error.to_string())?;
    let key: [u8; 32] = key.try_into().map_err(|_| "not 32 bytes")?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|error| error.to_string())?;
    let (id, timestamp) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body[..]].concat();
    let holds = |one: &str| {
        let bytes = STANDARD.decode(one.strip_prefix("v1a,")?).ok()?;
        key.verify_strict(&signed, &ed25519_dalek::Signature::from_slice(&bytes).ok()?).ok()
    };
    let signatures = request.header("webhook-signature");
    signatures.split(' ').find_map(holds).ok_or_else(|| format!("none of {signatures:?} holds"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_pair_signs_and_anybody_can_look_up_its_public_key() {
    let mut scene = Scene::begin().await;
    // The receiver's own check knows symmetric secrets only; it is done here.
    let url = scene.receiver.url(HOOK);
    let made =
        scene.api().post("/webhooks", &json!({"url": url, "signature": ed25519()["signature"]})).await.expect(201);
    scene.receiver.route(HOOK, tidings_testkit::Behaviour::Ok);
    let id = made["id"].as_str().expect("an id").to_owned();
    let public_key = made["public_key"].as_str().expect("a public key").to_owned();
    assert_eq!(made.get("secret"), None, "a private key is never shown");
    assert_eq!(made["signature"], json!({"scheme": "standard", "algorithm": "ed25519"}));
    let request = scene.next_request().await;
    verify_v1a(&public_key, &request).expect("the signature holds");
    let mut tampered = request.clone();
    tampered.body = [&request.body[..], b" "].concat().into();
    assert!(verify_v1a(&public_key, &tampered).is_err());

    let known = scene.well_known(&id).await.expect(200);
    assert_eq!(known["webhook_id"], id.as_str());
    assert_eq!(known["algorithm"], "ed25519");
    assert_eq!(known["keys"], json!([{"public_key": public_key, "valid_until": null}]));

    // Rotation: both keys sign, and both are offered.
    let rotate = format!("/webhooks/{id}/rotate-secret");
    let rotated = scene.api().post(&rotate, &json!({"overlap_seconds": 3600})).await.expect(200);
    assert_eq!(rotated["secret"], Value::Null);
    let new = rotated["public_key"].as_str().expect("the new public key").to_owned();
    let request = scene.next_request().await;
    verify_v1a(&public_key, &request).expect("the old key holds");
    verify_v1a(&new, &request).expect("the new key holds");
    let until = &rotated["previous_valid_until"];
    let both = json!([{"public_key": new, "valid_until": null}, {"public_key": public_key, "valid_until": until}]);
    assert_eq!(scene.well_known(&id).await.expect(200)["keys"], both);

    // At once: only the new one.
    let rotated = scene.api().post(&rotate, &json!({})).await.expect(200);
    let newest = rotated["public_key"].as_str().expect("the new public key").to_owned();
    let request = scene.next_request().await;
    verify_v1a(&newest, &request).expect("the newest key holds");
    assert!(verify_v1a(&new, &request).is_err(), "the former key does not");
    let keys = json!([{"public_key": newest, "valid_until": null}]);
    assert_eq!(scene.well_known(&id).await.expect(200)["keys"], keys);

    what_has_no_public_key_is_not_found(&mut scene, &id).await;
}

async fn what_has_no_public_key_is_not_found(scene: &mut Scene, deleted: &str) {
    let (symmetric, _) = scene.webhook(Signature::Standard, json!({})).await;
    scene.api().delete(&format!("/webhooks/{deleted}")).await.expect(204);
    let mut answers = Vec::new();
    for id in [symmetric.trim_start_matches("/webhooks/"), deleted, "wh_01h2x3y4z5", "nonsense"] {
        let mut problem = scene.well_known(id).await.expect(404);
        let members = problem.as_object_mut().expect("a problem");
        members.remove("request_id");
        members.remove("instance");
        answers.push(problem);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_change_between_secrets_and_key_pairs() {
    let mut scene = Scene::begin().await;
    let (path, _) = scene.webhook(Signature::Standard, json!({})).await;
    let changed = scene.api().patch(&path, &ed25519()).await.expect(200);
    let public_key = changed["public_key"].as_str().expect("a key pair was made").to_owned();
    verify_v1a(&public_key, &scene.next_request().await).expect("it signs");
    // Reading and writing back changes nothing.
    let same = scene.api().patch(&path, &json!({"signature": changed["signature"]})).await.expect(200);
    assert_eq!(same["public_key"], public_key.as_str());
    // Back again only with a secret that somebody knows.
    let refused = scene.api().patch(&path, &json!({"signature": null})).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "secret");
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    let back = scene.api().patch(&path, &json!({"signature": null, "secret": secret})).await.expect(200);
    assert_eq!(back.get("public_key"), None);
    check(Signature::Standard, secret, &scene.next_request().await).expect("it signs");

    for request in [
        json!({"signature": {"scheme": "standard", "algorithm": "rsa"}}),
        json!({"signature": {"scheme": "standard", "algorithm": "ed25519", "header": "X-A"}}),
        json!({"signature": {"scheme": "hmac", "algorithm": "ed25519"}}),
        json!({"signature": {"scheme": "standard", "algorithm": "ed25519"}, "secret": secret}),
    ] {
        scene.api().patch(&path, &request).await.expect(422);
    }
    let own = format!("whsk_{}", STANDARD.encode([7_u8; 32]));
    let supplied = json!({"signature": ed25519()["signature"], "secret": own});
    let public_key = scene.api().patch(&path, &supplied).await.expect(200)["public_key"].clone();
    let expected = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    assert_eq!(public_key, format!("whpk_{}", STANDARD.encode(expected.as_bytes())));
}
