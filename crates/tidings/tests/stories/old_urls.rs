//! Bots.Business: URLs that it made for a bot go on running the bot's commands, once the bot was imported.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tidings_domain::command::public_user_token;
use tidings_testkit::{Answer, operator, organization_key};

use crate::{
    BOUND,
    bots_business::{Bot, header},
    project, text,
};

const BOT_ID: &str = "100200";
const TOKEN: &str = "123:ABC";
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;

/// `encodeURIComponent`
fn encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A URL as the library's `getUrlFor` puts it together, from its path on.
fn old_url(bot_id: &str, token: &str, options: &Value) -> String {
    let option = |name: &str| options[name].as_str().unwrap_or_default();
    let mut url = format!("/compat/bots-business/v1/bots/{bot_id}/new-webhook?&command={}", encoded(option("command")));
    let token = public_user_token(token.as_bytes(), option("user_id"), option("command"));
    url.push_str(&format!("&public_user_token={token}"));
    for name in ["user_id", "content", "redirect_to"] {
        if !option(name).is_empty() {
            url.push_str(&format!("&{name}={}", encoded(option(name))));
        }
    }
    url
}

async fn imported() -> Bot {
    let bot = Bot::begin().await;
    let import = json!({"bot_id": BOT_ID, "token": TOKEN, "redirect_hosts": ["shop.example.com", "*.example.org"]});
    bot.scene.api.put("/bot", &import).await.expect(200);
    let look = "Bot.sendMessage(JSON.stringify({content, options, user}))";
    bot.command("/onWebhook", look).await;
    bot
}

fn url(options: &Value) -> String {
    old_url(BOT_ID, TOKEN, options)
}

fn seen(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    serde_json::from_str(&text(&answer.json(), "answer")).expect("what the command saw")
}

