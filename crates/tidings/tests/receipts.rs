//! What receipts and their source show and do when things have changed: actions, projects, what lies
//! in the store. Tried first, asked later: previews.

use std::time::Duration;

use http::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use tidings_testkit::{Api, Behaviour, Inlet, Project, Receiver, RefusingPort, Server, World, postgres, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "subscriber.updated";
const BOUND: Duration = Duration::from_secs(30);

/// A source that believes everybody, and whoever sends to it.
struct Source {
    project: Api,
    path: String,
    inlet: Inlet,
}

impl Source {
    async fn make(project: &Api, actions: Value) -> Self {
        let request = json!({"name": "open", "kind": "none", "dedupe": "/id", "actions": actions});
        let made = project.post("/sources", &request).await.expect(201);
        let path = format!("/sources/{}", made["id"].as_str().expect("an id"));
        Self { project: project.clone(), path, inlet: Inlet::of(project, &made) }
    }

    async fn change(&self, actions: Value) {
        let request = json!({"name": "open", "kind": "none", "dedupe": "/id", "actions": actions});
        self.project.put(&self.path, &request).await.expect(200);
    }

    /// Sends something new, and returns the path of its receipt.
    async fn send(&self, id: &str) -> String {
        self.inlet.post(&json!({"id": id, "type": "email.bounced"})).await.expect(200);
        let receipts = self.project.get("/receipts?limit=1").await.expect(200);
        assert_eq!(receipts["data"][0]["provider_id"], id);
        format!("/receipts/{}", receipts["data"][0]["id"].as_str().expect("an id"))
    }

    async fn actions_once(&self, receipt: &str, there: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        until("the actions to get there", BOUND, async || {
            let actions = self.project.get(receipt).await.expect(200)["actions"].as_array().expect("a list").clone();
            there(&actions).then_some(actions)
        })
        .await
    }

    async fn ended(&self, receipt: &str, count: usize) -> Vec<Value> {
        let ended = |action: &Value| !action["finished_at"].is_null();
        self.actions_once(receipt, |actions| actions.len() == count && actions.iter().all(ended)).await
    }
}

fn kinds(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["kind"].as_str().expect("a kind")).collect()
}

fn record(kind: &str) -> Value {
    json!({"kind": "record", "record": kind, "key": "{{/id}}", "set": {"seen": true}})
}

fn emit() -> Value {
    json!({"kind": "emit", "type": EVENT_TYPE, "data": {"id": "{{/id}}"}})
}

