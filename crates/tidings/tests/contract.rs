//! The real server does what the OpenAPI document says: every operation is carried out once and
//! answers with what the document promises, and refuses in many ways, each documented for it.

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidings_contract::{
    BASE_PATH,
    operations::{Access, OPERATIONS, Operation},
    sample,
};
use tidings_domain::tenancy::Scope;
use tidings_testkit::{Answer, Api, Person, Receiver, Server, Signature, World, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "tag.added";

/// The document that the server itself hands out.
struct Document(Value);

impl Document {
    async fn of(server: &Server) -> Self {
        let answer = Api::anonymous(server.client()).get("/openapi.json").await;
        Self(answer.expect(200))
    }

    fn responses(&self, operation: &Operation) -> &Value {
        let path = format!("{BASE_PATH}{}", operation.path);
        &self.0["paths"][path][operation.method.to_ascii_lowercase()]["responses"]
    }

    /// Panics unless the document has this answer for the operation, body included.
    fn check(&self, operation: &Operation, answer: &Answer, content_type: &str) {
        let what = format!("{} {}", operation.method, operation.path);
        let mut response = &self.responses(operation)[answer.status.as_str()];
        if let Some(reference) = response["$ref"].as_str() {
            response = self.0.pointer(&reference[1..]).expect("references lead somewhere");
        }
        assert!(response.is_object(), "{what} answers {}, which the document does not know: {answer}", answer.status);
        let schema = &response["content"][content_type]["schema"];
        if schema.is_null() {
            assert!(answer.body.is_empty(), "{what}: the document knows no body: {answer}");
            return;
        }
        let given = answer.header("content-type").unwrap_or_default();
        assert_eq!(given, content_type, "{what}: {answer}");
        let mut whole = schema.clone();
        whole["components"] = self.0["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).expect("a JSON Schema");
        let body = answer.json();
        let wrong: Vec<_> =
            validator.iter_errors(&body).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(wrong.is_empty(), "{what}: {answer}\nbreaks its schema: {wrong:#?}");
    }
}

/// A customer with one of everything, and who asks.
struct Scene {
    operator: Api,
    admin: Api,
    weak: Api,
    /// A weak one for what `weak` may do.
    no_commands: Api,
    /// Ids by the first segment of paths.
    ids: BTreeMap<&'static str, String>,
    plan: String,
    url: String,
}

impl Scene {
    async fn settle(server: &Server, world: &mut World, receiver: &Receiver) -> Self {
        let project = world.project("contract", EVENT_TYPE).await;
        let operator = world.operator().clone();
        let key = async |request: Value| organization_key(&operator, &project.organization_id, &request).await;
        let admin = key(json!({"name": "admin"})).await;
        let weak = key(json!({"name": "weak", "scopes": ["commands:manage"]})).await;
        let no_commands = key(json!({"name": "no commands", "scopes": ["events:write"]})).await;
        // A profile whose secret may be looked at again.
        let webhook = world.subscribe(&project, receiver, "/hook", Signature::BotSubscription, json!({})).await;
        let event = admin.post("/events", &json!({"type": EVENT_TYPE, "data": {"tag": "customer"}})).await.expect(202);
        let event_id = text(&event, "id");
        let delivery_id = admin.delivered(&event_id).await;
        // Its first version, which another takes the place of later.
        let schema = json!({"schema": {"type": ["object", "number"]}});
        admin.put(&format!("/event-types/{EVENT_TYPE}"), &schema).await.expect(200);
        let (source, receipt_id) = admin.receive_once("subscriber", "ann", &json!({"status": "bounced"})).await;
        let asking = json!({"name": "asking", "kind": "stripe", "secrets": ["whsec_1"], "gap_fill": {
            "api_key": "rk_1", "api_url": receiver.url("/stripe"),
        }});
        let asking = admin.post("/sources", &asking).await.expect(201);
        admin.post("/commands", &json!({"name": "first", "code": "Bot.sendMessage(content)"})).await.expect(201);
        let run = admin.post("/commands/first/run", &json!({"content": "hello"})).await.expect(200);
        let invite = json!({"email": "first@example.com", "role": "viewer"});
        let invite = admin.post("/members", &invite).await.expect(201);
        Person::member(server, &project.organization_id, "second@example.com", "viewer").await;
        let members = admin.get("/members").await.expect(200);
        let plans = operator.get("/plans").await.expect(200);
        let ids = BTreeMap::from([
            ("events", event_id),
            ("webhooks", webhook.webhook_id),
            ("deliveries", delivery_id),
            ("event-types", EVENT_TYPE.to_owned()),
            ("organizations", project.organization_id),
            ("projects", project.id),
            ("presets", "botdog".to_owned()),
            ("sources", text(&source, "id")),
            ("asking", text(&asking, "id")),
            ("receipts", receipt_id),
            ("commands", "first".to_owned()),
            ("runs", text(&run, "id")),
            ("members", text(&members["data"][0], "id")),
            ("invites", text(&invite, "id")),
        ]);
        let (plan, url) = (text(&plans["data"][0], "name"), receiver.url("/hook"));
        Self { admin, weak, no_commands, ids, plan, url, operator }
    }

    fn caller(&self, operation: &Operation) -> &Api {
        if operation.access == Access::Operator { &self.operator } else { &self.admin }
    }

    fn path(&self, operation: &Operation) -> String {
        let segment = operation.path.split('/').nth(1).unwrap_or_default();
        let segment = if operation.path == "/sources/{id}/fill" { "asking" } else { segment };
        match self.ids.get(segment) {
            Some(id) => operation.path.replace("{id}", id).replace("{name}", id).replace("{version}", "1"),
            None => operation.path.replace("{kind}", "subscriber").replace("{key}", "ann"),
        }
    }

    /// The document's example, where it does not name what this server has not got.
    fn body(&self, operation: &Operation) -> Option<Value> {
        let example = operation.body().map(|shape| (shape.example)())?;
        let body = match (operation.method, operation.path) {
            ("POST", "/events") => json!({"type": EVENT_TYPE, "data": {"tag": "customer"}}),
            ("POST", "/events/batch") => {
                json!({"events": [{"type": EVENT_TYPE, "data": 1}, {"type": "no.such", "data": 1}]})
            }
            ("POST", "/webhooks") => json!({"url": self.url, "name": "second"}),
            ("PUT", "/sources/{id}") => json!({"name": "renamed", "kind": "none", "actions": [
                {"kind": "record", "record": "subscriber", "key": "ann", "set": {"status": "active"}},
            ]}),
            ("POST", "/sources/{id}/preview") => json!({"action": {"kind": "emit", "type": EVENT_TYPE, "data": 1}}),
            ("PUT", "/records/{kind}/{key}") => json!({"data": {"status": "active"}}),
            ("PUT" | "PATCH", "/webhooks/{id}") => json!({"name": "renamed", "max_in_flight": 4}),
            ("POST", "/events/{id}/replay") => json!({"webhook_id": self.ids["webhooks"]}),
            ("POST", "/webhooks/{id}/test") => json!({"event_type": EVENT_TYPE}),
            ("PUT", "/event-types/{name}") => json!({"group": "Tags", "schema": {"type": "object"}}),
            ("POST", "/organizations" | "/projects" | "/api-keys") => json!({"name": "second"}),
            ("PUT", "/organizations/{id}/plan") => json!({"plan": self.plan}),
            _ => example,
        };
        Some(body)
    }

    async fn call(&self, api: &Api, operation: &Operation, path: &str, body: String) -> Answer {
        let method: Method = operation.method.parse().expect("the contract names methods");
        api.send(method, path, body).await
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("{member} is missing in {answer}")).to_owned()
}

/// Deletions after everything else, the organization's last; nobody pauses what is disabled.
fn in_order() -> Vec<&'static Operation> {
    let mut all: Vec<_> = OPERATIONS.iter().collect();
    all.sort_by_key(|operation| match (operation.method, operation.path) {
        ("DELETE", "/organizations/{id}") => 3,
        ("DELETE", _) => 2,
        (_, path) if path.ends_with("/disable") => 1,
        _ => 0,
    });
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_what_the_document_says() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let mut scene = Scene::settle(&server, &mut world, &receiver).await;
    let document = Document::of(&server).await;
    let mut refusals = 0;
    for operation in in_order() {
        refusals += refuse(&document, &scene, operation).await;
        if operation.is_stream {
            // It has no end; the test `stream` listens to it.
            continue;
        }
        let body = scene.body(operation).map(|body| body.to_string()).unwrap_or_default();
        let answer = scene.call(scene.caller(operation), operation, &scene.path(operation), body).await;
        assert_eq!(answer.status, operation.status, "{} {}: {answer}", operation.method, operation.path);
        document.check(operation, &answer, "application/json");
        // What was made is what is deleted later: an organization's own project and key cannot be.
        match (operation.method, operation.path) {
            ("DELETE", "/organizations/{id}") => {}
            (_, "/webhooks/{id}/recover") => drop(scene.ids.insert("jobs", text(&answer.json(), "job_id"))),
            ("POST", "/portal-sessions") => drop(scene.ids.insert("portal-sessions", text(&answer.json(), "id"))),
            ("POST", "/api-keys") => drop(scene.ids.insert("api-keys", text(&answer.json(), "id"))),
            ("PATCH", "/projects/{id}") => {
                let made = scene.admin.post("/projects", &json!({"name": "third"})).await.expect(201);
                scene.ids.insert("projects", text(&made, "id"));
            }
            _ => {}
        }
    }
    println!("contract: {} operations answer as documented, {refusals} refusals too", OPERATIONS.len());
}

/// Asks in all the wrong ways; each answer has to be one that the document knows.
async fn refuse(document: &Document, scene: &Scene, operation: &Operation) -> usize {
    let (caller, path) = (scene.caller(operation), scene.path(operation));
    let body = scene.body(operation).map(|body| body.to_string()).unwrap_or_default();
    let foreign = caller.clone().with_header("x-project-id", sample::PROJECT);
    let mut wrong = vec![
        (caller.clone().without_key(), path.clone(), body.clone()),
        (caller.clone().with_key("tdk_short"), path.clone(), body.clone()),
        (caller.clone(), format!("{path}?no_such=1"), body.clone()),
        (foreign, path.clone(), body.clone()),
    ];
    if operation.access != Access::AnyKey {
        let of_commands = match operation.access {
            Access::Scope(scope) => scope == Scope::CommandsManage,
            Access::AnyOf(scopes) => scopes.contains(&Scope::CommandsManage),
            Access::AnyKey | Access::Operator => false,
        };
        let weak = if of_commands { &scene.no_commands } else { &scene.weak };
        wrong.push((weak.clone(), path.clone(), body.clone()));
    }
    if operation.path.contains('{') {
        let missing = operation.path.replace("{id}", "no_such").replace("{name}", "no.such").replace("{version}", "1");
        let missing = missing.replace("{kind}", "no.such").replace("{key}", "nobody");
        wrong.push((caller.clone(), missing, body.clone()));
    }
    if operation.body().is_some() {
        for text in ["{", "[]", "{\"no_such\":1}", "\"text\"", &"[".repeat(70)] {
            wrong.push((caller.clone(), path.clone(), text.to_owned()));
        }
        wrong.push((caller.clone().with_header("content-type", "text/plain"), path.clone(), body.clone()));
        wrong.push((caller.clone(), path.clone(), format!("\"{}\"", "a".repeat(9 * 1024 * 1024))));
    }
    if operation.is_repeatable() {
        wrong.push((caller.clone().with_header("idempotency-key", &"k".repeat(300)), path, body));
    }
    // Some filters take any text.
    let odd = operation.query_names().map(|name| format!("{}?{name}=%00", scene.path(operation)));
    for path in odd {
        let answer = scene.call(caller, operation, &path, String::new()).await;
        let content_type = if answer.status.is_success() { "application/json" } else { "application/problem+json" };
        document.check(operation, &answer, content_type);
    }
    let refused = wrong.len();
    for (api, path, body) in wrong {
        let answer = scene.call(&api, operation, &path, body).await;
        assert!(answer.status.is_client_error(), "{} {path}: {answer}", operation.method);
        document.check(operation, &answer, "application/problem+json");
    }
    refused
}
