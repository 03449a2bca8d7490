//! What runs leave behind.

use serde_json::json;
use tidings_testkit::until;

use crate::{BOUND, Bots, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_listed_by_their_begin_and_by_what_became_of_them() {
    let bots = Bots::begin(&[]).await;
    bots.command("/later", "Bot.sendMessage('later')").await;
    bots.command("/first", "Bot.run({command: '/later', run_after: 1})").await;
    bots.command("/bad", "throw new Error('no')").await;
    for command in ["first", "bad"] {
        bots.api.post(&format!("/commands/%2F{command}/run"), &json!({})).await.expect(200);
    }
    let listed = until("the run that was put off", BOUND, async || {
        let listed = bots.api.get("/runs").await.expect(200);
        (listed["total"] == 3).then_some(listed)
    })
    .await;
    let names = |listed: &serde_json::Value| -> Vec<String> {
        listed["data"].as_array().expect("rows").iter().map(|row| text(row, "command")).collect()
    };
    assert_eq!(names(&listed), ["/later", "/bad", "/first"], "it was asked for before the second one began");
    let page = bots.api.get("/runs?limit=1").await.expect(200);
    assert_eq!(names(&page), ["/later"]);
    let next = bots.api.get(&format!("/runs?limit=1&cursor={}", text(&page, "cursor"))).await.expect(200);
    assert_eq!(names(&next), ["/bad"]);
    assert_eq!(names(&bots.api.get("/runs?status=failed").await.expect(200)), ["/bad"]);
    assert_eq!(names(&bots.api.get("/runs?status=succeeded&command=%2Flater").await.expect(200)), ["/later"]);
    let refused = bots.api.get("/runs?status=bogus").await;
    let problem = refused.expect_problem(400, "malformed_request");
    assert!(problem.detail.contains("bogus") && problem.detail.contains("timed_out"), "{}", problem.detail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_too_many_properties_fails_the_run_that_wants_one_more() {
    let bots = Bots::begin(&[]).await;
    bots.command("/fill", "for (let i = 0; i < 250; i++) User.setProperty(content + i, i)").await;
    let fill = async |content: &str| {
        let call = json!({"content": content, "user_id": "42"});
        bots.api.post("/commands/%2Ffill/run", &call).await.expect(200)
    };
    for content in ["a", "b", "c", "d"] {
        assert_eq!(fill(content).await["status"], "succeeded");
    }
    let failed = fill("e").await;
    assert_eq!(failed["status"], "failed");
    let message = text(&failed["error"], "message");
    assert!(message.contains("the user 42 would have more than 1000 properties"), "{message}");
    assert_eq!(fill("a").await["status"], "succeeded", "what is there may change");
}
