//! The instance's billing through the real server: Stripe's events at their own address, signed with the
//! configured secrets, and what operator and organization see of it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Receiver, Server, World, organization_key, stripe_signature, unix_seconds, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(30);
const SECRETS: &str = "TIDINGS_STRIPE_WEBHOOK_SECRET=whsec_new, whsec_old";
const FLAGS: [&str; 7] = [
    "--allow-http",
    "--allow-target",
    "127.0.0.0/8",
    "--stripe-price=price_s=starter",
    "--stripe-price",
    "price_p=professional",
    "--default-plan=free",
];

async fn start() -> Server {
    let mut server = Server::prepare(BINARY, &FLAGS);
    server.run_under(&["env", SECRETS]);
    server.restart().await;
    server
}

/// An organization that pays, and who sees what of it.
struct Scene {
    server: Server,
    operator: Api,
    operations: Api,
    organization: String,
    acme: Api,
}

impl Scene {
    async fn begin() -> Self {
        let server = start().await;
        let operator = World::new(&server).operator().clone();
        let made = operator.post("/organizations", &json!({"name": "acme"})).await.expect(201);
        let organization = made["id"].as_str().expect("an id").to_owned();
        let acme = organization_key(&operator, &organization, &json!({"name": "acme"})).await;
        let projects = operator.get("/projects").await.expect(200);
        let operations = projects["data"].as_array().expect("projects").iter().find(|it| it["name"] == "operations");
        let operations = operations.expect("a project")["id"].as_str().expect("an id").to_owned();
        let operations = operator.clone().with_header("x-project-id", &operations);
        Self { server, operator, operations, organization, acme }
    }

    async fn stripe_sends(&self, event: &Value, secret: &str) -> Answer {
        let body = event.to_string();
        let signature = stripe_signature(secret, unix_seconds(), &body);
        let api =
            Api::anonymous(self.server.client()).with_base("/webhooks").with_header("stripe-signature", &signature);
        api.send(Method::POST, "/stripe", body).await
    }

    async fn billing(&self) -> Value {
        self.acme.get(&format!("/organizations/{}/billing", self.organization)).await.expect(200)
    }

    async fn wait_for_plan(&self, plan: &str) {
        until(&format!("the plan {plan}"), BOUND, async || {
            let organization = self.acme.get(&format!("/organizations/{}", self.organization)).await.expect(200);
            (organization["plan"] == plan).then_some(())
        })
        .await;
    }

    fn checkout(&self) -> Value {
        let object = json!({
            "mode": "subscription", "payment_status": "paid", "customer": "cus_1", "subscription": "sub_1",
            "client_reference_id": self.organization,
        });
        event("evt_1", "checkout.session.completed", object)
    }
}

fn event(id: &str, kind: &str, object: Value) -> Value {
    json!({"id": id, "type": kind, "created": unix_seconds(), "data": {"object": object}})
}

