//! Behind a proxy: whose request it is, everywhere an address is taken.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Api, Inlet, PASSWORD, Person, Server, operator, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(30);
/// As proxies write it: what the client said stands before what they know.
const STRANGER: &str = "203.0.113.9, 198.51.100.66";
const CUSTOMER: &str = "203.0.113.9, 198.51.100.7";
const TRUSTING: [&str; 2] = ["--trust-proxy", "127.0.0.1"];

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {value}")).to_owned()
}

/// A member, then a stranger who tries five wrong passwords on their account, and one more.
async fn besieged(flags: &[&str]) -> (Server, Person) {
    let server = Server::start_with(BINARY, flags).await;
    let organization = operator(&server).post("/organizations", &json!({"name": "Acme"})).await.expect(201);
    Person::member(&server, &text(&organization, "id"), "ann@example.com", "developer").await;
    let mut stranger = Person::stranger(&server).through_proxy(STRANGER);
    for _ in 0..5 {
        assert_eq!(stranger.sign_in("ann@example.com", "a wrong password").await.status, 401);
    }
    let refused = stranger.sign_in("ann@example.com", "a wrong password").await;
    assert_eq!(refused.status, 429, "{refused}");
    let ann = Person::stranger(&server).through_proxy(CUSTOMER);
    (server, ann)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_attempts_through_a_trusted_proxy_slow_nobody_else() {
    let (server, mut ann) = besieged(&TRUSTING).await;
    assert_eq!(ann.sign_in("ann@example.com", PASSWORD).await.status, 303, "another address");
    let page = ann.get("/settings/account").await;
    assert!(String::from_utf8_lossy(&page.body).contains("198.51.100.7"), "sessions are listed with their address");
    // An invented beginning of the header is no other address.
    let mut other = Person::stranger(&server).through_proxy("198.51.100.7, 198.51.100.66");
    assert_eq!(other.sign_in("ann@example.com", "a wrong password").await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stranger_says_of_their_address_is_ignored() {
    for flags in [&[][..], &["--trust-proxy", "127.0.0.9", "--trust-proxy", "10.0.0.0/8"]] {
        let (server, mut ann) = besieged(flags).await;
        assert_eq!(ann.sign_in("ann@example.com", PASSWORD).await.status, 429, "{flags:?}: the same connection's end");
        let log = operator(&server).get("/audit-log").await.expect(200);
        assert_eq!(log["data"][0]["address"], "127.0.0.1", "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_place_that_takes_an_address_takes_the_clients() {
    let mut server = Server::prepare(BINARY, &["--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.0.0.0/8"]);
    server.give("TIDINGS_LOG", "debug");
    server.restart().await;
    let hop = |address: &str| format!("203.0.113.9, {address}, 10.1.2.3");
    let from = |api: Api, address: &str| api.with_header("x-forwarded-for", &hop(address));
    let api = from(operator(&server), "2001:db8::5");

    // The audit log.
    let settings = json!({"rate_limit": 100, "address_rate_limit": 1, "allow": []});
    api.put("/command-settings", &settings).await.expect(200);
    let log = api.get("/audit-log").await.expect(200);
    assert_eq!(log["data"][0]["address"], "2001:db8::5", "{log}");

    // Hook URLs: how often, and what the command is told.
    api.post("/commands", &json!({"name": "/a", "code": "1"})).await.expect(201);
    let url = text(&api.post("/hook-urls", &json!({"command": "/a"})).await.expect(200), "url");
    let url = &url[url.find("/hook/").expect("a hook URL")..];
    let caller = |address| from(operator(&server).without_key().with_base(""), address);
    caller("198.51.100.66").get(url).await.expect(200);
    caller("198.51.100.66").get(url).await.expect_problem(429, "rate_limited");
    caller("198.51.100.7").get(url).await.expect(200);
    let run = api.get("/runs?limit=1").await.expect(200);
    let run = api.get(&format!("/runs/{}", text(&run["data"][0], "id"))).await.expect(200);
    assert_eq!(run["input"]["options"]["ip"], "198.51.100.7", "{run}");

    // Sources: how often, and what the receipt keeps.
    let source = json!({"name": "open", "kind": "none", "address_rate_limit": 1, "actions": []});
    let source = api.post("/sources", &source).await.expect(201);
    let inlet = |address: &str| Inlet::of(&api, &source).with_header("x-forwarded-for", &hop(address));
    inlet("198.51.100.66").post(&json!({"n": 1})).await.expect(200);
    inlet("198.51.100.66").post(&json!({"n": 2})).await.expect_problem(429, "rate_limited");
    inlet("198.51.100.7").post(&json!({"n": 3})).await.expect(200);
    let receipts = api.get("/receipts").await.expect(200);
    let receipt = api.get(&format!("/receipts/{}", text(&receipts["data"][0], "id"))).await.expect(200);
    assert_eq!(receipt["address"], "198.51.100.7", "{receipt}");

    // The log of requests.
    let line = |log: &str| log.lines().any(|line| line.contains("/api/v1/sources") && line.contains("2001:db8::5"));
    until("the line of a request", BOUND, async || line(&server.log()).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_trusts_everybody_is_warned() {
    let server = Server::start_with(BINARY, &["--trust-proxy", "0.0.0.0/0"]).await;
    assert!(server.log().contains("--trust-proxy holds every address"), "{}", server.log());
}
