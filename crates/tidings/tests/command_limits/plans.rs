//! What an organization's plan allows its commands.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tidings_domain::operational::ITERATIONS_USED_UP;
use tidings_testkit::{Answer, Api, until};

use crate::{BINARY, BOUND, Bots, text};

/// A server with two plans, one of them the default.
fn flags(default: &'static str) -> Vec<&'static str> {
    let plans = ["--plan=two=3:iterations=2:command_timeout_ms=5000:event_days=7", "--plan=one=3:iterations=1"];
    plans.into_iter().chain(["--upgrade-url", "https://tidings.example/billing", default]).collect()
}

async fn usage(api: &Api) -> Value {
    let project = api.get("/projects").await.expect(200)["data"][0].clone();
    api.get(&format!("/organizations/{}/usage", text(&project, "organization_id"))).await.expect(200)
}

fn used_up(answer: &Answer, max: u32) {
    let refused = answer.expect(403);
    for (member, value) in [
        ("code", json!("limit_exceeded")),
        ("limit", json!("iterations")),
        ("current", json!(max)),
        ("max", json!(max)),
        ("upgrade_url", json!("https://tidings.example/billing")),
    ] {
        assert_eq!(refused[member], value, "{member}: {refused}");
    }
}

/// What was reported to the operator.
async fn reported(bots: &Bots) -> Vec<Value> {
    let projects = bots.operator.get("/projects").await.expect(200);
    let operations = projects["data"].as_array().expect("rows").iter().find(|row| row["name"] == "operations");
    let api = bots.operator.clone().with_header("x-project-id", &text(operations.expect("there"), "id"));
    let path = format!("/events?type={ITERATIONS_USED_UP}");
    let mut events = Vec::new();
    for row in api.get(&path).await.expect(200)["data"].as_array().expect("rows") {
        events.push(api.get(&format!("/events/{}", text(row, "id"))).await.expect(200)["payload"].clone());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_months_runs_are_counted_whatever_asks_for_them_and_then_refused_with_a_way_out() {
    let bots = Bots::begin(&flags("--default-plan=two")).await;
    for (name, code) in [("@", "1"), ("@@", "2"), ("/a", "Bot.sendMessage('ok')"), ("/bad", "throw new Error('no')")] {
        bots.command(name, code).await;
    }
    let url = bots.url(json!({"command": "/a"})).await;
    assert_eq!(usage(&bots.api).await["iterations"], json!({"used": 0, "max": 2}));
    bots.caller.get(&url).await.expect(200);
    assert_eq!(usage(&bots.api).await["iterations"], json!({"used": 1, "max": 2}), "what surrounds it is no run");
    let failed = bots.api.post("/commands/%2Fbad/run", &json!({})).await.expect(200);
    assert_eq!(failed["status"], "failed", "one that fails is one too");

    used_up(&bots.caller.get(&url).await, 2);
    used_up(&bots.api.post("/commands/%2Fa/run", &json!({})).await, 2);
    used_up(&bots.api.post(&format!("/runs/{}/rerun", text(&failed, "id")), &json!({})).await, 2);
    assert_eq!(usage(&bots.api).await["iterations"], json!({"used": 2, "max": 2}), "what is refused is not counted");
    assert_eq!(bots.api.get("/runs").await.expect(200)["total"], 2);

    let events =
        until("the report", BOUND, async || Some(reported(&bots).await).filter(|found| !found.is_empty())).await;
    assert_eq!((events.len(), &events[0]["used"], &events[0]["max"]), (1, &json!(2), &json!(2)), "{events:?}");

    let organization = text(&usage(&bots.api).await, "organization_id");
    let plan = format!("/organizations/{organization}/plan");
    bots.operator.put(&plan, &json!({"plan": "unlimited"})).await.expect(200);
    bots.caller.get(&url).await.expect(200);
    assert_eq!(usage(&bots.api).await["iterations"], json!({"used": 3, "max": null}));
    bots.operator.put(&plan, &json!({"plan": "one"})).await.expect(200);
    let refused = bots.caller.get(&url).await.expect(403);
    assert_eq!((&refused["current"], &refused["max"]), (&json!(3), &json!(1)));
    assert_eq!(reported(&bots).await.len(), 1, "once a month");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_put_off_and_may_not_begin_fails_and_says_why() {
    let bots = Bots::begin(&flags("--default-plan=one")).await;
    bots.command("/a", "Bot.run({command: '/b', run_after: 0.1})").await;
    bots.command("/b", "Bot.setProperty('done', true)").await;
    bots.command("!", "Bot.setProperty('failed', true)").await;
    bots.api.post("/commands/%2Fa/run", &json!({})).await.expect(200);
    let run = until("the run that was put off", BOUND, async || {
        let listed = bots.api.get("/runs?command=%2Fb").await.expect(200);
        listed["data"].as_array().expect("rows").first().cloned()
    })
    .await;
    assert_eq!(run["status"], "failed");
    let message = text(&run["error"], "message");
    assert!(message.contains("plan allows 1 runs of commands a month"), "{message}");
    assert_eq!(usage(&bots.api).await["iterations"], json!({"used": 1, "max": 1}));
    assert_eq!(bots.api.get("/runs").await.expect(200)["total"], 2, "nothing follows it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_takes_no_longer_than_the_plan_allows() {
    let bots = Bots::begin(&flags("--default-plan=two")).await;
    let hog = json!({"name": "/hog", "code": "while (true) {}", "timeout_ms": 25_000});
    bots.api.post("/commands", &hog).await.expect(201);
    let run = bots.api.post("/commands/%2Fhog/run", &json!({})).await.expect(200);
    assert_eq!(run["status"], "timed_out");
    let took_ms = run["duration_ms"].as_u64().expect("a number");
    assert!((5_000..10_000).contains(&took_ms), "{took_ms} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_run_of_the_count_and_doubles_none() {
    let mut bots = Bots::begin(&[]).await;
    bots.command("/a", "Bot.sendMessage('ok')").await;
    let settings = json!({"rate_limit": null, "address_rate_limit": null, "allow": []});
    bots.api.put("/command-settings", &settings).await.expect(200);
    let url = bots.url(json!({"command": "/a"})).await;
    let mut answered = 0;
    for _ in 0..3 {
        let caller = bots.caller.clone();
        let url = url.clone();
        let calls = tokio::spawn(async move {
            let mut answered = 0;
            while let Ok(answer) = caller.try_send(http::Method::GET, &url, "".into()).await {
                answered += u32::from(answer.status == StatusCode::OK);
            }
            answered
        });
        bots.server.kill_after(Duration::from_millis(150)).await;
        answered += calls.await.expect("calls end");
        bots.server.restart().await;
        bots.reconnect();
    }
    let (used, runs) = (usage(&bots.api).await["iterations"]["used"].clone(), bots.api.get("/runs").await.expect(200));
    assert!(answered > 0);
    assert!(used.as_u64().expect("a number") >= u64::from(answered), "{used} of {answered}");
    assert_eq!(used, runs["total"], "each run that is kept is counted once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_shown_to_whose_it_is_and_on_the_command_line() {
    let bots = Bots::begin(&flags("--default-plan=two")).await;
    let seen = usage(&bots.api).await;
    assert_eq!((&seen["plan"], &seen["webhooks"]), (&json!("two"), &json!({"used": 0, "max": 3})));
    assert_eq!(seen["command_timeout_ms"], 5_000);
    assert_eq!(seen["event_days"], 7, "fewer than the instance's 90");
    let output = tokio::process::Command::new(BINARY)
        .args(["--server", &format!("http://{}", bots.server.address()), "--api-key", bots.server.operator_key()])
        .args(["org", "usage", &text(&seen, "organization_id")])
        .output()
        .await
        .expect("it runs");
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(shown.contains("0 of 2") && shown.contains("0 of 3") && shown.contains("5000"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_limit_calls_at_the_same_moment_do_not_pass_the_months_runs_together() {
    let bots = Bots::begin(&flags("--default-plan=two")).await;
    bots.command("/slow", "const end = Date.now() + 100; while (Date.now() < end);").await;
    let calls = (0..12).map(|_| {
        let api = bots.api.clone();
        tokio::spawn(async move { api.post("/commands/%2Fslow/run", &json!({})).await.status })
    });
    let mut ran = 0;
    for call in calls.collect::<Vec<_>>() {
        ran += u32::from(call.await.expect("an answer") == StatusCode::OK);
    }
    assert!((1..=2).contains(&ran), "{ran} ran of the 2 that may");
    assert_eq!(usage(&bots.api).await["iterations"]["used"], ran);
}
