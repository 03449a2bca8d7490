//! Nothing crosses a project (INV-ISOLATION): every operation of the contract with ids of another
//! customer answers exactly as with ids that do not exist, and every operation asks for a key
//! that may use it.

mod tenant;

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use serde_json::{Value, json};
use tidings_contract::operations::{Access, OPERATIONS, Operation};
use tidings_domain::{tenancy::Scope, time::Timestamp};
use tidings_testkit::{Answer, Api, Receiver, Server, World, operator, organization_key, unix_seconds, until};

use tenant::{Tenant, event_type, fill};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(20);
const EVERY_SCOPE: [&str; 7] =
    ["events:write", "webhooks:manage", "deliveries:read", "sources:manage", "commands:manage", "admin", "read"];

/// An id of the same kind that nobody has.
fn missing(id: &str) -> String {
    let last = if id.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &id[..id.len() - 1])
}

/// A body that the operation takes, if its id exists.
fn body(operation: &Operation, name: &str) -> Value {
    match (operation.method, operation.path) {
        ("POST", "/events") => json!({"type": event_type(name), "data": 1}),
        ("POST", "/webhooks") => json!({"url": "http://127.0.0.1:9/hook"}),
        ("POST", "/sources") => json!({"name": "taken over", "kind": "none"}),
        ("PUT", "/sources/{id}") => json!({"name": "taken over", "kind": "none", "enabled": false}),
        ("PUT", "/records/{kind}/{key}") => json!({"data": {"of": "somebody else"}}),
        ("POST", "/sources/{id}/preview") => json!({"action": {"kind": "emit", "type": "a.b", "data": 1}}),
        ("PUT", "/commands/{name}") => json!({"code": "throw 'taken over'"}),
        ("POST", "/event-types") => json!({"name": "taken.over"}),
        ("POST", "/event-types/import") => {
            json!({"document": {"openapi": "3.1.0", "webhooks": {"taken.over": {"post": {}}}}})
        }
        ("PUT", "/event-types/{name}") => json!({"description": "taken over"}),
        ("POST" | "PATCH", "/organizations" | "/organizations/{id}" | "/projects" | "/projects/{id}" | "/api-keys") => {
            json!({"name": "taken over"})
        }
        ("POST", "/members") => json!({"email": "taken.over@example.com", "role": "viewer"}),
        ("PATCH", "/members/{id}") => json!({"role": "viewer"}),
        ("PUT" | "PATCH", _) => json!({"name": "taken over", "enabled": false}),
        ("POST", "/webhooks/{id}/recover" | "/webhooks/{id}/replay") => json!({"since": "2020-01-01T00:00:00Z"}),
        _ => json!({}),
    }
}

async fn call(api: &Api, operation: &Operation, path: &str, name: &str) -> Answer {
    let method: Method = operation.method.parse().expect("the contract names methods");
    let body =
        if matches!(operation.method, "GET" | "DELETE") { String::new() } else { body(operation, name).to_string() };
    api.send(method, path, body).await
}

/// Status and body, without what belongs to the single request.
fn comparable(answer: &Answer, id: &str) -> (u16, Value) {
    let mut body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
        members.remove("instance");
    }
    let text = body.to_string().replace(id, "ID");
    (answer.status.as_u16(), serde_json::from_str(&text).expect("still JSON"))
}

struct Scene {
    server: Server,
    receiver: Receiver,
    one: Tenant,
    other: Tenant,
}

