//! The dashboard in a real browser: Debian's Chromium, driven by its chromedriver, and the
//! accessibility rules of axe-core.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{
    debian, libraries,
    python::succeeds,
    steps::{Cargo, Outcome},
};

/// Where axe-core is installed.
const ENVIRONMENT: &str = "target/browser";
/// What it holds, pinned.
const PINNED: &str = "crates/tidings/tests/browser";
/// Its script.
const AXE: &str = "node_modules/axe-core/axe.min.js";
/// Tells the tests where that is.
const AXE_VARIABLE: &str = "TIDINGS_AXE";
/// Tells the walk over all pages where to leave pictures.
const PICTURES_VARIABLE: &str = "TIDINGS_PICTURES";
/// Where pictures are left.
const PICTURES: &str = "target/screenshots";
/// What the tests start, and Debian's packages of it.
const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];
/// The test that goes over all pages.
const WALK: &str = "pages::every_page_can_be_used_by_everybody";

/// Installs what is missing, and runs the tests that need a browser.
///
/// # Errors
///
/// The tests could not be started, or files not be written.
pub fn test_with_browser(cargo: &Cargo) -> anyhow::Result<Outcome> {
    let axe = match provide(cargo.root())? {
        Ok(axe) => axe,
        Err(reason) => return Ok(Outcome::failed(reason)),
    };
    let cargo = cargo.clone().with_variable(AXE_VARIABLE, &axe.to_string_lossy());
    let packages = ["test", "--locked", "--no-fail-fast", "--package", "tidings-browser", "--package", "tidings"];
    let tests = ["--test", "person", "--test", "browser", "--", "--ignored"];
    cargo.run_tests(&[&packages[..], &tests[..]].concat())
}

/// Takes a picture of every page, in every size and both colours; returns where they are.
///
/// # Errors
///
/// The walk could not be started, or something is missing and cannot be installed.
pub fn take_pictures(cargo: &Cargo) -> anyhow::Result<(Outcome, PathBuf)> {
    let root = cargo.root();
    let pictures = root.join(PICTURES);
    let axe = match provide(root)? {
        Ok(axe) => axe,
        Err(reason) => return Ok((Outcome::failed(reason), pictures)),
    };
    std::fs::create_dir_all(&pictures).with_context(|| format!("{} cannot be made", pictures.display()))?;
    let cargo = cargo
        .clone()
        .with_variable(AXE_VARIABLE, &axe.to_string_lossy())
        .with_variable(PICTURES_VARIABLE, &pictures.to_string_lossy());
    let walk = ["test", "--locked", "--package", "tidings", "--test", "browser", "--", "--ignored", "--exact", WALK];
    Ok((cargo.run_tests(&walk)?, pictures))
}

/// The browser and axe-core, whose script's place is returned; or what is missing, and the way out.
fn provide(root: &Path) -> anyhow::Result<Result<PathBuf, String>> {
    if let Err(reason) = provide_browser() {
        return Ok(Err(reason));
    }
    if let Err(reason) = libraries::provide_packages(root, ENVIRONMENT, PINNED)? {
        return Ok(Err(reason));
    }
    Ok(Ok(root.join(ENVIRONMENT).join(AXE)))
}

fn provide_browser() -> Result<(), String> {
    let there = || PROGRAMS.iter().all(|program| succeeds(Command::new(program).arg("--version"), Stdio::null()));
    debian::provide("browser", &PACKAGES, there)
}
