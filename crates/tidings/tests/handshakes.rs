//! Providers that ask whether an address is right before they send anything get what they want, as
//! text; whoever else asks gets nothing.

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Inlet, Project, Server, World};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "message.received";
const TOKEN: &str = "meat&hock";
const META_SECRET: &str = "meta-app-secret";
const META_BODY: &str =
    r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{}}]}]}"#;
/// HMAC-SHA256 of the body with the secret, by another implementation.
const META_SIGNATURE: &str = "sha256=688903b9634a5e372b862b75f1133451864b8de7880788c03b83b972ba2833f8";

struct Scene {
    server: Server,
    project: Project,
}

impl Scene {
    async fn begin() -> Self {
        let server = Server::start(BINARY).await;
        let project = World::new(&server).project("acme", EVENT_TYPE).await;
        Self { server, project }
    }

    /// Makes a source and returns its path and its address.
    async fn source(&self, request: &Value) -> (String, Inlet) {
        let made = self.project.api.post("/sources", request).await.expect(201);
        (format!("/sources/{}", made["id"].as_str().expect("an id")), Inlet::of(&self.project.api, &made))
    }
}

fn meta() -> Value {
    json!({
        "name": "meta", "kind": "hmac", "secrets": [META_SECRET],
        "verify": {"header": "X-Hub-Signature-256", "layout": "sha256={signature}", "signed": "{body}", "encoding": "hex"},
        "handshake": {"challenge": "hub.challenge", "token_parameter": "hub.verify_token", "token": TOKEN},
    })
}

async fn get(address: &Inlet, query: &str) -> Answer {
    address.ask(Method::GET, query, "").await
}

#[track_caller]
fn assert_text(answer: &Answer, text: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, text.as_bytes()), "{answer}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meta_gets_its_challenge_back_if_it_knows_the_token() {
    let scene = Scene::begin().await;
    let (source, address) = scene.source(&meta()).await;
    let ask = |challenge: &str, rest: &str| format!("?hub.challenge={challenge}&{rest}");
    let right = "hub.mode=subscribe&hub.verify_token=meat%26hock";
    assert_text(&get(&address, &ask("1158201444", right)).await, "1158201444");
    // Whatever it is, it never becomes a page of this server's.
    assert_text(&get(&address, &ask("%3Cscript%3E", right)).await, "<script>");
    for refused in [
        ask("1", "hub.mode=subscribe&hub.verify_token=meat"),
        ask("1", "hub.mode=subscribe"),
        ask("1", "hub.mode=unsubscribe&hub.verify_token=meat%26hock"),
        ask("", right),
        ask(&"1".repeat(2_000), right),
        format!("?{right}"),
        String::new(),
    ] {
        get(&address, &refused).await.expect_problem(403, "handshake_refused");
    }
    let seen = scene.project.api.get(&source).await.expect(200);
    assert_eq!(seen["rejected"], 7, "each is counted");
    assert_eq!(seen["handshake"], json!({"challenge": "hub.challenge", "token_parameter": "hub.verify_token"}));

    // What comes then is signed, and kept.
    let signed = address.clone().with_header("x-hub-signature-256", META_SIGNATURE);
    signed.send(META_BODY).await.expect(200);
    address.send(META_BODY).await.expect_problem(401, "invalid_signature");
    assert_eq!(scene.project.api.get("/receipts").await.expect(200)["total"], 1, "a handshake is not kept");

    // The token stays unless another one is given, and goes with the handshake.
    let mut kept = meta();
    kept["handshake"]["token"].take();
    scene.project.api.put(&source, &kept).await.expect(200);
    assert_text(&get(&address, &ask("2", right)).await, "2");
    let mut other = meta();
    other["handshake"]["token"] = json!("other");
    scene.project.api.put(&source, &other).await.expect(200);
    get(&address, &ask("3", right)).await.expect_problem(403, "handshake_refused");
    let mut none = meta();
    none["handshake"].take();
    scene.project.api.put(&source, &none).await.expect(200);
    assert_eq!(get(&address, &ask("4", right)).await.header("allow"), Some("POST"));
    let refused = scene.project.api.put(&source, &kept).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "handshake.token", "{refused}");
    let told = scene.project.api.get("/audit-log").await.body;
    let told = String::from_utf8_lossy(&told).into_owned() + &scene.server.log();
    assert!(!told.contains("meat") && !told.contains(address.token()), "secrets stand nowhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn challenges_without_a_token_are_given_back_whichever_way_they_come() {
    let scene = Scene::begin().await;
    let dropbox = json!({
        "name": "dropbox", "kind": "hmac", "secrets": ["app-secret"], "handshake": {"challenge": "challenge"},
        "verify": {"header": "X-Dropbox-Signature", "layout": "{signature}", "signed": "{body}", "encoding": "hex"},
    });
    let (_, address) = scene.source(&dropbox).await;
    assert_text(&get(&address, "?challenge=abc%20123").await, "abc 123");
    // Microsoft asks with a POST, and sends the same way later.
    let graph = json!({"name": "graph", "kind": "none", "handshake": {"challenge": "validationToken"}});
    let (_, address) = scene.source(&graph).await;
    let question = "?validationToken=Validation%3A%20Testing+it";
    assert_text(&address.ask(Method::POST, question, "").await, "Validation: Testing it");
    assert_eq!(scene.project.api.get("/receipts").await.expect(200)["total"], 0);
    address.post(&json!({"value": []})).await.expect(200);
    assert_eq!(scene.project.api.get("/receipts").await.expect(200)["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_methods_are_told_which_there_are() {
    let scene = Scene::begin().await;
    let (_, with) = scene.source(&meta()).await;
    let (_, without) = scene.source(&json!({"name": "plain", "kind": "none"})).await;
    let at = |token: &str| Inlet::at(&scene.project.api, "/in", token);
    for (address, methods, allow) in [
        (with, &["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"][..], "GET, POST"),
        (without, &["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"], "POST"),
        (at("no-such-token"), &["GET", "HEAD", "PUT", "OPTIONS"], "POST"),
        (at("%ff"), &["GET", "HEAD", "PUT", "OPTIONS"], "POST"),
    ] {
        for method in methods {
            let answer = address.ask(method.parse().expect("a method"), "", "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, Some(allow)),
                "{method} {}",
                address.token()
            );
            if *method != "HEAD" {
                answer.expect_problem(405, "method_not_allowed");
            }
        }
    }
}
