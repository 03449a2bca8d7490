//! The corpus and some thousand inputs made from it in every test run; minutes of them on demand.

use std::{
    env,
    panic::catch_unwind,
    time::{Duration, Instant},
};

use tidings_fuzz::{Mutator, TARGETS, Target};

/// Inputs for each target in every test run.
const INPUTS: u64 = 3_000;
/// Inputs between two looks at the clock.
const INPUTS_PER_LOOK: u64 = 1_000;

fn feed(target: Target, input: &[u8]) {
    if catch_unwind(|| (target.run)(input)).is_err() {
        panic!(
            "{}: the input {:?} breaks a promise; put it into the corpus",
            target.name,
            String::from_utf8_lossy(input)
        );
    }
}

#[test]
fn no_reader_of_strangers_words_breaks_its_promise() {
    for &target in TARGETS {
        target.corpus.lines().for_each(|line| feed(target, line.as_bytes()));
        let mut mutator = Mutator::new(target.corpus, 1);
        (0..INPUTS).for_each(|_| feed(target, &mutator.input()));
    }
}

#[test]
fn the_same_seed_makes_the_same_inputs() {
    let of = |seed| {
        let mut mutator = Mutator::new(TARGETS[0].corpus, seed);
        (0..100).map(|_| mutator.input()).collect::<Vec<_>>()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

/// `TIDINGS_FUZZ_SECONDS` for each target, from a seed that `TIDINGS_FUZZ_SEED` may name.
#[test]
fn for_as_long_as_is_asked() {
    let setting = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let Some(seconds) = setting("TIDINGS_FUZZ_SECONDS") else { return };
    let seed = setting("TIDINGS_FUZZ_SEED").unwrap_or(2);
    for &target in TARGETS {
        let (mut mutator, mut inputs, started) = (Mutator::new(target.corpus, seed), 0, Instant::now());
        while started.elapsed() < Duration::from_secs(seconds) {
            (0..INPUTS_PER_LOOK).for_each(|_| feed(target, &mutator.input()));
            inputs += INPUTS_PER_LOOK;
        }
        println!("{:<12} {inputs} inputs in {seconds} s, seed {seed}: 0 crashes", target.name);
    }
}
