//! Simulations: twenty seeds in every test run, more on demand.

use std::env;

use tidings_sim::{Run, run};

/// Seeds in every test run.
const SEEDS: u64 = 20;

/// A number out of the environment.
fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// What a run broke, and the one command that shows how.
fn complaint(run: &Run) -> Option<String> {
    let (seed, violations) = (run.seed, run.violations.join("\n  "));
    let replay = format!("TIDINGS_SIM_SEED={seed} cargo test -p tidings-sim --test sim -- --nocapture a_seed");
    (!violations.is_empty()).then(|| format!("seed {seed}:\n  {violations}\n  replay: {replay}"))
}

#[test]
fn the_same_seed_twice_gives_the_same_trace_byte_for_byte() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed), run(seed));
        assert!(first.trace.len() > 1_000, "something happened");
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(run(1).trace, run(2).trace, "another seed, another run");
}

#[test]
fn every_promise_is_kept_whatever_happens() {
    let (from, count) = (setting("TIDINGS_SIM_FROM").unwrap_or(100), setting("TIDINGS_SIM_SEEDS").unwrap_or(SEEDS));
    let runs: Vec<Run> = (from..from + count).map(|seed| Run { trace: String::new(), ..run(seed) }).collect();
    let broken: Vec<String> = runs.iter().filter_map(complaint).collect();
    let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
    let (acknowledged, requests, crashes) =
        (sum(|run| run.acknowledged), sum(|run| run.requests), sum(|run| run.crashes));
    println!(
        "{count} seeds: {acknowledged} events acknowledged, {requests} requests, {} of them repeated after {crashes} crashes, {} seeds break a promise",
        sum(|run| run.duplicates),
        broken.len(),
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(acknowledged > count && requests > count && crashes > 0, "the simulation simulates nothing");
}

/// `TIDINGS_SIM_SEED=17` shows that seed's run.
#[test]
fn a_seed_is_replayed() {
    let Some(seed) = setting("TIDINGS_SIM_SEED") else { return };
    let run = run(seed);
    println!("{}", run.trace);
    assert_eq!(complaint(&run), None);
}
