//! Running one step: a name, a duration, an outcome.

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not looked at.
    Skipped,
}

/// A verdict, what there is to say about it, and the tests that were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Why it failed or was skipped.
    pub note: String,
    /// The tests that ran, where the step runs tests.
    pub tests: Option<TestCounts>,
}

/// What the closing lines of `cargo test` add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TestCounts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that were not run.
    pub ignored: u64,
}

impl Outcome {
    /// It holds.
    pub fn passed() -> Self {
        Self { verdict: Verdict::Passed, note: String::new(), tests: None }
    }

    /// It does not, for this reason.
    pub fn failed(note: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, note: note.into(), tests: None }
    }

    /// It was not looked at, for this reason.
    pub fn skipped(note: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, note: note.into(), tests: None }
    }
}

/// A step that has ended.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is called.
    pub name: &'static str,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// Runs a step under a heading and takes its time.
///
/// # Errors
///
/// Whatever kept the step from being run at all.
pub fn run_step(name: &'static str, work: impl FnOnce() -> anyhow::Result<Outcome>) -> anyhow::Result<Step> {
    writeln!(io::stdout(), "\n── {name}")?;
    let started = Instant::now();
    let outcome = work().with_context(|| format!("the step {name:?} could not be run"))?;
    Ok(Step { name, took: started.elapsed(), outcome })
}

impl Outcome {
    /// Whether nothing failed.
    pub fn is_fine(&self) -> bool {
        self.verdict != Verdict::Failed
    }
}

/// Cargo, as this process was started with, in the repository.
#[derive(Debug, Clone)]
pub struct Cargo {
    program: OsString,
    root: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Cargo {
    /// The cargo that started this process.
    pub fn new(root: &Path) -> Self {
        // Cargo tells its own path to what it starts.
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self { program, root: root.to_owned(), variables: Vec::new() }
    }

    /// The same with an environment variable set.
    #[must_use]
    pub fn with_variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command that has not been started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.root).args(arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command and lets it write where this process writes.
    ///
    /// # Errors
    ///
    /// The command could not be started.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Outcome> {
        let status = self.command(arguments).status().context("cargo cannot be started")?;
        Ok(if status.success() { Outcome::passed() } else { Outcome::failed(format!("cargo {}", arguments.join(" "))) })
    }

    /// Runs tests, passes on what they write, and adds up their closing lines.
    ///
    /// # Errors
    ///
    /// The command could not be started, or its output not be read.
    pub fn run_tests(&self, arguments: &[&str]) -> anyhow::Result<Outcome> {
        let mut child = self.command(arguments).stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
        let output = child.stdout.take().context("cargo has no output")?;
        let mut counts = TestCounts::default();
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            counts.add_line(&String::from_utf8_lossy(&line));
            line.clear();
        }
        let status = child.wait()?;
        let outcome = match (status.success(), counts.failed) {
            (true, _) => Outcome::passed(),
            (false, 0) => Outcome::failed("cargo test ended without success, and no test says why"),
            (false, failed) => Outcome::failed(format!("{failed} tests failed")),
        };
        Ok(Outcome { tests: Some(counts), ..outcome })
    }
}

impl TestCounts {
    /// Takes in a line such as `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    pub fn add_line(&mut self, line: &str) {
        let Some((_, numbers)) = line.split_once("test result: ") else { return };
        let words: Vec<&str> = numbers.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up_and_nothing_else_is() {
        let mut counts = TestCounts::default();
        for line in [
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            "test 7 passed ... ok\n",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n",
            "\u{1b}[31mtest result: \u{1b}[32mok\u{1b}[0m. 1 passed; 0 failed; 0 ignored; 0 measured\n",
        ] {
            counts.add_line(line);
        }
        assert_eq!(counts, TestCounts { passed: 8, failed: 3, ignored: 1 });
    }
}
