//! Bots.Business: URLs that run a command, as the Webhooks library documents them, without its holes.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tidings_domain::time::Timestamp;
use tidings_testkit::{Answer, Api, Server, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{BINARY, BOUND, Scene, text};

/// A bot: a project with commands, and whoever calls its URLs.
pub(crate) struct Bot {
    pub(crate) scene: Scene,
    /// Has no key, and calls any path.
    pub(crate) caller: Api,
}

impl Bot {
    pub(crate) async fn begin() -> Self {
        let scene = Scene::begin("bots-business").await;
        let caller = caller(&scene.api);
        Self { scene, caller }
    }

    pub(crate) async fn command(&self, name: &str, code: &str) {
        self.scene.api.post("/commands", &json!({"name": name, "code": code})).await.expect(201);
    }

    /// `Libs.Webhooks.getUrlFor(options)`, as a path on this server.
    pub(crate) async fn url_for(&self, options: Value) -> String {
        url_for(&self.scene.api, options).await
    }

    /// A URL that was good for a moment.
    async fn expired_url(&self, command: &str) -> String {
        let path = format!("/commands/{}", command.replace('/', "%2F"));
        let now = text(&self.scene.api.get(&path).await.expect(200), "updated_at");
        let soon = Timestamp::parse(&now).expect("a time").plus_millis(2_000).to_string();
        let url = self.url_for(json!({"command": command, "expires_at": soon})).await;
        until("the end of a URL", BOUND, async || {
            (self.open(&url).await.status == StatusCode::FORBIDDEN).then_some(())
        })
        .await;
        url
    }

    pub(crate) async fn open(&self, url: &str) -> Answer {
        self.caller.get(url).await
    }

    /// Runs of a command, newest first, once there are so many.
    pub(crate) async fn runs(&self, command: &str, count: usize) -> Vec<Value> {
        runs(&self.scene.api, command, count).await
    }
}

fn caller(api: &Api) -> Api {
    api.clone().without_key().with_base("")
}

pub(crate) async fn url_for(api: &Api, options: Value) -> String {
    let made = api.post("/hook-urls", &options).await.expect(200);
    let url = text(&made, "url");
    url[url.find("/hook/").expect("a hook URL")..].to_owned()
}

async fn runs(api: &Api, command: &str, count: usize) -> Vec<Value> {
    let path = format!("/runs?command={}", command.replace('/', "%2F"));
    until(&format!("{count} runs of {command}"), BOUND, async || {
        let listed = api.get(&path).await.expect(200);
        let rows = listed["data"].as_array().expect("rows").clone();
        if rows.len() < count {
            return None;
        }
        let mut full = Vec::new();
        for row in rows {
            full.push(api.get(&format!("/runs/{}", text(&row, "id"))).await.expect(200));
        }
        Some(full)
    })
    .await
}

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_19_a_users_webhook_runs_for_that_user_and_answers_with_the_last_message() {
    let bot = Bot::begin().await;
    bot.scene.webhook(json!({"events": ["message.sent"], "profile": "standard"})).await;
    bot.command("/onWebhook", "Bot.sendMessage('first'); Bot.sendMessage('Hello in browser!');").await;
    let url = bot.url_for(json!({"command": "/onWebhook", "user_id": "42", "content": "x"})).await;
    for method in [Method::GET, Method::POST] {
        let answer = bot.caller.send(method, &url, "").await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"answer": "Hello in browser!"})));
        assert_eq!(header(&answer, "content-type"), "application/json");
    }
    let sent = bot.scene.receiver.wait_for("/hook", 4, BOUND).await;
    let mut texts: Vec<_> = sent.iter().map(|request| text(&request.json()["data"], "text")).collect();
    texts.sort();
    assert_eq!(texts, ["Hello in browser!", "Hello in browser!", "first", "first"]);
    let data = &sent[0].json()["data"];
    assert_eq!((&data["user_id"], &data["command"]), (&json!("42"), &json!("/onWebhook")));
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let answer = bot.caller.send(method.clone(), &url, "").await;
        assert_eq!(
            (answer.status, header(&answer, "allow")),
            (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"),
            "{method}"
        );
    }
    assert_eq!(bot.runs("/onWebhook", 2).await.len(), 2, "nothing else has run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_passed_data_is_in_content_and_everything_about_the_request_in_options() {
    let bot = Bot::begin().await;
    bot.command("/look", "Bot.sendMessage(JSON.stringify({content, options, user, at: completed_commands_count}))")
        .await;
    let url = bot.url_for(json!({"command": "/look", "user_id": "42", "content": "its own"})).await;
    let seen = |answer: Answer| -> Value {
        serde_json::from_str(&text(&answer.json(), "answer")).expect("what the command saw")
    };
    let got = seen(bot.open(&format!("{url}&order_id=7")).await);
    assert_eq!((&got["content"], &got["user"], &got["at"]), (&json!("its own"), &json!({"id": "42"}), &json!(0)));
    let options = &got["options"];
    assert_eq!((&options["method"], &options["params"]), (&json!("GET"), &json!({"order_id": "7"})));
    assert_eq!(options["ip"], "127.0.0.1");
    let shown = text(options, "url");
    assert!(shown.contains("command=%2Flook") && !shown.contains("sig="), "{shown}");
    let posted = bot.caller.clone().with_header("authorization", "Bearer secret").with_header("x-shop", "a");
    let got = seen(posted.post(&url, &json!({"order_id": 7})).await);
    assert_eq!(got["content"], r#"{"order_id":7}"#, "the body comes before the URL's own content");
    assert_eq!(
        (&got["options"]["headers"]["x-shop"], got["options"]["headers"].get("authorization")),
        (&json!("a"), None)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_global_webhook_has_no_user_until_it_runs_a_command_for_one() {
    let bot = Bot::begin().await;
    let code = "if (user !== null) throw new Error('a user'); Bot.run({command: '/userCommand', user_id: JSON.parse(content).user_id, options: {order: 7}});";
    bot.command("/onGlobal", code).await;
    bot.command("/userCommand", "User.setProperty('order', options.order); Bot.sendMessage('Order ' + options.order);")
        .await;
    let url = bot.url_for(json!({"command": "/onGlobal"})).await;
    let answer = bot.caller.post(&url, &json!({"user_id": 42})).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0), "it has said nothing");
    let run = bot.runs("/userCommand", 1).await.remove(0);
    assert_eq!((&run["status"], &run["user_id"]), (&json!("succeeded"), &json!("42")));
    assert_eq!(run["messages"][0]["text"], "Order 7");
    assert_eq!(run["parent_id"], bot.runs("/onGlobal", 1).await[0]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_come_before_pages_and_pages_before_messages() {
    let bot = Bot::begin().await;
    bot.command("/page", "Bot.sendMessage('x'); WebApp.render({content: '<script>1</script>'});").await;
    bot.command("/css", "WebApp.render({content: 'a {}', mime_type: 'text/css'});").await;
    let there = "https://shop.example.com/thanks?a=1";
    let redirect = bot.url_for(json!({"command": "/page", "redirect_to": there})).await;
    let answer = bot.open(&redirect).await;
    assert_eq!((answer.status, header(&answer, "location")), (StatusCode::FOUND, there));
    let page = bot.open(&bot.url_for(json!({"command": "/page"})).await).await;
    assert_eq!((page.status, &page.body[..]), (StatusCode::OK, &b"<script>1</script>"[..]));
    let names = ["content-type", "content-security-policy", "x-content-type-options", "referrer-policy"];
    let expected = ["text/html; charset=utf-8", "sandbox allow-scripts allow-forms", "nosniff", "no-referrer"];
    assert_eq!(names.map(|name| header(&page, name)), expected);
    let css = bot.open(&bot.url_for(json!({"command": "/css"})).await).await;
    assert_eq!(header(&css, "content-type"), "text/css; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_throws_is_answered_with_503_and_nothing_of_it_happens() {
    let bot = Bot::begin().await;
    bot.scene.webhook(json!({"events": ["message.sent"], "profile": "standard"})).await;
    bot.command("/throw", "Bot.sendMessage('x'); Bot.setProperty('a', 1); throw new Error('Error on webhook');").await;
    bot.command("!", "Bot.setProperty('error', content)").await;
    let there = "https://shop.example.com/thanks";
    let url = bot.url_for(json!({"command": "/throw", "user_id": "42", "redirect_to": there})).await;
    let answer = bot.open(&url).await;
    let problem = answer.json();
    assert_eq!((answer.status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("command_failed")));
    assert_eq!(problem["detail"], "Error on webhook");
    let run = bot.runs("/throw", 1).await.remove(0);
    let error = json!({"message": "Error on webhook", "command": "/throw", "line": 1, "column": 58});
    assert_eq!((&run["status"], &run["error"], &run["messages"]), (&json!("failed"), &error, &json!([])));
    assert_eq!(bot.runs("!", 1).await[0]["input"]["content"], "Error on webhook");
    bot.command("/ask", "Bot.sendMessage(String(Bot.getProperty('a')) + Bot.getProperty('error'))").await;
    let asked = bot.scene.api.post("/commands/%2Fask/run", &json!({})).await.expect(200);
    assert_eq!(asked["answer"]["content"], "nullError on webhook");
    let slow = json!({"name": "/slow", "code": "new Array(1e9) + ''", "timeout_ms": 100});
    bot.scene.api.post("/commands", &slow).await.expect(201);
    let answer = bot.open(&bot.url_for(json!({"command": "/slow"})).await).await;
    assert_eq!(
        (answer.status, &answer.json()["detail"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("the command used up its time"))
    );
    assert!(bot.scene.receiver.requests_at("/hook").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_or_expired_url_is_refused_like_one_of_a_project_that_does_not_exist() {
    let bot = Bot::begin().await;
    bot.command("/pay", "Bot.sendMessage('paid')").await;
    bot.command("/other", "Bot.sendMessage('other')").await;
    let options = json!({
        "command": "/pay", "user_id": "42", "content": "a", "redirect_to": "https://a.example/", "expires_at": "2036-01-01T00:00:00Z",
    });
    let url = bot.url_for(options).await;
    let expired = bot.expired_url("/other").await;
    let project = &bot.scene.project_id;
    let last = if project.ends_with('0') { "1" } else { "0" };
    let nobodys = format!("{}{last}", &project[..project.len() - 1]);
    let altered = [
        url.replace("%2Fpay", "%2Fother"),
        url.replace("%2Fpay", "%2Fmissing"),
        url.replace("user_id=42", "user_id=43"),
        url.replace("content=a", "content=b"),
        url.replace("a.example", "b.example"),
        url.replace("expires_at=2", "expires_at=3"),
        url.replace("key=1", "key=2"),
        url.replace("&user_id=42", ""),
        format!("{url}&user_id=43"),
        url.split("&sig=").next().expect("a query").to_owned(),
        url.replace(project.as_str(), &nobodys),
        url.replace(project.as_str(), "nonsense"),
        format!("/hook/{project}"),
        expired,
    ];
    let mut answers = BTreeMap::new();
    for altered in altered {
        assert_ne!(altered, url);
        let answer = bot.open(&altered).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{altered}: {answer}");
        let mut body = answer.json();
        for own in ["request_id", "instance"] {
            body.as_object_mut().expect("a problem").remove(own);
        }
        answers.insert(body.to_string(), altered);
    }
    assert_eq!(answers.len(), 1, "nobody is told which it was: {answers:#?}");
    assert_eq!(bot.open(&url).await.status, StatusCode::FOUND);
    assert_eq!(bot.runs("/pay", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_javascript_is_refused_with_its_place_and_changes_nothing() {
    let bot = Bot::begin().await;
    let refused =
        bot.scene.api.post("/commands", &json!({"name": "/bad", "code": "const a = 1;\nconst b = (2;"})).await;
    let problem = refused.json();
    assert_eq!((refused.status, &problem["line"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(2)));
    assert_eq!((&problem["errors"][0]["field"], problem["column"].is_u64()), (&json!("code"), true));
    bot.command("/good", "1").await;
    let refused = bot.scene.api.put("/commands/%2Fgood", &json!({"code": "1 +"})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bot.scene.api.get("/commands/%2Fgood").await.expect(200)["code"], "1");
    assert_eq!(bot.scene.api.get("/commands/%2Fbad").await.status, StatusCode::NOT_FOUND);
    let changed = bot.scene.api.put("/commands/%2Fgood", &json!({"code": "2"})).await.expect(200);
    assert_eq!((&changed["code"], &changed["revision"]), (&json!("2"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_makes_urls_and_runs_are_run_again() {
    let bot = Bot::begin().await;
    bot.command(
        "/invite",
        "Bot.sendMessage(Libs.Webhooks.getUrlFor({command: '/accept', user_id: user.id, content: 'hi'}))",
    )
    .await;
    bot.command("/accept", "Bot.sendMessage(user.id + ' ' + content)").await;
    let run = bot.scene.api.post("/commands/%2Finvite/run", &json!({"user_id": "42"})).await.expect(200);
    let url = text(&run["answer"], "content");
    assert!(url.starts_with(&format!("http://{}/hook/", bot.scene.server.address())), "{url}");
    let answer = bot.open(&url[url.find("/hook/").expect("a path")..]).await;
    assert_eq!(answer.json(), json!({"answer": "42 hi"}));
    let first = bot.runs("/accept", 1).await.remove(0);
    let again = bot.scene.api.post(&format!("/runs/{}/rerun", text(&first, "id")), &json!({})).await.expect(200);
    assert_eq!((&again["answer"], &again["input"]), (&first["answer"], &first["input"]));
    assert_ne!(again["id"], first["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_put_off_survives_a_kill_and_happens_once() {
    let mut bot = Bot::begin().await;
    let code = "Bot.run({command: '/later', run_after: 1, label: 'a'}); Bot.sendMessage('soon')";
    bot.command("/now", code).await;
    bot.command("/later", "Bot.setProperty('count', Bot.getProperty('count', 0) + 1)").await;
    bot.command("/count", "Bot.sendMessage(String(Bot.getProperty('count')))").await;
    let url = bot.url_for(json!({"command": "/now"})).await;
    assert_eq!(bot.open(&url).await.json(), json!({"answer": "soon"}));
    bot.scene.server.kill().await;
    bot.scene.server.restart().await;
    assert_eq!(bot.runs("/later", 1).await.len(), 1);
    bot.scene.server.kill().await;
    bot.scene.server.restart().await;
    let counted = bot.scene.api.post("/commands/%2Fcount/run", &json!({})).await.expect(200);
    assert_eq!(counted["answer"]["content"], "1");
    assert_eq!(bot.runs("/later", 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_goes_on_when_its_caller_has_gone() {
    let bot = Bot::begin().await;
    bot.scene.webhook(json!({"events": ["message.sent"], "profile": "standard"})).await;
    let code = "const begun = Date.now(); while (Date.now() - begun < 400) {} Bot.sendMessage('done')";
    bot.command("/slow", code).await;
    let url = bot.url_for(json!({"command": "/slow", "user_id": "42"})).await;
    for method in ["GET", "POST"] {
        let mut caller = tokio::net::TcpStream::connect(bot.scene.server.address()).await.expect("it listens");
        let head = format!("{method} {url} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
        caller.write_all(head.as_bytes()).await.expect("it takes it");
        let mut told = [0; 12];
        caller.read_exact(&mut told).await.expect("it answers");
        assert_eq!(&told, b"HTTP/1.1 100", "it waits for the rest");
        caller.write_all(b"x").await.expect("it takes it");
    }
    let runs = bot.runs("/slow", 2).await;
    assert!(runs.iter().all(|run| run["status"] == "succeeded"), "{runs:?}");
    let sent = bot.scene.receiver.wait_for("/hook", 2, BOUND).await;
    assert!(sent.iter().all(|request| request.json()["data"]["text"] == "done"));
}

/// What leads to the machine itself, or to where clouds keep their keys.
const FORBIDDEN: [&str; 10] = [
    "http://127.0.0.1:PORT/hook",
    "http://localhost:PORT/hook",
    "http://[::1]:PORT/hook",
    "http://[::ffff:127.0.0.1]:PORT/hook",
    "http://0.0.0.0:PORT/hook",
    "http://2130706433:PORT/hook",
    "http://0x7f.1:PORT/hook",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "file:///etc/passwd",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_dial_requests_of_commands_reach_nothing_forbidden() {
    let server = Server::start_with(BINARY, &["--allow-http"]).await;
    let receiver = tidings_testkit::Receiver::start().await;
    let api = tidings_testkit::operator(&server);
    let port = receiver.url("/").rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
    let urls = FORBIDDEN.map(|url| url.replace("PORT", &port));
    let list = serde_json::to_string(&urls).expect("JSON");
    let code = format!("for (const url of {list}) HTTP.get({{url, success: '/reached', error: '/refused'}})");
    for (name, code) in [("/ask", code.as_str()), ("/reached", "1"), ("/refused", "1")] {
        api.post("/commands", &json!({"name": name, "code": code})).await.expect(201);
    }
    let run = api.post("/commands/%2Fask/run", &json!({})).await.expect(200);
    assert_eq!(run["status"], "succeeded", "{run}");
    let refused = runs(&api, "/refused", FORBIDDEN.len()).await;
    assert_eq!(refused.len(), FORBIDDEN.len());
    assert!(refused.iter().all(|run| run["input"]["content"].as_str().is_some_and(|reason| !reason.is_empty())));
    assert_eq!(runs(&api, "/reached", 0).await.len(), 0);
    assert!(receiver.requests_at("/hook").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_commands_lead_to_commands_with_the_answer() {
    let bot = Bot::begin().await;
    bot.scene.receiver.route("/api", tidings_testkit::Behaviour::Ok);
    let url = bot.scene.receiver.url("/api");
    let code = format!(
        "HTTP.post({{url: '{url}', body: {{order: 7}}, headers: {{'X-Key': 'a'}}, success: '/good', error: '/bad'}})"
    );
    bot.command("/ask", &code).await;
    bot.command("/good", "Bot.sendMessage(http_status + ' ' + completed_commands_count)").await;
    bot.scene.api.post("/commands/%2Fask/run", &json!({"user_id": "42"})).await.expect(200);
    let request = bot.scene.receiver.wait_for("/api", 1, BOUND).await.remove(0);
    assert_eq!((request.json(), request.header("x-key")), (json!({"order": 7}), "a"));
    assert_eq!(request.header("content-type"), "application/json");
    let run = bot.runs("/good", 1).await.remove(0);
    assert_eq!((&run["answer"]["content"], &run["user_id"]), (&json!("200 1"), &json!("42")));
}
