//! A platform describes its payloads: what breaks its schema is refused with the place of each
//! mistake, versions come and go without breaking publishers, and an organization decides how strict
//! it wants to be.

use serde_json::{Value, json};
use tidings_testkit::{Api, Server, World, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const PATH: &str = "/event-types/order.paid";

/// A server, its organization's id, and a caller with a key of the organization.
async fn scene() -> (Server, String, Api) {
    let server = Server::start(BINARY).await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    let admin = organization_key(world.operator(), &project.organization_id, &json!({"name": "all"})).await;
    (server, project.organization_id, admin)
}

fn plan_schema(plans: &[&str]) -> Value {
    json!({"type": "object", "required": ["plan"], "properties": {"plan": {"enum": plans}, "n": {"type": "integer"}}})
}

async fn publish(admin: &Api, data: Value) -> tidings_testkit::Answer {
    admin.post("/events", &json!({"type": EVENT_TYPE, "data": data})).await
}

fn places(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|error| (text(&error["field"]), text(&error["code"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_its_schema_is_refused_with_the_place_of_each_mistake() {
    let (_server, _, admin) = scene().await;
    assert_eq!(publish(&admin, json!("anything")).await.status, 202, "a type without schema takes anything");
    let typed = admin.put(PATH, &json!({"schema": plan_schema(&["free", "pro"])})).await.expect(200);
    assert_eq!((&typed["schema_version"], &typed["schema"]), (&json!(1), &plan_schema(&["free", "pro"])));

    let accepted = publish(&admin, json!({"plan": "pro"})).await.expect(202);
    assert_eq!(accepted.get("warnings"), None);
    let event = admin.get(&format!("/events/{}", accepted["id"].as_str().expect("an id"))).await.expect(200);
    assert_eq!(event["schema_version"], 1);
    let before = admin.get("/events").await.expect(200)["total"].clone();
    for (data, expected) in [
        (json!({"plan": "max", "n": 1.5}), &[("data/n", "type"), ("data/plan", "enum")][..]),
        (json!({}), &[("data/plan", "required")]),
        (json!([]), &[("data", "type")]),
    ] {
        let problem = publish(&admin, data.clone()).await.expect(422);
        let mut found = places(&problem);
        found.sort();
        assert_eq!((&problem["code"], found), (&json!("schema_violation"), pairs(expected)), "{data}");
    }
    let raw = json!({"type": EVENT_TYPE, "content_type": "text/plain", "body_base64": "aGk="});
    let problem = admin.post("/events", &raw).await.expect(422);
    assert_eq!(places(&problem), pairs(&[("data", "unreadable")]));
    assert_eq!(admin.get("/events").await.expect(200)["total"], before, "nothing of what was refused is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_does_not_break_who_publishes_the_old_one() {
    let (_server, _, admin) = scene().await;
    for plans in [&["free"][..], &["pro"]] {
        admin.put(PATH, &json!({"schema": plan_schema(plans)})).await.expect(200);
    }
    let same = admin.put(PATH, &json!({"schema": plan_schema(&["pro"]), "description": "Paid"})).await.expect(200);
    assert_eq!((&same["schema_version"], &same["versions"][1]["retired"]), (&json!(2), &json!(false)));
    assert_eq!(same["versions"].as_array().expect("versions").len(), 2, "the same schema is no new version");

    // Without naming a version, any of them will do; named, it is the one that counts.
    for plan in ["free", "pro"] {
        publish(&admin, json!({"plan": plan})).await.expect(202);
    }
    let named = async |version: u32, plan: &str| {
        let event = json!({"type": EVENT_TYPE, "data": {"plan": plan}, "schema_version": version});
        admin.post("/events", &event).await
    };
    assert_eq!(named(1, "free").await.status, 202);
    assert_eq!(named(1, "pro").await.expect(422)["code"], "schema_violation");
    assert_eq!(places(&named(3, "pro").await.expect(422)), pairs(&[("schema_version", "invalid")]));

    // A retired version takes no more events; the one in force cannot be retired.
    let retire = async |version: u32| admin.post(&format!("{PATH}/versions/{version}/retire"), &json!({})).await;
    assert_eq!(places(&retire(2).await.expect(422)), pairs(&[("version", "invalid")]));
    assert_eq!(retire(1).await.expect(200)["versions"][0]["retired"], true);
    retire(9).await.expect(404);
    assert_eq!(publish(&admin, json!({"plan": "free"})).await.expect(422)["code"], "schema_violation");
    assert_eq!(places(&named(1, "free").await.expect(422)), pairs(&[("schema_version", "invalid")]));

    // Lists stay short; a type without schema takes anything again, and a later one goes on counting.
    let listed = admin.get("/event-types").await.expect(200);
    let listed = listed["data"].as_array().expect("rows").iter().find(|row| row["name"] == EVENT_TYPE).cloned();
    assert_eq!(listed.expect("the type").get("versions"), None);
    let bare = admin.put(PATH, &json!({})).await.expect(200);
    assert_eq!((&bare["schema"], &bare["schema_version"]), (&json!(null), &json!(null)));
    publish(&admin, json!("anything")).await.expect(202);
    assert_eq!(admin.put(PATH, &json!({"schema": {}})).await.expect(200)["schema_version"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_decides_how_strict_it_is() {
    let (_server, organization, admin) = scene().await;
    admin.put(PATH, &json!({"schema": plan_schema(&["pro"])})).await.expect(200);
    let path = format!("/organizations/{organization}");
    assert_eq!(admin.get(&path).await.expect(200)["schema_mode"], "refuse");
    let mode = async |mode: &str| admin.patch(&path, &json!({"schema_mode": mode})).await;

    assert_eq!(mode("warn").await.expect(200)["schema_mode"], "warn");
    let keyed = admin.clone().with_header("idempotency-key", "warned");
    let event = json!({"type": EVENT_TYPE, "data": {"plan": "max"}});
    let warned = keyed.post("/events", &event).await.expect(202);
    assert_eq!(
        (&warned["warnings"][0]["field"], &warned["warnings"][0]["code"]),
        (&json!("data/plan"), &json!("enum"))
    );
    assert_eq!(keyed.post("/events", &event).await.expect(202), warned, "a repetition warns as the first time");
    let kept = admin.get(&format!("/events/{}", warned["id"].as_str().expect("an id"))).await.expect(200);
    assert_eq!(kept.get("schema_version"), None, "it satisfied none");

    mode("off").await.expect(200);
    assert_eq!(publish(&admin, json!({"plan": "max"})).await.expect(202).get("warnings"), None);
    mode("refuse").await.expect(200);
    publish(&admin, json!({"plan": "max"})).await.expect(422);

    assert_eq!(places(&mode("strict").await.expect(422)), pairs(&[("schema_mode", "invalid")]));
    assert_eq!(places(&admin.patch(&path, &json!({})).await.expect(422)), pairs(&[("name", "missing")]));
    assert_eq!(admin.patch(&path, &json!({"name": "acme 2"})).await.expect(200)["schema_mode"], "refuse");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_cannot_be_used_is_refused_with_its_place() {
    let (_server, _, admin) = scene().await;
    for (schema, field) in [
        (json!({"type": "strin"}), "schema/type"),
        (json!({"properties": {"a": {"$ref": "https://example.com/a.json"}}}), "schema/properties/a/$ref"),
        (json!({"properties": {"next": {"$ref": "#"}}}), "schema/properties/next/$ref"),
        (json!({"pattern": "("}), "schema/pattern"),
        (json!(5), "schema"),
    ] {
        let problem = admin.put(PATH, &json!({"schema": schema})).await.expect(422);
        assert_eq!(places(&problem), pairs(&[(field, "invalid")]), "{schema}");
    }
    let example = json!({"schema": plan_schema(&["pro"]), "example": {"plan": "free"}});
    assert_eq!(places(&admin.put(PATH, &example).await.expect(422)), pairs(&[("example/plan", "invalid")]));
    assert_eq!(admin.get(PATH).await.expect(200)["schema"], json!(null), "nothing of it is kept");
    for version in 1..=8 {
        admin.put(PATH, &json!({"schema": {"minimum": version}})).await.expect(200);
    }
    let problem = admin.put(PATH, &json!({"schema": {"minimum": 9}})).await.expect(422);
    assert_eq!(places(&problem), pairs(&[("schema", "too_many")]));

    // A new type can bring its schema along; deleted and made again, it begins anew.
    let made = json!({"name": "user.made", "schema": plan_schema(&["pro"]), "example": {"plan": "pro"}});
    assert_eq!(admin.post("/event-types", &made).await.expect(201)["schema_version"], 1);
    admin.delete("/event-types/user.made").await.expect(204);
    let again = admin.post("/event-types", &json!({"name": "user.made"})).await.expect(201);
    assert_eq!(again["schema"], json!(null));
    assert_eq!(admin.get("/event-types/user.made").await.expect(200).get("versions"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_reads_like_a_version_is_another_request() {
    let (_server, _, admin) = scene().await;
    admin.put(PATH, &json!({"schema": {}})).await.expect(200);
    let keyed = admin.with_header("idempotency-key", "order-7");
    let event = |more: Value| {
        let mut event = json!({"type": EVENT_TYPE, "data": 7});
        event.as_object_mut().expect("an object").extend(more.as_object().expect("members").clone());
        event
    };
    keyed.post("/events", &event(json!({"scope": "schema_version 1"}))).await.expect(202);
    for other in [json!({"schema_version": 1}), json!({"scope": ["schema_version 1"], "schema_version": 1}), json!({})]
    {
        let answer = keyed.post("/events", &event(other)).await;
        assert_eq!(answer.expect(409)["code"], "idempotency_conflict");
    }
    keyed.post("/events", &event(json!({"scope": ["schema_version 1"]}))).await.expect(202);
}
