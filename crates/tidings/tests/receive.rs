//! Providers' webhooks come in through the real server: verified, kept once, answered, acted upon.
//! The requests are signed by the library that Resend's customers use.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidings_testkit::{Answer, Api, Behaviour, Inlet, Receiver, Server, Signature, World, unix_seconds, until};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const BOUND: Duration = Duration::from_secs(30);
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const EVENT_TYPE: &str = "subscriber.updated";

fn now_s() -> i64 {
    i64::try_from(unix_seconds()).expect("seconds fit")
}

/// A provider that sends signed requests to one source.
struct Provider {
    inlet: Inlet,
}

impl Provider {
    fn of(api: &Api, source: &Value) -> Self {
        Self { inlet: Inlet::of(api, source) }
    }

    async fn send(&self, id: &str, body: &Value) -> Answer {
        self.send_signed(id, body.to_string(), now_s(), SECRET).await
    }

    async fn send_signed(&self, id: &str, body: String, at_s: i64, secret: &str) -> Answer {
        let library = svix::webhooks::Webhook::new(secret).expect("a secret");
        let signature = library.sign(id, at_s, body.as_bytes()).expect("a signature");
        let inlet = self.inlet.clone().with_header("svix-id", id).with_header("svix-timestamp", &at_s.to_string());
        inlet.with_header("svix-signature", &signature).send(body).await
    }
}

fn bounce(to: &str) -> Value {
    json!({"type": "email.bounced", "created_at": "2026-05-25T10:00:00Z", "data": {"email_id": "e-1", "to": [to]}})
}

fn source(actions: Value) -> Value {
    json!({"name": "resend", "kind": "resend", "secrets": [SECRET], "actions": actions})
}

fn actions() -> Value {
    json!([
        {
            "kind": "record", "on": ["email.*"], "record": "subscriber", "key": "{{/body/data/to/0 | lower}}",
            "set": {"status": "bounced", "bounced_at": "{{/body/created_at}}"}, "increment": {"bounces": 1},
        },
        {"kind": "forward", "on": ["email.delivered"], "url": "http://127.0.0.1:1/never"},
        {
            "kind": "emit", "type": EVENT_TYPE,
            "data": {"email": "{{/body/data/to/0 | lower}}", "status": "bounced", "cause": "{{/id}}"},
        },
    ])
}

async fn settled(api: &Api, id: &str, count: usize) -> Value {
    until("every action of the receipt to end", BOUND, async || {
        let receipt = api.get(&format!("/receipts/{id}")).await.expect(200);
        let actions = receipt["actions"].as_array().expect("actions");
        let ended = actions.iter().all(|action| !action["finished_at"].is_null());
        (ended && actions.len() == count).then_some(receipt)
    })
    .await
}