async fn scene() -> Scene {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let one = Tenant::settle(&server, &mut world, &receiver, "one").await;
    let other = Tenant::settle(&server, &mut world, &receiver, "other").await;
    Scene { server, receiver, one, other }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_others_answer_like_ids_that_do_not_exist() {
    let Scene { server: _server, receiver, one, other } = scene().await;
    let before = other.everything().await;
    let mut compared = 0;
    // Presets belong to the instance, and everybody sees the same. Whoever changes a record of a name
    // that others have too changes their own.
    let by_name = ["/presets", "/records"];
    let of_tenants = |operation: &&Operation| {
        operation.path.contains('{') && !by_name.iter().any(|start| operation.path.starts_with(start))
    };
    for operation in OPERATIONS.iter().filter(|operation| operation.path.starts_with("/records")) {
        call(&one.admin, operation, &fill(operation.path, ""), one.name).await;
    }
    for operation in OPERATIONS.iter().filter(of_tenants) {
        let foreign = other.id_for(operation.path);
        let nobodys = missing(&foreign);
        for caller in [&one.admin, &one.bound] {
            let answer = call(caller, operation, &fill(operation.path, &foreign), one.name).await;
            let expected = call(caller, operation, &fill(operation.path, &nobodys), one.name).await;
            let what = format!("{} {}", operation.method, operation.path);
            assert_eq!(comparable(&answer, &foreign), comparable(&expected, &nobodys), "{what}");
            // Keys of projects may not touch an organization's keys at all, nor any tenant's keys
            // what is the operator's; everything else is simply not there.
            let refused = operation.access == Access::Operator
                || what.contains("/api-keys")
                || what.contains("/members")
                || what.contains("/invites")
                || what.contains("PATCH /org")
                || what.contains("/billing")
                || (what.contains("/event-types") && operation.method != "GET");
            assert!(answer.status == 404 || (refused && answer.status == 403), "{what}: {answer}");
            compared += 1;
        }
    }
    assert_eq!(other.everything().await, before, "something of the other tenant changed");
    assert_eq!(receiver.count_at("/other"), 1, "the other tenant's receiver got something");
    println!("isolation: {compared} calls with foreign ids in paths, each like a missing id");
}

/// Keys that see more than one tenant's: of another project of the same organization, and the
/// operator's while it acts for another organization.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_sister_projects_and_of_the_operator_cross_nothing() {
    let Scene { server, receiver, one, other } = scene().await;
    let sister = other.admin.post("/projects", &json!({"name": "sister"})).await.expect(201);
    let sister =
        other.admin.post("/api-keys", &json!({"name": "sister", "project_id": sister["id"]})).await.expect(201);
    let sister = one.admin.clone().with_key(sister["key"].as_str().expect("a key"));
    let acting = operator(&server).with_header("x-organization-id", &one.organization_id);
    let before = other.everything().await;
    let mut compared = 0;
    for operation in OPERATIONS.iter().filter(|operation| operation.path.contains('{')) {
        let segment = operation.path.split('/').nth(1).unwrap_or_default();
        let callers: &[&Api] = match segment {
            // These are the instance's, and the operator's to reach whomever it acts for.
            "presets" | "organizations" => &[],
            // Names that everybody may use.
            "records" => &[],
            // These are the organization's, sister projects included.
            "event-types" | "projects" | "api-keys" | "members" | "invites" => &[&acting],
            _ => &[&acting, &sister],
        };
        let foreign = other.id_for(operation.path);
        let nobodys = missing(&foreign);
        for caller in callers {
            let answer = call(caller, operation, &fill(operation.path, &foreign), one.name).await;
            let expected = call(caller, operation, &fill(operation.path, &nobodys), one.name).await;
            let what = format!("{} {}", operation.method, operation.path);
            assert_eq!(comparable(&answer, &foreign), comparable(&expected, &nobodys), "{what}");
            assert!(answer.status.is_client_error(), "{what}: {answer}");
            compared += 1;
        }
    }
    for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
        let path = fill(operation.path, &one.id_or_nothing(operation.path));
        for name in operation.query_names().filter(|name| name.ends_with("_id")) {
            let nobodys = missing(&other.webhook_id);
            for caller in [&one.admin, &one.bound, &acting] {
                let answer = caller.get(&format!("{path}?{name}={}", other.webhook_id)).await;
                let expected = caller.get(&format!("{path}?{name}={nobodys}")).await;
                let what = format!("{path}?{name}");
                assert_eq!(comparable(&answer, &other.webhook_id), comparable(&expected, &nobodys), "{what}");
                compared += 1;
            }
        }
    }
    assert_eq!(other.everything().await, before, "something of the other tenant changed");
    assert_eq!(receiver.count_at("/other"), 1, "the other tenant's receiver got something");
    println!("isolation: {compared} calls of sister projects and of the operator, each like a missing id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_others_in_headers_queries_and_bodies_answer_like_missing_ones() {
    let Scene { server: _server, one, other, .. } = scene().await;
    let before = other.everything().await;
    let mut compared = 0;
    for operation in OPERATIONS {
        for (header, foreign) in [("x-project-id", &other.project_id), ("x-organization-id", &other.organization_id)] {
            let nobodys = missing(foreign);
            for caller in [&one.admin, &one.bound] {
                let path = fill(operation.path, &one.id_or_nothing(operation.path));
                let with = |id: &str| caller.clone().with_header(header, id);
                let answer = call(&with(foreign), operation, &path, one.name).await;
                let expected = call(&with(&nobodys), operation, &path, one.name).await;
                let what = format!("{} {} with {header}", operation.method, operation.path);
                assert_eq!(comparable(&answer, foreign), comparable(&expected, &nobodys), "{what}");
                assert_eq!(answer.status, 404, "{what}: {answer}");
                compared += 1;
            }
        }
    }
    let nobodys = missing(&other.webhook_id);
    for query in ["/deliveries?webhook_id=", "/deliveries?limit=5&webhook_id="] {
        let answer = one.admin.get(&format!("{query}{}", other.webhook_id)).await;
        let expected = one.admin.get(&format!("{query}{nobodys}")).await;
        assert_eq!(comparable(&answer, &other.webhook_id), comparable(&expected, &nobodys));
        assert!(!String::from_utf8_lossy(&answer.body).contains(&other.delivery_id));
    }
    let answer = one.admin.get(&format!("/stats/webhooks?ids={},{}", other.webhook_id, one.webhook_id)).await;
    let expected = one.admin.get(&format!("/stats/webhooks?ids={nobodys},{}", one.webhook_id)).await;
    assert_eq!(answer.expect(200), expected.expect(200));
    assert_eq!(answer.json()["total"], 1, "one's own alone");
    // What can be nobody's id is a mistake, like any other parameter of the wrong form.
    one.admin.get("/deliveries?webhook_id=wh_1").await.expect_problem(400, "malformed_request");
    let nobodys = missing(&other.project_id);
    let answer = one.admin.post("/api-keys", &json!({"name": "k", "project_id": other.project_id})).await;
    let expected = one.admin.post("/api-keys", &json!({"name": "k", "project_id": nobodys})).await;
    assert_eq!(comparable(&answer, &other.project_id), comparable(&expected, &nobodys));
    assert_eq!(answer.status, 404, "{answer}");
    assert_eq!(other.everything().await, before, "something of the other tenant changed");
    println!("isolation: {compared} calls with foreign ids in headers, each like a missing id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_bound_to_a_project_manage_nothing_of_the_organization() {
    let Scene { server: _server, one, .. } = scene().await;
    let mut refused = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.access == Access::Scope(Scope::Admin)) {
        let path = fill(operation.path, &one.id_or_nothing(operation.path));
        let answer = call(&one.bound, operation, &path, one.name).await;
        let what = format!("{} {}", operation.method, operation.path);
        // Its own project with its events is all that it manages, and keys of that project all it makes.
        let own = ["PATCH /projects/{id}", "DELETE /projects/{id}", "POST /api-keys", "DELETE /events/{id}/payload"];
        if own.contains(&what.as_str()) {
            assert_ne!(answer.status, 403, "{what}: {answer}");
            continue;
        }
        assert_eq!(answer.expect(403)["code"], "insufficient_scope", "{what}");
        refused.push(what);
    }
    assert_eq!(refused.len(), 16, "{refused:?}");
    let types = one.admin.get("/event-types").await.expect(200);
    assert!(!types.to_string().contains("taken"), "{types}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_hold_nothing_of_others_and_events_reach_nobody_else() {
    let Scene { server: _server, receiver, one, other } = scene().await;
    let foreign = [&other.webhook_id, &other.event_id, &other.delivery_id, &other.key_id, &other.project_id];
    let lists =
        |operation: &&Operation| operation.method == "GET" && !operation.path.contains('{') && !operation.is_stream;
    for operation in OPERATIONS.iter().filter(lists) {
        for caller in [&one.admin, &one.bound] {
            let answer = caller.get(operation.path).await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(foreign.iter().all(|id| !text.contains(id.as_str())), "{}: {answer}", operation.path);
            assert!(!text.contains(&event_type("other")), "{}: {answer}", operation.path);
        }
    }
    // The same event id and the same idempotency key mean another event in another project.
    for tenant in [&one, &other] {
        let api = tenant.bound.clone().with_header("idempotency-key", "order-1");
        let answer = api.post("/events", &json!({"type": event_type(tenant.name), "id": "order-1", "data": 1})).await;
        assert_eq!(answer.expect(202)["deliveries"], 1);
        assert_eq!(answer.header("idempotent-replay"), None, "{}", tenant.name);
    }
    for tenant in [&one, &other] {
        let requests = receiver.wait_for(&format!("/{}", tenant.name), 2, BOUND).await;
        let types: Vec<_> = requests.iter().map(|request| request.header("x-tidings-event").to_owned()).collect();
        assert!(types.iter().all(|found| *found == event_type(tenant.name)), "{types:?} at {}", tenant.name);
    }
    // An event type that only the other catalogue has does not exist here.
    let unknown = one.bound.post("/events", &json!({"type": event_type("other"), "data": 1})).await;
    assert_eq!(unknown.expect(422)["code"], "unknown_event_type");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_with_secrets_are_repeated_to_the_key_that_got_them_and_to_no_other() {
    let Scene { server: _server, one, .. } = scene().await;
    for (path, request, secret) in [
        ("/api-keys", json!({"name": "ci"}), "key"),
        ("/webhooks", json!({"url": "http://127.0.0.1:9/hook"}), "secret"),
    ] {
        let [maker, other] = [&one.bound, &one.admin].map(|api| api.clone().with_header("idempotency-key", "ci-1"));
        let first = maker.post(path, &request).await.expect(201);
        let again = maker.post(path, &request).await.expect(201);
        assert_eq!(again[secret], first[secret], "{path}");
        let others = other.post(path, &request).await;
        assert!(!others.to_string().contains(first[secret].as_str().expect("a secret")), "{path}: {others}");
        others.expect_problem(409, "idempotency_conflict");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_asks_for_a_key_that_may_use_it() {
    let Scene { server, one, .. } = scene().await;
    let operator = operator(&server);
    let key = async |request: Value| organization_key(&operator, &one.organization_id, &request).await;
    let revoked = one.admin.post("/api-keys", &json!({"name": "revoked"})).await.expect(201);
    one.admin.delete(&format!("/api-keys/{}", revoked["id"].as_str().expect("an id"))).await.expect(204);
    let soon = Timestamp::from_millis(i64::try_from(unix_seconds() * 1_000 + 2_000).expect("this century"));
    let expired = key(json!({"name": "expired", "expires_at": soon})).await;
    until("the key's end", BOUND, async || (expired.get("/webhooks").await.status == 401).then_some(())).await;
    let nobody = [
        (one.admin.clone().without_key(), "missing_credentials"),
        (one.admin.clone().with_key("tdk_short"), "invalid_api_key"),
        (one.admin.clone().with_key(&format!("tdk_{}", "A".repeat(43))), "invalid_api_key"),
        (one.admin.clone().without_key().with_header("authorization", "Basic dXNlcjpwYXNz"), "missing_credentials"),
        (one.admin.clone().with_key(revoked["key"].as_str().expect("a key")), "api_key_revoked"),
        (expired, "api_key_expired"),
    ];
    let mut weak = BTreeMap::new();
    for scope in EVERY_SCOPE {
        weak.insert(scope, key(json!({"name": scope, "scopes": [scope]})).await);
    }
    let mut refused = 0;
    for operation in OPERATIONS {
        let path = fill(operation.path, &one.id_or_nothing(operation.path));
        let what = format!("{} {}", operation.method, operation.path);
        for (caller, code) in &nobody {
            let answer = call(caller, operation, &path, one.name).await;
            assert_eq!(answer.expect(401)["code"], *code, "{what}");
            refused += 1;
        }
        for scope in weak_scopes(operation.access) {
            let answer = call(&weak[scope], operation, &path, one.name).await;
            assert_eq!(answer.expect(403)["code"], "insufficient_scope", "{what} with {scope}");
            refused += 1;
        }
        if let Some(enough) = enough_scopes(operation.access)
            && operation.method == "GET"
            && !operation.is_stream
        {
            call(&key(json!({"name": "enough", "scopes": enough})).await, operation, &path, one.name).await.expect(200);
        }
    }
    let all = operator.get("/organizations").await.expect(200);
    assert_eq!(all["total"], 3, "the default organization and the two tenants: nothing was made or deleted");
    println!("isolation: {refused} calls without a sufficient key, all refused");
}

/// Every scope that by itself is not enough.
fn weak_scopes(access: Access) -> Vec<&'static str> {
    match asked_scopes(access) {
        // Any key may use it.
        None => Vec::new(),
        Some(asked) => EVERY_SCOPE
            .into_iter()
            .filter(|scope| !asked.contains(scope) && (*scope != "admin" || access == Access::Operator))
            // Whoever may read everything may look at deliveries.
            .filter(|scope| *scope != "read" || !asked.contains(&"deliveries:read"))
            .collect(),
    }
}

/// Only what the operation asks for; `None`: no organization's key may use it.
fn enough_scopes(access: Access) -> Option<Vec<&'static str>> {
    match access {
        Access::Operator => None,
        Access::AnyKey => Some(vec!["sources:manage"]),
        _ => asked_scopes(access).map(|asked| asked.into_iter().take(1).collect()),
    }
}

fn asked_scopes(access: Access) -> Option<Vec<&'static str>> {
    match access {
        Access::AnyKey => None,
        Access::Scope(scope) => Some(vec![scope.as_str()]),
        Access::AnyOf(scopes) => Some(scopes.iter().map(|scope| scope.as_str()).collect()),
        // No scope makes a key the operator's.
        Access::Operator => Some(Vec::new()),
    }
}
