//! Events are published, explained, sent again and expunged; what failed is recovered as a job, with
//! progress; sources are made, and their receipts done again.

use std::time::Duration;

use serde_json::json;
use tidings_browser::Page;
use tidings_testkit::{Behaviour, until};

use crate::{
    seed::{FEW, Seed},
    visitor,
};

const BOUND: Duration = Duration::from_secs(30);

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    (seed, page)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn an_event_is_published_explained_replayed_and_expunged() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/events/new?type=order.paid")).await;
    page.fill("Data", "{\"order\": \"o-by-hand\"}").await;
    page.push("Publish event").await;
    // It breaks its schema: nothing is published, and the reason is said.
    page.sees("amount").await;
    page.sees("Type order.paid").await;
    page.fill("Data", "{\"order\": \"o-by-hand\", \"amount\": 7}").await;
    page.push("Publish event").await;
    page.sees("Who got it, and why").await;
    page.sees("o-by-hand").await;
    page.sees("Billing update hook").await;
    let id =
        page.path().await.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().expect("an id").to_owned();

    let before = seed.receiver.count_at("/ok");
    page.go(&seed.path(&format!("/p/{{project}}/events/{id}/replay"))).await;
    page.push("Replay event").await;
    until("it to arrive again", BOUND, async || (seed.receiver.count_at("/ok") > before).then_some(())).await;

    page.go(&seed.path("/p/{project}/events/{unwanted}")).await;
    page.sees("Billing update hook").await;

    until("its deliveries to be at rest", BOUND, async || {
        page.go(&seed.path(&format!("/p/{{project}}/events/{id}/expunge"))).await;
        page.push("Expunge payload").await;
        let event = seed.api.get(&format!("/events/{id}")).await.expect(200);
        event["expunged_at"].is_string().then_some(())
    })
    .await;
    page.go(&seed.path(&format!("/p/{{project}}/events/{id}"))).await;
    page.sees_no("o-by-hand").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn what_was_dropped_is_recovered_after_counting() {
    let (seed, page) = start().await;
    seed.receiver.route("/strict", Behaviour::Ok);
    page.go(&seed.path("/p/{project}/webhooks/{dropping}/recover")).await;
    page.push("Count").await;
    page.sees("would be sent").await;
    page.push("Send*").await;
    page.until("the job's page", async || page.path().await.contains("/jobs/").then_some(())).await;
    until("everything to arrive", BOUND, async || {
        let left = seed.api.get(&seed.path("/webhooks/{dropping}/deliveries?status=dropped")).await.expect(200);
        (left["total"] == 0).then_some(())
    })
    .await;
    page.sees("Done").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_source_is_made_and_a_receipt_done_again() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/sources/new?kind=github")).await;
    page.fill("Name", "code host").await;
    page.fill("Secret", "It's-a-Secret-to-Everybody").await;
    page.push("Create source").await;
    page.sees("/in/").await;
    let sources = seed.api.get("/sources").await.expect(200);
    assert!(sources["data"].as_array().expect("sources").iter().any(|source| source["name"] == "code host"));

    page.go(&seed.path("/p/{project}/receipts/{receipt}")).await;
    page.sees("order.paid").await;
    page.go(&seed.path("/p/{project}/receipts/{receipt}/replay")).await;
    page.push("Replay*").await;
    until("its actions to be done again", BOUND, async || {
        let receipt = seed.api.get(&seed.path("/receipts/{receipt}")).await.expect(200);
        let actions = receipt["actions"].as_array().expect("actions").len();
        (actions >= 4).then_some(())
    })
    .await;
    assert_eq!(seed.api.get("/records/order/s-0").await.expect(200)["data"]["paid"], json!(true));
}
