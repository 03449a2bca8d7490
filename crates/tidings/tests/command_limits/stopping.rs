//! A server that is told to stop while commands run.

use http::StatusCode;
use serde_json::json;
use tidings_testkit::until;

use crate::{BOUND, Bots};

/// Longer than requests may take that nobody waits for.
const LONG: &str = "const end = Date.now() + 11000; while (Date.now() < end) {} Bot.sendMessage('done')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_calls_a_command_while_the_server_stops_gets_an_answer() {
    // One project has one runner, checking a script is the first to have one, so the second call waits.
    let mut bots = Bots::begin(&["--command-runners", "2", "--log=info,tidings_scripting=debug"]).await;
    let long = json!({"name": "/long", "code": LONG, "timeout_ms": 25_000});
    bots.api.post("/commands", &long).await.expect(201);
    let url = bots.url(json!({"command": "/long"})).await;
    let call = || {
        let (caller, url) = (bots.caller.clone(), url.clone());
        tokio::spawn(async move { caller.try_send(http::Method::GET, &url, "".into()).await })
    };
    let running = call();
    until("a run", BOUND, async || (bots.server.log().matches("a run has a runner").count() == 2).then_some(())).await;
    let waiting = call();
    let api = bots.api.clone();
    let asked = tokio::spawn(async move { api.post("/commands/%2Flong/run", &json!({})).await });
    let both = async || (bots.server.log().matches("a run waits").count() == 2).then_some(());
    until("two runs that wait", BOUND, both).await;
    let status = bots.server.stop().await;
    assert!(status.success(), "{status}");
    let refused = waiting.await.expect("it ends").expect("an answer");
    assert_eq!(refused.expect(503)["code"], "unavailable");
    assert_eq!(asked.await.expect("it ends").expect(503)["code"], "unavailable");
    let log = bots.server.log();
    assert_eq!((log.matches("a script was not run").count(), log.contains("request failed")), (2, false), "{log}");
    let answered = running.await.expect("it ends").expect("an answer");
    assert_eq!((answered.status, answered.json()), (StatusCode::OK, json!({"answer": "done"})));
}