async fn scene() -> (Server, Project) {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    (server, project)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_shows_what_was_done_whatever_its_source_asks_for_since() {
    let (_server, project) = scene().await;
    let receiver = Receiver::start().await;
    let refusing = RefusingPort::reserve();
    // What a receiver says about itself is no word of ours.
    let boastful = Behaviour::Reply { status: 200, headers: &[("x-tidings-action", "emit")], body: "" };
    receiver.route("/boastful", boastful);
    let forward = |url: String| json!({"kind": "forward", "url": url});
    let source = Source::make(&project.api, json!([forward(receiver.url("/boastful")), record("seen"), emit()])).await;
    let receipt = source.send("1").await;
    assert_eq!(kinds(&source.ended(&receipt, 3).await), ["forward", "record", "emit"]);
    source.change(json!([emit(), emit(), record("again"), record("more")])).await;
    project.api.post(&format!("{receipt}/replay"), &json!({})).await.expect(202);
    let shown = source.ended(&receipt, 7).await;
    assert_eq!(kinds(&shown), ["forward", "record", "emit", "emit", "emit", "record", "record"]);

    // Nothing came back from here, and it was a request all the same.
    source.change(json!([forward(refusing.url("/"))])).await;
    let receipt = source.send("2").await;
    source.actions_once(&receipt, |actions| actions.iter().any(|action| action["status"] == "retrying")).await;
    source.change(json!([record("instead")])).await;
    project.api.post(&format!("{receipt}/replay"), &json!({})).await.expect(202);
    let replayed = |actions: &[Value]| actions.iter().any(|action| action["status"] == "delivered");
    let shown = source.actions_once(&receipt, |actions| actions.len() == 2 && replayed(actions)).await;
    // What waited goes on by the source as it stands; until then it shows what was tried.
    let waiting = shown.iter().find(|action| action["status"] == "retrying").expect("it waits five seconds");
    assert_eq!(waiting["kind"], "forward", "{shown:?}");
    assert_eq!(kinds(&source.ended(&receipt, 2).await), ["record", "record"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_version_knows_is_an_error_that_is_seen() {
    let (server, project) = scene().await;
    let source = Source::make(&project.api, json!([record("seen")])).await;
    let receipt = source.send("1").await;
    source.ended(&receipt, 1).await;
    let change = "UPDATE delivery SET rendering = 9 RETURNING 1";
    let changed: i64 = match server.database_url() {
        Some(url) => postgres::run(url, change).parse().expect("one row"),
        None => {
            let database = Connection::open(server.database_path()).expect("the file opens");
            database.busy_timeout(BOUND).expect("set");
            database.query_row(change, [], |row| row.get(0)).expect("one row")
        }
    };
    assert_eq!(changed, 1);
    let answer = project.api.get(&receipt).await;
    assert_eq!(answer.expect(500)["code"], "internal", "not the first action of its source");
    assert!(server.log().contains("is no action that this version knows"), "the operator is told");
    project.api.get("/receipts").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_asks_what_the_action_would_be_asked() {
    let (server, project) = scene().await;
    let receiver = Receiver::start().await;
    let source = Source::make(&project.api, json!([])).await;
    source.send("1").await;
    let preview = async |action: Value| {
        let tried = project.api.post(&format!("{}/preview", source.path), &json!({"action": action})).await.expect(200);
        match tried["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(tried["result"].clone()),
        }
    };
    assert_eq!(preview(emit()).await, Ok(json!({"type": EVENT_TYPE, "data": {"id": "1"}})));
    let unknown = json!({"kind": "emit", "type": "{{/type}}", "data": 1});
    assert!(preview(unknown.clone()).await.expect_err("refused").contains("no event type \"email.bounced\""));
    let schema = json!({
        "schema": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
        "name": EVENT_TYPE,
    });
    let admin = World::new(&server).operator().clone().with_header("x-organization-id", &project.organization_id);
    admin.put(&format!("/event-types/{EVENT_TYPE}"), &schema).await.expect(200);
    assert!(preview(emit()).await.expect_err("refused").contains("breaks the schema of its type: "));

    let forward = |url: &str| json!({"kind": "forward", "url": url});
    let allowed = receiver.url("/hook");
    assert_eq!(preview(forward(&allowed)).await, Ok(json!({ "url": allowed })));
    for forbidden in ["http://169.254.169.254/latest", "https://10.0.0.1/", "https://user:word@example.com/"] {
        assert!(preview(forward(forbidden)).await.is_err(), "{forbidden}");
    }
    assert!(receiver.arrivals().is_empty(), "nothing comes of it");
    assert_eq!(project.api.get("/events").await.expect(200)["total"], 0);
    // What a preview refuses is what the action itself would say.
    source.change(json!([unknown])).await;
    let receipt = source.send("2").await;
    let tried = source.actions_once(&receipt, |actions| actions.iter().any(|it| it["status"] == "retrying")).await;
    assert!(tried[0]["result"]["error"].as_str().expect("a reason").contains("no event type \"email.bounced\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_project_takes_its_sources_and_what_they_have_to_do_with_it() {
    let (server, project) = scene().await;
    let receiver = Receiver::start().await;
    receiver.route("/dead", Behaviour::Status(503));
    let world = World::new(&server);
    let organization = world.operator().clone().with_header("x-organization-id", &project.organization_id);
    let made = organization.post("/projects", &json!({"name": "second"})).await.expect(201);
    let id = made["id"].as_str().expect("an id");
    let second = organization.clone().with_header("x-project-id", id);
    let forward = json!({"kind": "forward", "url": receiver.url("/dead")});
    let source = Source::make(&second, json!([forward, record("seen")])).await;
    // The first of another project, which stays.
    let other = Source::make(&project.api, json!([forward])).await;
    for source in [&source, &other] {
        let receipt = source.send("1").await;
        source.actions_once(&receipt, |actions| actions.iter().any(|it| it["status"] == "retrying")).await;
    }
    assert_eq!(world.pending_deliveries().await, 2);
    organization.delete(&format!("/projects/{id}")).await.expect(204);
    let gone = source.inlet.post(&json!({"id": "2"})).await;
    gone.expect_problem(404, "not_found");
    until("what the deleted one had to do to end", BOUND, async || {
        (world.pending_deliveries().await == 1).then_some(())
    })
    .await;
    receiver.route("/dead", Behaviour::Ok);
    until("the other one's to go on", BOUND, async || (world.pending_deliveries().await == 0).then_some(())).await;
    let forwarded = receiver.requests_at("/dead");
    assert_eq!(forwarded.len(), 3, "the deleted one's was not tried again");
    world.assert_ledger_is_even().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_secret_no_log_holds_the_token_of_a_source() {
    let flags = ["--allow-http", "--allow-target", "127.0.0.0/8", "--log", "trace"];
    let server = Server::start_with(BINARY, &flags).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let source = Source::make(&project.api, json!([record("seen")])).await;
    let receipt = source.send("1").await;
    source.ended(&receipt, 1).await;
    // Refused in every way there is.
    source.inlet.ask(Method::GET, "", "").await.expect_problem(405, "method_not_allowed");
    source.inlet.ask(Method::GET, "/more", "").await.expect_problem(404, "not_found");
    source.inlet.ask(Method::POST, "?x=1", r#"{"id":"1"}"#).await.expect(200);
    project.api.delete(&source.path).await.expect(204);
    source.inlet.post(&json!({})).await.expect_problem(404, "not_found");
    let (log, token) = (server.log(), source.inlet.token());
    assert!(log.contains("\"path\":\"/in/…\""), "requests are in the log");
    assert!(token.len() == 43 && !log.contains(token), "and the token is not");
}
