//! Signing in by a provider of identities, a small real one on loopback: the way there and back, and everything that
//! a token, a browser or a provider can get wrong.

use serde_json::{Value, json};
use tidings_testkit::{
    Answer, Api, CLIENT_ID, CLIENT_SECRET, IdentityProvider, PASSWORD, Person, Server, SignedBy, operator,
};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");

struct Scene {
    server: Server,
    operator: Api,
    provider: IdentityProvider,
}

async fn begin(flags: &[&str]) -> Scene {
    let provider = IdentityProvider::start().await;
    let issuer = provider.issuer();
    let all = [&["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT_ID], flags].concat();
    let mut server = Server::prepare(BINARY, &all);
    server.give("TIDINGS_OIDC_CLIENT_SECRET", CLIENT_SECRET);
    server.restart().await;
    let operator = operator(&server);
    Scene { server, operator, provider }
}

impl Scene {
    /// There and back, as a browser goes.
    async fn try_to_enter(&self, person: &mut Person) -> Answer {
        let there = person.get("/oidc/login?next=/settings/account").await;
        let back = self.provider.let_in(leads_to(&there));
        person.keep(&there);
        person.come_back(&back).await
    }

    async fn refused(&self, status: u16, what: &str) {
        let mut person = Person::stranger(&self.server);
        let answer = self.try_to_enter(&mut person).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {answer}");
        assert!(person.cookie().is_none(), "{what}: a session began");
    }
}

fn leads_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer}");
    answer.header("location").unwrap_or_default()
}

