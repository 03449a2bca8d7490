//! Plans as an operator sets them and an organization runs into them.

use serde_json::{Value, json};
use tidings_testkit::{Api, Receiver, Server, World, organization_key};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const FLAGS: [&str; 8] = [
    "--allow-http",
    "--allow-target",
    "127.0.0.0/8",
    "--plan",
    "pair=2",
    "--upgrade-url",
    "https://tidings.example/billing",
    "--default-plan=free",
];

async fn create(api: &Api, receiver: &Receiver, status: u16) -> Value {
    api.post("/webhooks", &json!({"url": receiver.url("/hook")})).await.expect(status).clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_03_free_allows_none_starter_three_and_professional_a_fourth() {
    let server = Server::start_with(BINARY, &FLAGS).await;
    let receiver = Receiver::start().await;
    let operator = World::new(&server).operator().clone();
    let made = operator.post("/organizations", &json!({"name": "acme"})).await.expect(201);
    assert_eq!(made["plan"], "free", "the configured default");
    let id = made["id"].as_str().expect("an id");
    let acme = organization_key(&operator, id, &json!({"name": "acme"})).await;
    let plan = async |name: &str| {
        let set = operator.put(&format!("/organizations/{id}/plan"), &json!({"plan": name})).await.expect(200);
        assert_eq!(set["plan"], name);
    };

    let refused = create(&acme, &receiver, 403).await;
    for (member, value) in [
        ("code", json!("limit_exceeded")),
        ("limit", json!("webhooks")),
        ("current", json!(0)),
        ("max", json!(0)),
        ("upgrade_url", json!("https://tidings.example/billing")),
    ] {
        assert_eq!(refused[member], value, "{member}: {refused}");
    }

    plan("starter").await;
    let project = acme.post("/projects", &json!({"name": "second"})).await.expect(201);
    let second = acme.clone().with_header("x-project-id", project["id"].as_str().expect("an id"));
    create(&acme, &receiver, 201).await;
    create(&second, &receiver, 201).await;
    let third = create(&acme, &receiver, 201).await;
    let refused = create(&second, &receiver, 403).await;
    assert_eq!((&refused["current"], &refused["max"]), (&json!(3), &json!(3)), "{refused}");

    plan("professional").await;
    create(&second, &receiver, 201).await;

    plan("pair").await;
    let path = format!("/webhooks/{}", third["id"].as_str().expect("an id"));
    let limited = acme.get(&path).await.expect(200);
    assert_eq!((&limited["enabled"], &limited["disabled_reason"]), (&json!(false), &json!("plan_limit")));
    assert_eq!(acme.post(&format!("{path}/enable"), &json!({})).await.expect(403)["code"], "limit_exceeded");
    for verb in ["pause", "resume"] {
        let refused = acme.post(&format!("{path}/{verb}"), &json!({})).await;
        let refused = refused.expect_problem(409, "webhook_disabled");
        assert!(refused.detail.contains("plan") && !refused.detail.contains("enable it"), "{}", refused.detail);
    }
    assert_eq!(acme.put(&path, &json!({"enabled": true})).await.expect(403)["code"], "limit_exceeded");
    plan("starter").await;
    assert_eq!(acme.get(&path).await.expect(200)["status"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_are_the_operators_to_give_and_everybodys_to_see() {
    let server = Server::start_with(BINARY, &FLAGS).await;
    let operator = World::new(&server).operator().clone();
    let made = operator.post("/organizations", &json!({"name": "acme", "plan": "starter"})).await.expect(201);
    assert_eq!(made["plan"], "starter");
    let id = made["id"].as_str().expect("an id");
    let acme = organization_key(&operator, id, &json!({"name": "acme"})).await;

    let plans = acme.get("/plans").await.expect(200);
    let row = |name: &str, webhooks: Value, default: bool| {
        json!({
            "name": name, "webhooks": webhooks, "iterations": null, "command_timeout_ms": null, "event_days": null,
            "default": default,
        })
    };
    let expected = [
        row("unlimited", Value::Null, false),
        row("free", json!(0), true),
        row("starter", json!(3), false),
        row("professional", Value::Null, false),
        row("pair", json!(2), false),
    ];
    assert_eq!(plans["data"], json!(expected));

    let path = format!("/organizations/{id}/plan");
    assert_eq!(acme.put(&path, &json!({"plan": "professional"})).await.expect(403)["code"], "insufficient_scope");
    for (body, field) in
        [(json!({"plan": "gold"}), "plan"), (json!({}), "plan"), (json!({"plan": "free", "x": 1}), "x")]
    {
        assert_eq!(operator.put(&path, &body).await.expect(422)["errors"][0]["field"], field);
    }
    assert_eq!(
        operator.post("/organizations", &json!({"name": "x", "plan": "gold"})).await.expect(422)["errors"][0]["field"],
        "plan"
    );
    let nobody = "/organizations/org_00000000000000000000000000/plan";
    assert_eq!(operator.put(nobody, &json!({"plan": "free"})).await.expect(404)["code"], "not_found");
    assert_eq!(acme.get(&format!("/organizations/{id}")).await.expect(200)["plan"], "starter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_organizations_says_what_each_uses_if_that_is_asked_for() {
    let server = Server::start_with(BINARY, &FLAGS).await;
    let receiver = Receiver::start().await;
    let operator = World::new(&server).operator().clone();
    let mut all = Vec::new();
    for (name, plan, webhooks) in [("one", "pair", 2), ("two", "professional", 3), ("three", "free", 0)] {
        let made = operator.post("/organizations", &json!({"name": name, "plan": plan})).await.expect(201);
        let key = organization_key(&operator, made["id"].as_str().expect("an id"), &json!({"name": name})).await;
        for _ in 0..webhooks {
            create(&key, &receiver, 201).await;
        }
        all.push(made["id"].as_str().expect("an id").to_owned());
    }
    let (id, last) = (&all[0], &all[2]);
    let listed = operator.get("/organizations?limit=3&usage=true").await.expect(200);
    for row in listed["data"].as_array().expect("a list") {
        let path = format!("/organizations/{}", row["id"].as_str().expect("an id"));
        assert_eq!(row["usage"], operator.get(&format!("{path}/usage")).await.expect(200), "the same as one by one");
        let whole = operator.get(&format!("{path}/billing")).await.expect(200);
        for member in ["status", "plan", "in_force", "grace_until", "updated_at"] {
            assert_eq!(row["billing"][member], whole[member], "{member} of {path}");
        }
    }
    let used = |list: &Value, id: &str| {
        let rows = list["data"].as_array().expect("a list").clone();
        rows.into_iter().find(|row| row["id"] == *id).map(|row| row["usage"]["webhooks"].clone())
    };
    assert_eq!(used(&listed, id), Some(json!({"used": 2, "max": 2})));
    assert_eq!(used(&listed, last), Some(json!({"used": 0, "max": 0})));

    let plain = operator.get("/organizations?limit=3").await.expect(200);
    assert!(plain["data"].as_array().expect("a list").iter().all(|row| row.get("usage").is_none()), "{plain}");
    let refused = operator.get("/organizations?usage=yes").await.expect(400);
    assert!(refused["detail"].as_str().expect("a reason").contains("true or false"), "{refused}");
}
