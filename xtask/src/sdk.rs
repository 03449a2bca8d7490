//! SubscribeFlow's official SDK, in a Python environment of the repository's own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::steps::{Cargo, Outcome};

/// Where the environment is made.
const ENVIRONMENT: &str = "target/sdk";
/// What it holds, pinned.
const REQUIREMENTS: &str = "crates/tidings/tests/sdk/requirements.txt";
/// Pythons to make it with, the first that works.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Makes the environment if it does not hold what it should, and runs the tests that need it.
///
/// # Errors
///
/// The tests could not be started.
pub fn test_with_sdk(cargo: &Cargo) -> anyhow::Result<Outcome> {
    if let Err(reason) = provide(cargo.root()) {
        return Ok(Outcome::failed(reason));
    }
    let tests = ["test", "--locked", "--package", "tidings", "--test", "compat_subscribeflow", "--", "--ignored"];
    cargo.run_tests(&tests)
}

fn provide(root: &Path) -> Result<(), String> {
    let (environment, requirements) = (root.join(ENVIRONMENT), root.join(REQUIREMENTS));
    let python = environment.join("bin/python");
    if holds(&python, &requirements) {
        return Ok(());
    }
    let made = PYTHONS.iter().any(|program| {
        succeeds(Command::new(program).args(["-m", "venv", "--clear"]).arg(&environment), Stdio::null())
    });
    if !made {
        let way_out = "install Python 3.11 or newer with its module venv";
        return Err(format!("no Python can make an environment in {ENVIRONMENT}: {way_out}"));
    }
    let mut install = pip(&python);
    install.arg("install").arg("--requirement").arg(&requirements);
    if !succeeds(&mut install, Stdio::inherit()) {
        let way_out = "check that pip reaches its package index, then run this again";
        return Err(format!("pip could not install what {REQUIREMENTS} names: {way_out}"));
    }
    Ok(())
}

/// Whether everything pinned is installed: pip then has nothing to fetch.
fn holds(python: &PathBuf, requirements: &Path) -> bool {
    let mut check = pip(python);
    check.args(["install", "--no-index", "--quiet", "--requirement"]).arg(requirements);
    python.exists() && succeeds(&mut check, Stdio::null())
}

fn pip(python: &PathBuf) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    command
}

fn succeeds(command: &mut Command, errors: Stdio) -> bool {
    command.stdout(Stdio::null()).stderr(errors).status().is_ok_and(|status| status.success())
}
