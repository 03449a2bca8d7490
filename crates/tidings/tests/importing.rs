//! A platform that describes its webhooks in an OpenAPI document has its catalogue from there.

use std::{fs, process::Command, time::Duration};

use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Server, World, organization_key, within};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(60);
const IMPORT: &str = "/event-types/import";

/// A server, a caller with a key of an organization, and the operator.
async fn scene() -> (Server, Api, Api) {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let project = world.project("acme", "old.type").await;
    let admin = organization_key(world.operator(), &project.organization_id, &json!({"name": "all"})).await;
    let operator = world.operator().clone();
    (server, admin, operator)
}

/// A webhook whose body has this schema.
fn webhook(schema: Value) -> Value {
    json!({"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}})
}

fn refers(to: &str) -> Value {
    json!({"$ref": to})
}

/// A document with two good webhooks.
fn document() -> Value {
    let paid = json!({
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"const": "order.paid"}, "data": {"$ref": "#/components/schemas/Order"}},
    });
    let mut paid = webhook(paid);
    paid["post"]["summary"] = json!("An order was paid");
    paid["post"]["tags"] = json!(["Orders", "Money"]);
    paid["post"]["requestBody"]["content"]["application/json"]["example"] =
        json!({"type": "order.paid", "data": {"total": {"cents": 5}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "webhooks": {"order.paid": paid, "order.lost": {"post": {"description": "Nobody\nknows"}}},
        "components": {"schemas": {
            "Order": {"type": "object", "required": ["total"], "properties": {"total": refers("#/components/schemas/Money")}},
            "Money": {"type": "object", "properties": {"cents": {"type": "integer"}}},
            "Node": {"properties": {"next": refers("#/components/schemas/Node")}},
        }},
    })
}

async fn import(api: &Api, document: &Value, dry_run: bool) -> Answer {
    api.post(IMPORT, &json!({"document": document, "dry_run": dry_run})).await
}

/// Names and results.
fn results(answer: &Value) -> Vec<(&str, &str)> {
    let rows = answer["data"].as_array().expect("rows");
    rows.iter().map(|row| (row["name"].as_str().expect("a name"), row["result"].as_str().expect("a word"))).collect()
}

async fn names(api: &Api) -> Vec<String> {
    let listed = api.get("/event-types").await.expect(200);
    let rows = listed["data"].as_array().expect("rows");
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_fills_the_catalogue_and_its_schemas_hold() {
    let (_server, admin, operator) = scene().await;
    let before = names(&admin).await;
    let created = [("order.paid", "created"), ("order.lost", "created")];
    let dry = import(&admin, &document(), true).await.expect(200);
    assert_eq!((results(&dry), &dry["dry_run"]), (created.to_vec(), &json!(true)));
    assert_eq!(names(&admin).await, before, "a dry run changes nothing");
    let done = import(&admin, &document(), false).await.expect(200);
    assert_eq!((results(&done), &done["dry_run"]), (created.to_vec(), &json!(false)));
    assert_eq!(operator.get("/event-types/order.paid").await.status, 404, "the instance's is another catalogue");

    let paid = admin.get("/event-types/order.paid").await.expect(200);
    assert_eq!(
        (&paid["group"], &paid["description"], &paid["example"], &paid["schema_version"]),
        (&json!("Orders"), &json!("An order was paid"), &json!({"total": {"cents": 5}}), &json!(1))
    );
    assert_eq!(admin.get("/event-types/order.lost").await.expect(200)["description"], "Nobody knows");
    let publish = async |cents: Value| {
        admin.post("/events", &json!({"type": "order.paid", "data": {"total": {"cents": cents}}})).await
    };
    publish(json!(7)).await.expect(202);
    assert_eq!(publish(json!("7")).await.expect(422)["errors"][0]["field"], "data/total/cents");

    // Once more, nothing changes; what the document no longer says stays; a schema becomes a version.
    let again = import(&admin, &document(), false).await.expect(200);
    assert_eq!(results(&again), [("order.paid", "unchanged"), ("order.lost", "unchanged")]);
    admin.put("/event-types/order.lost", &json!({"archived": true, "group": "Kept"})).await.expect(200);
    let mut changed = document();
    changed["components"]["schemas"]["Money"]["required"] = json!(["cents"]);
    let dry = import(&admin, &changed, true).await.expect(200);
    let done = import(&admin, &changed, false).await.expect(200);
    assert_eq!(results(&done), [("order.paid", "updated"), ("order.lost", "updated")]);
    assert_eq!(results(&dry), results(&done));
    let paid = admin.get("/event-types/order.paid").await.expect(200);
    assert_eq!((&paid["schema_version"], paid["versions"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    let lost = admin.get("/event-types/order.lost").await.expect(200);
    assert_eq!((&lost["archived"], &lost["group"]), (&json!(true), &json!("Kept")));
    let bare = json!({"openapi": "3.1.0", "webhooks": {"order.paid": {"post": {}}}});
    assert_eq!(results(&import(&admin, &bare, false).await.expect(200)), [("order.paid", "unchanged")]);
    assert_eq!(admin.get("/event-types/order.paid").await.expect(200), paid);

    // The operator fills the instance's, which an organization's own types stand before.
    let of_all = json!({"openapi": "3.1.1", "webhooks": {"order.paid": {"post": {"summary": "Everybody's"}}}});
    assert_eq!(results(&import(&operator, &of_all, false).await.expect(200)), [("order.paid", "created")]);
    assert_eq!(admin.get("/event-types/order.paid").await.expect(200)["description"], "An order was paid");
    let log = admin.get("/audit-log?action=event_type.import").await.expect(200);
    assert_eq!(log["data"][0]["detail"]["fields"], json!(["document", "dry_run"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_says_why_and_the_rest_is_taken() {
    let (_server, admin, _) = scene().await;
    let mut document = document();
    let bad = [
        ("tag added", json!({"post": {}}), "name: \"tag added\" is not an event type"),
        ("", json!({"post": {}}), "name: \"\" is not an event type"),
        ("test.webhook", json!({"post": {}}), "name: test.webhook is part of every catalogue"),
        ("import", json!({"post": {}}), "name: import is the path of imports"),
        (
            "bad.remote",
            webhook(refers("https://example.com/a.json")),
            "schema: refers to \"https://example.com/a.json\"",
        ),
        ("bad.file", webhook(refers("file:///etc/passwd")), "schema: refers to \"file:///etc/passwd\""),
        ("bad.circle", webhook(refers("#/components/schemas/Node")), "refers to itself, directly or in a circle"),
        ("bad.nowhere", webhook(refers("#/components/schemas/No")), "schema: #/components/schemas/No leads nowhere"),
        ("bad.schema", webhook(json!({"type": "strin"})), "schema/type: "),
        ("bad.group", json!({"post": {"tags": ["\n"]}}), "group: must have 1 to 128 characters"),
        ("bad.item", json!({"get": {}}), "describes no POST request"),
    ];
    for (name, item, _) in &bad {
        document["webhooks"][name] = item.clone();
    }
    let mut unlike = webhook(json!({"type": "string"}));
    unlike["post"]["requestBody"]["content"]["application/json"]["example"] = json!(5);
    document["webhooks"]["bad.example"] = unlike;
    let answer = import(&admin, &document, false).await.expect(200);
    let rows = answer["data"].as_array().expect("rows");
    assert_eq!(results(&answer)[..2], [("order.paid", "created"), ("order.lost", "created")]);
    for ((name, _, reason), row) in bad.iter().zip(&rows[2..]) {
        assert_eq!((&row["name"], &row["result"]), (&json!(name), &json!("refused")), "{row}");
        assert!(row["reason"].as_str().is_some_and(|told| told.contains(reason)), "{row}");
    }
    let last = rows.last().expect("the example");
    assert!(last["reason"].as_str().is_some_and(|told| told.starts_with("example: breaks the schema")), "{last}");
    let kept = names(&admin).await;
    assert!(!kept.iter().any(|name| name.starts_with("bad.")), "{kept:?}");

    // Too many versions of one type stop neither it nor the others.
    for number in 1..=8 {
        let one = json!({"openapi": "3.1.0", "webhooks": {"many": webhook(json!({"minimum": number}))}});
        import(&admin, &one, false).await.expect(200);
    }
    let two = json!({"openapi": "3.1.0", "webhooks": {"many": webhook(json!({})), "more": webhook(json!({}))}});
    let answer = import(&admin, &two, false).await.expect(200);
    assert_eq!(results(&answer), [("many", "refused"), ("more", "created")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_document_with_webhooks_is_refused_as_a_whole() {
    let (_server, admin, _) = scene().await;
    let before = names(&admin).await;
    let good = json!({"a": {"post": {}}});
    for (request, field, code) in [
        (json!({}), "document", "missing"),
        (json!({"document": document(), "dry": true}), "dry", "unknown_field"),
        (json!({"document": document(), "dry_run": "yes"}), "dry_run", "invalid"),
        (json!({"document": "openapi: 3.1.0"}), "document.openapi", "invalid"),
        (json!({"document": {"openapi": "3.0.3", "webhooks": good}}), "document.openapi", "invalid"),
        (json!({"document": {"swagger": "2.0"}}), "document.openapi", "invalid"),
        (json!({"document": {"openapi": "3.1.0", "paths": {}}}), "document.webhooks", "missing"),
        (json!({"document": {"openapi": "3.1.0", "webhooks": {}}}), "document.webhooks", "missing"),
        (json!({"document": {"openapi": "3.1.0", "webhooks": []}}), "document.webhooks", "invalid"),
    ] {
        let problem = admin.post(IMPORT, &request).await.expect(422);
        let found = &problem["errors"][0];
        assert_eq!((&found["field"], &found["code"]), (&json!(field), &json!(code)), "{request}");
    }
    let large = json!({"document": {"openapi": "3.1.0", "x": "x".repeat(1_100_000), "webhooks": good}});
    admin.post(IMPORT, &large).await.expect(413);
    assert_eq!(names(&admin).await, before);
    let problem = admin.post("/event-types", &json!({"name": "import"})).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_takes_a_file() {
    let (server, _, operator) = scene().await;
    let path = server.scratch_path("openapi.json");
    let mut document = document();
    fs::write(&path, document.to_string()).expect("written");
    let run = async |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["event-type", "import"]).arg(&path).args(more);
        command.env("TIDINGS_SERVER", format!("http://{}", server.address()));
        command.env("TIDINGS_API_KEY", server.operator_key());
        let work = tokio::task::spawn_blocking(move || command.output());
        let output = within("a command", BOUND, work).await.expect("it ran").expect("it ran");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (succeeded, shown) = run(&["--dry-run"]).await;
    assert!(succeeded && shown.contains("order.paid") && shown.contains("nothing was changed"), "{shown}");
    assert_eq!(operator.get("/event-types/order.paid").await.status, 404);
    document["webhooks"]["no name"] = json!({"post": {}});
    fs::write(&path, document.to_string()).expect("written");
    let (succeeded, shown) = run(&["--json"]).await;
    assert!(!succeeded, "one was refused");
    let answer: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(results(&answer), [("order.paid", "created"), ("order.lost", "created"), ("no name", "refused")]);
    operator.get("/event-types/order.paid").await.expect(200);
}
