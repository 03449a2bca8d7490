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
    if let Err(reason) = provide_packages(cargo.root(), ENVIRONMENT, PINNED)? {
        return Ok(Outcome::failed(reason));
    }
    let tests = [
        "test",
        "--locked",
        "--package",
        "tidings",
        "--test",
        "provider_libraries",
        "--test",
        "portal_code",
        "--",
        "--ignored",
    ];
    cargo.run_tests(&tests)
}

/// Installs the Node.js packages that are pinned in one directory into another, with the Node.js of
/// the libraries, which is installed if need be. The inner error says what could not be installed,
/// and the way out.
///
/// # Errors
///
/// Files could not be read or written.
pub(crate) fn provide_packages(root: &Path, environment: &str, pinned: &str) -> anyhow::Result<Result<(), String>> {
    if let Err(reason) = python::provide(root, ENVIRONMENT, &format!("{PINNED}/requirements.txt")) {
        return Ok(Err(reason));
    }
    let installed = install(root, &root.join(environment), &root.join(pinned));
    Ok(if installed.with_context(|| format!("the Node.js packages of {pinned} cannot be prepared"))? {
        Ok(())
    } else {
        let way_out = "check that npm reaches its registry, then run this again";
        Err(format!("npm could not install what {pinned}/{} names: {way_out}", PACKAGES[1]))
    })
}

/// False if npm fails.
fn install(root: &Path, environment: &Path, pinned: &Path) -> io::Result<bool> {
    let lock = fs::read(pinned.join(PACKAGES[1]))?;
    let marker = environment.join(INSTALLED);
    if fs::read(&marker).is_ok_and(|installed| installed == lock) {
        return Ok(true);
    }
    fs::create_dir_all(environment)?;
    for list in PACKAGES {
        fs::copy(pinned.join(list), environment.join(list))?;
    }
    let bin = root.join(ENVIRONMENT).join("bin");
    let inherited = env::var_os("PATH").unwrap_or_default();
    let path =
        env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&inherited))).map_err(io::Error::other)?;
    let mut npm = Command::new(bin.join("npm"));
    // Scripts of packages are nothing that a test needs.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(environment).env("PATH", path);
    if !succeeds(&mut npm, Stdio::inherit()) {
        return Ok(false);
    }
    fs::write(marker, lock)?;
    Ok(true)
}
