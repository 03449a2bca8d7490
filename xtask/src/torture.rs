//! The long forms of the fault tests: the same tests as in `cargo xtask test`, told to do more, and
//! to fail where they would otherwise be skipped.

use anyhow::bail;
use xtask::{
    steps::{Cargo, run_step},
    summary::Summary,
};

use crate::{
    commands::{print, root},
    coverage,
};

/// A test, and the variable that tells it how much to do.
struct Part {
    name: &'static str,
    package: &'static str,
    /// None: the crate's own.
    tests: &'static [&'static str],
    /// The variable and what it is without `--rounds`.
    setting: Option<(&'static str, &'static str)>,
    /// Whether `--rounds` is for it.
    counts: bool,
    what: &'static str,
}

/// Tells tests that they may not be skipped.
const TORTURE: (&str, &str) = ("TIDINGS_TORTURE", "1");

const PARTS: &[Part] = &[
    Part {
        name: "crash",
        package: "tidings",
        tests: &["crash"],
        setting: Some(("TIDINGS_TORTURE_ROUNDS", "500")),
        counts: true,
        what: "kill -9 under load, 500 rounds",
    },
    Part {
        name: "nodes",
        package: "tidings",
        tests: &["nodes"],
        setting: Some(("TIDINGS_TORTURE_ROUNDS", "100")),
        counts: true,
        what: "several nodes on one PostgreSQL: 100 kills, 100 rolling restarts, a frozen one",
    },
    Part {
        name: "database",
        package: "tidings",
        tests: &["database_outages"],
        setting: Some(("TIDINGS_DATABASE_OUTAGES", "40")),
        counts: true,
        what: "PostgreSQL restarted 40 times, killed 10 times, gone for 180 s, standing still, slow; broken commits",
    },
    Part {
        name: "powercut",
        package: "tidings",
        tests: &["power_cut", "power_cut_postgres"],
        setting: Some(("TIDINGS_POWER_CUTS", "50")),
        counts: true,
        what: "the power is cut under load, 50 times: ours, PostgreSQL's, both; needs root and strace",
    },
    Part {
        name: "syscalls",
        package: "tidings",
        tests: &["kill_at_every_call"],
        setting: Some(("TIDINGS_KILL_AT_ALL", "1")),
        counts: false,
        what: "killed at every system call of a scripted life; needs strace",
    },
    Part {
        name: "disk",
        package: "tidings",
        tests: &["disk_full", "database_trouble", "database_trouble_postgres"],
        setting: None,
        counts: false,
        what: "full disk, locked database, damaged file, on both stores; needs root",
    },
    Part {
        name: "ssrf",
        package: "tidings",
        tests: &["ssrf_lab"],
        setting: None,
        counts: false,
        what: "forbidden addresses in a network of their own; needs root",
    },
    Part {
        name: "runners",
        package: "tidings",
        tests: &["runners"],
        setting: Some(("TIDINGS_RUNNER_KILLS", "1000")),
        counts: true,
        what: "SIGKILL and SIGSEGV to runners of commands under load, 1000 times",
    },
    Part {
        name: "hogs",
        package: "tidings",
        tests: &["beside_hogs"],
        setting: Some(("TIDINGS_HOG_ROUNDS", "5")),
        counts: true,
        what: "deliveries beside commands that fill every runner, 5 rounds with and without",
    },
    Part {
        name: "neighbours",
        package: "tidings",
        tests: &["neighbours", "fairness", "dead_webhooks"],
        setting: Some(("TIDINGS_PENDING", "100000")),
        counts: true,
        what: "one customer floods, or has 100000 deliveries pending, beside another",
    },
    Part {
        name: "outages",
        package: "tidings",
        tests: &["outages"],
        setting: Some(("TIDINGS_OUTAGES", "10")),
        counts: true,
        what: "what has piled up in an outage, ours or a receiver's, ten times as much as usual",
    },
    Part {
        name: "downstream",
        package: "tidings",
        tests: &["downstream"],
        setting: Some(("TIDINGS_OUTAGE_S", "60")),
        counts: true,
        what: "all that a source leads to is dead for 60 s while its provider goes on sending",
    },
    Part {
        name: "claims",
        package: "tidings-store-sqlite",
        tests: &["store"],
        setting: Some(("TIDINGS_PENDING", "1000000")),
        counts: true,
        what: "claims from a queue of 1000000 deliveries",
    },
    Part {
        name: "backlog",
        package: "tidings",
        tests: &["backlog"],
        setting: Some(("TIDINGS_PENDING", "1000000")),
        counts: true,
        what: "a server with 1000000 deliveries pending",
    },
    Part {
        name: "plans",
        package: "tidings-store-postgres",
        tests: &[],
        setting: Some(("TIDINGS_PLAN_ROWS", "1000000")),
        counts: true,
        what: "plans of all statements on PostgreSQL with 1000000 rows a table",
    },
    Part {
        name: "retention",
        package: "tidings",
        tests: &["retention"],
        setting: Some(("TIDINGS_OLD_EVENTS", "1000000")),
        counts: true,
        what: "1000000 events are forgotten while others flow, on both stores",
    },
    Part {
        name: "upgrade",
        package: "tidings",
        tests: &["upgrade"],
        setting: Some(("TIDINGS_UPGRADE_EVENTS", "1000000")),
        counts: true,
        what: "what an earlier version has left is opened, and nodes go on beside a later one, with 1000000 events",
    },
    Part {
        name: "sim",
        package: "tidings-sim",
        tests: &["sim"],
        setting: Some(("TIDINGS_SIM_SEEDS", "1000")),
        counts: true,
        what: "the simulator, 1000 seeds of one process and of several nodes",
    },
    Part {
        name: "model",
        package: "tidings-store-conformance",
        tests: &["both"],
        setting: Some(("TIDINGS_MODEL_SEEDS", "500")),
        counts: true,
        what: "random operations on both stores against the model, 500 seeds",
    },
    Part {
        name: "fuzz",
        package: "tidings-fuzz",
        tests: &["fuzz"],
        setting: Some(("TIDINGS_FUZZ_SECONDS", "600")),
        counts: true,
        what: "readers of what strangers write, fed with mutated inputs for 600 s each",
    },
];

