//! The portal in a browser: what its links show and let do, in frames of the platform's own pages and of nobody else's,
//! and after their end.

use serde_json::{Value, json};
use tidings_browser::Page;
use tidings_testkit::{Behaviour, Receiver};

use crate::{
    raw::encoded,
    seed::{FEW, NAME, Seed, text},
};

/// What changes something, by the end of its address.
const WAYS_TO_EDIT: &str = r"return [
    ...[...document.querySelectorAll('form')].filter(f => f.method === 'post').map(f => f.action),
    ...[...document.querySelectorAll('a[href]')].map(a => a.href)
        .filter(a => /\/(new|edit|rotate|delete|retry|recover|replay|secret|cancel|bulk)(\?|#|$)/.test(a)),
    ...[...document.querySelectorAll('input[type=checkbox],[role=switch]')].map(e => e.outerHTML)]";
/// A page of a platform: the portal in a frame, and the height that it tells.
const AROUND: &str = "<!doctype html><title>A platform</title><h1>Settings</h1><iframe width=900 height=400 src=\"PORTAL\">\
                      </iframe><script>addEventListener('message', e => {
                      if (e.data && e.data.type === 'tidings:height') document.title = 'height ' + e.data.height })</script>";
const HTML: &[(&str, &str)] = &[("content-type", "text/html; charset=utf-8")];
/// Where the platform's page is.
const PLATFORM: &str = "/settings";

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    (seed, page)
}

async fn status(seed: &Seed, webhook: &str) -> Value {
    seed.api.get(&format!("/webhooks/{webhook}")).await.expect(200)["status"].clone()
}

