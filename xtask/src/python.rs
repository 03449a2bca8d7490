//! Python environments of the repository's own, with pinned packages.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Pythons to make one with, the first that works.
const PYTHONS: [&str; 2] = ["python3", "python"];

/// Makes the environment if it does not hold what the requirements name. Both lie below the root.
///
/// # Errors
///
/// What is missing, and the way to get it.
pub fn provide(root: &Path, environment: &str, requirements: &str) -> Result<(), String> {
    let (place, list) = (root.join(environment), root.join(requirements));
    let python = place.join("bin/python");
    if holds(&python, &list) {
        return Ok(());
    }
    let made = PYTHONS
        .iter()
        .any(|program| succeeds(Command::new(program).args(["-m", "venv", "--clear"]).arg(&place), Stdio::null()));
    if !made {
        let way_out = "install Python 3.11 or newer with its module venv";
        return Err(format!("no Python can make an environment in {environment}: {way_out}"));
    }
    let mut install = pip(&python);
    install.arg("install").arg("--requirement").arg(&list);
    if !succeeds(&mut install, Stdio::inherit()) {
        let way_out = "check that pip reaches its package index, then run this again";
        return Err(format!("pip could not install what {requirements} names: {way_out}"));
    }
    Ok(())
}

/// Whether everything pinned is installed: pip then has nothing to fetch.
fn holds(python: &Path, requirements: &Path) -> bool {
    let mut check = pip(python);
    check.args(["install", "--no-index", "--quiet", "--requirement"]).arg(requirements);
    python.exists() && succeeds(&mut check, Stdio::null())
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    command
}

/// Runs a command without its output; whether it ended with success.
pub(crate) fn succeeds(command: &mut Command, errors: Stdio) -> bool {
    command.stdout(Stdio::null()).stderr(errors).status().is_ok_and(|status| status.success())
}
