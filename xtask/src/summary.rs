//! What a run ends with: a line for each step, and the tests that were counted.

use std::{fmt, time::Duration};

use crate::steps::{Step, TestCounts, Verdict};

/// The steps of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary(Vec<Step>);

impl Summary {
    /// Adds a step that has ended.
    pub fn add(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Whether no step failed.
    pub fn passed(&self) -> bool {
        self.0.iter().all(|step| step.outcome.verdict != Verdict::Failed)
    }

    fn tests(&self) -> Option<TestCounts> {
        let counts = self.0.iter().filter_map(|step| step.outcome.tests);
        counts.reduce(|sum, more| TestCounts {
            passed: sum.passed + more.passed,
            failed: sum.failed + more.failed,
            ignored: sum.ignored + more.ignored,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n── summary")?;
        for step in &self.0 {
            let verdict = match step.outcome.verdict {
                Verdict::Passed => "ok",
                Verdict::Failed => "FAILED",
                Verdict::Skipped => "skipped",
            };
            let line = format!("{verdict:<8} {:<24} {:>8}  {}", step.name, seconds(step.took), step.outcome.note);
            writeln!(f, "{}", line.trim_end())?;
        }
        let total: Duration = self.0.iter().map(|step| step.took).sum();
        writeln!(f, "{:<8} {:<24} {:>8}", "", "in all", seconds(total))?;
        let failed_steps = self.0.iter().filter(|step| step.outcome.verdict == Verdict::Failed).count();
        if failed_steps > 0 {
            writeln!(f, "{failed_steps} of {} steps failed", self.0.len())?;
        }
        // Tests that did not run, or not even compile, have no number that would be true.
        let ran = |counts: &TestCounts| counts.passed + counts.failed > 0;
        if let Some(TestCounts { passed, failed, ignored }) = self.tests().filter(ran) {
            let ignored = if ignored > 0 { format!(", {ignored} ignored") } else { String::new() };
            writeln!(f, "tests: {passed} passed, {failed} failed{ignored}")?;
        }
        Ok(())
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Outcome;

    fn step(name: &'static str, outcome: Outcome) -> Step {
        Step { name, took: Duration::from_millis(1_500), outcome }
    }

    #[test]
    fn a_failed_step_decides_and_is_named() {
        let mut summary = Summary::default();
        summary.add(step("format", Outcome::passed()));
        let tests = Some(TestCounts { passed: 7, failed: 1, ignored: 0 });
        summary.add(step("tests", Outcome { tests, ..Outcome::failed("1 tests failed") }));
        summary.add(step("licences", Outcome::skipped("not installed")));
        assert!(!summary.passed());
        assert_eq!(
            summary.to_string(),
            "\n── summary\n\
             ok       format                      1.5 s\n\
             FAILED   tests                       1.5 s  1 tests failed\n\
             skipped  licences                    1.5 s  not installed\n         \
             in all                      4.5 s\n\
             1 of 3 steps failed\n\
             tests: 7 passed, 1 failed\n"
        );
    }

    #[test]
    fn without_tests_no_number_is_claimed() {
        let mut summary = Summary::default();
        summary.add(step("format", Outcome::passed()));
        assert!(summary.passed() && !summary.to_string().contains("tests:"));
        let tests = Some(TestCounts::default());
        summary.add(step("tests", Outcome { tests, ..Outcome::failed("nothing compiled") }));
        assert!(!summary.passed() && !summary.to_string().contains("tests:"));
    }
}
