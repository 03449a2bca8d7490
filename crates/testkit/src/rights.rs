//! What a test needs of the machine besides a user's rights, and what becomes of it where that is
//! missing.

use std::{io::Write as _, process::Stdio};

use tokio::process::Command;

/// Set by `cargo xtask torture`: there, what cannot be run is a failure.
const TORTURE: &str = "TIDINGS_TORTURE";
/// Set for a test that runs inside its namespaces.
const INSIDE: &str = "TIDINGS_TEST_NAMESPACES";

/// Says that a test, or a part of it, does not run here, and why. Written past the test harness,
/// which would keep it to itself.
///
/// # Panics
///
/// In a torture run, which is asked to run everything.
pub fn skip(what: &str, reason: &str) {
    let line = format!("SKIPPED: {what}: {reason}\n");
    assert!(std::env::var_os(TORTURE).is_none(), "{line}");
    // Nobody is left to be told if standard error is closed.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A number that a run is given by its environment, such as how many rounds.
///
/// # Panics
///
/// It is no number.
pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Whether a command can be run here and ends with success.
pub async fn works(command: &[&str]) -> bool {
    let mut command = command_of(command);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

fn command_of(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Runs a test in namespaces of its own (unshare(1) makes them, `flags` says which), so that what
/// it mounts or what addresses it has are nobody else's and end with it. True inside; outside the
/// same test is run once more, inside, and false says that there is nothing left to do.
///
/// # Panics
///
/// The test fails inside.
pub async fn in_namespaces(test: &str, flags: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return true;
    }
    let probe: Vec<_> = ["unshare"].into_iter().chain(flags.iter().copied()).chain(["true"]).collect();
    if !works(&probe).await {
        skip(test, &format!("needs the right to run `{}`: run it as root", probe.join(" ")));
        return false;
    }
    let own = std::env::current_exe().expect("a test knows its own file");
    let mut command = command_of(&probe[..probe.len() - 1]);
    command.arg(own).args(["--exact", test, "--nocapture", "--include-ignored"]).env(INSIDE, test).stdin(Stdio::null());
    let status = command.status().await.expect("unshare was there a moment ago");
    assert!(status.success(), "{test} failed inside its namespaces: {status}");
    false
}
