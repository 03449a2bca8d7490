//! How often hook URLs may be called.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tidings_testkit::Answer;

use crate::{BINARY, Bots, call_from};

fn wait_s(answer: &Answer) -> u64 {
    let value = answer.headers.get("retry-after").and_then(|value| value.to_str().ok());
    value.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no Retry-After in {answer}"))
}

async fn set(bots: &Bots, settings: Value) {
    assert_eq!(bots.api.put("/command-settings", &settings).await.expect(200), settings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_is_called_too_often_is_429_and_runs_nothing() {
    let bots = Bots::begin(&[]).await;
    bots.command("/count", "Bot.setProperty('n', Bot.getProperty('n', 0) + 1); Bot.sendMessage('ok')").await;
    set(&bots, json!({"rate_limit": 2, "address_rate_limit": null, "allow": []})).await;
    let (url, other) =
        (bots.url(json!({"command": "/count"})).await, bots.url(json!({"command": "/count", "content": "x"})).await);
    for _ in 0..2 {
        bots.caller.get(&url).await.expect(200);
    }
    // Its caller's own parameters make it no other URL, and neither does the method.
    for (method, path) in [(Method::GET, url.clone()), (Method::POST, url.clone()), (Method::GET, format!("{url}&n=1"))]
    {
        let refused = bots.caller.send(method, &path, "").await;
        let wait_s = wait_s(&refused);
        assert!((1..=30).contains(&wait_s), "{wait_s}");
        let problem = refused.expect_problem(429, "rate_limited");
        assert!(problem.detail.contains("this URL is called too often"), "{}", problem.detail);
    }
    // Other URLs are not concerned; what is no URL is 403 as always, however often.
    bots.caller.get(&other).await.expect(200);
    let altered = url.replace("count", "cound");
    for _ in 0..5 {
        bots.caller.get(&altered).await.expect_problem(403, "invalid_hook_url");
    }
    let runs = bots.api.get("/runs").await.expect(200);
    assert_eq!(runs["total"], 3, "{runs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_turned_away_need_not_send_its_body() {
    let bots = Bots::begin(&[]).await;
    bots.command("/a", "1").await;
    set(&bots, json!({"rate_limit": 1, "address_rate_limit": null, "allow": []})).await;
    let url = bots.url(json!({"command": "/a"})).await;
    bots.caller.get(&url).await.expect(200);
    let head = format!("POST {url} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
    let answer = tidings_testkit::raw_exchange(bots.server.address(), head.as_bytes(), crate::BOUND).await;
    assert_eq!(answer.statuses(), [429]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_uses_up_only_its_own_and_those_on_the_list_are_not_counted() {
    let bots = Bots::begin(&[]).await;
    bots.command("/a", "1").await;
    bots.command("/b", "1").await;
    set(&bots, json!({"rate_limit": 100, "address_rate_limit": 2, "allow": ["127.0.0.3/32"]})).await;
    let (a, b) = (bots.url(json!({"command": "/a"})).await, bots.url(json!({"command": "/b"})).await);
    let call = async |from: &str, url: &str| call_from(from, bots.server.address(), url).await;
    assert_eq!(call("127.0.0.1", &a).await, StatusCode::OK);
    assert_eq!(call("127.0.0.1", &b).await, StatusCode::OK);
    assert_eq!(call("127.0.0.1", &a).await, StatusCode::TOO_MANY_REQUESTS, "all URLs of the project together");
    assert_eq!(call("127.0.0.2", &a).await, StatusCode::OK, "somebody else");
    for _ in 0..5 {
        assert_eq!(call("127.0.0.3", &a).await, StatusCode::OK, "an address on the list");
    }
    let refused = bots.caller.get(&a).await;
    let problem = refused.expect_problem(429, "rate_limited");
    assert!(problem.detail.contains("this address"), "{}", problem.detail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_have_defaults_are_checked_and_are_each_projects_own() {
    let bots = Bots::begin(&[]).await;
    let default = json!({"rate_limit": 1_200, "address_rate_limit": 300, "allow": []});
    assert_eq!(bots.api.get("/command-settings").await.expect(200), default);
    let second = bots.operator.post("/projects", &json!({"name": "second"})).await.expect(201);
    let second = bots.api.clone().with_header("x-project-id", second["id"].as_str().expect("an id"));
    set(&bots, json!({"rate_limit": 5, "address_rate_limit": null, "allow": ["192.0.2.0/24"]})).await;
    assert_eq!(second.get("/command-settings").await.expect(200), default);
    // What is left out is as it is by default; what is null has no limit.
    let answer = bots.api.put("/command-settings", &json!({"address_rate_limit": 7})).await.expect(200);
    assert_eq!(answer, json!({"rate_limit": 1_200, "address_rate_limit": 7, "allow": []}));
    for (settings, field) in [
        (json!({"rate_limit": 0}), "rate_limit"),
        (json!({"address_rate_limit": 2_000_000}), "address_rate_limit"),
        (json!({"allow": ["192.0.2.1/24"]}), "allow[0]"),
        (json!({"allow": ["shop.example.com"]}), "allow[0]"),
        (json!({"allow": vec!["192.0.2.1"; 65]}), "allow"),
        (json!({"limit": 1}), "limit"),
    ] {
        let refused = bots.api.put("/command-settings", &settings).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
    assert_eq!(bots.api.get("/command-settings").await.expect(200), answer, "what was refused changed nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_changes_what_is_given_and_nothing_else() {
    let bots = Bots::begin(&[]).await;
    let tidings = async |arguments: &[&str]| -> Value {
        let output = tokio::process::Command::new(BINARY)
            .args(["--json", "--server", &format!("http://{}", bots.server.address())])
            .args(["--api-key", bots.server.operator_key(), "command", "settings"])
            .args(arguments)
            .output()
            .await
            .expect("it runs");
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let set = tidings(&["--rate-limit", "6000", "--allow", "192.0.2.1", "--allow", "2001:db8::/32"]).await;
    assert_eq!(
        set,
        json!({"rate_limit": 6_000, "address_rate_limit": 300, "allow": ["192.0.2.1/32", "2001:db8::/32"]})
    );
    let set = tidings(&["--address-rate-limit", "none", "--unset", "rate-limit"]).await;
    assert_eq!(
        set,
        json!({"rate_limit": 1_200, "address_rate_limit": null, "allow": ["192.0.2.1/32", "2001:db8::/32"]})
    );
    assert_eq!(tidings(&[]).await, set);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_would_never_be_good_is_not_made() {
    let bots = Bots::begin(&[]).await;
    bots.command("/a", "1").await;
    let past = json!({"command": "/a", "expires_at": "2020-01-01T00:00:00Z"});
    let refused = bots.api.post("/hook-urls", &past).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "expires_at", "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_deletes_a_command_takes_back_its_urls() {
    let bots = Bots::begin(&[]).await;
    bots.command("/a", "Bot.sendMessage('a')").await;
    bots.command("*", "Bot.sendMessage('fallback')").await;
    let (url, fallback) = (bots.url(json!({"command": "/a"})).await, bots.url(json!({"command": "*"})).await);
    assert_eq!(bots.caller.get(&url).await.expect(200)["answer"], "a");
    bots.api.delete("/commands/%2Fa").await.expect(204);
    bots.caller.get(&url).await.expect_problem(404, "not_found");
    assert_eq!(bots.caller.get(&fallback).await.expect(200)["answer"], "fallback", "its own URL");
    let run = bots.api.post("/commands/%2Fa/run", &json!({})).await.expect(200);
    assert_eq!(run["answer"]["content"], "fallback", "elsewhere it still takes the place of others");
}
