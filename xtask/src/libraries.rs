//! The providers' own libraries, which sign what sources have to take: Slack's from Python's
//! package index, the others from npm's. Python's index has a Node.js for them as well, so that none
//! has to be installed by hand.

use std::{
    env, fs, io,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{
    python::{self, succeeds},
    steps::{Cargo, Outcome},
};

/// Where everything is installed.
const ENVIRONMENT: &str = "target/libraries";
/// What it holds, pinned.
const PINNED: &str = "crates/tidings/tests/libraries";
/// The lists of Node.js packages; the second is the one that pins.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];
/// Written once what the lock names is installed: its text.
const INSTALLED: &str = "installed-packages.json";

/// Installs the libraries if they are not there, and runs the tests that need them.
///
/// # Errors
///
/// The tests could not be started, or files not be written.
pub fn test_with_libraries(cargo: &Cargo) -> anyhow::Result<Outcome> {
    let root = cargo.root();
    if let Err(reason) = python::provide(root, ENVIRONMENT, &format!("{PINNED}/requirements.txt")) {
        return Ok(Outcome::failed(reason));
    }
    if !provide_packages(root).context("the Node.js packages cannot be prepared")? {
        let way_out = "check that npm reaches its registry, then run this again";
        return Ok(Outcome::failed(format!("npm could not install what {PINNED}/{} names: {way_out}", PACKAGES[1])));
    }
    let tests = ["test", "--locked", "--package", "tidings", "--test", "provider_libraries", "--", "--ignored"];
    cargo.run_tests(&tests)
}

/// False if npm fails.
fn provide_packages(root: &Path) -> io::Result<bool> {
    let (environment, pinned) = (root.join(ENVIRONMENT), root.join(PINNED));
    let lock = fs::read(pinned.join(PACKAGES[1]))?;
    let marker = environment.join(INSTALLED);
    if fs::read(&marker).is_ok_and(|installed| installed == lock) {
        return Ok(true);
    }
    for list in PACKAGES {
        fs::copy(pinned.join(list), environment.join(list))?;
    }
    let bin = environment.join("bin");
    let inherited = env::var_os("PATH").unwrap_or_default();
    let path =
        env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&inherited))).map_err(io::Error::other)?;
    let mut npm = Command::new(bin.join("npm"));
    // Scripts of packages are nothing that a test needs.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&environment).env("PATH", path);
    if !succeeds(&mut npm, Stdio::inherit()) {
        return Ok(false);
    }
    fs::write(marker, lock)?;
    Ok(true)
}
