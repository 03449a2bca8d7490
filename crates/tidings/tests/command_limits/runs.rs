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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_tells_what_it_did_and_when_but_no_secrets() {
    let bots = Bots::begin(&[]).await;
    let code = "console.log('begin-1'); \
        HTTP.post({url: 'https://user:hidden-1@shop.example.com:8443/bot-hidden-2/send?key=hidden-3', body: 'hidden-4'}); \
        const until = Date.now() + 30; while (Date.now() < until) {} \
        console.warn('middle-2'); \
        Bot.setProperty('n', 'hidden-5'); Tidings.record('order', 7, {state: 'hidden-6'}); \
        Bot.sendMessage('paid'); Bot.run({command: '/bad', run_after: 3600}); Bot.clearRunAfter({label: 'x'}); \
        console.log('end-3')";
    bots.command("/do", code).await;
    bots.command("/bad", "Bot.sendMessage('lost'); console.log('seen'); throw new Error('no')").await;
    let run = bots.api.post("/commands/%2Fdo/run", &json!({"user_id": "42"})).await.expect(200);
    let effects = run["effects"].as_array().expect("a list");
    let told: Vec<_> = effects.iter().map(|one| (text(one, "kind"), text(one, "what"), one["after"].clone())).collect();
    let expected = [
        ("http", "POST https://shop.example.com:8443", 1),
        ("property", "Bot n", 2),
        ("record", "order/7", 2),
        ("message", "paid", 2),
        ("run", "/bad", 2),
        ("call_off", "x", 2),
    ];
    let expected = expected.map(|(kind, what, after)| (kind.to_owned(), what.to_owned(), json!(after)));
    assert_eq!(told, expected, "{run}");
    assert!(!run.to_string().contains("hidden"), "{run}");
    let at = |one: &serde_json::Value| one["at_ms"].as_u64().unwrap_or_else(|| panic!("no time: {one}"));
    let lines = run["console"].as_array().expect("a list");
    assert!(at(&lines[0]) <= at(&effects[0]) && at(&effects[0]) + 25 <= at(&lines[1]), "{run}");
    assert!(at(&effects[5]) <= at(&lines[2]) && at(&lines[2]) <= run["duration_ms"].as_u64().expect("a time") + 50);
    let id = text(&run, "id");
    assert_eq!(bots.api.get(&format!("/runs/{id}")).await.expect(200), run, "the same from the disk");

    // Nothing that a failed one asked for was done.
    let failed = bots.api.post("/commands/%2Fbad/run", &json!({"user_id": "42"})).await.expect(200);
    assert_eq!((&failed["effects"], &failed["console"][0]["text"]), (&json!([]), &json!("seen")), "{failed}");

    let operator = tidings_testkit::Person::operator(&bots.server, "mia@example.com").await;
    let projects = bots.api.get("/projects").await.expect(200);
    let project =
        projects["data"].as_array().expect("a list").iter().find(|one| one["name"] == "default").expect("one");
    let page = operator.get(&format!("/p/{}/runs/{id}", text(project, "id"))).await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let places = ["begin-1", "POST https://shop.example.com:8443", "middle-2", "order/7", "paid", "end-3"];
    let found: Vec<_> =
        places.iter().map(|words| page.find(words).unwrap_or_else(|| panic!("{words}: {page}"))).collect();
    assert!(found.is_sorted(), "in its order: {found:?}");
}