async fn sees(person: &Person, path: &str, words: &str) -> bool {
    String::from_utf8_lossy(&person.get(path).await.body).contains(words)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_come_in_with_their_role_and_come_again_whatever_their_address_is_then() {
    let scene = begin(&["--oidc-role", "developer", "--oidc-domain", "example.com"]).await;
    let login = Person::stranger(&scene.server).get("/login").await;
    assert_eq!(leads_to(&login), "/start", "nobody has an account yet");
    Person::operator(&scene.server, "boss@example.com").await;
    assert!(sees(&Person::stranger(&scene.server), "/login", "/oidc/login").await);
    let mut mia = Person::stranger(&scene.server);
    assert_eq!(leads_to(&scene.try_to_enter(&mut mia).await), "/settings/account");
    assert!(sees(&mia, "/settings/account", "mia@example.com").await);
    assert!(sees(&mia, "/settings/account", "identity provider").await, "she has no password");
    let members = scene.operator.get("/members").await.expect(200);
    assert_eq!((&members["data"][0]["role"], &members["data"][0]["name"]), (&json!("developer"), &json!("Mia")));

    scene.provider.claim("email", "other.name@example.com");
    scene.provider.sign(SignedBy::Ecdsa);
    let mut again = Person::stranger(&scene.server);
    leads_to(&scene.try_to_enter(&mut again).await);
    assert!(sees(&again, "/settings/account", "mia@example.com").await, "by issuer and subject");
    // A key that is new is looked for.
    scene.provider.renew_key();
    let log = scene.operator.get("/audit-log?action=account.sign_in&limit=100").await.expect(200);
    let entries: Vec<_> =
        log["data"].as_array().expect("a list").iter().map(|entry| &entry["detail"]["after"]["identity"]).collect();
    assert_eq!(entries, [&json!("known"), &json!("made")]);
    assert!(!log.to_string().contains("code-"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_was_there_is_the_providers_from_then_on() {
    let scene = begin(&[]).await;
    scene.refused(403, "nobody made an account").await;
    let organization = scene.operator.post("/organizations", &json!({"name": "Acme"})).await.expect(201);
    let organization = organization["id"].as_str().expect("an id").to_owned();
    // Whoever was invited under her address need not be her.
    let early = Person::member(&scene.server, &organization, "mia@example.com", "admin").await;
    let mut mia = Person::stranger(&scene.server);
    leads_to(&scene.try_to_enter(&mut mia).await);
    assert!(sees(&mia, "/settings/members", "Acme").await);
    assert!(leads_to(&early.get("/settings/account").await).starts_with("/login"), "the other session has ended");
    let by_password = Person::stranger(&scene.server).sign_in("mia@example.com", PASSWORD).await;
    assert_eq!(by_password.status, 401, "and the password is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invite_for_the_same_address_is_accepted_by_coming_from_its_page() {
    let scene = begin(&[]).await;
    let organization = scene.operator.post("/organizations", &json!({"name": "Acme"})).await.expect(201);
    let acting = scene.operator.clone().with_header("x-organization-id", organization["id"].as_str().expect("an id"));
    for (email, status) in [("ann@example.com", 403), ("mia@example.com", 303)] {
        let invite = acting.post("/members", &json!({"email": email, "role": "viewer"})).await.expect(201);
        let link = invite["invite_url"].as_str().expect("a link");
        let path = &link[link.find("/invite/").expect("a link of an invite")..];
        let mut mia = Person::stranger(&scene.server);
        assert!(sees(&mia, path, &format!("/oidc/login?next={path}")).await);
        let there = mia.get(&format!("/oidc/login?next={path}")).await;
        let back = scene.provider.let_in(leads_to(&there));
        mia.keep(&there);
        let came = mia.come_back(&back).await;
        assert_eq!(came.status.as_u16(), status, "{email}: {came}");
        assert_eq!(sees(&mia, "/settings/members", "Acme").await, status == 303);
        assert_eq!(mia.get(path).await.status == 404, status == 303, "{email}: used up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_are_not_the_providers_for_us_and_now_let_nobody_in() {
    let scene = begin(&["--oidc-role", "viewer", "--oidc-domain", "example.com"]).await;
    for signed_by in [SignedBy::Nobody, SignedBy::Stranger, SignedBy::PublicKey] {
        scene.provider.sign(signed_by);
        scene.refused(502, &format!("{signed_by:?}")).await;
    }
    scene.provider.sign(SignedBy::Ecdsa);
    let wrong: [(&str, Value, u16); 15] = [
        ("iss", json!("https://evil.example"), 502),
        ("aud", json!("somebody else"), 502),
        ("aud", json!(["tidings", "somebody else"]), 502),
        ("azp", json!("somebody else"), 502),
        ("exp", json!(1_767_225_600), 502),
        ("exp", Value::Null, 502),
        ("iat", json!(32_503_680_000_i64), 502),
        ("nbf", json!(32_503_680_000_i64), 502),
        ("nonce", json!("of another sign-in"), 502),
        ("nonce", Value::Null, 502),
        ("sub", json!(""), 502),
        ("email_verified", json!(false), 403),
        ("email_verified", Value::Null, 403),
        ("email", Value::Null, 403),
        ("email", json!("mia@evil.example"), 403),
    ];
    for (claim, value, status) in wrong {
        scene.provider.claim(claim, value.clone());
        scene.refused(status, &format!("{claim}: {value}")).await;
        scene.provider.claim_nothing_else();
    }
    assert_eq!(scene.operator.get("/members").await.expect(200)["total"], 0);
    let mut person = Person::stranger(&scene.server);
    leads_to(&scene.try_to_enter(&mut person).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_ends_in_the_browser_that_began_it_and_once() {
    let scene = begin(&["--oidc-role", "viewer"]).await;
    let person = Person::stranger(&scene.server);
    let there = person.get("/oidc/login").await;
    let back = scene.provider.let_in(leads_to(&there));
    // Somebody else's browser has no cookie of it, or one of another sign-in.
    let mut other = Person::stranger(&scene.server);
    assert_eq!(other.come_back(&back).await.status, 400);
    let theirs = other.get("/oidc/login").await;
    other.keep(&theirs);
    assert_eq!(other.come_back(&back).await.status, 400);
    // What is changed on the way is refused; so is the same once more.
    let mut person = Person::stranger(&scene.server);
    let there = person.get("/oidc/login?next=https://evil.example/").await;
    let back = scene.provider.let_in(leads_to(&there));
    person.keep(&there);
    assert_eq!(person.come_back(&back.replace("iss=", "iss=https%3A%2F%2Fevil.example&x=")).await.status, 403);
    person.keep(&there);
    assert_eq!(person.come_back(&back.replace("code=", "error=access_denied&x=")).await.status, 403);
    person.keep(&there);
    assert_eq!(leads_to(&person.come_back(&back).await), "/", "nowhere but here");
    person.keep(&there);
    assert_eq!(person.come_back(&back).await.status, 502, "a code is good once");
    let log = scene.server.log();
    for secret in ["code-1", "code-2", CLIENT_SECRET, "eyJ"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_there_is_no_way_to_one() {
    let server = Server::start(BINARY).await;
    assert_eq!(Person::stranger(&server).get("/oidc/login").await.status, 404);
    assert_eq!(Person::stranger(&server).get("/oidc/callback?code=a&state=b").await.status, 404);
}
