//! B10: what it costs to take from a backlog, and to look at it, however much there is.
//! `TIDINGS_PENDING` says how much; `cargo xtask torture claims` makes it a million.

use std::time::{Duration, Instant};

use tidings_domain::ids::WebhookId;
use tidings_ports::store::ClaimRequest;

use crate::world::{BYTES_MAX, START, World};

const PENDING: usize = 20_000;
const WEBHOOKS: usize = 100;
const FANOUT: usize = 10;
const EVENTS_PER_COMMIT: usize = 500;
const ROUNDS: usize = 200;
/// What a claim may take, in a build with optimizations.
const CLAIM_MAX: Duration = Duration::from_millis(20);

/// Webhooks of one project, and deliveries that are due for each.
async fn pile_up(world: &mut World, pending: usize) -> Vec<WebhookId> {
    let mut webhooks = Vec::new();
    for _ in 0..WEBHOOKS {
        webhooks.push(world.webhook(world.project).await);
    }
    let project = world.project;
    let mut events = pending / FANOUT;
    while events > 0 {
        let count = events.min(EVENTS_PER_COMMIT);
        let batch = (0..count).map(|number| {
            let from = (number * FANOUT) % WEBHOOKS;
            world.event(project, "a.b", &webhooks[from..from + FANOUT], false)
        });
        let batch = batch.collect();
        world.append(batch, START).await;
        events -= count;
    }
    webhooks
}

/// Claims again and again for some webhooks at a time, and gives back; the times of the claims.
async fn claims(world: &World, webhooks: &[WebhookId], lanes: usize, count: u32) -> Vec<Duration> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let chosen = (0..lanes).map(|lane| webhooks[(round * lanes + lane) % webhooks.len()]);
        let wants = chosen.map(|webhook_id| ClaimRequest { webhook_id, count }).collect();
        let started = Instant::now();
        let claimed = world.store.claim(wants, BYTES_MAX, START).await.expect("claimed");
        times.push(started.elapsed());
        let leases = claimed.iter().flat_map(|claimed| &claimed.deliveries);
        let leases: Vec<_> = leases.map(|lease| (lease.id, lease.epoch)).collect();
        assert_eq!(leases.len(), lanes * count as usize);
        world.store.release(leases, START).await.expect("written");
    }
    times.sort_unstable();
    times
}

pub async fn a_claim_takes_no_longer_because_there_is_more(mut world: World) {
    let pending = std::env::var("TIDINGS_PENDING").ok().and_then(|text| text.parse().ok()).unwrap_or(PENDING);
    let webhooks = pile_up(&mut world, pending).await;
    // The largest claim that the engine makes is of 512, for up to 16 webhooks.
    for (lanes, count) in [(1, 1), (1, 128), (4, 128), (16, 32)] {
        let times = claims(&world, &webhooks, lanes, count).await;
        let (p50, p99) = (times[ROUNDS / 2], times[ROUNDS - 1 - ROUNDS / 100]);
        println!("B10: {pending} pending, claims of {count} for {lanes} webhooks: p50 {p50:?}, p99 {p99:?}");
        assert!(cfg!(debug_assertions) || p99 <= CLAIM_MAX, "{p99:?}");
    }
    let started = Instant::now();
    let backlog = world.store.backlog().await.expect("read");
    println!("B10: {pending} pending, all webhooks that wait: {:?}", started.elapsed());
    assert_eq!(backlog.len(), WEBHOOKS);
}
