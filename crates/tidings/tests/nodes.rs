//! Several servers on one PostgreSQL, behind a balancer: killed, frozen, stopped and started again under load, and
//! changed through one while the others work (A1, A15, A16, A18).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tidings_client::{Client, DeliveryStream, StreamEvent};
use tidings_testkit::{
    Api, Behaviour, ClientLedger, Load, Nodes, Random, Receiver, Signature, UNWELL, View, World, reconcile, setting,
    three_customers_in, until,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use tokio_postgres::NoTls;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const PUBLISHERS: usize = 8;
/// Kills by default; `cargo xtask torture` sets `TIDINGS_TORTURE_ROUNDS`.
const KILLS_DEFAULT: usize = 3;
/// How long after its last word a process is taken for dead, and what the others may take to notice.
const LEASE: Duration = Duration::from_secs(10);
const TAKEN_OVER: Duration = Duration::from_secs(15);
/// Runs of a command that are asked for at once.
const RUNS: usize = 15;

fn publishers(random: &mut Random) -> Vec<Random> {
    (0..PUBLISHERS).map(|_| Random::seeded(random.bits())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_nodes_that_are_killed_under_load_lose_nothing() {
    let kills = setting("TIDINGS_TORTURE_ROUNDS").map_or(KILLS_DEFAULT, |rounds| rounds as usize);
    let seed = setting("TIDINGS_TEST_SEED").unwrap_or_else(Random::fresh_seed);
    println!("A1, several nodes: {kills} kills; repeat with TIDINGS_TEST_SEED={seed}");
    let mut random = Random::seeded(seed);
    let mut nodes = Nodes::start(BINARY, 3).await;
    let receiver = Receiver::start().await;
    let world = three_customers_in(World::of(nodes.operator()), &receiver, EVENT_TYPE).await;
    let ledger = Arc::new(ClientLedger::create(&nodes.servers[0].scratch_path("client-ledger.jsonl")));
    let mut killed = Vec::new();
    for _ in 0..kills {
        receiver.route(UNWELL, Behaviour::Status(503));
        let load = Load::start(&world.projects, EVENT_TYPE, &ledger, publishers(&mut random));
        load.wait_for(random.within(40..300) as usize).await;
        let victim = random.within(0..3) as usize;
        nodes.servers[victim].kill_after(Duration::from_millis(random.within(0..30))).await;
        killed.push(Instant::now());
        load.wait_for(400).await;
        nodes.servers[victim].restart().await;
        load.stop().await;
        receiver.route(UNWELL, Behaviour::Ok);
    }
    world.drain().await;
    world.assert_ledger_is_even().await;
    let report = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
    println!("A1, several nodes: {kills} kills: {report}");
    report.assert_clean();
}

/// One node, asked directly: through the balancer a connection may lead to a server that was just killed, or that
/// stands still.
fn without_balancer(nodes: &Nodes, place: usize) -> World {
    let node = &nodes.servers[place];
    World::of(Api::anonymous(node.client()).with_key(node.operator_key()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_no_loss_others_take_over_what_a_killed_node_had_leased() {
    let mut nodes = Nodes::start(BINARY, 2).await;
    let receiver = Receiver::start().await;
    receiver.route("/stuck", Behaviour::Slow { wait: Duration::from_secs(30), status: 200 });
    let mut world = World::of(nodes.operator());
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, "/stuck", Signature::Standard, json!({})).await;
    let first = Api::anonymous(nodes.servers[0].client()).with_key(&key_of(&world, &project.organization_id).await);
    let events: Vec<_> = (0..60).map(|number| json!({"type": EVENT_TYPE, "data": number})).collect();
    first.post("/events/batch", &json!({"events": events})).await.expect(202);
    receiver.wait_for("/stuck", 1, TAKEN_OVER).await;
    // Whatever arrives from here on is answered at once.
    receiver.route("/stuck", Behaviour::Ok);
    nodes.servers[0].kill().await;
    let killed = Instant::now();
    let second = without_balancer(&nodes, 1);
    let all = "the end of what the other had leased";
    until(all, LEASE * 3, async || (second.pending_deliveries().await == 0).then_some(())).await;
    let took = killed.elapsed();
    println!("A15: 60 deliveries of a killed node were done by another {} ms after the kill", took.as_millis());
    assert!(took <= TAKEN_OVER, "it took {} ms", took.as_millis());
    second.assert_ledger_is_even().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_fence_a_frozen_node_that_wakes_changes_nothing_that_others_did() {
    let nodes = Nodes::start(BINARY, 2).await;
    let receiver = Receiver::start().await;
    receiver.route("/stuck", Behaviour::Slow { wait: Duration::from_secs(2), status: 500 });
    let mut world = World::of(nodes.operator());
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, "/stuck", Signature::Standard, json!({})).await;
    let key = key_of(&world, &project.organization_id).await;
    let first = Api::anonymous(nodes.servers[0].client()).with_key(&key);
    let events: Vec<_> = (0..60).map(|number| json!({"type": EVENT_TYPE, "data": number})).collect();
    first.post("/events/batch", &json!({"events": events})).await.expect(202);
    receiver.wait_for("/stuck", 1, TAKEN_OVER).await;
    nodes.servers[0].freeze().await;
    receiver.route("/stuck", Behaviour::Ok);
    let second = without_balancer(&nodes, 1);
    until("the end of what it had leased", LEASE * 3, async || (second.pending_deliveries().await == 0).then_some(()))
        .await;
    nodes.servers[0].thaw();
    let done = async || {
        let list = first.get("/deliveries?limit=100").await.expect(200);
        let rows = list["data"].as_array().expect("a list").clone();
        (rows.len() == 60 && rows.iter().all(|row| row["status"] == "delivered")).then_some(())
    };
    until("it to join again", TAKEN_OVER, async || {
        nodes.servers[0].log().contains("took this process for dead").then_some(())
    })
    .await;
    until("its answer", TAKEN_OVER, done).await;
    first.post("/events", &json!({"type": EVENT_TYPE, "data": "after"})).await.expect(202);
    until("the end of all deliveries", LEASE, async || (second.pending_deliveries().await == 0).then_some(())).await;
    second.assert_ledger_is_even().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_costs_no_client_more_than_one_retry() {
    let mut random = Random::seeded(18);
    let mut nodes = Nodes::start(BINARY, 3).await;
    let receiver = Receiver::start().await;
    let mut world = World::of(nodes.operator());
    let shop = world.project("shop", EVENT_TYPE).await;
    for path in ["/quick", "/slow"] {
        world.subscribe(&shop, &receiver, path, Signature::Standard, json!({})).await;
    }
    receiver.route("/slow", Behaviour::Slow { wait: Duration::from_millis(30), status: 200 });
    let ledger = Arc::new(ClientLedger::create(&nodes.servers[0].scratch_path("client-ledger.jsonl")));
    let load = Load::start(&world.projects, EVENT_TYPE, &ledger, publishers(&mut random));
    let rounds = setting("TIDINGS_TORTURE_ROUNDS").unwrap_or(1);
    for _ in 0..rounds {
        for server in &mut nodes.servers {
            assert!(server.stop().await.success());
            server.restart().await;
        }
    }
    let acknowledged = load.stop().await;
    world.drain().await;
    let report = reconcile(&world, &ledger, &receiver.arrivals(), &View::read(&world).await);
    println!("A18: {rounds} rolling restarts of 3 nodes, {acknowledged} acknowledged; {report}");
    report.assert_clean();
    report.assert_sent_again_only_around(&[], Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inv_fanout_what_one_node_has_changed_every_node_knows_before_the_answer() {
    let nodes = Nodes::start(BINARY, 3).await;
    let receiver = Receiver::start().await;
    let operators: Vec<_> =
        nodes.servers.iter().map(|server| Api::anonymous(server.client()).with_key(server.operator_key())).collect();
    let mut world = World::of(operators[0].clone());
    let project = world.project("shop", EVENT_TYPE).await;
    let event = json!({"type": EVENT_TYPE, "data": 1});
    for round in 0..6_usize {
        let key = key_of(&world, &project.organization_id).await;
        let everywhere: Vec<_> =
            nodes.servers.iter().map(|server| Api::anonymous(server.client()).with_key(&key)).collect();
        let path = format!("/hook/{round}");
        let new = json!({"url": receiver.url(&path), "events": ["*"]});
        let made = everywhere[round % 3].post("/webhooks", &new).await.expect(201);
        // Every node gives the very next event to the new webhook.
        for api in &everywhere {
            let accepted = api.post("/events", &event).await.expect(202);
            assert_eq!(accepted["deliveries"], 1, "round {round}: {accepted}");
        }
        let webhook = format!("/webhooks/{}", made["id"].as_str().expect("an id"));
        everywhere[(round + 1) % 3].delete(&webhook).await.expect(204);
        for api in &everywhere {
            let accepted = api.post("/events", &event).await.expect(202);
            assert_eq!(accepted["deliveries"], 0, "round {round}: {accepted}");
        }
        let keys = operators[round % 3].clone().with_header("x-organization-id", &project.organization_id);
        let keys = keys.get("/api-keys?limit=100").await.expect(200);
        let id = keys["data"].as_array().expect("a list")[0]["id"].as_str().expect("an id").to_owned();
        let elsewhere = operators[(round + 2) % 3].clone().with_header("x-organization-id", &project.organization_id);
        elsewhere.delete(&format!("/api-keys/{id}")).await.expect(204);
        for api in &everywhere {
            api.get("/webhooks").await.expect(401);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_listens_to_one_node_hears_what_all_of_them_do() {
    let mut nodes = Nodes::start(BINARY, 3).await;
    let receiver = Receiver::start().await;
    let mut world = World::of(nodes.operator());
    let project = world.project("shop", EVENT_TYPE).await;
    world.subscribe(&project, &receiver, "/hook", Signature::Standard, json!({})).await;
    let maker = world.operator().clone().with_header("x-organization-id", &project.organization_id);
    let bound = json!({"name": "bound", "project_id": project.id});
    let key = maker.post("/api-keys", &bound).await.expect(201)["key"].as_str().expect("a key").to_owned();
    let apis: Vec<_> = nodes.servers.iter().map(|server| Api::anonymous(server.client()).with_key(&key)).collect();
    let client = Client::builder(format!("http://{}", nodes.servers[0].address())).api_key(key.clone()).build();
    let mut stream = client.expect("a client").stream(None).await.expect("a stream");
    let publish = async |api: &Api| {
        let accepted = api.post("/events", &json!({"type": EVENT_TYPE, "data": 1})).await.expect(202);
        accepted["id"].as_str().expect("an id").to_owned()
    };
    // The others learn within a moment that somebody listens.
    for other in &apis[1..] {
        until("news of another node", TAKEN_OVER, async || {
            let event = publish(other).await;
            let mut heard = async || while next(&mut stream).await.0 != event {};
            tokio::time::timeout(Duration::from_secs(1), heard()).await.ok()
        })
        .await;
    }
    let mut expected = BTreeMap::new();
    for _ in 0..10 {
        for api in &apis {
            expected.insert(publish(api).await, 2);
        }
    }
    let mut left = expected.len() * 2;
    while left > 0 {
        let (event, change) = next(&mut stream).await;
        let Some(changes) = expected.get_mut(&event) else { continue };
        // Accepted, and then ended, each once.
        assert_eq!(change, if *changes == 2 { "accepted" } else { "ended" }, "{event}");
        *changes -= 1;
        left -= 1;
    }
    // One that is killed may have had news that it told nobody: whoever listens looks at everything anew.
    nodes.servers[1].kill().await;
    let mut reset = async || while heard(&mut stream).await != StreamEvent::Reset {};
    tokio::time::timeout(LEASE * 3, reset()).await.expect("a reset once it is taken for dead");
}

/// Three nodes, and the same project through each of them.
async fn through_all() -> (Nodes, Vec<Api>) {
    let nodes = Nodes::start(BINARY, 3).await;
    let mut world = World::of(nodes.operator());
    let project = world.project("shop", EVENT_TYPE).await;
    let maker = world.operator().clone().with_header("x-organization-id", &project.organization_id);
    let bound = json!({"name": "bound", "project_id": project.id});
    let key = maker.post("/api-keys", &bound).await.expect(201)["key"].as_str().expect("a key").to_owned();
    let apis = nodes.servers.iter().map(|server| Api::anonymous(server.client()).with_key(&key)).collect();
    (nodes, apis)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_a_command_runs_on_one_node_alone() {
    let (_nodes, apis) = through_all().await;
    // Whoever reads and writes beside another one loses what that one has written.
    let code = "const n = Bot.getProperty('n', 0); const t = Date.now(); while (Date.now() < t + 20); \
                Bot.setProperty('n', n + 1); Bot.sendMessage(String(n + 1));";
    let new = json!({"name": "/count", "code": code, "concurrency": "one_at_a_time"});
    apis[0].post("/commands", &new).await.expect(201);
    let call = |api: Api| async move { api.post("/commands/%2Fcount/run", &json!({})).await.expect(200) };
    let calls: JoinSet<_> = (0..RUNS).map(|number| call(apis[number % apis.len()].clone())).collect();
    let number = |run: &Value| run["answer"]["content"].as_str().and_then(|text| text.parse().ok());
    let mut counted: Vec<usize> = calls.join_all().await.iter().filter_map(number).collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=RUNS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_runs_that_wait_only_the_latest_stays_whichever_node_is_asked() {
    let (nodes, apis) = through_all().await;
    let (client, connection) = tokio_postgres::connect(&nodes.database, NoTls).await.expect("connects");
    tokio::spawn(connection);
    let code = "const t = Date.now(); while (Date.now() < t + options.ms); return 1";
    let new = json!({"name": "/slow", "code": code, "concurrency": "latest", "timeout_ms": 5000});
    apis[0].post("/commands", &new).await.expect(201);
    let run = |api: &Api, ms: u32| {
        let api = api.clone();
        tokio::spawn(
            async move { api.post("/commands/%2Fslow/run", &json!({"options": {"ms": ms}})).await.expect(200) },
        )
    };
    let turns = async |count: i64| {
        let text = "SELECT count(*) FROM command_turn";
        let is_so =
            async || (client.query_one(text, &[]).await.expect("a count").get::<_, i64>(0) == count).then_some(());
        until("turns", TAKEN_OVER, is_so).await;
    };
    let first = run(&apis[0], 3_000);
    turns(1).await;
    let second = run(&apis[1], 0);
    turns(2).await;
    let third = run(&apis[2], 0);
    let status = async |run: JoinHandle<Value>| run.await.expect("a run")["status"].clone();
    assert_eq!(status(second).await, "superseded");
    assert_eq!((status(first).await, status(third).await), (json!("succeeded"), json!("succeeded")));
    turns(0).await;
}

async fn heard(stream: &mut DeliveryStream) -> StreamEvent {
    let next = tokio::time::timeout(LEASE * 3, stream.next()).await.expect("something comes in time");
    next.expect("an unbroken stream").expect("a stream without an end")
}

/// The next news: of which event, and what.
async fn next(stream: &mut DeliveryStream) -> (String, String) {
    match heard(stream).await {
        StreamEvent::Delivery(news) => (news.event_id.to_string(), news.change.as_str().to_owned()),
        other => panic!("{other:?} in place of news"),
    }
}

/// A new key of the organization.
async fn key_of(world: &World, organization_id: &str) -> String {
    let maker = world.operator().clone().with_header("x-organization-id", organization_id);
    let made = maker.post("/api-keys", &json!({"name": "one"})).await.expect(201);
    made["key"].as_str().expect("a key").to_owned()
}
