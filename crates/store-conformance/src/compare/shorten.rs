//! Making a sequence that fails short.

use super::{Figures, Step};

/// Sequences that are tried at most.
const TRIES_MAX: usize = 200;

/// Leaves out steps as long as what is left still fails, however it does; what is left, and how it fails.
pub async fn shorten(
    mut steps: Vec<Step>,
    mut failure: String,
    run: impl AsyncFn(Vec<Step>) -> Result<Figures, String>,
) -> (Vec<Step>, String) {
    let (mut size, mut tries) = (steps.len() / 2, 0);
    while size > 0 {
        let mut start = 0;
        while start < steps.len() && tries < TRIES_MAX {
            tries += 1;
            let mut rest = steps.clone();
            rest.drain(start..(start + size).min(rest.len()));
            match run(rest.clone()).await {
                Ok(_) => start += size,
                Err(other) => (steps, failure) = (rest, other),
            }
        }
        size /= 2;
    }
    (steps, failure)
}
