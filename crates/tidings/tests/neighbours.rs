//! B2, B3: one customer floods the server, or lets a backlog grow; what that costs another one
//! whose receiver is well (INV-LANES). Two measurements in one run, compared with each other;
//! absolute times belong to the machine. `cargo xtask torture neighbours` does more.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Behaviour, Flood, Probe, Receiver, Server, Signature, World, setting};
use tokio::sync::Mutex;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const SAMPLES: usize = 250;
/// Events of one request of the flood.
const AT_A_TIME: usize = 50;
/// Deliveries that one webhook has pending.
const PENDING: usize = 10_000;

/// Measurements are made one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_who_floods_does_not_slow_down_another() {
    let _alone = ALONE.lock().await;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let flooder = world.project("flooder", EVENT_TYPE).await;
    world.subscribe_elsewhere(&flooder, &receiver.url("/"), "/", Signature::Standard, json!({})).await;
    receiver.route("/", Behaviour::Slow { wait: Duration::from_millis(5), status: 200 });
    let baseline = probe.measure(Probe::samples(SAMPLES)).await;

    let flood = Flood::start(4, move || {
        let flooder = flooder.clone();
        async move {
            flooder.publish_many(EVENT_TYPE, AT_A_TIME, 1).await;
            AT_A_TIME
        }
    });
    let mut events = 0;
    probe.hold("B2", baseline, 2.0, async || events = flood.stop().await).await;
    let pending = world.pending_deliveries().await;
    println!("B2: {events} events of the flood were accepted meanwhile, {pending} of them wait");
    assert!(events > 1_000, "that is no flood");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_one_webhook_does_not_slow_down_another() {
    let _alone = ALONE.lock().await;
    let wanted = setting("TIDINGS_PENDING").map_or(PENDING, |pending| pending as usize);
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let slow = world.project("slow", EVENT_TYPE).await;
    let webhook =
        world.subscribe_elsewhere(&slow, &receiver.url("/"), "/", Signature::Standard, json!({})).await.webhook_id;
    receiver.route("/", Behaviour::Slow { wait: Duration::from_secs(1), status: 200 });
    let baseline = probe.measure(Probe::samples(SAMPLES)).await;

    slow.publish_many(EVENT_TYPE, wanted, 1).await;
    probe
        .hold("B3", baseline, 1.2, async || {
            let pending = world.pending_deliveries().await;
            println!("B3: {pending} of {wanted} deliveries still wait for the one webhook");
            assert!(pending as usize >= wanted * 8 / 10, "only {pending} deliveries wait");
            slow.api.post(&format!("/webhooks/{webhook}/disable"), &json!({})).await.expect(200);
        })
        .await;
}