/// The addresses of a portal's pages that show something of the seed.
fn pages(seed: &Seed, portal: &str) -> Vec<String> {
    let below = |path: &&str| seed.path(&format!("/portal/{{{portal}}}{path}"));
    let paths = [
        "/webhooks",
        "/webhooks/{healthy}",
        "/webhooks/{exhausted}",
        "/webhooks/{paused}",
        "/deliveries",
        "/deliveries/{delivery}",
        "/deliveries/{dropped_delivery}",
        "/deliveries/{failing_delivery}",
        "/event-types",
        "/event-types/order.paid",
        "/signing",
        "/jobs",
        "/jobs/{job}",
    ];
    paths.iter().map(below).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_link_that_looks_shows_no_way_to_edit_and_a_forged_form_is_refused() {
    let (seed, page) = start().await;
    for path in pages(&seed, "portal_reads") {
        page.go(&path).await;
        page.sees(NAME).await;
        assert_eq!(page.run(WAYS_TO_EDIT).await, json!([]), "{path} shows a way to edit");
    }
    // The same look finds ways where there are some.
    page.go(&seed.path("/portal/{portal}/webhooks")).await;
    assert_ne!(page.run(WAYS_TO_EDIT).await, json!([]));
    // A form that the page never drew, sent from the page itself.
    for (verb, before) in [("pause", "active"), ("disable", "active"), ("delete", "active"), ("test", "active")] {
        let action = seed.path(&format!("/portal/{{portal_reads}}/webhooks/{{healthy}}/{verb}"));
        page.go(&seed.path("/portal/{portal_reads}/webhooks")).await;
        let send = "const form = document.createElement('form'); form.method = 'post'; form.action = arguments[0];
            document.body.append(form); form.submit()";
        page.run_with(send, &[action.as_str().into()]).await;
        page.sees("This link does not allow it").await;
        assert_eq!(status(&seed, seed.id("healthy")).await, before, "{verb}");
    }
    for form in ["/webhooks/new", "/webhooks/{healthy}/edit", "/webhooks/{healthy}/rotate"] {
        page.go(&seed.path(&format!("/portal/{{portal_reads}}{form}"))).await;
        page.sees("This link does not allow it").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_link_that_manages_creates_tests_pauses_edits_and_deletes() {
    let (seed, page) = start().await;
    page.go(&seed.path("/portal/{portal}/webhooks")).await;
    page.follow("Create webhook").await;
    page.fill("Name optional", "From the portal").await;
    page.fill("URL", &seed.receiver.url("/ok")).await;
    page.push("Create webhook").await;
    page.sees("“From the portal” is created").await;
    page.click("checkbox", "I have stored it*").await;
    page.push("Go on").await;
    page.sees("No delivery yet.").await;
    page.push_first("Send test").await;
    page.sees("The receiver took the test.").await;
    page.sees("Delivered at attempt 1").await;
    page.push("Pause").await;
    page.sees("It is paused.").await;
    page.sees("The webhook is paused.").await;
    page.follow("Edit").await;
    page.fill("Name optional", "Named anew").await;
    page.push("Save webhook").await;
    page.sees("The webhook is saved.").await;
    let path = page.path().await;
    let id = path.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    assert_eq!(status(&seed, &id).await, "paused");
    page.go(&seed.path(&format!("/portal/{{portal}}/webhooks/{id}/delete"))).await;
    page.sees("Delete “Named anew”?").await;
    page.push("Delete webhook").await;
    page.sees("The webhook is deleted, for good.").await;
    seed.api.get(&format!("/webhooks/{id}")).await.expect_problem(404, "not_found");
}

/// Clicks in a frame, where Chromium tells no roles.
async fn click(page: &Page, selector: &str) {
    page.select(selector).await.unwrap_or_else(|| panic!("{selector} is not there")).click().await;
}

/// Serves a page that holds the portal in a frame.
fn serve_around(platform: &Receiver, portal: &str) {
    let body: &'static str = AROUND.replace("PORTAL", portal).leak();
    platform.route(PLATFORM, Behaviour::Reply { status: 200, headers: HTML, body });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn the_portal_stands_in_a_frame_of_the_platform_and_in_nobody_elses() {
    let (seed, page) = start().await;
    let (platform, stranger) = (Receiver::start().await, Receiver::start().await);
    let own = platform.url("").trim_end_matches('/').to_owned();
    let back = platform.url("/home");
    platform.route("/home", Behaviour::Reply { status: 200, headers: HTML, body: "<title>Home</title>Home again" });
    let settings = json!({"frame_origins": [own], "return_url": back});
    seed.api.put("/portal", &settings).await.expect(200);
    let portal = format!("{}{}", page.base(), seed.path("/portal/{portal}/webhooks"));
    serve_around(&platform, &portal);
    serve_around(&stranger, &portal);

    page.go(&stranger.url(PLATFORM)).await;
    page.sees("Settings").await;
    page.until("the browser to refuse the frame", async || {
        let refused = page.console().await.into_iter().any(|line| line.message.contains("frame-ancestors"));
        refused.then_some(())
    })
    .await;
    page.enter_frame().await;
    assert!(!page.source().await.contains("Billing update hook"), "a stranger's page shows the portal");
    page.leave_frame().await;

    page.go(&platform.url(PLATFORM)).await;
    page.until("the portal to tell its height", async || page.title().await.starts_with("height ").then_some(())).await;
    page.enter_frame().await;
    page.sees("Billing update hook").await;
    // Forms work in there: no cookie is needed, and none is allowed to be.
    click(&page, &seed.path("tr[id={paused}] a.row")).await;
    page.sees("It is paused.").await;
    click(&page, "form[action$=resume] button").await;
    page.sees("The webhook is resumed.").await;
    // The way back takes the whole window, and does not tell where it came from.
    click(&page, "[data-return]").await;
    page.leave_frame().await;
    page.sees("Home again").await;
    let asked = platform.requests_at("/home");
    assert!(asked.len() == 1 && !asked[0].headers.contains_key("referer"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_link_that_has_ended_says_whose_it_was_and_any_other_address_nothing() {
    let (seed, page) = start().await;
    let made = seed.api.post("/portal-sessions", &json!({"scopes": ["webhooks:manage"]})).await.expect(201);
    let portal = format!("/portal/{}", text(&made, "token"));
    page.go(&format!("{portal}/webhooks")).await;
    page.sees("Billing update hook").await;
    assert_eq!(seed.api.delete(&format!("/portal-sessions/{}", text(&made, "id"))).await.status, 204);
    let paused = status(&seed, seed.id("paused")).await;
    // The page that is open still shows what it showed; whatever is pushed on it does nothing any more.
    page.click("switch", "Team chat notices: *").await;
    page.sees("Nothing was changed.").await;
    page.sees(&format!("Open it again from {NAME}.")).await;
    assert_eq!(status(&seed, seed.id("paused")).await, paused);
    page.go(&format!("{portal}/deliveries")).await;
    page.sees("This page has closed").await;
    page.sees(&format!("Open it again from {NAME}.")).await;
    page.find("link", &format!("Back to {NAME}")).await;
    let logo = "const logo = document.querySelector('.portal-logo'); return logo.complete && logo.naturalWidth > 0";
    page.until("the logo", async || (page.run(logo).await == true).then_some(())).await;
    let colour = "return getComputedStyle(document.documentElement).getPropertyValue('--accent-solid').trim()";
    assert_eq!(page.run(colour).await, "#0a7f3f");
    assert_eq!(page.run("return document.querySelectorAll('form,input').length").await, 0, "there is no way in");
    for wrong in ["a".repeat(43), encoded(&[("x", "y")])] {
        page.go(&format!("/portal/{wrong}/webhooks")).await;
        page.sees("This page has closed").await;
        assert!(!page.source().await.contains(NAME), "a wrong address tells whose the portal is");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_delivery_takes_what_it_signed_along_to_the_portals_own_sandbox() {
    let (seed, page) = start().await;
    page.go(&seed.path("/portal/{portal_reads}/deliveries/{delivery}")).await;
    page.follow("check it").await;
    page.sees("What is signed").await;
    let body = "return document.querySelector('#s-body').value";
    page.until("the body of the delivery", async || {
        page.run(body)
            .await
            .as_str()
            .is_some_and(|body| body.contains("evt_") && !body.contains("123abc"))
            .then_some(())
    })
    .await;
    page.sees("X-SubscribeFlow-Signature").await;
    assert!(!page.source().await.contains("whsec_s"), "a secret of the project stands on the page");
}
