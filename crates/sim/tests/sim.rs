//! Simulations of one process and of several nodes: some seeds in every test run, more on demand.

use std::env;

use tidings_sim::{Run, run, run_several};

/// Seeds in every test run, of each kind.
const SEEDS: u64 = 20;

/// A number out of the environment.
fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// What a run broke, and the one command that shows how.
fn complaint(run: &Run, replayed_by: &str) -> Option<String> {
    let (seed, violations) = (run.seed, run.violations.join("\n  "));
    let replay = format!("TIDINGS_SIM_SEED={seed} cargo test -p tidings-sim --test sim -- --nocapture {replayed_by}");
    (!violations.is_empty()).then(|| format!("seed {seed}:\n  {violations}\n  replay: {replay}"))
}

/// Runs seed after seed, prints what happened, and fails if a promise was broken.
fn try_seeds(simulate: fn(u64) -> Run, replayed_by: &str) -> Vec<Run> {
    let (from, count) = (setting("TIDINGS_SIM_FROM").unwrap_or(100), setting("TIDINGS_SIM_SEEDS").unwrap_or(SEEDS));
    let runs: Vec<Run> = (from..from + count).map(|seed| Run { trace: String::new(), ..simulate(seed) }).collect();
    let broken: Vec<String> = runs.iter().filter_map(|run| complaint(run, replayed_by)).collect();
    let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
    let (acknowledged, requests, crashes) =
        (sum(|run| run.acknowledged), sum(|run| run.requests), sum(|run| run.crashes));
    println!(
        "{count} seeds: {} processes, {crashes} crashes, {} times one stood still, {acknowledged} events acknowledged, \
         {requests} requests, {} of them repeated, {} seeds break a promise",
        sum(|run| run.nodes),
        sum(|run| run.freezes),
        sum(|run| run.duplicates),
        broken.len(),
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(acknowledged > count && requests > count && crashes > 0, "the simulation simulates nothing");
    runs
}

fn gives_the_same_trace_twice(simulate: fn(u64) -> Run) {
    for seed in [1, 2, 3] {
        let (first, second) = (simulate(seed), simulate(seed));
        assert!(first.trace.len() > 1_000, "something happened");
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(simulate(1).trace, simulate(2).trace, "another seed, another run");
}

#[test]
fn the_same_seed_twice_gives_the_same_trace_byte_for_byte() {
    gives_the_same_trace_twice(run);
}

#[test]
fn the_same_seed_of_several_nodes_gives_the_same_trace_byte_for_byte() {
    gives_the_same_trace_twice(run_several);
}

#[test]
fn every_promise_is_kept_whatever_happens() {
    try_seeds(run, "a_seed_is_replayed");
}

#[test]
fn every_promise_is_kept_by_several_nodes_whatever_happens_to_them() {
    let runs = try_seeds(run_several, "a_seed_of_several_nodes_is_replayed");
    assert!(runs.iter().any(|run| run.freezes > 0) && runs.iter().all(|run| run.nodes > 1), "nothing happens to them");
}

fn replay(simulate: fn(u64) -> Run, replayed_by: &str) {
    let Some(seed) = setting("TIDINGS_SIM_SEED") else { return };
    let run = simulate(seed);
    println!("{}", run.trace);
    assert_eq!(complaint(&run, replayed_by), None);
}

/// `TIDINGS_SIM_SEED=17` shows that seed's run.
#[test]
fn a_seed_is_replayed() {
    replay(run, "a_seed_is_replayed");
}

/// The same with several nodes.
#[test]
fn a_seed_of_several_nodes_is_replayed() {
    replay(run_several, "a_seed_of_several_nodes_is_replayed");
}
