//! B4, B5, B6: after an outage, our own or a receiver's, nobody is overrun by what has piled up.

use std::time::Duration;

use serde_json::json;
use tidings_testkit::{Arrival, Behaviour, Hostile, Receiver, Server, Signature, World, most_at_once, setting, until};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_tidings");
const EVENT_TYPE: &str = "order.paid";
const BOUND: Duration = Duration::from_secs(120);
/// Requests that a webhook gets at the same time when nothing is known about its receiver.
const AT_FIRST: usize = 4;
/// Requests that any webhook gets at the same time.
const AT_MOST: usize = 64;

/// How much more than usual is to be done.
fn long() -> usize {
    setting("TIDINGS_OUTAGES").map_or(1, |factor| factor as usize)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_after_our_own_outage_keeps_every_limit_at_the_receiver() {
    let events = 150 * long();
    let mut server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    let limits = [Some(1), Some(2), Some(5), None];
    let path = |number: usize| format!("/{number}");
    for (number, limit) in limits.iter().enumerate() {
        let mut request = json!({"retry": {"schedule_s": vec![0.5; 40], "jitter": 0.5}});
        if let Some(limit) = limit {
            request["max_in_flight"] = json!(limit);
        }
        world.subscribe(&project, &receiver, &path(number), Signature::Standard, request).await;
        receiver.route(&path(number), Behaviour::Status(500));
    }
    project.publish_many(EVENT_TYPE, events, limits.len()).await;
    until("first attempts", BOUND, async || (receiver.arrivals().len() >= 20).then_some(())).await;
    server.kill().await;
    for number in 0..limits.len() {
        receiver.route(&path(number), Behaviour::Slow { wait: Duration::from_millis(10), status: 200 });
    }
    let restarted = Instant::now();
    let ready = server.restart().await;
    world.drain().await;

    let took = restarted.elapsed();
    for (number, limit) in limits.into_iter().enumerate() {
        let after: Vec<_> =
            receiver.arrivals_at(&path(number)).into_iter().filter(|arrival| arrival.at >= restarted).collect();
        let most = most_at_once(&after);
        println!(
            "B4: ready after {ready:?}, drained after {took:?}: {} requests to a webhook with the limit {limit:?}, at \
             most {most} at a time",
            after.len()
        );
        let first = most_at_once(&after[..AT_FIRST + 1]);
        assert!(most <= limit.unwrap_or(AT_MOST), "{most} at a time");
        assert!(first <= limit.unwrap_or(AT_FIRST), "{first} at a time to a receiver that nothing is known about");
        assert!(after.len() >= events - 20);
    }
    world.assert_ledger_is_even().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_returns_is_not_overrun() {
    let events = 1_000 * long();
    let capacity = 16;
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    let settings = json!({"retry": {"schedule_s": vec![0.2; 50], "jitter": 0.5}});
    world.subscribe(&project, &receiver, "/", Signature::Standard, settings).await;
    receiver.route("/", Behaviour::Hostile(Hostile::Reset));
    project.publish_many(EVENT_TYPE, events, 1).await;
    // The breaker opens after a dozen failures; then single requests find out.
    until("probes", BOUND, async || (receiver.count_at("/") >= 14).then_some(())).await;
    receiver.route("/", Behaviour::AtMost { at_once: capacity, wait: Duration::from_millis(20) });
    let returned = Instant::now();
    world.drain().await;

    let after: Vec<_> = receiver.arrivals_at("/").into_iter().filter(|arrival| arrival.at >= returned).collect();
    let refused = after.iter().filter(|arrival| arrival.status == Some(429)).count();
    let share = refused as f64 / after.len() as f64;
    let at_once: Vec<_> = [1, 2, 5, 10, 20, 50, 100].map(|place| most_at_once(&after[..place])).to_vec();
    println!(
        "B5: {} requests after the return, {refused} of them answered with 429 ({:.1} %); at most at a time within the \
         first 1, 2, 5, 10, 20, 50, 100: {at_once:?}",
        after.len(),
        share * 100.0
    );
    assert!(share <= 0.05, "{:.1} % of the requests were too many", share * 100.0);
    for (place, arrival) in after.iter().enumerate() {
        // One more for each round that was answered, from one on: after n answers about √2n.
        let gentle = 2.0 + (2.0 * place as f64).sqrt();
        assert!(arrival.in_flight as f64 <= gentle, "{} in flight at request {place}", arrival.in_flight);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_at_one_moment_are_not_repeated_at_one_moment() {
    // Fewer events than failures open a breaker, which would spread them further.
    let (webhooks, events) = (50 * long(), 4);
    let server = Server::start(BINARY).await;
    let receiver = Receiver::start().await;
    let mut world = World::new(&server);
    let project = world.project("shop", EVENT_TYPE).await;
    for number in 0..webhooks {
        let settings = json!({"retry": {"schedule_s": [0, 2], "jitter": 1}});
        let path = format!("/{number}");
        world.subscribe(&project, &receiver, &path, Signature::Standard, settings).await;
        receiver.route(&path, Behaviour::FailsFirst(1));
    }
    project.publish_many(EVENT_TYPE, events, webhooks).await;
    world.drain().await;

    let arrivals = receiver.arrivals();
    let second =
        |first: &Arrival| arrivals.iter().find(|other| other.delivery_id == first.delivery_id && other.attempt == 2);
    let firsts = arrivals.iter().filter(|arrival| arrival.attempt == 1);
    let waits: Vec<_> = firsts.map(|first| second(first).expect("a second attempt").at - first.at).collect();
    let mut times: Vec<_> = arrivals.iter().filter(|arrival| arrival.attempt == 2).map(|arrival| arrival.at).collect();
    times.sort_unstable();
    let window = Duration::from_millis(200);
    let busiest = (0..times.len()).map(|from| times[from..].partition_point(|at| *at < times[from] + window)).max();
    let busiest = busiest.unwrap_or(0);
    let (shortest, longest) = (waits.iter().min().expect("waits"), waits.iter().max().expect("waits"));
    println!(
        "B6: {} deliveries failed together and were tried again after {shortest:?} to {longest:?}; at most {busiest} \
         within {window:?}",
        waits.len()
    );
    assert_eq!(waits.len(), webhooks * events);
    assert!(*shortest >= Duration::from_secs(2), "the schedule's wait is the shortest");
    // Spread evenly over two seconds, a tenth would fall into such a window.
    assert!(busiest * 4 <= waits.len(), "{busiest} of {} at one moment", waits.len());
}