/// A refusal without what belongs to the single request.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.status, FORBIDDEN, "{answer}");
    let mut body = answer.json();
    for own in ["request_id", "instance"] {
        body.as_object_mut().expect("a problem").remove(own);
    }
    body.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_url_runs_its_command_for_its_user_and_answers_like_any_other() {
    let bot = imported().await;
    let old = url(&json!({"command": "/onWebhook", "user_id": "42", "content": "a b+c&d"}));
    assert!(
        old.contains("?&command=%2FonWebhook&public_user_token=4d18f8a083950ec8a0257f7ead77538c&user_id=42"),
        "{old}"
    );
    let got = seen(&bot.open(&format!("{old}&order_id=7&api_key=canary-of-an-api-key")).await);
    assert_eq!((&got["content"], &got["user"]), (&json!("a b+c&d"), &json!({"id": "42"})));
    let options = &got["options"];
    assert_eq!((&options["method"], &options["params"]), (&json!("GET"), &json!({"order_id": "7"})));
    let shown = text(options, "url");
    let whole = "/compat/bots-business/v1/bots/100200/new-webhook?command=%2FonWebhook&user_id=42";
    assert!(shown.starts_with("http://") && shown.contains(whole), "{shown}");
    let posted = seen(&bot.caller.post(&old, &json!({"order_id": 7})).await);
    assert_eq!(posted["content"], r#"{"order_id":7}"#);
    let global = url(&json!({"command": "/onWebhook"}));
    assert!(global.ends_with("&public_user_token=f9fa46e9c7c8db0f0b8115f8edcccede"), "{global}");
    assert_eq!(seen(&bot.open(&global).await)["user"], Value::Null);
    assert_eq!(seen(&bot.open(&format!("{global}&user_id=")).await)["user"], Value::Null);
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let answer = bot.caller.send(method.clone(), &old, "").await;
        let allow = header(&answer, "allow");
        assert_eq!((answer.status, allow), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"), "{method}");
    }
    bot.command("/throw", "throw new Error('Error on webhook')").await;
    let thrown = bot.open(&url(&json!({"command": "/throw"}))).await;
    assert_eq!(
        (thrown.status, &thrown.json()["detail"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("Error on webhook"))
    );
    // Neither keys nor tokens are kept, said, or logged.
    let runs = serde_json::to_string(&bot.runs("/onWebhook", 4).await).expect("JSON");
    let everything = format!("{runs}{}", bot.scene.server.log());
    for secret in
        ["canary-of-an-api-key", "4d18f8a083950ec8a0257f7ead77538c", "f9fa46e9c7c8db0f0b8115f8edcccede", TOKEN]
    {
        assert!(!everything.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused_like_a_bot_that_does_not_exist() {
    let bot = imported().await;
    bot.command("/other", "Bot.sendMessage('other')").await;
    let options = json!({"command": "/onWebhook", "user_id": "42"});
    let good = url(&options);
    let answers = [
        good.replace("user_id=42", "user_id=43"),
        good.replace("&user_id=42", ""),
        good.replace("%2FonWebhook", "%2Fother"),
        good.replace("%2FonWebhook", "%2Fmissing"),
        good.replace("&public_user_token=", "&token="),
        format!("{good}&user_id=43"),
        format!("{good}&command=%2Fother"),
        old_url(BOT_ID, "123:ABD", &options),
        old_url("100201", TOKEN, &options),
        old_url("no%20id", TOKEN, &options),
        url(&json!({"command": " /onWebhook "})),
        url(&json!({"command": "/onWebhook", "user_id": "a\u{1}b"})),
        good.split('?').next().expect("a path").to_owned(),
    ];
    let mut told_of = BTreeSet::new();
    for altered in &answers {
        told_of.insert(told(&bot.open(altered).await));
    }
    assert_eq!(told_of.len(), 1, "nobody is told which it was: {told_of:#?}");
    // No other URL is good with such a token.
    let hook = format!("/hook/{}{}", bot.scene.project_id, &good[good.find('?').expect("a query")..]);
    assert_eq!(bot.open(&hook).await.status, FORBIDDEN);
    assert_eq!(bot.runs("/onWebhook", 0).await.len() + bot.runs("/other", 0).await.len(), 0);
    assert_eq!(bot.open(&good).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_url_leads_to_hosts_that_were_named_and_to_others_nothing_is_run() {
    let bot = imported().await;
    for (there, location) in [
        ("https://shop.example.com/thanks?a=1", "https://shop.example.com/thanks?a=1"),
        ("https://a.b.example.org", "https://a.b.example.org/"),
    ] {
        let answer = bot.open(&url(&json!({"command": "/onWebhook", "redirect_to": there}))).await;
        assert_eq!((answer.status, header(&answer, "location")), (StatusCode::FOUND, location));
    }
    let run = bot.runs("/onWebhook", 2).await.len();
    for elsewhere in [
        "https://evil.example/",
        "https://shop.example.com.evil.example/",
        "https://shop.example.com@evil.example/",
        "https://evil.example\\@shop.example.com/",
        "https://example.org/",
        "//shop.example.com/",
        "javascript:alert(1)",
    ] {
        let answer = bot.open(&url(&json!({"command": "/onWebhook", "redirect_to": elsewhere}))).await;
        let problem = answer.json();
        assert_eq!((answer.status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("url_not_allowed")));
        assert_eq!(problem["reason"], "redirect_host", "{elsewhere}");
        assert_eq!(header(&answer, "location"), "");
    }
    assert_eq!(bot.runs("/onWebhook", run).await.len(), run, "nothing was run");
    // Whoever has no genuine URL does not learn which hosts there are.
    let wrong =
        url(&json!({"command": "/onWebhook", "redirect_to": "https://evil.example/"})).replace("token=", "token=0");
    assert_eq!(bot.open(&wrong).await.status, FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_belongs_to_one_project_and_its_urls_end_with_it() {
    let mut bot = imported().await;
    let api = &bot.scene.api;
    let shown = api.get("/bot").await;
    assert!(!String::from_utf8_lossy(&shown.body).contains(TOKEN), "{shown}");
    let shown = shown.expect(200);
    assert_eq!((&shown["bot_id"], shown["redirect_hosts"][1].as_str()), (&json!(BOT_ID), Some("*.example.org")));
    assert!(text(&shown, "api_url").ends_with("/compat/bots-business"), "{shown}");
    // The same once more changes nothing, with the token or without it.
    let mut same = json!({"bot_id": BOT_ID, "token": TOKEN, "redirect_hosts": ["shop.example.com", "*.example.org"]});
    assert_eq!(api.put("/bot", &same).await.expect(200), shown);
    for member in ["token", "redirect_hosts"] {
        same.as_object_mut().expect("an object").remove(member);
        assert_eq!(api.put("/bot", &same).await.expect(200), shown, "without {member}");
    }
    let (sister, sisters) = project(api, "botdog").await;
    let taken = json!({"bot_id": BOT_ID, "token": TOKEN});
    sister.put("/bot", &taken).await.expect_problem(409, "already_exists");
    sister.get("/bot").await.expect_problem(404, "not_found");
    let good = url(&json!({"command": "/onWebhook"}));
    bot.scene.server.kill().await;
    bot.scene.server.restart().await;
    assert_eq!(bot.open(&good).await.status, StatusCode::OK, "it is there after a restart");
    // Another token, and URLs that were made with the former one are worth nothing.
    let api = &bot.scene.api;
    api.put("/bot", &json!({"bot_id": BOT_ID, "token": "123:NEW"})).await.expect(200);
    assert_eq!(bot.open(&good).await.status, FORBIDDEN);
    assert_eq!(bot.open(&old_url(BOT_ID, "123:NEW", &json!({"command": "/onWebhook"}))).await.status, StatusCode::OK);
    api.delete("/bot").await.expect(204);
    assert_eq!(bot.open(&old_url(BOT_ID, "123:NEW", &json!({"command": "/onWebhook"}))).await.status, FORBIDDEN);
    api.delete("/bot").await.expect_problem(404, "not_found");
    // A project that goes gives its bot free.
    sister.put("/bot", &taken).await.expect(200);
    bot.scene.api.delete(&format!("/projects/{sisters}")).await.expect(204);
    bot.scene.api.put("/bot", &taken).await.expect(200);
    let log = bot.scene.api.get("/audit-log?limit=100").await.expect(200);
    let actions: BTreeSet<_> =
        log["data"].as_array().expect("rows").iter().map(|entry| text(entry, "action")).collect();
    assert!(actions.contains("bot.import") && actions.contains("bot.remove"), "{actions:?}");
    assert!(!log.to_string().contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_bot_is_refused_with_every_reason() {
    let bot = Bot::begin().await;
    let refused =
        bot.scene.api.put("/bot", &json!({"bot_id": "a/b", "token": "", "redirect_hosts": ["a.example", "*"]})).await;
    let problem = refused.json();
    let fields: Vec<_> =
        problem["errors"].as_array().expect("errors").iter().map(|error| text(error, "field")).collect();
    assert_eq!(
        (refused.status.as_u16(), fields),
        (422, vec!["bot_id".into(), "token".into(), "redirect_hosts.1".into()])
    );
    let without = bot.scene.api.put("/bot", &json!({"bot_id": BOT_ID})).await.expect(422);
    assert_eq!(without["errors"][0]["field"], "token", "it is not known yet: {without}");
    let weak = organization_key(
        &operator(&bot.scene.server),
        &bot.scene.organization_id,
        &json!({"name": "weak", "scopes": ["events:write"]}),
    )
    .await;
    weak.get("/bot").await.expect_problem(403, "insufficient_scope");
}

/// The documented example: the same options give a URL here, and an old one, and both do the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cat_is_loaded_and_the_command_is_asked_whether_it_was_seen() {
    let bot = Bot::begin().await;
    bot.scene.webhook(json!({"events": ["message.sent"], "profile": "standard"})).await;
    let import = json!({"bot_id": BOT_ID, "token": TOKEN, "redirect_hosts": ["cataas.com"]});
    bot.scene.api.put("/bot", &import).await.expect(200);
    bot.command("/onWebhook", "Bot.sendMessage(inspect(content))").await;
    let code = "let webhookUrl = Libs.Webhooks.getUrlFor({command: '/onWebhook', content: 'Did you see the cat?', \
                user_id: user.id, redirect_to: 'https://cataas.com/cat'}); Bot.sendMessage(webhookUrl)";
    bot.command("/getUrl", code).await;
    let run = bot.scene.api.post("/commands/%2FgetUrl/run", &json!({"user_id": "42"})).await.expect(200);
    let made = text(&run["answer"], "content");
    let old = url(&json!({
        "command": "/onWebhook", "content": "Did you see the cat?", "user_id": "42",
        "redirect_to": "https://cataas.com/cat",
    }));
    for url in [&made[made.find("/hook/").expect("a path")..], &old] {
        let answer = bot.open(url).await;
        assert_eq!(
            (answer.status, header(&answer, "location")),
            (StatusCode::FOUND, "https://cataas.com/cat"),
            "{url}"
        );
    }
    for run in bot.runs("/onWebhook", 2).await {
        assert_eq!((&run["user_id"], &run["input"]["content"]), (&json!("42"), &json!("Did you see the cat?")));
    }
    // The URL itself was a message as well. A global URL has nobody to send one to: it is the answer alone.
    bot.scene.receiver.wait_for("/hook", 3, BOUND).await;
    let global = bot.open(&url(&json!({"command": "/onWebhook", "content": "x"}))).await;
    assert!(text(&global.json(), "answer").contains('x'), "{global}");
    let events = bot.scene.api.get("/events?type=message.sent").await.expect(200);
    assert_eq!(events["data"].as_array().expect("rows").len(), 3, "{events}");
}
