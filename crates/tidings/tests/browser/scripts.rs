//! What came from outside is text on every page: stored payloads run nowhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings_browser::Page;
use tidings_testkit::{Api, Behaviour, Inlet, Receiver, organization_key};

use crate::{
    hostile::{calls_home, misdeeds, payloads, watch},
    seed::{Seed, text},
    table, visitor,
};

/// Characters of a name at most.
const NAME_CHARACTERS_MAX: usize = 128;
const TEXT_CHARACTERS_MAX: usize = 1_024;
/// Pages of single things are looked at for one payload in so many; lists hold all of them.
const ONE_IN: usize = 25;
/// A page that forgets that it shows text.
const CARELESS: &str = "<!doctype html><title>careless</title><p>PAYLOAD</p><a href=\"PAYLOAD\">x</a>\
                        <input value=\"PAYLOAD\"><input value='PAYLOAD'><textarea>PAYLOAD</textarea>\
                        <script>/*own*/ const text = \"PAYLOAD\"</script><script>/*own*/ const other = 'PAYLOAD'</script>\
                        <script>/*own*/ const third = `PAYLOAD`</script>";

/// Shows that the watch sees what it has to, and that the payloads are what they are said to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn payloads_run_on_a_page_that_is_careless() {
    let listener = Receiver::start().await;
    let payloads = payloads(&listener);
    let page = Page::start(&listener.url("")).await;
    watch(&page).await;
    let mut ran = 0;
    for (number, payload) in payloads.iter().enumerate() {
        let path = format!("/careless/{number}");
        let body: &'static str = CARELESS.replace("PAYLOAD", payload).leak();
        let headers = &[("content-type", "text/html; charset=utf-8")];
        listener.route(&path, Behaviour::Reply { status: 200, headers, body });
        let heard = calls_home(&listener).len();
        page.go(&path).await;
        let seen = misdeeds(&page).await;
        ran += usize::from(!seen.is_empty() || calls_home(&listener).len() > heard);
    }
    println!("payloads: {ran} of {} do something on a careless page", payloads.len());
    assert!(payloads.len() >= 200, "{} payloads", payloads.len());
    assert!(ran * 4 >= payloads.len() * 3, "only {ran} of {} do anything: the watch is blind", payloads.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: `cargo xtask test` installs it"]
async fn stored_payloads_run_on_no_page() {
    let seed = Seed::plant(8).await;
    let payloads = payloads(&seed.receiver);
    let stored = Stored::all(&seed, &payloads).await;
    let pages = stored.pages(&seed);
    // Two browsers at a time: most of the time goes by in one thread of each.
    let (even, odd) =
        tokio::join!(look_at(&seed, pages.iter().step_by(2)), look_at(&seed, pages.iter().skip(1).step_by(2)));
    let visited = even.0 + odd.0;
    let mut found = [even.1, odd.1].concat();
    found.extend(calls_home(&seed.receiver).into_iter().map(|path| format!("a request to {path}")));
    println!(
        "payloads: {} stored in {} places, {visited} pages, {} misdeeds",
        payloads.len(),
        stored.places,
        found.len()
    );
    assert!(found.is_empty(), "{} misdeeds, such as\n{}", found.len(), found[..found.len().min(20)].join("\n"));
}

/// Looks at pages, and at all that follow them: how many, and what was wrong with them.
async fn look_at(seed: &Seed, paths: impl Iterator<Item = &String>) -> (usize, Vec<String>) {
    let page = Page::start(&format!("http://{}", seed.server.address())).await;
    watch(&page).await;
    visitor::enter(&page, seed).await;
    let (mut visited, mut found) = (0, Vec::new());
    for path in paths {
        page.go(path).await;
        loop {
            visited += 1;
            found.extend(misdeeds(&page).await.into_iter().map(|misdeed| format!("{path}: {misdeed}")));
            let Some(next) = older(&page).await else { break };
            page.go(&next).await;
        }
    }
    (visited, found)
}

/// Where the next page of a list is.
async fn older(page: &Page) -> Option<String> {
    let script = "const older = [...document.querySelectorAll('a[href]')].find(a => a.innerText.trim() === 'Older');
        return older ? older.getAttribute('href') : null";
    page.run(script).await.as_str().map(str::to_owned)
}

/// What was stored, with ids by the names that routes give them.
struct Stored {
    ids: Vec<BTreeMap<&'static str, String>>,
    /// How many texts were stored.
    places: usize,
}

impl Stored {
    async fn all(seed: &Seed, payloads: &[String]) -> Self {
        let mut stored = Self { ids: Vec::new(), places: 0 };
        // The one address that may be a link leads elsewhere.
        let looks = json!({"name": clipped(&payloads[0], 64), "return_url": ""});
        seed.api.put("/portal", &looks).await.expect(200);
        let admin = organization_key(&seed.operator, seed.id("organization"), &json!({"name": "another"})).await;
        for (number, payload) in payloads.iter().enumerate() {
            stored.one(seed, &admin, number, payload).await;
        }
        // One event with all of them, as names and as values, and one receiver that answers with all.
        let all: serde_json::Map<String, Value> =
            payloads.iter().map(|payload| (payload.clone(), json!(payload))).collect();
        seed.api.post("/events", &json!({"type": "order.returned", "data": all})).await.expect(202);
        stored
    }

    /// Stores one payload wherever something foreign can be stored.
    async fn one(&mut self, seed: &Seed, admin: &Api, number: usize, payload: &str) {
        let (name, long) = (clipped(payload, NAME_CHARACTERS_MAX), clipped(payload, TEXT_CHARACTERS_MAX));
        let mut ids = BTreeMap::new();
        let kind = format!("payload.{number}");
        let event_type = json!({"name": kind, "description": long, "group": name, "example": {"text": payload}});
        self.store(admin, "/event-types", event_type).await;
        let path = format!("/hostile/{number}");
        let header: &'static str = payload.replace(|letter: char| !(' '..='~').contains(&letter), " ").leak();
        let headers: &'static [_] = vec![("x-payload", header.trim()), ("content-type", "text/html")].leak();
        seed.receiver.route(&path, Behaviour::Reply { status: 503, headers, body: payload.to_owned().leak() });
        let url = format!("{}?{}", seed.receiver.url(&path), crate::raw::encoded(&[("payload", payload)]));
        let webhook = json!({
            "name": name, "description": long, "url": url, "events": [kind], "scopes": [name, "all"],
            "headers": {"X-Payload": header.trim()}, "retry": {"schedule_s": [0]},
        });
        ids.insert("webhook", self.store(&seed.api, "/webhooks", webhook).await);
        let event = json!({"type": kind, "scope": [name, "all"], "data": {payload: payload}});
        ids.insert("event", self.store(&seed.api, "/events", event).await);
        let source = self.store(&seed.api, "/sources", json!({"name": name, "kind": "none", "dedupe": "/id"})).await;
        let shown = seed.api.get(&format!("/sources/{source}")).await.expect(200);
        let body = json!({"id": payload, "type": payload, "text": payload});
        let inlet = Inlet::of(&seed.api, &shown).with_header("x-payload", header.trim());
        inlet.post(&body).await.expect(200);
        ids.insert("source", source);
        let quoted = json!(payload);
        let code = format!("console.log({quoted}); Bot.sendMessage({quoted}); throw new Error({quoted})");
        let command = self.store_named(&seed.api, "/commands", json!({"name": name, "code": code})).await;
        let run = format!("/commands/{}/run", part(&command));
        let run = seed.api.post(&run, &json!({"content": payload, "options": {payload: payload}})).await.expect(200);
        ids.insert("run", text(&run, "id"));
        ids.insert("command", part(&command));
        self.store(admin, "/api-keys", json!({"name": name, "scopes": ["deliveries:read"]})).await;
        ids.insert("type", kind);
        if number.is_multiple_of(ONE_IN) {
            ids.insert("project", self.store(admin, "/projects", json!({"name": name})).await);
            ids.insert("organization", self.store(&seed.operator, "/organizations", json!({"name": name})).await);
        }
        let delivery = seed.api.get(&format!("/deliveries?webhook_id={}", ids["webhook"])).await.expect(200);
        if let Some(delivery) = delivery["data"].get(0) {
            ids.insert("delivery", text(delivery, "id"));
        }
        let receipts = seed.api.get(&format!("/receipts?source_id={}", ids["source"])).await.expect(200);
        ids.insert("receipt", text(&receipts["data"][0], "id"));
        self.ids.push(ids);
    }

    async fn store(&mut self, api: &Api, path: &str, body: Value) -> String {
        let made = self.store_any(api, path, body).await;
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    async fn store_named(&mut self, api: &Api, path: &str, body: Value) -> String {
        text(&self.store_any(api, path, body).await, "name")
    }

    /// Stores what may be stored: a field that the API refuses is given as something harmless.
    async fn store_any(&mut self, api: &Api, path: &str, mut body: Value) -> Value {
        for _ in 0..4 {
            let answer = api.post(path, &body).await;
            if answer.status.is_success() {
                self.places += body.as_object().map_or(0, serde_json::Map::len);
                return answer.json();
            }
            assert_eq!(answer.status, 422, "{path} {body}: {answer}");
            for error in answer.json()["errors"].as_array().expect("the fields that are wrong") {
                let field = error["field"].as_str().unwrap_or_default();
                let first = field.split(['.', '/', '[']).next().unwrap_or_default();
                body[first] = match first {
                    "name" | "description" | "group" => json!(format!("harmless {}", self.places)),
                    "scope" | "scopes" => json!(["all"]),
                    _ => json!({}),
                };
            }
        }
        panic!("{path} takes nothing of {body}")
    }

    /// Every page that a payload is shown on: all lists, and one in so many of the single things.
    fn pages(&self, seed: &Seed) -> Vec<String> {
        let mut pages = Vec::new();
        for route in table::routes().into_iter().filter(|route| route.is_page && !is_beside(&route.path)) {
            let path = route.path.replace("{project}", seed.id("project"));
            let path = path.replace("/portal/{token}", &format!("/portal/{}", seed.id("portal")));
            if !path.contains('{') {
                pages.push(path);
                continue;
            }
            for ids in self.ids.iter().step_by(ONE_IN) {
                pages.extend(table::fill(&path, |kind| ids.get(kind).cloned()));
            }
        }
        for project in self.ids.iter().filter_map(|ids| ids.get("project")) {
            pages.push(format!("/p/{project}"));
        }
        pages
    }
}

/// What is no page: assets, a logo, and what is live, which goes on for as long as somebody listens.
fn is_beside(path: &str) -> bool {
    path.starts_with("/assets") || path.ends_with("/live") || path.ends_with("/logo")
}

fn clipped(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// A name as one part of a path.
fn part(name: &str) -> String {
    let all = crate::raw::encoded(&[("", name)]);
    all.trim_start_matches('=').to_owned()
}
