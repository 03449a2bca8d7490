//! Every act on a webhook that the panel has: create, change, switch off and on, pause and resume,
//! test, look at its history and at one delivery, rotate its secret, delete.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_browser::Page;
use tidings_testkit::{Behaviour, until};

use crate::{
    seed::{FEW, Seed},
    visitor,
};

const BOUND: Duration = Duration::from_secs(20);

async fn start() -> (Seed, Page) {
    let seed = Seed::plant(FEW).await;
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    visitor::enter(&page, &seed).await;
    (seed, page)
}

async fn webhook(seed: &Seed, id: &str) -> Value {
    seed.api.get(&format!("/webhooks/{id}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_webhook_is_created_changed_tested_and_deleted() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks")).await;
    page.follow("Create webhook").await;
    page.arrives_at(&seed.path("/p/{project}/webhooks/new")).await;
    page.fill("Name optional", "Shipping desk").await;
    page.fill("URL", "10.0.0.8").await;
    page.push("Create webhook").await;
    // What was refused stands beside its field, and nothing typed is lost.
    let url = page.field("URL").await;
    assert_eq!(url.attribute("aria-invalid").await.as_deref(), Some("true"));
    assert_eq!(page.field("Name optional").await.value().await, "Shipping desk");
    assert!(page.path().await.ends_with("/webhooks/new"));
    url.fill(&seed.receiver.url("/desk")).await;
    seed.receiver.route("/desk", Behaviour::Reply { status: 202, headers: &[], body: "noted" });
    page.click("radio", "Chosen types*").await;
    page.click("checkbox", "order.paid*").await;
    page.push("Create webhook").await;
    page.sees("“Shipping desk” is created").await;
    let secret = page.text_of("#the-secret").await.expect("the secret is shown");
    assert!(secret.len() >= 32, "{} characters", secret.len());
    // Without the tick there is no going on.
    page.click("checkbox", "I have stored it*").await;
    page.push("Go on").await;
    page.sees("No delivery yet").await;
    let id = page.path().await.rsplit('/').next().expect("an id").trim_end_matches('?').to_owned();
    let stored = webhook(&seed, &id).await;
    assert_eq!((&stored["name"], &stored["events"]), (&json!("Shipping desk"), &json!(["order.paid"])));
    assert!(!page.source().await.contains(&secret), "the secret is shown twice");

    page.go(&seed.path(&format!("/p/{{project}}/webhooks/{id}/edit"))).await;
    page.fill("Description optional", "Prints labels").await;
    page.push("Save webhook").await;
    page.sees("The webhook is saved.").await;
    page.sees("Prints labels").await;
    assert_eq!(webhook(&seed, &id).await["description"], "Prints labels");

    // A test shows what was sent and what came back.
    page.push_first("Send test").await;
    page.sees("noted").await;
    let sent = seed.receiver.wait_for("/desk", 1, BOUND).await;
    assert_eq!(sent.len(), 1);
    page.sees("test.webhook").await;

    page.go(&seed.path(&format!("/p/{{project}}/webhooks/{id}"))).await;
    page.open("More for Shipping desk").await;
    page.follow("Delete…").await;
    page.sees("Delete “Shipping desk”?").await;
    page.sees("permanent").await;
    page.push("Delete webhook").await;
    page.sees("The webhook is deleted, for good.").await;
    assert_eq!(seed.api.get(&format!("/webhooks/{id}")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn the_table_says_how_each_webhook_is_and_switches_it() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks")).await;
    let headings = page.names("columnheader").await;
    for heading in ["Name", "URL", "Events", "Last event", "Status"] {
        assert!(headings.iter().any(|there| there == heading), "no {heading} in {headings:?}");
    }
    let id = seed.id("healthy");
    page.click("switch", "Billing update hook: enabled").await;
    page.find("switch", "Billing update hook: disabled").await;
    until("it to be disabled", BOUND, async || (webhook(&seed, id).await["status"] == "disabled").then_some(())).await;
    let before = seed.receiver.count_at("/ok");
    let event = json!({"type": "order.paid", "data": {"order": "o-1", "amount": 1}});
    seed.api.post("/events", &event).await.expect(202);
    page.reload().await;
    page.click("switch", "Billing update hook: disabled").await;
    page.find("switch", "Billing update hook: enabled").await;
    until("it to be enabled", BOUND, async || (webhook(&seed, id).await["status"] == "active").then_some(())).await;
    seed.api.post("/events", &event).await.expect(202);
    until("what came after it", BOUND, async || (seed.receiver.count_at("/ok") > before).then_some(())).await;

    page.follow("Paused*").await;
    page.sees("Team chat notices").await;
    page.sees_no("Data warehouse").await;
    page.follow("All*").await;
    page.fill("Filter webhooks", "warehouse").await;
    page.press("Enter").await;
    page.sees_no("Billing update hook").await;
    page.sees("Data warehouse").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_webhook_is_paused_and_resumed_and_nothing_is_lost() {
    let (seed, page) = start().await;
    let id = seed.id("paused").to_owned();
    page.go(&seed.path("/p/{project}/webhooks/{paused}")).await;
    page.sees("It is paused.").await;
    let held = seed.api.get(&format!("/webhooks/{id}/deliveries?status=pending")).await.expect(200);
    let held = held["total"].as_u64().expect("a total");
    assert!(held > 0, "nothing is held");
    let before = seed.receiver.count_at("/ok");
    page.push("Resume").await;
    page.sees("The webhook is resumed.").await;
    let all = before + usize::try_from(held).expect("few");
    until("what was held to arrive", BOUND, async || (seed.receiver.count_at("/ok") >= all).then_some(())).await;
    page.push("Pause").await;
    page.sees("It is paused.").await;
    assert_eq!(webhook(&seed, &id).await["status"], "paused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_secret_is_rotated_and_both_sign_for_a_while() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks/{healthy}")).await;
    page.follow("Rotate…").await;
    page.sees("Rotate the secret of “Billing update hook”?").await;
    page.choose("The former one goes on signing for", "1 hour").await;
    page.push("Rotate secret").await;
    page.sees("has a new secret").await;
    let secret = page.text_of("#the-secret").await.expect("the secret is shown");
    let stored = webhook(&seed, seed.id("healthy")).await;
    assert!(stored["previous_valid_until"].is_string(), "{stored}");
    // Going back does not show it again.
    page.click("checkbox", "I have stored it*").await;
    page.push("Go on").await;
    page.sees("The former one signs, too").await;
    page.back().await;
    assert!(!page.source().await.contains(&secret), "the secret is kept by the browser");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn the_history_leads_to_what_was_sent_and_answered() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks")).await;
    page.follow("History of Signup form").await;
    page.arrives_at(&seed.path("/p/{project}/webhooks/{dropping}")).await;
    let headings = page.names("columnheader").await;
    for heading in ["Event", "Attempted", "Response", "Status", "Attempt"] {
        assert!(headings.iter().any(|there| there == heading), "no {heading} in {headings:?}");
    }
    page.go(&seed.path("/p/{project}/deliveries/{dropped_delivery}")).await;
    // Payload, headers of the request, answer with its headers.
    page.sees("product-updates").await;
    page.sees("x-subscribeflow-signature").await;
    page.sees("400").await;
    page.sees("unknown field").await;
    page.sees("Time by phase").await;
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_stale_form_overwrites_nothing() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/webhooks/{flaky}/edit")).await;
    page.fill("Description optional", "mine").await;
    let path = format!("/webhooks/{}", seed.id("flaky"));
    seed.api.patch(&path, &json!({"description": "theirs", "name": "CRM of the others"})).await.expect(200);
    page.push("Save webhook").await;
    page.sees("As it is stored now").await;
    page.sees("CRM of the others").await;
    assert_eq!(webhook(&seed, seed.id("flaky")).await["description"], "theirs");
    assert_eq!(page.field("Description optional").await.value().await, "mine");
    // Saving once more says: mine.
    page.push("Save webhook").await;
    page.sees("The webhook is saved.").await;
    assert_eq!(webhook(&seed, seed.id("flaky")).await["description"], "mine");
}
