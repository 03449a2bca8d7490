//! Commands that nobody calls by a URL: actions of sources, targets of webhooks, schedules; and how they wait for each
//! other.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_testkit::{Answer, Inlet, Project, Server, World, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(30);

async fn scene() -> (Server, Project) {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    (server, project)
}

async fn command(project: &Project, request: Value) -> Value {
    project.api.post("/commands", &request).await.expect(201)
}

/// The newest runs, once there are so many.
async fn runs(project: &Project, count: usize) -> Vec<Value> {
    until(&format!("{count} runs"), BOUND, async || {
        let listed = project.api.get("/runs").await.expect(200);
        let rows = listed["data"].as_array().expect("rows");
        let mut runs = Vec::new();
        for row in rows {
            runs.push(project.api.get(&format!("/runs/{}", row["id"].as_str().expect("an id"))).await.expect(200));
        }
        (runs.len() >= count).then_some(runs)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_runs_a_command_for_the_user_that_its_receipt_names() {
    let (_server, project) = scene().await;
    let api = &project.api;
    let action = json!({"kind": "command", "command": "/onPush", "user_id": "{{/body/owner/id}}"});
    let source = json!({"name": "git", "kind": "none", "actions": [action]});
    let refused = api.post("/sources", &source).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "actions[0].command", "{refused}");

    let code = "const push = JSON.parse(content); Bot.sendMessage(push.commits + ' by ' + user.id + ': ' + options.receipt.source);";
    command(&project, json!({"name": "/onPush", "code": code})).await;
    let source = api.post("/sources", &source).await.expect(201);
    let inlet = Inlet::of(api, &source);
    inlet.post(&json!({"commits": 3, "owner": {"id": 42}})).await.expect(200);
    inlet.post(&json!({"commits": 1})).await.expect(200);

    let runs = runs(&project, 2).await;
    let by_user = |user: Value| runs.iter().find(|run| run["user_id"] == user).expect("a run");
    let good = by_user(json!("42"));
    assert_eq!((&good["status"], &good["messages"][0]["text"]), (&json!("succeeded"), &json!("3 by 42: git")));
    assert!(good["delivery_id"].as_str().expect("a delivery").starts_with("dlv_"), "{good}");
    // Without a user there is none, which this command does not expect: it is tried again, as its source's actions are.
    let bad = by_user(Value::Null);
    assert_eq!(bad["status"], "failed");

    let receipts = api.get("/receipts").await.expect(200);
    let first = receipts["data"].as_array().expect("rows").last().expect("a receipt")["id"].clone();
    let receipt = until("the action's end", BOUND, async || {
        let receipt = api.get(&format!("/receipts/{}", first.as_str().expect("an id"))).await.expect(200);
        (receipt["actions"][0]["status"] == "done" || !receipt["actions"][0]["result"].is_null()).then_some(receipt)
    })
    .await;
    let told = &receipt["actions"][0];
    assert_eq!((&told["kind"], &told["result"]["run_id"]), (&json!("command"), &good["id"]), "{receipt}");
    let preview = json!({"action": action, "receipt_id": first});
    let path = format!("/sources/{}/preview", source["id"].as_str().expect("an id"));
    let previewed = api.post(&path, &preview).await.expect(200);
    assert_eq!(previewed["result"], json!({"command": "/onPush", "user_id": "42"}), "{previewed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_for_a_command() {
    let (_server, project) = scene().await;
    let api = &project.api;
    let webhook = json!({"url": "command:/onOrder", "events": [EVENT_TYPE]});
    let refused = api.post("/webhooks", &webhook).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "url", "{refused}");
    let code = "const event = JSON.parse(content); if (!event.data.cents) throw new Error('no cents');
        Bot.setProperty('sum', Bot.getProperty('sum', 0) + event.data.cents);
        Bot.sendMessage(options.event.type + ' ' + event.data.cents);";
    command(&project, json!({"name": "/onOrder", "code": code})).await;
    let webhook = api.post("/webhooks", &webhook).await.expect(201);
    assert_eq!(webhook["url"], "command:/onOrder");
    let path = format!("/webhooks/{}", webhook["id"].as_str().expect("an id"));
    let tested = api.post(&format!("{path}/test"), &json!({})).await.expect(200);
    assert_eq!(tested["success"], false, "the test event has no cents: {tested}");

    let event = api.post("/events", &json!({"type": EVENT_TYPE, "data": {"cents": 700}})).await.expect(202);
    let id = event["id"].as_str().expect("an id");
    let delivery = until("a delivery", BOUND, async || {
        let event = api.get(&format!("/events/{id}")).await.expect(200);
        let delivery = event["deliveries"].get(0).filter(|delivery| delivery["status"] == "delivered")?.clone();
        Some(api.get(&format!("/deliveries/{}", delivery["id"].as_str().expect("an id"))).await.expect(200))
    })
    .await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["request"]["url"], "command:/onOrder", "{delivery}");
    let answer: Value = serde_json::from_str(attempt["response"]["body"].as_str().expect("a body")).expect("JSON");
    assert_eq!((&answer["status"], &answer["answer"]), (&json!("succeeded"), &json!("order.paid 700")));
    let run = api.get(&format!("/runs/{}", answer["run_id"].as_str().expect("an id"))).await.expect(200);
    assert_eq!(run["delivery_id"], delivery["id"]);

    let refused = api.patch(&path, &json!({"url": "command: /x"})).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "url", "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_no_run_overwrites_what_another_has_kept() {
    let (_server, project) = scene().await;
    let code = "const n = Bot.getProperty('n', 0); const until = Date.now() + 30; while (Date.now() < until); \
                Bot.setProperty('n', n + 1); Bot.sendMessage(String(n + 1));";
    command(&project, json!({"name": "/count", "code": code, "concurrency": "one_at_a_time"})).await;
    let calls = (0..8).map(|_| {
        let api = project.api.clone();
        tokio::spawn(async move { api.post("/commands/%2Fcount/run", &json!({})).await.expect(200) })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.expect("a run")["answer"]["content"].as_str().expect("a number").to_owned());
    }
    answers.sort();
    assert_eq!(answers, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_shown_and_wrong_ones_named() {
    let (_server, project) = scene().await;
    let api = &project.api;
    let with = |schedule: Value| json!({"name": "/report", "code": "", "schedule": schedule});
    for (schedule, field) in [
        (json!({}), "schedule"),
        (json!({"every_s": 60, "cron": "@daily"}), "schedule"),
        (json!({"every_s": 60, "timezone": "UTC"}), "schedule"),
        (json!({"every_s": 1}), "schedule.every_s"),
        (json!({"cron": "every day"}), "schedule.cron"),
        (json!({"cron": "0 9 * * *", "timezone": "Mars/Olympus"}), "schedule.timezone"),
    ] {
        let refused = api.post("/commands", &with(schedule.clone())).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field, "{schedule}: {refused}");
    }
    let daily = json!({"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"});
    let made = command(&project, with(daily.clone())).await;
    assert_eq!((&made["schedule"], &made["concurrency"]), (&daily, &json!("parallel")));
    let next = made["next_run_at"].clone();
    assert!(next.is_string());
    let path = "/commands/%2Freport";
    let kept = api.put(path, &json!({"code": "1", "schedule": daily})).await.expect(200);
    assert_eq!((&kept["next_run_at"], &kept["revision"]), (&next, &json!(2)));
    let without = api.put(path, &json!({"code": "1", "concurrency": "latest"})).await.expect(200);
    assert_eq!((&without["schedule"], &without["next_run_at"]), (&Value::Null, &Value::Null));
    assert_eq!(without["concurrency"], "latest");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_run_no_command_saves_nothing_that_runs_one() {
    let (_server, project) = scene().await;
    let admin = &project.api;
    command(&project, json!({"name": "/c", "code": "Bot.sendMessage('run')"})).await;
    let key = async |scopes: &[&str]| {
        let made = admin.post("/api-keys", &json!({"name": "weak", "scopes": scopes})).await.expect(201);
        admin.clone().with_key(made["key"].as_str().expect("a key"))
    };
    let (weak, enough) = (key(&["webhooks:manage"]).await, key(&["webhooks:manage", "commands:manage"]).await);
    let webhook = json!({"url": "command:/c"});
    let refused = |answer: &Answer| {
        let problem = answer.expect_problem(403, "insufficient_scope");
        assert!(problem.detail.contains("commands:manage") && problem.detail.contains("command"), "{}", problem.detail);
    };
    refused(&weak.post("/webhooks", &webhook).await);
    refused(&weak.post("/webhooks", &json!({"url": "command:/missing"})).await);
    // The same by the APIs of other systems, which say it in their own form.
    let body = json!({"url": "command:/c", "events": [EVENT_TYPE]});
    let theirs = weak.clone().with_base("/compat");
    let botsubscription = format!("/botsubscription/v2/projects/{}/integrations/webhooks", project.id);
    for path in ["/subscribeflow/api/v1/webhooks", &botsubscription] {
        let body = if path == botsubscription { json!({"url": "command:/c"}) } else { body.clone() };
        let told = theirs.post(path, &body).await.expect(403);
        assert!(told.to_string().contains("commands:manage"), "{told}");
    }
    assert_eq!(admin.get("/webhooks").await.expect(200)["total"], 0);
    let plain = weak.post("/webhooks", &json!({"url": "https://example.com/hook"})).await.expect(201);
    let path = format!("/webhooks/{}", plain["id"].as_str().expect("an id"));
    refused(&weak.patch(&path, &webhook).await);
    weak.patch(&path, &json!({"url": "https://example.com/other"})).await.expect(200);
    enough.patch(&path, &webhook).await.expect(200);
    refused(&weak.patch(&path, &json!({"transform": "function handler(webhook) { return webhook; }"})).await);
    weak.post(&format!("{path}/pause"), &json!({})).await.expect(200);

    let (weak, enough) = (key(&["sources:manage"]).await, key(&["sources:manage", "commands:manage"]).await);
    let action = json!({"kind": "command", "command": "/c"});
    let source = json!({"name": "git", "kind": "none", "actions": [action]});
    let without = json!({"name": "git", "kind": "none", "actions": []});
    refused(&weak.post("/sources", &source).await);
    let made = weak.post("/sources", &without).await.expect(201);
    let path = format!("/sources/{}", made["id"].as_str().expect("an id"));
    refused(&weak.put(&path, &source).await);
    refused(&weak.post(&format!("{path}/preview"), &json!({"action": action})).await);
    enough.put(&path, &source).await.expect(200);
    weak.put(&path, &without).await.expect(200);
    assert_eq!(admin.get("/runs").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_is_deleted_is_deleted_from_the_runs_for_it() {
    let (_server, project) = scene().await;
    let api = &project.api;
    let code =
        "console.log(content); Bot.sendMessage(content); if (content.includes('page')) WebApp.render({content});";
    command(&project, json!({"name": "/show", "code": code})).await;
    api.post("/webhooks", &json!({"url": "command:/show"})).await.expect(201);
    let mut events = Vec::new();
    for what in ["canary", "page", "neighbour"] {
        let event = api.post("/events", &json!({"type": EVENT_TYPE, "data": what})).await.expect(202);
        events.push(event["id"].as_str().expect("an id").to_owned());
    }
    let made = runs(&project, 3).await;
    assert!(made.iter().all(|run| run["messages"][0]["text"] == run["input"]["content"]), "{made:?}");
    let neighbour = made.iter().find(|run| run.to_string().contains("neighbour")).expect("its run").clone();
    for id in &events[..2] {
        api.delivered(id).await;
        api.delete(&format!("/events/{id}/payload")).await.expect(204);
    }
    for run in runs(&project, 3).await {
        if run["id"] == neighbour["id"] {
            assert_eq!(run, neighbour);
            continue;
        }
        let left = (&run["input"]["content"], &run["answer"], &run["messages"], &run["console"], &run["effects"]);
        assert_eq!(left, (&json!(""), &Value::Null, &json!([]), &json!([]), &json!([])), "{run}");
        assert_eq!(run["status"], "succeeded");
    }
}