/// The one part that is no test: the readers under libFuzzer, and for how many seconds each.
const COVERAGE: (&str, &str) = ("coverage", "600");

/// The parts as the help shows them.
pub(crate) fn parts() -> String {
    let parts = PARTS.iter().map(|part| (part.name, part.what.to_owned()));
    let (name, seconds) = COVERAGE;
    let coverage = (name, format!("the same readers under libFuzzer, {seconds} s each; needs a C++ compiler"));
    parts.chain([coverage]).map(|(name, what)| format!("  {name:<10} {what}\n")).collect()
}

/// Runs the parts named, or all; false if any failed.
pub(crate) fn run(names: &[&str], rounds: Option<&str>) -> anyhow::Result<bool> {
    let is_part = |name: &str| name == COVERAGE.0 || PARTS.iter().any(|part| part.name == name);
    if let Some(unknown) = names.iter().find(|name| !is_part(name)) {
        bail!("torture has no part {unknown:?}; its parts are\n{}", parts());
    }
    if let Some(rounds) = rounds
        && !rounds.parse::<u32>().is_ok_and(|rounds| rounds > 0)
    {
        bail!("{rounds:?} is not a number of rounds; write it like --rounds 500");
    }
    let root = root()?;
    let mut summary = Summary::default();
    for part in PARTS.iter().filter(|part| names.is_empty() || names.contains(&part.name)) {
        let mut cargo = Cargo::new(&root).with_variable(TORTURE.0, TORTURE.1);
        if let Some((name, default)) = part.setting {
            cargo = cargo.with_variable(name, rounds.filter(|_| part.counts).unwrap_or(default));
        }
        let mut arguments = vec!["test", "--release", "--locked", "--package", part.package];
        arguments.extend(part.tests.iter().flat_map(|test| ["--test", *test]));
        if part.tests.is_empty() {
            arguments.push("--lib");
        }
        // One after the other: what a test measures is its own.
        arguments.extend(["--", "--nocapture", "--test-threads", "1"]);
        summary.add(run_step(part.name, || cargo.run_tests(&arguments))?);
    }
    if names.is_empty() || names.contains(&COVERAGE.0) {
        summary.add(run_step(COVERAGE.0, || coverage::run(&root, rounds.unwrap_or(COVERAGE.1)))?);
    }
    print(&summary.to_string())?;
    Ok(summary.passed())
}
