//! URLs that run commands are taken back: their project's key is exchanged for another.

use http::StatusCode;
use serde_json::{Value, json};
use tidings_testkit::{Api, until};

use crate::{
    BOUND,
    bots_business::{Bot, url_for},
    project, text,
};

const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const OK: StatusCode = StatusCode::OK;

async fn bot() -> Bot {
    let bot = Bot::begin().await;
    bot.command("/hi", "Bot.sendMessage('hi')").await;
    bot
}

impl Bot {
    async fn rotate(&self, body: Value) -> Value {
        let path = format!("/projects/{}/rotate-hook-key", self.scene.project_id);
        self.scene.api.post(&path, &body).await.expect(200)
    }

    async fn status(&self, url: &str) -> StatusCode {
        self.open(url).await.status
    }
}

async fn made(api: &Api) -> String {
    url_for(api, json!({"command": "/hi"})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_of_a_former_key_are_refused_at_once_and_after_a_restart_and_no_other_projects_are() {
    let mut bot = bot().await;
    let (sister, _) = project(&bot.scene.api, "botdog").await;
    sister.post("/commands", &json!({"name": "/hi", "code": "Bot.sendMessage('hi')"})).await.expect(201);
    let (first, others) = (made(&bot.scene.api).await, made(&sister).await);
    assert_eq!((bot.status(&first).await, bot.status(&others).await), (OK, OK));
    let rotated = bot.rotate(json!({})).await;
    assert_eq!(rotated, json!({"version": 2, "previous_valid_until": null}));
    let second = made(&bot.scene.api).await;
    assert!(second.contains("&key=2&"), "{second}");
    for restarted in [false, true] {
        if restarted {
            bot.scene.server.kill().await;
            bot.scene.server.restart().await;
        }
        let told = bot.open(&first).await;
        assert_eq!((told.status, &told.json()["detail"]), (FORBIDDEN, &json!("the URL is not valid")));
        assert_eq!((bot.status(&second).await, bot.status(&others).await), (OK, OK), "restarted: {restarted}");
    }
    let forged = second.replace("&key=2&", "&key=3&");
    assert_eq!(bot.status(&forged).await, FORBIDDEN);
    // What commands make is signed with the new key as well.
    bot.command("/make", "Bot.sendMessage(Libs.Webhooks.getUrlFor({command: '/hi'}))").await;
    let run = bot.scene.api.post("/commands/%2Fmake/run", &json!({})).await.expect(200);
    assert!(text(&run["answer"], "content").contains("&key=2&"), "{run}");
    let entries = bot.scene.api.get("/audit-log?action=project.rotate_hook_key").await.expect(200);
    assert_eq!(entries["data"][0]["subject"], json!(bot.scene.project_id), "{entries}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_of_a_former_key_are_good_within_the_overlap_and_no_longer() {
    let bot = bot().await;
    let first = made(&bot.scene.api).await;
    let rotated = bot.rotate(json!({"overlap_seconds": 604_800})).await;
    assert!(rotated["previous_valid_until"].is_string(), "{rotated}");
    let second = made(&bot.scene.api).await;
    assert_eq!((bot.status(&first).await, bot.status(&second).await), (OK, OK));
    // A later rotation ends what an earlier one promised, if it says less.
    bot.rotate(json!({"overlap_seconds": 2})).await;
    let third = made(&bot.scene.api).await;
    assert_eq!((bot.status(&first).await, bot.status(&second).await), (OK, OK));
    for former in [&first, &second] {
        until("a former URL to end", BOUND, async || (bot.status(former).await == FORBIDDEN).then_some(())).await;
    }
    assert_eq!(bot.status(&third).await, OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_repeated_rotates_once_and_one_that_asks_too_much_not_at_all() {
    let bot = bot().await;
    let path = format!("/projects/{}/rotate-hook-key", bot.scene.project_id);
    for bad in [json!({"overlap_seconds": 604_801}), json!({"overlap_seconds": -1}), json!({"overlap": 1})] {
        bot.scene.api.post(&path, &bad).await.expect(422);
    }
    assert!(made(&bot.scene.api).await.contains("&key=1&"));
    let keyed = bot.scene.api.clone().with_header("idempotency-key", "once");
    let first = keyed.post(&path, &json!({})).await;
    let again = keyed.post(&path, &json!({})).await;
    assert_eq!((first.json(), again.header("idempotent-replay")), (again.json(), Some("true")));
    assert!(made(&bot.scene.api).await.contains("&key=2&"));
    let weak = bot.scene.api.post("/api-keys", &json!({"name": "weak", "scopes": ["events:write"]})).await.expect(201);
    let weak = bot.scene.api.clone().with_key(&text(&weak, "key"));
    weak.post(&path, &json!({})).await.expect_problem(403, "insufficient_scope");
}