fn subscription(id: &str, verb: &str, status: &str, price: &str) -> Value {
    let object = json!({
        "id": "sub_1", "customer": "cus_1", "status": status, "created": 1, "items": {"data": [{"price": {"id": price}}]},
    });
    event(id, &format!("customer.subscription.{verb}"), object)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_18_a_subscription_sets_the_plan_and_its_end_sets_it_to_free() {
    let scene = Scene::begin().await;
    let receiver = Receiver::start().await;
    let hook = json!({"url": receiver.url("/hook")});
    assert_eq!(scene.acme.post("/webhooks", &hook).await.expect(403)["code"], "limit_exceeded");
    assert_eq!(scene.billing().await["status"], "none");

    // Either secret counts while one is exchanged for the other.
    scene.stripe_sends(&scene.checkout(), "whsec_old").await.expect(200);
    scene.stripe_sends(&subscription("evt_2", "created", "active", "price_s"), "whsec_new").await.expect(200);
    scene.wait_for_plan("starter").await;
    let webhook = scene.acme.post("/webhooks", &hook).await.expect(201);
    let path = format!("/webhooks/{}", webhook["id"].as_str().expect("an id"));
    let billing = scene.billing().await;
    assert_eq!(
        (&billing["status"], &billing["plan"], &billing["subscription"]),
        (&json!("active"), &json!("starter"), &json!("sub_1"))
    );
    assert_eq!(billing["customers"][0]["subscriptions"][0]["prices"][0]["id"], "price_s");

    scene.stripe_sends(&subscription("evt_3", "deleted", "canceled", "price_s"), "whsec_new").await.expect(200);
    scene.wait_for_plan("free").await;
    let limited = scene.acme.get(&path).await.expect(200);
    assert_eq!((&limited["enabled"], &limited["disabled_reason"]), (&json!(false), &json!("plan_limit")));
    assert_eq!(scene.billing().await["status"], "canceled");

    // Each receipt says what it did, and the audit log which receipt did it.
    let receipts = scene.operations.get("/receipts").await.expect(200);
    let last = receipts["data"][0]["id"].as_str().expect("a receipt");
    let receipt = until("the action's end to be written down", BOUND, async || {
        let receipt = scene.operations.get(&format!("/receipts/{last}")).await.expect(200);
        (!receipt["actions"][0]["finished_at"].is_null()).then_some(receipt)
    })
    .await;
    let done = &receipt["actions"][0];
    assert_eq!(
        (&done["kind"], &done["result"]["organizations"][0]["plan"]),
        (&json!("plan"), &json!("free")),
        "{receipt}"
    );
    let log = scene.acme.get("/audit-log?action=organization.set_plan").await.expect(200);
    assert_eq!(log["data"].as_array().expect("entries").len(), 2, "{log}");
    assert_eq!(
        (&log["data"][0]["actor"]["receipt_id"], &log["data"][0]["actor"]["key_id"]),
        (&json!(last), &Value::Null)
    );
    assert_eq!(log["data"][0]["detail"]["before"]["plan"], "starter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_stripe_signed_counts_and_the_address_is_not_there_without_a_secret() {
    let mut scene = Scene::begin().await;
    let refused = scene.stripe_sends(&scene.checkout(), "whsec_forged").await;
    refused.expect_problem(401, "invalid_signature");
    assert_eq!(scene.operations.get("/receipts").await.expect(200)["data"], json!([]));
    let other = Api::anonymous(scene.server.client()).with_base("/webhooks").send(Method::GET, "/stripe", "").await;
    other.expect(405);

    // The source stays when the secret is no longer configured, and another secret takes its place.
    scene.server.stop().await;
    scene.server.run_under(&["env", "TIDINGS_STRIPE_WEBHOOK_SECRET=whsec_third"]);
    scene.server.restart().await;
    scene.stripe_sends(&scene.checkout(), "whsec_new").await.expect(401);
    scene.stripe_sends(&scene.checkout(), "whsec_third").await.expect(200);

    let plain = Server::start(BINARY).await;
    let anonymous = Api::anonymous(plain.client()).with_base("/webhooks");
    anonymous.send(Method::POST, "/stripe", "{}").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_the_operator_may_set_plans_by_a_source() {
    let scene = Scene::begin().await;
    let source =
        |kind: &str| json!({"name": "s", "kind": kind, "secrets": ["whsec_own"], "actions": [{"kind": "plan"}]});
    scene.acme.post("/sources", &source("stripe")).await.expect_problem(403, "insufficient_scope");
    let elsewhere = scene.operator.post("/sources", &source("stripe")).await;
    assert_eq!(elsewhere.expect(422)["errors"][0]["field"], "actions[0].kind");
    scene.operations.post("/sources", &source("resend")).await.expect(422);

    // A key of the organization that the project `operations` lies in may do no more.
    let sources = scene.operations.get("/sources").await.expect(200);
    let (id, kept) = (sources["data"][0]["id"].as_str().expect("an id"), &sources["data"][0]);
    let home = scene.operator.get("/organizations").await.expect(200);
    let home = home["data"].as_array().expect("organizations").iter().find(|it| it["name"] == "default").cloned();
    let home = home.expect("there")["id"].as_str().expect("an id").to_owned();
    let theirs = organization_key(&scene.operator, &home, &json!({"name": "default", "scopes": ["admin"]})).await;
    let project = scene.operations.get("/sources").await.expect(200);
    assert_eq!(project["data"][0]["name"], "stripe");
    let projects = scene.operator.get("/projects").await.expect(200);
    let operations = projects["data"].as_array().expect("projects").iter().find(|it| it["name"] == "operations");
    let operations = operations.expect("a project")["id"].as_str().expect("an id");
    let theirs = theirs.with_header("x-project-id", operations);
    let change = json!({"name": "stripe", "kind": "stripe", "secrets": ["whsec_own"], "actions": kept["actions"]});
    theirs.put(&format!("/sources/{id}"), &change).await.expect_problem(403, "insufficient_scope");
    let without = json!({"name": "stripe", "kind": "stripe", "secrets": ["whsec_own"]});
    theirs.put(&format!("/sources/{id}"), &without).await.expect_problem(403, "insufficient_scope");
    theirs.delete(&format!("/sources/{id}")).await.expect_problem(403, "insufficient_scope");
    // Nor may it take the place that `/webhooks/stripe` leads to, or the whole project.
    let planted = json!({"name": "stripe", "kind": "none", "actions": []});
    theirs.post("/sources", &planted).await.expect_problem(403, "insufficient_scope");
    theirs.delete(&format!("/projects/{operations}")).await.expect_problem(403, "insufficient_scope");
    scene.operations.put(&format!("/sources/{id}"), &change).await.expect(200);

    // What one organization pays is nothing to another.
    theirs.get(&format!("/organizations/{}/billing", scene.organization)).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_only_has_the_name_is_not_taken_for_billing() {
    let mut server = Server::prepare(BINARY, &FLAGS);
    server.restart().await;
    let operator = World::new(&server).operator().clone();
    let projects = operator.get("/projects").await.expect(200);
    let operations = projects["data"].as_array().expect("projects").iter().find(|it| it["name"] == "operations");
    let operations = operations.expect("a project")["id"].as_str().expect("an id").to_owned();
    let planted = json!({"name": "stripe", "kind": "none", "actions": []});
    operator.clone().with_header("x-project-id", &operations).post("/sources", &planted).await.expect(201);
    server.stop().await;
    server.run_under(&["env", SECRETS]);
    let said = server.refuses_to_start().await;
    assert!(said.contains("named stripe that sets no plans"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_without_a_plan_is_refused_at_the_start() {
    let mut server = Server::prepare(BINARY, &["--stripe-price=price_s=gold"]);
    let said = server.refuses_to_start().await;
    assert!(said.contains("price_s") && said.contains("gold") && said.contains("professional"), "{said}");
    server.use_flags(&[]);
    server.run_under(&["env", "TIDINGS_STRIPE_WEBHOOK_SECRET=sk_live_123"]);
    let said = server.refuses_to_start().await;
    assert!(
        said.contains("TIDINGS_STRIPE_WEBHOOK_SECRET") && said.contains("API key") && !said.contains("sk_live"),
        "{said}"
    );
}
