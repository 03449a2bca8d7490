//! A story through PgBouncer in transaction mode: two nodes, each transaction on another connection.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tidings_testkit::{
    Behaviour, ClientLedger, Load, Nodes, Random, Receiver, UNWELL, View, World,
    postgres::{Bouncer, Cluster},
    reconcile, three_customers_in, until,
};
use tokio_postgres::NoTls;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const PUBLISHERS: usize = 8;
const BOUND: Duration = Duration::from_secs(60);
/// Connections of PgBouncer to the server: fewer than two nodes have to it, so that they are really shared.
const SHARED: &str = "default_pool_size = 8";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_accept_deliver_retry_and_list_through_a_pooler_of_transactions() {
    let cluster: &'static Cluster = Box::leak(Box::new(Cluster::durable()));
    let (database, bouncer) = (cluster.database(), Bouncer::before(cluster, SHARED));
    let mut nodes = Nodes::start_on(BINARY, 2, &bouncer.lead_to(&database)).await;
    let receiver = Receiver::start().await;
    let world = three_customers_in(World::of(nodes.operator()), &receiver, EVENT_TYPE).await;
    let ledger = Arc::new(ClientLedger::create(&nodes.servers[0].scratch_path("client-ledger.jsonl")));
    let publishers = |seed: u64| (0..PUBLISHERS).map(|number| Random::seeded(seed + number as u64)).collect();

    // What fails first is tried again.
    receiver.route(UNWELL, Behaviour::Status(503));
    let load = Load::start(&world.projects, EVENT_TYPE, &ledger, publishers(1));
    load.wait_for(100).await;
    receiver.route(UNWELL, Behaviour::Ok);
    // A node goes and comes under load.
    assert!(nodes.servers[1].stop().await.success());
    nodes.servers[1].restart().await;
    load.wait_for(200).await;
    // And so does the database: PgBouncer says so in words of its own, in the middle of commits.
    tokio::task::spawn_blocking(|| cluster.restart()).await.expect("it restarts");
    load.stop().await;

    let project = &world.projects[0].api;
    let accepted = project.post("/events/batch", &json!({"events": [{"type": EVENT_TYPE, "data": 1}]})).await;
    let accepted = accepted.expect(202)["data"][0]["id"].as_str().expect("an id").to_owned();
    world.drain().await;
    let shown = project.get(&format!("/events/{accepted}")).await.expect(200);
    assert!(shown["deliveries"].as_array().is_some_and(|rows| !rows.is_empty()), "{shown}");
    world.assert_ledger_is_even().await;
    let mut view = View::read(&world).await;
    view.events.remove(&accepted);
    view.deliveries.retain(|(event, _), _| *event != accepted);
    let arrivals: Vec<_> = receiver.arrivals().into_iter().filter(|arrival| arrival.event_id != accepted).collect();
    let report = reconcile(&world, &ledger, &arrivals, &view);
    println!("through PgBouncer: {report}");
    report.assert_clean();

    // They were really shared, and nothing that a node sets stays behind for whoever comes next.
    let (client, connection) = tokio_postgres::connect(&bouncer.lead_to(&database), NoTls).await.expect("connects");
    tokio::spawn(connection);
    let count = async |what: &str| {
        let rows = client.query_typed(&format!("SELECT {what}"), &[]).await.expect("an answer");
        rows[0].get::<_, i64>(0)
    };
    let serving =
        "count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'";
    assert!(count(serving).await <= 8);
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        let changed = format!("count(*) FROM pg_settings WHERE name = '{setting}' AND setting <> reset_val");
        assert_eq!(count(&changed).await, 0, "{setting}");
    }
    // Both nodes hear each other: a key that was taken back through one is refused by the other.
    let locks = "count(*) FROM pg_locks WHERE locktype = 'advisory'";
    until("the end of locks of starts", BOUND, async || (count(locks).await == 0).then_some(())).await;
}
