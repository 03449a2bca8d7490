//! What a trivial command costs over HTTP, by its URL: `cargo bench -p tidings --bench command`. Beside it, on the same
//! connection, what any request costs, and one that is committed.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::json;
use tidings_testkit::{Api, Server, World, percentile};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const ROUNDS: usize = 2_000;
const CODE: &str = "WebApp.render({content: 'Hello ' + user.id})";

async fn measure(what: &str, request: impl AsyncFn()) {
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        request().await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let at = |share| -> Duration { percentile(&took, share) };
    let (p50, p99) = (at(0.5).as_secs_f64() * 1e3, at(0.99).as_secs_f64() * 1e3);
    let line = format!("{what:<40} p50 {p50:.3} ms, p99 {p99:.3} ms of {ROUNDS}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("somebody reads it");
}

async fn measure_all() {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let project = world.project("bot", EVENT_TYPE).await;
    project.api.post("/commands", &json!({"name": "/hello", "code": CODE})).await.expect(201);
    let made = project.api.post("/hook-urls", &json!({"command": "/hello", "user_id": "42"})).await.expect(200);
    let url = made["url"].as_str().expect("a URL");
    let url = url[url.find("/hook/").expect("a hook URL")..].to_owned();
    let caller: Api = project.api.clone().without_key().with_base("");
    let content = json!({"order_id": 7});
    measure("a read (GET /projects)", async || drop(project.api.get("/projects").await.expect(200))).await;
    let event = json!({"type": EVENT_TYPE, "data": 1});
    measure("a commit (POST /events, no webhook)", async || {
        drop(project.api.post("/events", &event).await.expect(202))
    })
    .await;
    let call = async || {
        let answer = caller.post(&url, &content).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"Hello 42"[..]), "{answer}");
    };
    measure("a command (POST /hook/…)", call).await;
}

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(measure_all());
}
