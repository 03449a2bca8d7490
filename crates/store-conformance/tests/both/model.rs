//! Random sequences of operations: the model's answers against those of both stores.

use std::{env, sync::Arc};

use tidings_store_conformance::{
    Home,
    compare::{Figures, Step, Trial, other_sequence, sequence, shorten},
};

use crate::stores::{Database, Directory};

/// Seeds in every test run, and the steps of each.
const SEEDS: u64 = 12;
const OTHER_SEEDS: u64 = 6;
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
async fn complaint(what: What, seed: u64, failure: String, homes: &[Arc<dyn Home>]) -> String {
    let (steps, difference) = shorten(what.steps(seed), failure, async |steps| what.run(&steps, homes).await).await;
    let (count, length, test) = (steps.len(), length(), what.replays());
    format!(
        "seed {seed}, shortened to {count} steps:\n{difference}\nreplay: TIDINGS_MODEL_SEED={seed} \
         TIDINGS_MODEL_STEPS={length} cargo test -p tidings-store-conformance --test both -- --nocapture {test}"
    )
}

/// What is compared with what.
#[derive(Clone, Copy)]
enum What {
    /// The stores with the model.
    Model,
    /// The stores with each other.
    Others,
}

impl What {
    fn steps(self, seed: u64) -> Vec<Step> {
        match self {
            Self::Model => sequence(seed, length()),
            Self::Others => other_sequence(seed, length()),
        }
    }

    async fn run(self, steps: &[Step], homes: &[Arc<dyn Home>]) -> Result<Figures, String> {
        match self {
            Self::Model => Trial::run(steps, homes).await,
            Self::Others => Trial::run_others(steps, homes).await,
        }
    }

    fn seeds(self) -> u64 {
        match self {
            Self::Model => SEEDS,
            Self::Others => OTHER_SEEDS,
        }
    }

    fn replays(self) -> &'static str {
        match self {
            Self::Model => "a_seed_is_replayed",
            Self::Others => "a_seed_of_others_is_replayed",
        }
    }

    async fn try_seeds(self) {
        let from = setting("TIDINGS_MODEL_FROM").unwrap_or(1);
        let count = setting("TIDINGS_MODEL_SEEDS").unwrap_or(self.seeds());
        let (homes, mut done, mut different, mut first) = (homes(), Figures::default(), Vec::new(), None);
        for seed in from..from + count {
            match self.run(&self.steps(seed), &homes).await {
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
            panic!("{}", complaint(self, seed, failure, &homes).await);
        }
    }

    /// `TIDINGS_MODEL_SEED=17` tries that seed.
    async fn replay(self) {
        let Some(seed) = setting("TIDINGS_MODEL_SEED") else { return };
        let homes = homes();
        if let Err(failure) = self.run(&self.steps(seed), &homes).await {
            panic!("{}", complaint(self, seed, failure, &homes).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_as_the_model_does() {
    What::Model.try_seeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_is_replayed() {
    What::Model.replay().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_stores_answer_alike_where_there_is_no_model() {
    What::Others.try_seeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_of_others_is_replayed() {
    What::Others.replay().await;
}
