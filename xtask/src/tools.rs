//! Tools that the steps need: there already, installed, or named with the way to get them.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::steps::{Cargo, Outcome};

/// Parts of the toolchain: the subcommand, and what rustup calls it.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// The version that is installed where there is none.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Where tools are installed that this repository alone needs.
const TOOLS_DIRECTORY: &str = "target/tools";

fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Makes sure that rustfmt and clippy are there: a minimal toolchain comes without them.
///
/// # Errors
///
/// None; what is missing is a failed step.
pub fn provide_components(cargo: &Cargo) -> anyhow::Result<Outcome> {
    for (subcommand, component) in COMPONENTS {
        if works(&mut cargo.command(&[subcommand, "--version"])) {
            continue;
        }
        let rustup = Command::new("rustup").args(["component", "add", component]).current_dir(cargo.root()).status();
        if !rustup.is_ok_and(|status| status.success()) {
            let way_out = format!("{component} is missing: run `rustup component add {component}`, or install it");
            return Ok(Outcome::failed(way_out));
        }
    }
    Ok(Outcome::passed())
}

/// Runs cargo-deny, installed if need be, over `deny.toml`. Advisories are left out: their database
/// is not part of the repository.
///
/// # Errors
///
/// cargo-deny could not be started.
pub fn run_cargo_deny(cargo: &Cargo) -> anyhow::Result<Outcome> {
    let Some(deny) = find_cargo_deny(cargo) else {
        return Ok(Outcome::failed("cargo-deny could not be installed"));
    };
    let arguments = ["--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    let status = Command::new(&deny)
        .args(arguments)
        .current_dir(cargo.root())
        .status()
        .with_context(|| format!("{} cannot be started", deny.display()))?;
    Ok(if status.success() { Outcome::passed() } else { Outcome::failed("cargo deny check") })
}

/// The one in the tools directory, the one on the path, or if need be a new one.
fn find_cargo_deny(cargo: &Cargo) -> Option<PathBuf> {
    let tools = cargo.root().join(TOOLS_DIRECTORY);
    let own = tools.join("bin/cargo-deny");
    let there = |program: &PathBuf| works(Command::new(program).arg("--version"));
    let known = [own.clone(), PathBuf::from("cargo-deny")].into_iter().find(there);
    if known.is_some() {
        return known;
    }
    let package = format!("cargo-deny@{CARGO_DENY_VERSION}");
    let status = cargo.command(&["install", "--locked", "--root"]).arg(&tools).arg(package).status();
    status.is_ok_and(|status| status.success()).then_some(own)
}
