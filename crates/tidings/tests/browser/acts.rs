//! What scripts add to acts on a webhook: switches that flip at once, and tests whose answer opens in
//! place. Without scripts, both lead to a page.

use serde_json::json;
use tidings_browser::Page;
use tidings_testkit::{Behaviour, Hostile};

use crate::{
    seed::{FEW, Seed, text},
    visitor,
};

/// Lost when another page is loaded.
const KEEP: &str = "window.kept = true";
const IS_KEPT: &str = "return window.kept === true";
/// Requests wait until they are let go.
const HOLD: &str = "const real = window.fetch; \
                    window.fetch = (...all) => new Promise((go) => { window.letGo = () => go(real(...all)); })";
const LET_GO: &str = "window.letGo()";

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    (seed, page)
}

async fn status(seed: &Seed, of: &str) -> String {
    text(&seed.api.get(&format!("/webhooks/{}", seed.id(of))).await.expect(200), "status")
}

async fn toggle(page: &Page, name: &str) -> (Option<String>, Option<String>) {
    let found = page.find("switch", name).await;
    (found.attribute("aria-checked").await, found.attribute("aria-busy").await)
}

fn is(on: &str, busy: Option<&str>) -> (Option<String>, Option<String>) {
    (Some(on.to_owned()), busy.map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_switch_flips_before_the_server_answers() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks")).await;
    page.run(KEEP).await;
    page.run(HOLD).await;
    page.click("switch", "Billing update hook: enabled").await;
    let flipped =
        async || (toggle(&page, "Billing update hook: enabled").await == is("false", Some("true"))).then_some(());
    page.until("the switch to flip", flipped).await;
    assert_eq!(status(&seed, "healthy").await, "active", "the server was not asked yet");
    page.run(LET_GO).await;
    page.sees("The webhook is disabled.").await;
    assert_eq!(toggle(&page, "Billing update hook: disabled").await, is("false", None));
    assert_eq!(status(&seed, "healthy").await, "disabled");
    assert!(page.find("switch", "Billing update hook: disabled").await.is_focused().await, "the focus is lost");
    let counts = page.text_of(".filters .segments").await.expect("segments");
    assert!(counts.split_whitespace().collect::<Vec<_>>().join(" ").ends_with("Disabled 5"), "{counts}");
    assert_eq!(page.run(IS_KEPT).await, json!(true), "another page was loaded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_switch_goes_back_with_the_reason() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks")).await;
    let path = format!("/webhooks/{}", seed.id("healthy"));
    seed.api.delete(&path).await.expect(204);
    page.run(HOLD).await;
    page.click("switch", "Billing update hook: enabled").await;
    let flipped =
        async || (toggle(&page, "Billing update hook: enabled").await.0.as_deref() == Some("false")).then_some(());
    page.until("the switch to flip", flipped).await;
    page.run(LET_GO).await;
    page.sees("Nothing was changed.").await;
    page.sees("it was deleted, or it is not yours to look at").await;
    assert_eq!(toggle(&page, "Billing update hook: enabled").await, is("true", None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_webhook_is_paused_without_another_page() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    page.run(KEEP).await;
    page.push("Pause").await;
    page.sees("It is paused.").await;
    page.sees("The webhook is paused. Its deliveries are held").await;
    assert_eq!(status(&seed, "healthy").await, "paused");
    assert!(page.find("button", "Resume").await.is_focused().await, "the focus is lost");
    page.push("Resume").await;
    page.sees_no("It is paused.").await;
    assert_eq!(status(&seed, "healthy").await, "active");
    assert_eq!(page.run(IS_KEPT).await, json!(true), "another page was loaded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_test_opens_its_answer_in_place() {
    let (seed, page) = start().await;
    let answer = |status, body| Behaviour::Reply { status, headers: &[], body };
    seed.receiver.route("/ok", answer(200, "thank you"));
    page.go(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    page.run(KEEP).await;
    page.push_first("Send test").await;
    page.sees("The receiver took the test.").await;
    page.sees("thank you").await;
    page.arrives_at(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    let history = async || page.text_of("#history").await?.contains("test.webhook").then_some(());
    page.until("the test in the history", history).await;
    // What does not arrive is told as an answer, not as a failure of ours.
    seed.receiver.route("/ok", answer(418, "short and stout"));
    page.push_first("Send test").await;
    page.sees("The receiver did not take the test.").await;
    page.sees("short and stout").await;
    page.sees_no("thank you").await;
    // In the table it opens below its row, in brief.
    page.go(&seed.path("/p/{project}/webhooks")).await;
    page.run(KEEP).await;
    page.push("Send a test to Billing update hook").await;
    page.sees("The receiver did not take the test.").await;
    assert_eq!(page.run(IS_KEPT).await, json!(true), "another page was loaded");
    page.follow("Open the delivery").await;
    page.sees("short and stout").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn without_scripts_they_lead_to_a_page() {
    let (seed, page) = start().await;
    page.scripts(false).await;
    page.go(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    page.push("Pause").await;
    page.sees("It is paused.").await;
    assert_eq!(status(&seed, "healthy").await, "paused");
    page.push_first("Send test").await;
    page.sees("Time by phase").await;
    page.back().await;
    // What is refused is told on a page that leads back to where it was asked for.
    seed.api.delete(&seed.path("/webhooks/{healthy}")).await.expect(204);
    page.push("Resume").await;
    page.sees("it was deleted, or it is not yours to look at").await;
    page.follow("Go back").await;
    page.arrives_at(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    page.go(&seed.path("/p/{project}/webhooks/{flaky}")).await;
    page.push_first("Send test").await;
    page.sees("Time by phase").await;
    assert!(page.path().await.contains("/deliveries/dlv_"), "{}", page.path().await);
    page.scripts(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn bytes_that_are_no_text_are_numbers_and_a_file() {
    let (seed, page) = start().await;
    seed.receiver.route("/ok", Behaviour::Hostile(Hostile::NonUtf8Body));
    let tested = seed.api.post(&seed.path("/webhooks/{healthy}/test"), &json!({})).await.expect(200);
    let id = text(&tested, "delivery_id");
    page.go(&seed.path(&format!("/p/{{project}}/deliveries/{id}"))).await;
    page.sees("6 bytes, no text").await;
    page.sees("ff fe 00 80 c3 28").await;
    assert!(!page.text().await.contains('\u{fffd}'), "a replacement character is shown");
    let visitor = visitor::raw(&seed).await;
    let file = visitor.get(&seed.path(&format!("/p/{{project}}/deliveries/{id}/attempts/1/response"))).await;
    assert_eq!((file.status.as_u16(), file.body.as_ref()), (200, &b"\xff\xfe\x00\x80\xc3("[..]));
    assert_eq!(
        file.header("content-disposition"),
        Some(format!("attachment; filename=\"{id}.1.response.bin\"").as_str())
    );
    // What was published as bytes, likewise.
    let event =
        json!({"type": "order.returned", "content_type": "application/octet-stream", "body_base64": "iVBORw0KGgo="});
    let published = seed.api.post("/events", &event).await.expect(202);
    let event = text(&published, "id");
    page.go(&seed.path(&format!("/p/{{project}}/events/{event}"))).await;
    page.sees("8 bytes, no text").await;
    page.sees("89 50 4e 47 0d 0a 1a 0a").await;
    let file = visitor.get(&seed.path(&format!("/p/{{project}}/events/{event}/payload"))).await;
    assert_eq!((file.status.as_u16(), file.body.as_ref()), (200, &b"\x89PNG\r\n\x1a\n"[..]));
}
