//! Schema fuzzing: schemathesis asks a server everything that its own OpenAPI document allows, and
//! much that it does not. A 5xx, or an answer that the document does not know, is a failure.
//!
//! The run takes place in a network namespace of its own: whatever addresses the made-up webhooks
//! have, nothing leaves the machine. Only the installation before it needs a network.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, bail};
use xtask::{
    steps::{Cargo, Outcome, run_step},
    summary::Summary,
};

use crate::{
    commands::{print, root},
    fuzz_world::settle,
};

/// The version that is installed.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Where it is installed.
const ENVIRONMENT: &str = "target/tools/schemathesis";
/// Where the server keeps its data; emptied before each run.
const DATA_DIRECTORY: &str = "target/fuzz-api";
/// The key of a server that nobody else reaches.
const OPERATOR_KEY: &str = "tdo_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
/// Cases per operation and way of making them, unless told otherwise; together well over 10,000.
pub(crate) const CASES: &str = "150";
/// What every answer has to pass.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";
/// First with ids of things that exist; nothing is deleted, so that they stay.
const KNOWN: &[&str] = &["--exclude-method", "DELETE", "--exclude-path-regex", STREAM_PATH];
/// Then with whatever ids schemathesis makes up or comes across.
const MADE_UP: &[&str] = &["--exclude-path-regex", KEYS_PATH, "--exclude-path-regex", STREAM_PATH];
/// Last of all what may revoke the key that everything is asked with.
const KEYS: &[&str] = &["--include-path-regex", KEYS_PATH];
const KEYS_PATH: &str = "/api-keys/";
/// An answer without an end.
const STREAM_PATH: &str = "/stream$";
/// Each request is answered within this, in seconds.
const REQUEST_TIMEOUT_S: &str = "30";
/// The same cases every time.
const SEED: &str = "1";

/// Installs what is needed, then runs this program again inside the namespace.
pub(crate) fn run(cases: &str) -> anyhow::Result<bool> {
    if !cases.parse::<u32>().is_ok_and(|cases| cases > 0) {
        bail!("{cases:?} is not a number of cases; write it like --cases {CASES}");
    }
    let root = root()?;
    let cargo = Cargo::new(&root);
    let mut summary = Summary::default();
    summary.add(run_step("server", || cargo.run(&["build", "--locked", "--package", "tidings"]))?);
    summary.add(run_step("schemathesis", || install(&root))?);
    summary.add(run_step("schema fuzz", || {
        let mut command = Command::new("unshare");
        command.args(["--net", "--map-root-user"]).arg(std::env::current_exe()?).args(["fuzz-api-inside", cases]);
        let status = command.current_dir(&root).status().context("unshare cannot be started")?;
        Ok(if status.success() { Outcome::passed() } else { Outcome::failed("schemathesis found something") })
    })?);
    print(&summary.to_string())?;
    Ok(summary.passed())
}

fn install(root: &Path) -> anyhow::Result<Outcome> {
    let environment = root.join(ENVIRONMENT);
    let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status().context("python3 is missing")?;
    let pip = environment.join("bin/pip");
    let installed = made.success()
        && Command::new(pip).args(["install", "--quiet", SCHEMATHESIS]).status().is_ok_and(|status| status.success());
    Ok(if installed { Outcome::passed() } else { Outcome::failed(format!("{SCHEMATHESIS} cannot be installed")) })
}

/// The run itself; loopback is the only way there is.
pub(crate) fn run_inside(cases: &str) -> anyhow::Result<bool> {
    let root = root()?;
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().context("ip cannot be started")?;
    if !up.success() {
        bail!("the loopback device of the namespace cannot be brought up");
    }
    let data = root.join(DATA_DIRECTORY);
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("{} cannot be emptied", data.display()))?;
    }
    fs::create_dir_all(&data)?;
    let mut server = start(&root, &data)?;
    let output = server.stdout.take().context("the server has no output")?;
    let passed = address(output).and_then(|address| {
        let known = data.join("known");
        fs::create_dir_all(&known)?;
        settle(&address, OPERATOR_KEY, &known.join("schemathesis.toml"))?;
        let mut passed = true;
        for (directory, selection) in [(&known, KNOWN), (&data, MADE_UP), (&data, KEYS)] {
            passed &= ask_everything(&root, &address, cases, directory, selection)?;
        }
        Ok(passed)
    });
    // It ends with this run, whatever came of it.
    server.kill().context("the server ended before it was told to")?;
    server.wait()?;
    passed
}

fn start(root: &Path, data: &Path) -> anyhow::Result<Child> {
    let log = fs::File::create(data.join("log"))?;
    Command::new(root.join("target/debug/tidings"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.join("data"))
        .env("TIDINGS_OPERATOR_KEY", OPERATOR_KEY)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("the server cannot be started")
}

/// From the line that says where it listens.
fn address(output: ChildStdout) -> anyhow::Result<String> {
    for line in BufReader::new(output).lines() {
        if let Some(address) = line?.strip_prefix("listening on ") {
            return Ok(address.to_owned());
        }
    }
    bail!("the server ended before it was ready; its log is in {DATA_DIRECTORY}/log")
}

/// One run on some operations. It reads its configuration in the directory.
fn ask_everything(root: &Path, address: &str, cases: &str, directory: &Path, more: &[&str]) -> anyhow::Result<bool> {
    let status = Command::new(root.join(ENVIRONMENT).join("bin/schemathesis"))
        .args(["run", &format!("{address}/api/v1/openapi.json")])
        .args(["--header", &format!("X-API-Key: {OPERATOR_KEY}")])
        .args(["--checks", CHECKS, "--max-examples", cases, "--seed", SEED])
        .args(["--phases", "examples,coverage,fuzzing", "--mode", "all"])
        .args(["--request-timeout", REQUEST_TIMEOUT_S, "--suppress-health-check", "all"])
        .args(["--generation-database", "none", "--continue-on-failure"])
        .args(more)
        .current_dir(directory)
        .status()
        .context("schemathesis cannot be started")?;
    Ok(status.success())
}
