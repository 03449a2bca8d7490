//! Deliveries: found by what they are, looked at attempt by attempt, sent again one by one, many at
//! a time, or all that failed, with progress.

use std::time::Duration;

use serde_json::{Value, json};
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

async fn count(seed: &Seed, of: &str, status: &str) -> u64 {
    let path = format!("/webhooks/{}/deliveries?status={status}", seed.id(of));
    seed.api.get(&path).await.expect(200)["total"].as_u64().expect("a total")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn the_list_is_narrowed_and_what_is_seen_stands_in_the_address() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/deliveries")).await;
    page.follow("Dropped*").await;
    page.until("the state in the address", async || page.path().await.contains("status=dropped").then_some(())).await;
    assert_dropped_only(&page).await;
    let address = page.path().await;
    page.go("/projects").await;
    page.go(&address).await;
    assert_dropped_only(&page).await;
}

async fn assert_dropped_only(page: &Page) {
    let rows = page.text_of("tbody").await.expect("there are rows");
    assert!(rows.contains("Signup form") && !rows.contains("Billing update hook"), "{rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_delivery_says_what_happens_next_and_is_sent_again() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/deliveries/{failing_delivery}")).await;
    page.sees("overloaded").await;
    page.sees("503").await;
    page.go(&seed.path("/p/{project}/deliveries/{dropped_delivery}")).await;
    page.sees("the endpoint answered 400").await;
    seed.receiver.route("/strict", Behaviour::Ok);
    page.push("Retry now").await;
    page.sees("The delivery is being sent again.").await;
    let path = seed.path("/deliveries/{dropped_delivery}");
    until("the delivery to arrive", BOUND, async || {
        (seed.api.get(&path).await.expect(200)["status"] == "delivered").then_some(())
    })
    .await;
    page.reload().await;
    page.sees("Delivered at attempt").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn chosen_deliveries_are_sent_again_together() {
    let (seed, page) = start().await;
    let before = count(&seed, "dropping", "dropped").await;
    assert!(before >= 3, "{before} were dropped");
    seed.receiver.route("/strict", Behaviour::Ok);
    page.go(&seed.path("/p/{project}/deliveries?status=dropped&webhook={dropping}")).await;
    for place in 1..=2 {
        let selector = format!("tbody tr:nth-child({place}) input[type=checkbox]");
        page.select(&selector).await.expect("each row can be ticked").click().await;
    }
    page.push("Retry chosen").await;
    page.sees("2").await;
    until("two of them to arrive", BOUND, async || (count(&seed, "dropping", "delivered").await == 2).then_some(()))
        .await;
    assert_eq!(count(&seed, "dropping", "dropped").await, before - 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_disabled_webhooks_delivery_is_sent_only_after_asking() {
    let (seed, page) = start().await;
    let gone = first(&seed, "exhausted").await;
    seed.receiver.route("/broken", Behaviour::Ok);
    page.go(&seed.path(&format!("/p/{{project}}/deliveries/{gone}"))).await;
    page.follow("Retry now…").await;
    page.sees("although it is disabled?").await;
    page.push("Send it").await;
    until("the delivery to arrive", BOUND, async || {
        (seed.api.get(&format!("/deliveries/{gone}")).await.expect(200)["status"] == "delivered").then_some(())
    })
    .await;
    let webhook: Value = seed.api.get(&seed.path("/webhooks/{exhausted}")).await.expect(200);
    assert_eq!(webhook["status"], json!("disabled"));
}

async fn first(seed: &Seed, of: &str) -> String {
    let list = seed.api.get(&format!("/webhooks/{}/deliveries?limit=1", seed.id(of))).await.expect(200);
    list["data"][0]["id"].as_str().expect("a delivery").to_owned()
}
