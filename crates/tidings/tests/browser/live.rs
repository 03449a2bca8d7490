//! Pages follow what happens: a row changes where it stands, without the page being loaded again.

use std::time::Duration;

use serde_json::json;
use tidings_browser::Page;
use tidings_testkit::{Behaviour, until};

use crate::{
    seed::{FEW, Seed, text},
    visitor,
};

const BOUND: Duration = Duration::from_secs(30);
/// The state of a delivery's row.
const STATE: &str = "const row = document.getElementById(arguments[0]); return row ? row.dataset.state : null";

async fn state(page: &Page, delivery: &str) -> String {
    page.run_with(STATE, &[delivery.into()]).await.as_str().unwrap_or_default().to_owned()
}

/// From a held delivery to a delivered one, on a page that is never left.
async fn follows(seed: &Seed, page: &Page, list: &str) {
    let delivery = seed.id("held_delivery");
    page.go(list).await;
    page.until("the page to follow", async || page.text().await.contains("Live").then_some(())).await;
    page.run("window.stayed = true").await;
    assert_eq!(state(page, delivery).await, "pending", "{list}");
    seed.api.post(&seed.path("/webhooks/{paused}/resume"), &json!({})).await.expect(200);
    page.until("the row to say that it is delivered", async || {
        (state(page, delivery).await == "delivered").then_some(())
    })
    .await;
    let row = page.text_of(&format!("[id=\"{delivery}\"]")).await.expect("the row");
    assert!(row.contains("Delivered") && row.contains("200"), "{row}");
    assert_eq!(page.run("return window.stayed").await, true, "the page was loaded again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_row_goes_from_held_to_delivered_without_loading_the_page_again() {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    follows(&seed, &page, &seed.path("/p/{project}/deliveries?webhook={paused}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_portals_rows_follow_too() {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    follows(&seed, &page, &seed.path("/portal/{portal_reads}/webhooks/{paused}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn what_is_new_waits_behind_a_line_while_somebody_reads() {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    page.go(&seed.path("/p/{project}/deliveries")).await;
    page.until("the page to follow", async || page.text().await.contains("Live").then_some(())).await;
    // The focus is in the list: nothing moves under it.
    page.run("document.querySelector('tbody a.row').focus()").await;
    let first = "return document.querySelector('tbody tr').id";
    let before = page.run(first).await;
    // What stands on a page further back and is sent again is not new.
    let dropped =
        seed.api.get(&seed.path("/webhooks/{dropping}/deliveries?status=dropped&limit=100")).await.expect(200);
    let oldest = text(dropped["data"].as_array().and_then(|all| all.last()).expect("some were dropped"), "id");
    assert_eq!(state(&page, &oldest).await, "", "it stands on the first page");
    seed.receiver.route("/strict", Behaviour::Ok);
    seed.api.post(&format!("/deliveries/{oldest}/retry"), &json!({})).await.expect(202);
    let path = format!("/deliveries/{oldest}");
    let arrived = async || (seed.api.get(&path).await.expect(200)["status"] == "delivered").then_some(());
    until("it to arrive", BOUND, arrived).await;
    let event = json!({"type": "order.paid", "scope": "autumn", "data": {"order": "o-9", "amount": 9}});
    let event = seed.api.post("/events", &event).await.expect(202);
    page.sees("· show").await;
    assert_eq!(page.run(first).await, before, "a row pushed what was read");
    let show = "[...document.querySelectorAll('button')].find(b => b.innerText.includes('· show')).click()";
    page.run(show).await;
    page.until("the new row", async || (page.run(first).await != before).then_some(())).await;
    let newest = page.run(first).await;
    let delivery = seed.api.get(&format!("/deliveries/{}", newest.as_str().expect("an id"))).await.expect(200);
    assert_eq!(delivery["event_id"], text(&event, "id"));
    assert_eq!(state(&page, &oldest).await, "", "an old delivery stands among the new ones");
}
