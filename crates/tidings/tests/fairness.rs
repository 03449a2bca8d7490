//! B7, B11, B13, B14: receivers that ask for time, large payloads, many customers at once, and
//! receivers that are slow but alive: none of them holds up anybody else (INV-LANES).
//! `cargo xtask torture neighbours` measures longer.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Behaviour, Flood, Probe, Receiver, Server, Signature, World, until};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(60);
/// The probe's events in one measurement.
const SAMPLES: usize = 200;

/// Measurements are made one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_that_ask_for_time_get_it_and_hold_up_nobody() {
    const WEBHOOKS: usize = 50;
    const EVENTS: usize = 4;
    let _alone = ALONE.lock().await;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let busy = world.project("busy", EVENT_TYPE).await;
    let too_many = Behaviour::Reply { status: 429, headers: &[("retry-after", "2")], body: "" };
    for number in 0..WEBHOOKS {
        let path = format!("/{number}");
        let quick = json!({"retry": {"schedule_s": vec![0.1; 20], "jitter": 0}});
        world.subscribe(&busy, &receiver, &path, Signature::Standard, quick).await;
        receiver.route(&path, too_many.clone());
    }
    let baseline = probe.measure(Probe::samples(SAMPLES)).await;
    busy.publish_many(EVENT_TYPE, EVENTS, WEBHOOKS).await;
    probe.hold("B7", baseline, 1.2, async || {}).await;
    until("second attempts", BOUND, async || {
        (receiver.arrivals().iter().filter(|arrival| arrival.attempt == 2).count() >= WEBHOOKS * EVENTS).then_some(())
    })
    .await;
    for number in 0..WEBHOOKS {
        receiver.route(&format!("/{number}"), Behaviour::Ok);
    }
    world.drain().await;
    let arrivals = receiver.arrivals();
    let mut shortest = Duration::MAX;
    for first in arrivals.iter().filter(|arrival| arrival.status == Some(429)) {
        let next = arrivals
            .iter()
            .find(|next| next.delivery_id == first.delivery_id && next.attempt == first.attempt + 1)
            .expect("it was tried again");
        shortest = shortest.min(next.at - first.at);
    }
    println!("B7: {} requests, the shortest wait after a 429 was {shortest:?} of 2 s asked for", arrivals.len());
    assert!(shortest >= Duration::from_secs(2), "{shortest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_payloads_do_not_hold_up_small_ones() {
    let _alone = ALONE.lock().await;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let large = world.project("large", EVENT_TYPE).await;
    world.subscribe_elsewhere(&large, &receiver.url("/"), "/", Signature::Standard, json!({})).await;
    receiver.route("/", Behaviour::Slow { wait: Duration::from_millis(50), status: 200 });
    let baseline = probe.measure(Probe::samples(SAMPLES)).await;

    let api = large.api.clone();
    let publishing = Flood::start(1, move || {
        let api = api.clone();
        async move {
            let event = json!({"type": EVENT_TYPE, "data": "x".repeat(200 * 1024)});
            api.post("/events", &event).await.expect(202);
            1
        }
    });
    let mut events = 0;
    probe.hold("B11", baseline, 2.0, async || events = publishing.stop().await).await;
    println!("B11: {events} events of 200 KiB, one after the other");
    assert!(events > 20, "that is no stream");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_customers_at_once_are_served_alike() {
    const CUSTOMERS: usize = 30;
    const EVENTS: usize = 40;
    const LARGEST: usize = 3_000;
    let _alone = ALONE.lock().await;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let alike = json!({"max_in_flight": 4});
    let mut customers = Vec::new();
    for number in 0..=CUSTOMERS {
        let project = world.project(&format!("customer {number}"), EVENT_TYPE).await;
        let path = format!("/{number}");
        world.subscribe_elsewhere(&project, &receiver.url(&path), &path, Signature::Standard, alike.clone()).await;
        receiver.route(&path, Behaviour::Slow { wait: Duration::from_millis(20), status: 200 });
        customers.push(project);
    }
    let largest = customers.pop().expect("one more than the others");
    largest.publish_many(EVENT_TYPE, LARGEST, 1).await;
    let started = Instant::now();
    let mut publishing = JoinSet::new();
    for customer in customers {
        publishing.spawn(async move { customer.publish_many(EVENT_TYPE, EVENTS, 1).await });
    }
    publishing.join_all().await;
    let ended = |number: usize| format!("/{number}");
    until("all deliveries of the small customers", BOUND, async || {
        (0..CUSTOMERS).all(|number| receiver.count_at(&ended(number)) >= EVENTS).then_some(())
    })
    .await;
    let mut took: Vec<_> = (0..CUSTOMERS)
        .map(|number| receiver.arrivals_at(&ended(number)).last().expect("arrivals").at - started)
        .collect();
    took.sort_unstable();
    let (first, median, last) = (took[0], took[CUSTOMERS / 2], took[CUSTOMERS - 1]);
    let beside = receiver.count_at(&ended(CUSTOMERS));
    println!(
        "B13: {CUSTOMERS} customers with {EVENTS} events each beside one with {LARGEST}: the first was done after {first:?}, \
         half after {median:?}, the last after {last:?}; {beside} of the large one's had arrived by then"
    );
    assert!(last <= median * 3, "the last waited {last:?}, half of them {median:?}");
    assert!(beside < LARGEST, "the small ones waited for the large one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_just_within_their_deadline_hold_up_nobody() {
    const WEBHOOKS: usize = 100;
    const EVENTS: usize = 8;
    let _alone = ALONE.lock().await;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let probe = Probe::start(&mut world, EVENT_TYPE).await;
    let slow = world.project("slow", EVENT_TYPE).await;
    for number in 0..WEBHOOKS {
        let path = format!("/{number}");
        let settings = json!({"timeout_ms": 3_000, "max_in_flight": 20});
        world.subscribe_elsewhere(&slow, &receiver.url(&path), &path, Signature::Standard, settings).await;
        receiver.route(&path, Behaviour::Slow { wait: Duration::from_millis(2_500), status: 200 });
    }
    let baseline = probe.measure(Probe::samples(SAMPLES)).await;
    slow.publish_many(EVENT_TYPE, EVENTS, WEBHOOKS).await;
    until("slow requests", BOUND, async || (receiver.in_flight() >= WEBHOOKS).then_some(())).await;
    probe
        .hold("B14", baseline, 1.2, async || {
            let pending = world.pending_deliveries().await;
            println!(
                "B14: {pending} deliveries to slow receivers wait, at most {} in flight",
                receiver.in_flight_max()
            );
        })
        .await;
    world.drain().await;
    let late = receiver.arrivals().iter().filter(|arrival| arrival.attempt > 1).count();
    assert_eq!(late, 0, "a receiver that answers in time is not asked twice");
}
