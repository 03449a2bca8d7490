//! Somebody who has never seen it: from an empty directory to a test delivery that their receiver
//! has verified, by what the pages say alone. Clicks, fields and time are counted; `docs/dashboard.md`
//! tells the figures.

use std::time::Duration;

use tidings_browser::Page;
use tidings_testkit::{Behaviour, Receiver, Server, Signature, Verifier};
use tokio::time::Instant;

use crate::visitor::{EMAIL, PASSWORD, start_link};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(20);
/// More than this, and it is no longer simple.
const CLICKS_MAX: usize = 8;

/// A hand on the mouse that counts.
struct Hand<'a> {
    page: &'a Page,
    clicks: usize,
    fields: usize,
}

impl Hand<'_> {
    async fn click(&mut self, role: &str, name: &str) {
        self.page.click(role, name).await;
        self.clicks += 1;
    }

    async fn fill(&mut self, label: &str, text: &str) {
        self.page.fill(label, text).await;
        self.fields += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn from_an_empty_directory_to_a_verified_delivery() {
    let begun = Instant::now();
    let server = Server::start_with(BINARY, &["--allow-http", "--allow-target", "127.0.0.0/8"]).await;
    let receiver = Receiver::start().await;
    receiver.route("/mine", Behaviour::Status(204));
    let page = Page::start(&format!("http://{}", server.address())).await;
    let ready = begun.elapsed();
    let mut hand = Hand { page: &page, clicks: 0, fields: 0 };

    page.go(&start_link(&server)).await;
    hand.clicks += 1;
    page.sees("Make this instance yours").await;
    hand.fill("Email", EMAIL).await;
    hand.fill("Password", PASSWORD).await;
    hand.click("button", "Create and open the dashboard").await;
    page.find("heading", "Overview").await;
    hand.click("link", "Give it an address").await;
    hand.fill("URL", &receiver.url("/mine")).await;
    hand.click("button", "Create webhook").await;
    // The form itself says "as soon as it is created": only the secret tells that the next page is there.
    let secret = page.until("the secret", async || page.text_of("#the-secret").await).await;
    receiver.verify("/mine", Verifier { signature: Signature::Standard, secret: Some(secret) });
    hand.click("checkbox", "I have stored it*").await;
    hand.click("button", "Go on").await;
    page.sees("No delivery yet").await;
    page.push_first("Send test").await;
    hand.clicks += 1;
    page.sees("Delivered").await;
    page.sees("204").await;
    receiver.wait_for("/mine", 1, BOUND).await;
    let arrivals = receiver.arrivals_at("/mine");
    assert_eq!(arrivals[0].signature, Ok(()), "the receiver takes the signature");
    let (clicks, fields) = (hand.clicks, hand.fields);
    println!(
        "newcomer: {clicks} clicks and {fields} fields, {:.1} s from the start of the server, {:.1} s of them until \
         the first page",
        begun.elapsed().as_secs_f64(),
        ready.as_secs_f64()
    );
    assert!(clicks <= CLICKS_MAX, "{clicks} clicks");
    assert_eq!(fields, 3);
}
