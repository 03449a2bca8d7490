//! The commands, out of steps.

use std::{
    env, fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use xtask::{
    browser, dependencies, libraries, nats, postgres,
    rules::{House, RULES},
    sdk,
    steps::{Cargo, Outcome, run_step},
    summary::Summary,
    tools,
};

/// The repository: this crate lies in a directory of it.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(Path::to_owned).context("xtask lies in no repository")
}

/// Writes to standard output. A reader that has gone away ends the chore.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("standard output is closed")
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    // Nobody is left to be told if standard error is closed.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Everything that has to pass. Each step runs whatever became of the others, so that one run
/// tells all; false if any failed.
pub(crate) fn test(with_deny: bool) -> anyhow::Result<bool> {
    let root = root()?;
    let cargo = Cargo::new(&root);
    let color = if io::stdout().is_terminal() { "auto" } else { "never" };
    let format = ["fmt", "--all", "--", "--check", "--color", color];
    let mut summary = Summary::default();
    summary.add(run_step("tools", || tools::provide_components(&cargo))?);
    summary.add(run_step("database", postgres::provide)?);
    summary.add(run_step("messaging", nats::provide)?);
    summary.add(run_step("format", || cargo.run(&format))?);
    summary.add(run_step("rules of the house", || check_rules(&root))?);
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    summary.add(run_step("lints", || cargo.run(&lints))?);
    let tests = ["test", "--workspace", "--locked", "--no-fail-fast"];
    summary.add(run_step("tests", || cargo.run_tests(&tests))?);
    summary.add(run_step("tests on PostgreSQL", || postgres::test_on_postgres(&cargo))?);
    summary.add(run_step("official SDK", || sdk::test_with_sdk(&cargo))?);
    summary.add(run_step("providers' libraries", || libraries::test_with_libraries(&cargo))?);
    summary.add(run_step("browser", || browser::test_with_browser(&cargo))?);
    summary.add(run_step("licences, bans, sources", || check_dependencies(&cargo))?);
    if with_deny {
        summary.add(run_step("cargo-deny", || tools::run_cargo_deny(&cargo))?);
    }
    print(&summary.to_string())?;
    Ok(summary.passed())
}

/// The rules of the house alone.
pub(crate) fn rules() -> anyhow::Result<bool> {
    Ok(check_rules(&root()?)?.is_fine())
}

/// The dependencies alone.
pub(crate) fn dependencies() -> anyhow::Result<bool> {
    Ok(check_dependencies(&Cargo::new(&root()?))?.is_fine())
}

fn check_dependencies(cargo: &Cargo) -> anyhow::Result<Outcome> {
    let violations = dependencies::violations(cargo)?;
    for violation in &violations {
        print(&format!("{violation}\n"))?;
    }
    Ok(match violations.len() {
        0 => Outcome::passed(),
        some => Outcome::failed(format!("{some} dependencies are not as deny.toml wants them")),
    })
}

fn check_rules(root: &Path) -> anyhow::Result<Outcome> {
    let house = House::read(root)?;
    let mut broken = 0;
    for rule in RULES {
        let violations = (rule.check)(&house);
        print(&format!("{:<6} {}\n", if violations.is_empty() { "ok" } else { "BROKEN" }, rule.name))?;
        for violation in &violations {
            print(&format!("       {violation}\n"))?;
        }
        broken += usize::from(!violations.is_empty());
    }
    Ok(if broken == 0 {
        Outcome::passed()
    } else {
        Outcome::failed(format!("{broken} of {} rules broken", RULES.len()))
    })
}

/// Takes a picture of every page of the dashboard.
pub(crate) fn screenshots() -> anyhow::Result<bool> {
    let (outcome, directory) = browser::take_pictures(&Cargo::new(&root()?))?;
    print(&format!("{}\nthe pictures are in {}\n", outcome.note, directory.display()))?;
    Ok(outcome.is_fine())
}

/// Writes the OpenAPI document where the repository holds it. What makes it runs as a process of
/// its own, so that this crate needs to know nothing of the product.
pub(crate) fn openapi() -> anyhow::Result<bool> {
    let root = root()?;
    let example = ["run", "--quiet", "--locked", "--package", "tidings-contract", "--example", "openapi"];
    let output = Cargo::new(&root).command(&example).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Ok(false);
    }
    let path = root.join("docs/openapi.json");
    fs::write(&path, output.stdout).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(true)
}
