//! SubscribeFlow's official SDK, in a Python environment of the repository's own.

use crate::{
    python,
    steps::{Cargo, Outcome},
};

/// Where the environment is made.
const ENVIRONMENT: &str = "target/sdk";
/// What it holds, pinned.
const REQUIREMENTS: &str = "crates/tidings/tests/sdk/requirements.txt";

/// Makes the environment if it does not hold what it should, and runs the tests that need it.
///
/// # Errors
///
/// The tests could not be started.
pub fn test_with_sdk(cargo: &Cargo) -> anyhow::Result<Outcome> {
    if let Err(reason) = python::provide(cargo.root(), ENVIRONMENT, REQUIREMENTS) {
        return Ok(Outcome::failed(reason));
    }
    let tests = ["test", "--locked", "--package", "tidings", "--test", "compat_subscribeflow", "--", "--ignored"];
    cargo.run_tests(&tests)
}