async fn first_receipt(api: &Api) -> String {
    let receipts = api.get("/receipts").await.expect(200);
    receipts["data"][0]["id"].as_str().expect("a receipt").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acceptance_17_a_bounce_changes_the_subscriber_and_goes_out_as_an_event() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("acme", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
    let made = project.api.post("/sources", &source(actions())).await.expect(201);
    let provider = Provider::of(&project.api, &made);

    let answer = provider.send("msg_1", &bounce("Ann@Example.com")).await;
    assert_eq!(answer.expect(200)["received"], true);

    let sent = receiver.wait_for("/hook", 1, BOUND).await.remove(0).json();
    assert_eq!(sent["data"], json!({"email": "ann@example.com", "status": "bounced", "cause": "msg_1"}), "{sent}");
    let record = project.api.get("/records/subscriber/ann@example.com").await.expect(200);
    let expected = json!({"status": "bounced", "bounced_at": "2026-05-25T10:00:00Z", "bounces": 1});
    assert_eq!((&record["data"], &record["version"]), (&expected, &json!(1)));

    let id = first_receipt(&project.api).await;
    let receipt = settled(&project.api, &id, 2).await;
    let kinds: Vec<_> = receipt["actions"].as_array().expect("actions").iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["record", "emit"], "in order, and none for another type: {receipt}");
    assert_eq!(receipt["actions"][1]["result"]["type"], EVENT_TYPE);
    assert_eq!((&receipt["type"], &receipt["provider_id"]), (&json!("email.bounced"), &json!("msg_1")));
    let history = project.api.get("/records/subscriber/ann@example.com/history").await.expect(200);
    assert_eq!(history["data"][0]["cause"], json!(id), "the history says which receipt changed it");

    // The same again is answered like the first, and nothing comes of it.
    let again = provider.send("msg_1", &bounce("Ann@Example.com")).await;
    assert_eq!(again.expect(200), answer.expect(200));
    // A replay does everything once more.
    project.api.post(&format!("/receipts/{id}/replay"), &json!({})).await.expect(202);
    settled(&project.api, &id, 4).await;
    receiver.wait_for("/hook", 2, BOUND).await;
    let record = project.api.get("/records/subscriber/ann@example.com").await.expect(200);
    assert_eq!((&record["data"]["bounces"], &record["version"]), (&json!(2), &json!(2)));
    let seen = project.api.get(&format!("/sources/{}", made["id"].as_str().expect("an id"))).await.expect(200);
    assert_eq!((&seen["duplicates"], &seen["rejected"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_genuine_is_counted_and_leaves_nothing() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let made = project.api.post("/sources", &source(json!([]))).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    let body = bounce("ann@example.com").to_string();
    let other = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODkw";
    for (at_s, secret, taken) in [
        (now_s() - 310, SECRET, false),
        (now_s() + 310, SECRET, false),
        (now_s(), other, false),
        (now_s() - 280, SECRET, true),
    ] {
        let answer = provider.send_signed(&format!("msg_{at_s}"), body.clone(), at_s, secret).await;
        match taken {
            true => _ = answer.expect(200),
            false => assert_eq!(answer.expect(401)["code"], "invalid_signature"),
        }
    }
    let unsigned = provider.inlet.send(body.clone()).await;
    assert_eq!(unsigned.expect(401)["code"], "invalid_signature");
    assert_eq!(project.api.get("/receipts").await.expect(200)["total"], 1);
    let path = format!("/sources/{}", made["id"].as_str().expect("an id"));
    assert_eq!(project.api.get(&path).await.expect(200)["rejected"], 4);

    // While a secret is exchanged for another, both are valid.
    let mut request = source(json!([]));
    request["secrets"] = json!([other, SECRET]);
    project.api.put(&path, &request).await.expect(200);
    for (id, secret) in [("msg_new", other), ("msg_old", SECRET)] {
        provider.send_signed(id, body.clone(), now_s(), secret).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_disabled_and_deleted_sources_answer_alike() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let made = project.api.post("/sources", &source(json!([]))).await.expect(201);
    let path = format!("/sources/{}", made["id"].as_str().expect("an id"));
    let provider = Provider::of(&project.api, &made);
    provider.send("msg_1", &bounce("a@example.com")).await.expect(200);
    let without = |answer: &Value| json!([answer["code"], answer["detail"], answer["title"]]);
    let at = |token: &str| Provider { inlet: Inlet::at(&project.api, "/in", token) };
    let unknown = without(&at("no-such-token").send("msg_2", &bounce("a@example.com")).await.expect(404));
    // Neither is what could be nobody's.
    for token in ["%ff", "%00", "%C3%A4", "-"] {
        assert_eq!(without(&at(token).send("msg_2", &bounce("a@example.com")).await.expect(404)), unknown, "{token}");
    }

    let mut disabled = source(json!([]));
    disabled["enabled"] = json!(false);
    project.api.put(&path, &disabled).await.expect(200);
    assert_eq!(without(&provider.send("msg_2", &bounce("a@example.com")).await.expect(404)), unknown);
    // What is left out stays as it is.
    project.api.put(&path, &source(json!([]))).await.expect(200);
    assert_eq!(without(&provider.send("msg_2", &bounce("a@example.com")).await.expect(404)), unknown);
    disabled["enabled"] = json!(true);
    project.api.put(&path, &disabled).await.expect(200);
    provider.send("msg_2", &bounce("a@example.com")).await.expect(200);
    project.api.delete(&path).await.expect(204);
    assert_eq!(without(&provider.send("msg_3", &bounce("a@example.com")).await.expect(404)), unknown);
    // What came in stays to be looked at.
    assert_eq!(project.api.get("/receipts").await.expect(200)["total"], 2);
    let wrong = provider.inlet.ask(Method::GET, "", "").await;
    assert_eq!(wrong.expect(405)["code"], "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_identical_requests_are_one_receipt() {
    const REQUESTS: usize = 1_000;
    const AT_ONCE: usize = 20;
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let made = project.api.post("/sources", &source(actions())).await.expect(201);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let provider = Provider::of(&project.api, &made);
        senders.spawn(async move {
            for _ in 0..REQUESTS / AT_ONCE {
                let answer = provider.send("msg_1", &bounce("ann@example.com")).await;
                assert_eq!(answer.expect(200), json!({"received": true}));
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.expect("every request is answered alike");
    }
    let id = first_receipt(&project.api).await;
    settled(&project.api, &id, 2).await;
    assert_eq!(project.api.get("/receipts").await.expect(200)["total"], 1);
    let record = project.api.get("/records/subscriber/ann@example.com").await.expect(200);
    assert_eq!((&record["data"]["bounces"], &record["version"]), (&json!(1), &json!(1)));
    assert_eq!(project.api.get("/events").await.expect(200)["total"], 1);
    let seen = project.api.get(&format!("/sources/{}", made["id"].as_str().expect("an id"))).await.expect(200);
    assert_eq!(seen["duplicates"], REQUESTS - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_action_is_tried_again_and_what_follows_waits_for_it() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    receiver.route("/forward", Behaviour::Status(503));
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let actions = json!([
        {"kind": "forward", "url": receiver.url("/forward")},
        {"kind": "record", "record": "seen", "key": "{{/id}}", "set": {"type": "{{/type}}"}},
    ]);
    let made = project.api.post("/sources", &source(actions)).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    provider.send("msg_1", &bounce("ann@example.com")).await.expect(200);
    let forwarded = receiver.wait_for("/forward", 1, BOUND).await.remove(0);
    assert_eq!(forwarded.body, bounce("ann@example.com").to_string(), "the bytes as they came");
    assert_eq!((forwarded.header("svix-id"), forwarded.header("content-type")), ("msg_1", "application/json"));
    let id = first_receipt(&project.api).await;
    until("the failed try to be written down", BOUND, async || {
        let receipt = project.api.get(&format!("/receipts/{id}")).await.expect(200);
        (receipt["actions"][0]["status"] == "retrying").then_some(())
    })
    .await;
    assert_eq!(project.api.get("/records/seen/msg_1").await.status, 404, "it waits for the one before it");
    receiver.route("/forward", Behaviour::Ok);
    let receipt = settled(&project.api, &id, 2).await;
    assert!(receipt["actions"][0]["attempts"].as_u64().expect("a number") >= 2, "{receipt}");
    assert_eq!(project.api.get("/records/seen/msg_1").await.expect(200)["data"]["type"], "email.bounced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_ack_a_receipt_that_was_answered_survives_a_kill() {
    let rounds = std::env::var("TIDINGS_RECEIPT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let made = project.api.post("/sources", &source(actions())).await.expect(201);
    for round in 0..rounds {
        let provider = Provider::of(&project.api, &made);
        provider.send(&format!("msg_{round}"), &bounce(&format!("r{round}@example.com"))).await.expect(200);
        server.kill().await;
        server.restart().await;
    }
    let api = project.api.clone();
    for round in 0..rounds {
        until("the record of every answered receipt", BOUND, async || {
            let record = api.get(&format!("/records/subscriber/r{round}@example.com")).await;
            (record.status == 200).then(|| assert_eq!(record.expect(200)["data"]["bounces"], 1, "once, and only once"))
        })
        .await;
    }
    until("one event for each", BOUND, async || {
        (api.get("/events").await.expect(200)["total"] == json!(rounds)).then_some(())
    })
    .await;
    assert_eq!(api.get("/receipts").await.expect(200)["total"], json!(rounds));
    println!("{rounds} kills right after the answer: lost 0, done twice 0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_per_source_and_wrong_settings_are_explained() {
    let server = Server::start(BINARY).await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let mut limited = source(json!([]));
    limited["rate_limit"] = json!(2);
    let made = project.api.post("/sources", &limited).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    for _ in 0..5 {
        let forged = provider.inlet.send("{}").await;
        assert_eq!(forged.expect(401)["code"], "invalid_signature");
    }
    for (id, status) in [("a", 200), ("b", 200), ("c", 429)] {
        let answer = provider.send(id, &bounce("a@example.com")).await;
        answer.expect(status);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 429);
    }
    assert_eq!(project.api.post("/sources", &limited).await.expect(409)["code"], "already_exists");
    let wrong = json!({
        "name": "x", "kind": "hmac", "secrets": [], "dedupe": "id", "allow": ["10.0.0.1/8"],
        "actions": [{"kind": "forward", "url": "http://127.0.0.1:22/"}],
    });
    let refused = project.api.post("/sources", &wrong).await.expect(422);
    let fields: Vec<_> = refused["errors"].as_array().expect("errors").iter().map(|it| it["field"].clone()).collect();
    assert_eq!(fields, ["allow[0]", "secrets", "verify", "dedupe"], "{refused}");
    let target = json!([{"kind": "forward", "url": "http://169.254.169.254/latest"}]);
    let mut forbidden = source(target);
    forbidden["name"] = json!("other");
    assert_eq!(project.api.post("/sources", &forbidden).await.expect(422)["code"], "url_not_allowed");

    // A mapping is tried on what came in before it is saved.
    let action = json!({"kind": "emit", "type": EVENT_TYPE, "data": {"to": "{{/body/data/to/0}}"}});
    let path = format!("/sources/{}/preview", made["id"].as_str().expect("an id"));
    let tried = project.api.post(&path, &json!({"action": action})).await.expect(200);
    assert_eq!(tried["result"], json!({"type": EVENT_TYPE, "data": {"to": "a@example.com"}}), "{tried}");
    assert_eq!(project.api.get("/events").await.expect(200)["total"], 0, "nothing comes of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fixed_address_for_resend_leads_to_the_default_projects_source_of_that_name() {
    let server = Server::start(BINARY).await;
    let operator = World::new(&server).operator().clone();
    let fixed = Provider { inlet: Inlet::at(&operator, "/webhooks", "resend") };
    fixed.send("msg_1", &bounce("ann@example.com")).await.expect(404);
    operator.post("/sources", &source(actions())).await.expect(201);
    fixed.send("msg_1", &bounce("ann@example.com")).await.expect(200);
    until("the record", BOUND, async || {
        (operator.get("/records/subscriber/ann@example.com").await.status == 200).then_some(())
    })
    .await;
}

async fn in_state(api: &Api, id: &str, place: usize, status: &str) -> Value {
    until("an action to get there", BOUND, async || {
        let receipt = api.get(&format!("/receipts/{id}")).await.expect(200);
        (receipt["actions"][place]["status"] == status).then_some(receipt)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_done_as_it_was_asked_for_whatever_is_changed_meanwhile() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    receiver.route("/first", Behaviour::Status(503));
    receiver.route("/second", Behaviour::Ok);
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let record = |kind: &str| json!({"kind": "record", "record": kind, "key": "{{/id}}", "set": {"seen": true}});
    let forward = |path: &str| json!({"kind": "forward", "url": receiver.url(path)});
    let before = source(json!([forward("/first"), record("old")]));
    let made = project.api.post("/sources", &before).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    provider.send("msg_1", &bounce("ann@example.com")).await.expect(200);
    let id = first_receipt(&project.api).await;
    in_state(&project.api, &id, 0, "retrying").await;
    let path = format!("/sources/{}", made["id"].as_str().expect("an id"));
    project.api.put(&path, &source(json!([record("new"), forward("/second")]))).await.expect(200);
    receiver.route("/first", Behaviour::Ok);
    let receipt = settled(&project.api, &id, 2).await;
    let kinds: Vec<_> = receipt["actions"].as_array().expect("actions").iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["forward", "record"], "{receipt}");
    project.api.get("/records/old/msg_1").await.expect(200);
    assert_eq!(project.api.get("/records/new/msg_1").await.status, 404);
    assert_eq!(receiver.count_at("/second"), 0);
    // A replay does what the source asks for now.
    project.api.post(&format!("/receipts/{id}/replay"), &json!({})).await.expect(202);
    settled(&project.api, &id, 4).await;
    project.api.get("/records/new/msg_1").await.expect(200);
    assert_eq!(receiver.count_at("/second"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_lanes_neither_a_dead_receiver_nor_an_impossible_action_holds_up_other_receipts() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    receiver.route("/dead", Behaviour::Status(503));
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let actions = json!([
        {"kind": "forward", "on": ["dead"], "url": receiver.url("/dead")},
        {"kind": "record", "on": ["impossible"], "record": "seen", "key": "{{/body/nothing}}", "set": {"a": 1}},
        {"kind": "record", "on": ["fine"], "record": "seen", "key": "{{/id}}", "set": {"a": 1}},
    ]);
    let made = project.api.post("/sources", &source(actions)).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    // More than a breaker lets pass.
    for number in 0..20 {
        for kind in ["dead", "impossible"] {
            provider.send(&format!("{kind}_{number}"), &json!({ "type": kind })).await.expect(200);
        }
    }
    receiver.wait_for("/dead", 12, BOUND).await;
    provider.send("fine_1", &json!({"type": "fine"})).await.expect(200);
    let at_once = Duration::from_secs(3);
    until("the record, long before the breaker's next probe", at_once, async || {
        (project.api.get("/records/seen/fine_1").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_bounded_circles_end_and_templates_cannot_fill_the_memory() {
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let project = World::new(&server).project("acme", EVENT_TYPE).await;
    let open = |name: &str, actions: Value| json!({"name": name, "kind": "none", "actions": actions});
    receiver.route("/on", Behaviour::Ok);
    let forward = json!([{"kind": "forward", "url": receiver.url("/on")}]);
    let made = project.api.post("/sources", &open("circle", forward)).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    for (hops, then) in [("0", "1"), ("4", "5")] {
        let inlet = provider.inlet.clone().with_header("x-tidings-hops", hops);
        inlet.post(&json!({"type": "round"})).await.expect(200);
        until("the request, one hop further", BOUND, async || {
            receiver.requests_at("/on").iter().any(|sent| sent.header("x-tidings-hops") == then).then_some(())
        })
        .await;
    }
    let inlet = provider.inlet.clone().with_header("x-tidings-hops", "5");
    assert_eq!(inlet.post(&json!({"type": "round"})).await.expect(400)["code"], "malformed_request");

    let places = vec!["{{/body/a}}"; 1_000];
    let emit = json!([{"kind": "emit", "type": EVENT_TYPE, "data": places}]);
    let made = project.api.post("/sources", &open("large", emit)).await.expect(201);
    let provider = Provider::of(&project.api, &made);
    provider.inlet.post(&json!({"a": vec![1; 300_000]})).await.expect(200);
    let id = first_receipt(&project.api).await;
    let receipt = in_state(&project.api, &id, 0, "retrying").await;
    let reason = receipt["actions"][0]["result"]["error"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("262144 bytes"), "{reason}");
    assert_eq!(project.api.get("/events").await.expect(200)["total"], 0);
}
