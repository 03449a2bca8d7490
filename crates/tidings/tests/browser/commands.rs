//! Commands are written, run, mended where they throw, and called by a URL; event types are made,
//! given a schema, and taken from a preset.

use serde_json::json;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn a_command_is_written_run_mended_and_called() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/commands")).await;
    page.follow("Create command").await;
    page.fill("Name", "/count").await;
    let code = page.select("textarea[name=code]").await.expect("a place for code");
    code.fill("Bot.inspect('begun');\nif (!content) throw new Error('nothing to count');\nBot.sendMessage(String(content.length))")
        .await;
    page.push("Save*").await;
    page.until("the command to be there", async || {
        (seed.api.get("/commands/%2Fcount").await.status == 200).then_some(())
    })
    .await;
    // It throws: the line is named, and what callers see.
    page.go(&seed.path("/p/{project}/commands/%2Fcount")).await;
    page.push_first("Run*").await;
    page.sees("nothing to count").await;
    page.sees("503").await;
    page.sees("line 2").await;
    page.select("textarea[name=content]").await.expect("a place for content").fill("four").await;
    page.push_first("Run*").await;
    page.sees("200").await;
    page.sees("begun").await;
    let runs = seed.api.get("/runs?command=%2Fcount").await.expect(200);
    assert_eq!(runs["data"][0]["status"], "succeeded", "{runs}");

    page.follow("Make a hook URL…").await;
    page.push("Make*").await;
    page.sees("/hook/").await;

    page.go(&seed.path("/p/{project}/runs/{run}")).await;
    page.push("Run again*").await;
    page.until("a second run", async || {
        let runs = seed.api.get("/runs?command=%2Fwelcome").await.expect(200);
        let again = runs["data"].as_array().expect("runs").iter().filter(|run| run["delivery_id"].is_null()).count();
        (again >= 2).then_some(())
    })
    .await;

    page.go(&seed.path("/p/{project}/commands/%2Fcount")).await;
    page.follow("Delete…").await;
    page.push("Delete command").await;
    page.until("the command to be gone", async || {
        (seed.api.get("/commands/%2Fcount").await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn an_event_type_is_made_changed_and_deleted() {
    let (seed, page) = start().await;
    page.go(&seed.path("/p/{project}/event-types")).await;
    page.sees("Orders").await;
    page.follow("Create event type").await;
    page.fill("Name", "order.shipped").await;
    page.fill("Group optional", "Orders").await;
    page.fill("Example optional", "{\"order\": 7}").await;
    page.fill("JSON Schema optional", "{\"type\": \"object\", \"properties\": {\"order\": {\"type\": \"text\"}}}")
        .await;
    page.push("Create event type").await;
    // The schema cannot be used: the reason stands beside it, and what was typed is there.
    let schema = page.field("JSON Schema optional").await;
    assert_eq!(schema.attribute("aria-invalid").await.as_deref(), Some("true"));
    assert_eq!(page.field("Name").await.value().await, "order.shipped");
    schema.fill("{\"type\": \"object\", \"properties\": {\"order\": {\"type\": \"integer\"}}}").await;
    page.push("Create event type").await;
    page.sees("order.shipped").await;
    let made = seed.api.get("/event-types/order.shipped").await.expect(200);
    assert_eq!(made["example"], json!({"order": 7}));
    page.go(&seed.path("/p/{project}/event-types/order.shipped")).await;
    page.follow("Delete…").await;
    page.push("Delete event type").await;
    page.until("the type to be gone", async || {
        (seed.api.get("/event-types/order.shipped").await.status == 404).then_some(())
    })
    .await;
}
