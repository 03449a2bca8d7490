//! Random sequences of operations: the model's answers against those of both stores.

use std::{env, sync::Arc};

use tidings_store_conformance::{
    Home,
    compare::{Figures, Trial, sequence, shorten},
};

use crate::stores::{Database, Directory};

/// Seeds in every test run, and the steps of each.
const SEEDS: u64 = 20;
const STEPS: u64 = 200;

/// A number out of the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

fn length() -> usize {
    setting("TIDINGS_MODEL_STEPS").unwrap_or(STEPS) as usize
}

pub(crate) fn homes() -> Vec<Arc<dyn Home>> {
    vec![Arc::new(Directory::new()), Arc::new(Database::new())]
}

/// What is different after as few operations as lead to it, and the one command that shows it again.
async fn complaint(seed: u64, failure: String, homes: &[Arc<dyn Home>]) -> String {
    let (steps, difference) = shorten(sequence(seed, length()), failure, homes).await;
    let (count, length) = (steps.len(), length());
    format!(
        "seed {seed}, shortened to {count} steps:\n{difference}\nreplay: TIDINGS_MODEL_SEED={seed} \
         TIDINGS_MODEL_STEPS={length} cargo test -p tidings-store-conformance --test both -- --nocapture a_seed"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_as_the_model_does() {
    let (from, count) = (setting("TIDINGS_MODEL_FROM").unwrap_or(1), setting("TIDINGS_MODEL_SEEDS").unwrap_or(SEEDS));
    let (homes, mut done, mut different, mut first) = (homes(), Figures::default(), Vec::new(), None);
    for seed in from..from + count {
        match Trial::run(&sequence(seed, length()), &homes).await {
            Ok(figures) => done += figures,
            Err(failure) => {
                different.push(seed);
                first.get_or_insert((seed, failure));
            }
        }
    }
    let Figures { steps, answers } = done;
    println!("{count} seeds: {steps} operations, {answers} answers compared; seeds that differ: {different:?}");
    if let Some((seed, failure)) = first {
        panic!("{}", complaint(seed, failure, &homes).await);
    }
}

/// `TIDINGS_MODEL_SEED=17` tries that seed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_is_replayed() {
    let Some(seed) = setting("TIDINGS_MODEL_SEED") else { return };
    let homes = homes();
    if let Err(failure) = Trial::run(&sequence(seed, length()), &homes).await {
        panic!("{}", complaint(seed, failure, &homes).await);
    }
}
