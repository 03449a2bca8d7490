//! Fuzzing with feedback: libFuzzer sees which branches an input reaches, and goes on from those
//! that reach new ones. Stable Rust offers the instrumentation, only not the address sanitizer.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use xtask::steps::{Cargo, Outcome};

use crate::commands::{print, root};

const CRATE: &str = "fuzz";
/// The corpus that is kept: a file for each target, an input a line.
const CORPUS: &str = "crates/fuzz/corpus";
/// Where it is built, and where inputs are gathered.
const BUILD: &str = "target/fuzz-coverage";
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                     -Ccodegen-units=1";
/// Bytes of an input; longer ones lead nowhere new.
const INPUT_BYTES_MAX: usize = 4_096;
/// Inputs that the kept corpus takes: short ones that are a line of text, and so many at most.
const KEPT_BYTES_MAX: usize = 200;
const KEPT_PER_TARGET_MAX: usize = 60;

/// Feeds each target for so many seconds; fails at the first input that breaks a promise.
pub(crate) fn run(root: &Path, seconds: &str) -> anyhow::Result<Outcome> {
    let Some(program) = build(root)? else { return Ok(Outcome::failed("it does not build; it needs a C++ compiler")) };
    for target in targets(root)? {
        let found = root.join(BUILD).join("found").join(&target);
        fs::create_dir_all(&found)?;
        for (number, line) in corpus(root, &target)?.iter().enumerate() {
            fs::write(found.join(format!("kept-{number}")), line)?;
        }
        print(&format!("{target}: {seconds} s\n"))?;
        let status = fuzzer(&program, &target)
            .args([&format!("-max_total_time={seconds}"), "-print_final_stats=1", "-verbosity=0"])
            .args([&format!("-max_len={INPUT_BYTES_MAX}"), "-timeout=10", "-rss_limit_mb=1024", "-use_value_profile=1"])
            .arg(format!("-artifact_prefix={}/{target}-", root.join(BUILD).display()))
            .arg(&found)
            .status()?;
        if !status.success() {
            return Ok(Outcome::failed(format!("{target}: an input breaks a promise; it is in {BUILD}")));
        }
    }
    Ok(Outcome::passed())
}

/// Takes what was found into the kept corpus: of all that reaches what nothing shorter reaches,
/// what is a short line of text.
pub(crate) fn keep() -> anyhow::Result<bool> {
    let root = root()?;
    let Some(program) = build(&root)? else { bail!("it does not build; it needs a C++ compiler") };
    for target in targets(&root)? {
        let directory = root.join(BUILD);
        let (found, least) = (directory.join("found").join(&target), directory.join("least").join(&target));
        if !found.exists() {
            bail!("nothing was found yet: cargo xtask torture coverage");
        }
        if least.exists() {
            fs::remove_dir_all(&least)?;
        }
        fs::create_dir_all(&least)?;
        let merged = fuzzer(&program, &target).args(["-merge=1", "-verbosity=0"]).args([&least, &found]).status()?;
        if !merged.success() {
            bail!("{target}: an input breaks a promise");
        }
        let mut lines = corpus(&root, &target)?;
        let known: BTreeSet<_> = lines.iter().cloned().collect();
        let mut new: Vec<_> = inputs(&least)?.into_iter().filter(|line| !known.contains(line)).collect();
        new.sort_by_key(|line| (line.len(), line.clone()));
        // From short to long alike: each reaches something that no shorter one does.
        let room = KEPT_PER_TARGET_MAX.saturating_sub(lines.len()).max(1);
        let new: Vec<_> = new.iter().step_by(new.len().div_ceil(room).max(1)).cloned().collect();
        print(&format!("{target}: {} inputs were kept, {} more are now\n", lines.len(), new.len()))?;
        lines.extend(new);
        fs::write(root.join(CORPUS).join(format!("{target}.txt")), lines.join("\n") + "\n")?;
    }
    Ok(true)
}

/// The inputs of a directory that can stand in the kept corpus.
fn inputs(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(directory)? {
        let input = fs::read(entry?.path())?;
        let line = String::from_utf8(input).ok().filter(|text| text.len() <= KEPT_BYTES_MAX);
        // What editors show and version control compares.
        lines.extend(line.filter(|text| !text.is_empty() && !text.chars().any(char::is_control)));
    }
    Ok(lines)
}

fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(CORPUS)).context("there is no corpus")? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn corpus(root: &Path, target: &str) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(root.join(CORPUS).join(format!("{target}.txt")))?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn fuzzer(program: &Path, target: &str) -> Command {
    let mut command = Command::new(program);
    command.env("TIDINGS_FUZZ_TARGET", target);
    command
}

/// Builds it with instrumentation; `None` if that fails. Dependencies are those of the workspace.
fn build(root: &Path) -> anyhow::Result<Option<PathBuf>> {
    fs::copy(root.join("Cargo.lock"), root.join(CRATE).join("Cargo.lock"))?;
    let rustc = Command::new("rustc").arg("-vV").output().context("rustc cannot be started")?;
    let said = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not name its host")?;
    // With a target named, what only runs while building is built without instrumentation.
    let manifest = format!("{CRATE}/Cargo.toml");
    let arguments = ["build", "--release", "--manifest-path", &manifest, "--target", host, "--target-dir", BUILD];
    let built = Cargo::new(root).with_variable("RUSTFLAGS", FLAGS).run(&arguments)?;
    let program = root.join(BUILD).join(host).join("release/tidings-fuzz-coverage");
    Ok(built.is_fine().then_some(program))
}
