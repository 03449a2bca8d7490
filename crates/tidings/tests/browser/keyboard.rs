//! Everything that the dialog *Keyboard* names does what it says there, in the dashboard and in a portal.

use tidings_browser::Page;

use crate::{
    seed::{FEW, Seed},
    visitor,
};

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    (seed, page)
}

/// Opens a page and waits until its keys are heard.
async fn open(page: &Page, path: &str) {
    page.go(path).await;
    hears(page).await;
}

async fn hears(page: &Page) {
    let script = "return document.documentElement.dataset.keys !== undefined";
    let heard = async || (page.run(script).await == true).then_some(());
    page.until("keys to be heard", heard).await;
}

/// Presses `g`, then a letter.
async fn go_to(page: &Page, letter: &str) {
    hears(page).await;
    page.press("g").await;
    page.press(letter).await;
}

async fn focused(page: &Page, what: &str) -> String {
    let script = format!("return String(document.activeElement.{what} ?? '')");
    page.run(&script).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn letters_lead_to_places_walk_rows_and_open_them() {
    let (seed, page) = start().await;
    let base = seed.path("/p/{project}");
    for (letter, place) in [
        ("w", "/webhooks"),
        ("e", "/events"),
        ("d", "/deliveries"),
        ("s", "/sources"),
        ("c", "/commands"),
        ("t", "/event-types"),
        ("o", ""),
    ] {
        go_to(&page, letter).await;
        page.arrives_at(&format!("{base}{place}")).await;
    }
    open(&page, &format!("{base}/webhooks")).await;
    let rows = "return [...document.querySelectorAll('tbody a.row')].map(a => a.href)";
    let rows = page.run(rows).await;
    for (key, place) in [("j", 0), ("j", 1), ("j", 2), ("k", 1)] {
        page.press(key).await;
        assert_eq!(focused(&page, "href").await, rows[place].as_str().unwrap_or_default(), "{key} to row {place}");
    }
    page.press("Enter").await;
    let opened = rows[1].as_str().expect("an address");
    page.until("the row to open", async || (page.url().await == opened).then_some(())).await;
    open(&page, &format!("{base}/webhooks")).await;
    page.press("/").await;
    page.until("the filter", async || (focused(&page, "name").await == "q").then_some(())).await;
    // Within a field letters are letters.
    for letter in ["g", "d", "c", "?"] {
        page.press(letter).await;
    }
    assert_eq!(focused(&page, "value").await, "gdc?");
    assert!(page.path().await.starts_with(&format!("{base}/webhooks")), "{}", page.path().await);
    page.run("document.activeElement.value = ''; document.activeElement.blur()").await;
    page.press("c").await;
    page.arrives_at(&format!("{base}/webhooks/new")).await;
    page.fill("Name optional", "By the keyboard").await;
    page.fill("URL", &seed.receiver.url("/ok")).await;
    page.press("Control+Enter").await;
    page.sees("“By the keyboard” is created").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn attempts_retries_jumps_and_help_are_a_key_away() {
    let (seed, page) = start().await;
    open(&page, &seed.path("/p/{project}/deliveries/{failing_delivery}")).await;
    page.press("r").await;
    assert_eq!(focused(&page, "textContent").await, "Retry now", "it waits for Enter");
    let exhausted = seed.path("/webhooks/{exhausted}/deliveries?limit=1");
    let exhausted = seed.api.get(&exhausted).await.expect(200);
    let delivery = exhausted["data"][0]["id"].as_str().expect("a delivery");
    open(&page, &seed.path(&format!("/p/{{project}}/deliveries/{delivery}"))).await;
    page.sees("Attempt 2").await;
    page.press("[").await;
    page.until("the attempt before", async || page.path().await.contains("attempt=1").then_some(())).await;
    page.press("]").await;
    page.until("the attempt after", async || page.path().await.contains("attempt=2").then_some(())).await;
    // Of a disabled webhook it asks in a dialog.
    page.press("r").await;
    page.sees("although it is disabled?").await;
    page.press("Escape").await;

    page.press("Control+k").await;
    page.find("searchbox", "Jump to").await.type_text("billing").await;
    page.find("link", "Billing update hook*").await;
    page.press("Enter").await;
    page.arrives_at(&seed.path("/p/{project}/webhooks/{healthy}")).await;

    page.press("?").await;
    page.sees("Single letters work").await;
    page.click("checkbox", "Single letters work").await;
    page.press("Escape").await;
    let shut = async || (page.run("return document.querySelector('dialog') === null").await == true).then_some(());
    page.until("the dialog to close", shut).await;
    let here = page.path().await;
    go_to(&page, "d").await;
    page.press("?").await;
    assert_eq!(page.run("return document.querySelector('dialog') === null").await, true, "letters are switched off");
    assert_eq!(page.path().await, here);
    page.press("Control+k").await;
    page.find("searchbox", "Jump to").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn in_a_portal_letters_lead_to_its_own_places_alone() {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    let base = seed.path("/portal/{portal_reads}");
    open(&page, &format!("{base}/webhooks")).await;
    for letter in ["o", "s", "e"] {
        go_to(&page, letter).await;
    }
    page.press("Control+k").await;
    page.press("?").await;
    page.sees("webhooks, deliveries, event types").await;
    let text = page.text().await;
    assert!(!text.contains("Ctrl K") && !text.contains("commands"), "{text}");
    page.press("Escape").await;
    page.until("the dialog to close", async || {
        (page.run("return document.querySelector('dialog') === null").await == true).then_some(())
    })
    .await;
    go_to(&page, "d").await;
    page.arrives_at(&format!("{base}/deliveries")).await;
    go_to(&page, "t").await;
    page.arrives_at(&format!("{base}/event-types")).await;
}
