//! Below the bodies: heads, lengths, encodings, pace, and requests hidden in requests.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{RawAnswer, raw_exchange, send_slowly};

use crate::{EVENT_TYPE, Scene};

/// How long an answer may take that does not wait for a time-out.
const BOUND: Duration = Duration::from_secs(10);
/// Longer than the server waits for any head or body.
const PATIENCE: Duration = Duration::from_secs(40);

impl Scene {
    /// A request with this head below the request line, and this body. Its connection ends with it.
    fn raw(&self, line: &str, head: &str, body: &str) -> Vec<u8> {
        let key = self.server.operator_key();
        let organization = &self.project.organization_id;
        format!(
            "{line}\r\nhost: tidings.test\r\nx-api-key: {key}\r\nx-organization-id: {organization}\r\nconnection: close\r\n{head}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    async fn exchange(&self, request: &[u8]) -> RawAnswer {
        raw_exchange(self.server.address(), request, BOUND).await
    }
}

/// A complete problem with this code; what the HTTP library itself refuses has no body.
fn is_refusal(answer: &RawAnswer, codes: &[&str]) -> bool {
    let body: Result<Value, _> = serde_json::from_slice(answer.body());
    match answer.statuses().as_slice() {
        [400 | 414 | 431 | 505] if answer.body().is_empty() => codes.contains(&"not_http") && answer.closed,
        [_] => body.is_ok_and(|problem| problem["code"].as_str().is_some_and(|code| codes.contains(&code))),
        _ => false,
    }
}

fn shown(answer: &RawAnswer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_other_types_and_encodings_are_refused() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let event = json!({"type": EVENT_TYPE, "data": 1}).to_string();
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("content-type", "application/json-seq"),
        ("content-type", "application"),
        ("content-type", "json"),
        ("content-type", "text/json, application/json"),
        ("content-encoding", "gzip"),
        ("content-encoding", "br"),
        ("content-encoding", "identity, gzip"),
    ] {
        let caller = scene.admin.clone().with_header(name, value);
        for (method, path, _) in scene.operations().into_iter().chain(scene.operations_with_optional_bodies()) {
            let answer = caller.send(method, &path, event.clone()).await;
            answer.expect_problem(415, "unsupported_media_type");
        }
    }
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_too_large_are_refused_while_they_stream() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    for (path, bytes_max) in [("/events", 256 * 1024), ("/webhooks", 1024 * 1024), ("/api-keys", 1024 * 1024)] {
        let line = format!("POST /api/v1{path} HTTP/1.1");
        let announced = scene.raw(&line, &format!("content-length: {}", bytes_max + 1), "");
        let endless = scene.raw(&line, "transfer-encoding: chunked", "");
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
        let streamed = [endless, chunk.repeat(bytes_max / 0x1_0000 + 1).into_bytes()].concat();
        for request in [announced, streamed] {
            let answer = scene.exchange(&request).await;
            assert!(is_refusal(&answer, &["payload_too_large"]), "{path}: {}", shown(&answer));
            assert_eq!(answer.statuses(), [413]);
            let problem: Value = serde_json::from_slice(answer.body()).expect("a problem");
            assert_eq!(problem["max_bytes"], bytes_max);
        }
    }
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_hidden_in_requests_are_not_carried_out() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let key = scene.server.operator_key();
    let hidden_body = r#"{"name":"smuggled"}"#;
    let hidden = format!(
        "POST /api/v1/organizations HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-length: {}\r\n\r\n{hidden_body}",
        hidden_body.len()
    );
    let length = hidden.len();
    let heads = [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        "transfer-encoding: chunked\r\ncontent-length: 0".to_owned(),
        format!("content-length: 0\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\ncontent-length: 0"),
        "content-length: 0, 5".to_owned(),
        "content-length: +0".to_owned(),
        "content-length: -1".to_owned(),
        "content-length: 0x0".to_owned(),
        "content-length: 18446744073709551616".to_owned(),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding: identity".to_owned(),
        "transfer-encoding: gzip, chunked".to_owned(),
        "transfer-encoding: chunked, identity".to_owned(),
        "transfer-encoding : chunked".to_owned(),
        "transfer-encoding:\u{b}chunked".to_owned(),
        " transfer-encoding: chunked".to_owned(),
        "x: y\r\n transfer-encoding: chunked".to_owned(),
        "x: y\ntransfer-encoding: chunked\rz: 1".to_owned(),
    ];
    let bodies =
        ["0\r\n\r\n", "zz\r\n", "-1\r\n", "5\r\nab", "1;x=\r\n\n", "ffffffffffffffffff\r\n", "0\r\nx: y\r\n\r\n"];
    let mut tried = 0;
    for head in &heads {
        for body in bodies {
            let request = scene.raw("POST /api/v1/events HTTP/1.1", head, &format!("{body}{hidden}"));
            let request = String::from_utf8(request).expect("text").replace("connection: close\r\n", "");
            let answer = raw_exchange(scene.server.address(), request.as_bytes(), Duration::from_millis(300)).await;
            let statuses = answer.statuses();
            assert!(statuses.iter().all(|status| (400..500).contains(status)), "{head:?} {body:?}: {}", shown(&answer));
            tried += 1;
        }
    }
    let organizations = scene.admin.get("/organizations").await.expect(200);
    let smuggled = organizations["data"].as_array().expect("a list").iter().any(|each| each["name"] == "smuggled");
    assert!(!smuggled, "{organizations}");
    println!("bad input: {tried} requests with another inside, none of which was carried out");
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_are_no_http_are_refused() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let get = "GET /api/v1/webhooks HTTP/1.1";
    let many = "x: y\r\n".repeat(400);
    let long = format!("x: {}", "y".repeat(64 * 1024));
    for head in ["x: \0", "x: a\rb", "x\0: y", "x y: z", ": y", "x", "x: \u{1b}[31m", many.trim_end(), long.as_str()] {
        let answer = scene.exchange(&scene.raw(get, head, "")).await;
        assert!(is_refusal(&answer, &["not_http"]), "{head:.20?}: {}", shown(&answer));
    }
    let path = format!("GET /{} HTTP/1.1", "a".repeat(70_000));
    for line in
        ["", "GET", "GET / HTTP/9.9", "GET / HTTP/1.1 x", "G\0T / HTTP/1.1", "GET /\u{1b} HTTP/1.1", path.as_str()]
    {
        let answer = scene.exchange(&scene.raw(line, "x: y", "")).await;
        assert!(is_refusal(&answer, &["not_http"]), "{line:.20?}: {}", shown(&answer));
    }
    for (line, codes) in [
        ("BREW /api/v1/webhooks HTTP/1.1", ["method_not_allowed", ""]),
        ("TRACE /api/v1/webhooks HTTP/1.1", ["method_not_allowed", ""]),
        ("OPTIONS * HTTP/1.1", ["not_found", "method_not_allowed"]),
        ("CONNECT tidings.test:443 HTTP/1.1", ["not_found", "method_not_allowed"]),
        ("GET /api/v1/../../etc/passwd HTTP/1.1", ["not_found", ""]),
        ("GET //api/v1/webhooks HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/webhooks/ HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/webhooks/%00 HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/webhooks/%ff HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/webhooks/%zz HTTP/1.1", ["not_found", "malformed_request"]),
        ("GET /api/v1/webhooks/..%2f..%2fetc%2fpasswd HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/webhooks/%27%20OR%201=1%20-- HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/events/%0d%0ax-injected:%201 HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/event-types/%1b%5b31m HTTP/1.1", ["not_found", ""]),
        ("GET /api/v1/events?limit=0 HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?limit=%00 HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?limit=99999999999999999999 HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?limit=1&limit=2 HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?cursor=c_%27%3b-- HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?unknown=1 HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/events?since=yesterday HTTP/1.1", ["malformed_request", ""]),
        ("GET /api/v1/deliveries?status=lost HTTP/1.1", ["malformed_request", ""]),
    ] {
        let answer = scene.exchange(&scene.raw(line, "x: y", "")).await;
        assert!(is_refusal(&answer, &codes), "{line}: {}", shown(&answer));
        assert!(!shown(&answer).contains("x-injected: "), "{line}");
    }
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_mean_something_are_checked() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let event = json!({"type": EVENT_TYPE, "data": 1}).to_string();
    let long = "k".repeat(256);
    for (name, value, status, code) in [
        ("idempotency-key", "", 400, "malformed_request"),
        ("idempotency-key", long.as_str(), 400, "malformed_request"),
        ("idempotency-key", "a\tb", 400, "malformed_request"),
        ("idempotency-key", "schlüssel", 400, "malformed_request"),
        ("x-organization-id", "' OR 1=1 --", 404, "not_found"),
        ("x-organization-id", "../../etc/passwd", 404, "not_found"),
        ("x-project-id", "", 404, "not_found"),
        ("x-project-id", "ü", 404, "not_found"),
        ("x-api-key", "", 401, "invalid_api_key"),
        ("x-api-key", "tdo_short", 401, "invalid_api_key"),
        ("x-api-key", "' OR 1=1 --", 401, "invalid_api_key"),
    ] {
        let caller = scene.admin.clone().with_header(name, value);
        let answer = caller.send(Method::POST, "/events", event.clone()).await;
        answer.expect_problem(status, code);
    }
    for authorization in ["Basic dGRv", "Bearer", "Bearer ", "tdo_x", "Bearer \u{fc}"] {
        let caller = scene.admin.clone().without_key().with_header("authorization", authorization);
        let problem = caller.send(Method::POST, "/events", event.clone()).await.problem();
        assert_eq!(problem.status, 401, "{authorization}");
    }
    for id in ["", "a b", "ü", "a/../b", &"x".repeat(65)] {
        let answer = scene.admin.clone().with_header("x-request-id", id).get("/webhooks").await;
        assert!(answer.header("x-request-id").is_some_and(|given| given.starts_with("req_")), "{id:?}: {answer}");
    }
    scene.nothing_happened_since(&before, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_drip_end_at_the_time_out() {
    let scene = Scene::begin().await;
    let before = scene.admin.everything_listed().await;
    let event = json!({"type": EVENT_TYPE, "data": "x".repeat(4_000)}).to_string();
    let body_head = scene.raw("POST /api/v1/events HTTP/1.1", &format!("content-length: {}", event.len()), "");
    let head = scene.raw("GET /api/v1/webhooks HTTP/1.1", &format!("x: {}", "y".repeat(4_000)), "");
    let bytes = |all: Vec<u8>| all.into_iter().map(|byte| vec![byte]);
    let address = scene.server.address();
    let pause = Duration::from_millis(50);
    let slow_body = std::iter::once(body_head).chain(bytes(event.into_bytes()));
    let (head, body, silent) = tokio::join!(
        send_slowly(address, bytes(head), pause, PATIENCE),
        send_slowly(address, slow_body, pause, PATIENCE),
        send_slowly(address, std::iter::empty(), pause, PATIENCE),
    );
    for (what, (answer, _)) in [("head", &head), ("silence", &silent)] {
        assert!(answer.closed, "a connection with a {what} that never comes whole stays open");
        assert!(answer.statuses().iter().all(|status| *status == 408), "{what}: {}", shown(answer));
    }
    assert!(is_refusal(&body.0, &["request_timeout"]) && body.0.closed, "{}", shown(&body.0));
    for (_, held_out) in [head, body, silent] {
        assert!(held_out >= Duration::from_secs(5), "a slow client gets some time: {held_out:?}");
    }
    scene.nothing_happened_since(&before, 1).await;
}
