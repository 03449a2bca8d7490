//! `tidings doctor`

mod check;
mod database;
mod disk;
mod kept;
mod machine;
mod server;

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use self::check::{Check, Verdict};
use crate::{
    config::{ConfigError, Resolved, ServerFlags, Sources},
    output::{Output, Table, print},
};

/// Check this machine and the configuration before the server starts, or while it runs
///
/// Takes the flags of `serve`. Each line says ok, warn or fail, and what to do. Writes one small file into the data
/// directory (or where it would be made) to see that writing works, and removes it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings doctor
  tidings doctor --data-dir /var/lib/tidings --json

Exit status: 0 if nothing fails (warnings may be there), 1 if something does.";

impl DoctorCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<ExitCode> {
        let resolved = Sources::read(&self.flags).and_then(|sources| sources.resolve(&self.flags));
        let checks = examine(resolved);
        if output.json {
            print(&format!("{:#}\n", to_json(&checks)))?;
        } else {
            print(&to_table(&checks))?;
        }
        Ok(if failed(&checks) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn examine(resolved: Result<Resolved, Vec<ConfigError>>) -> Vec<Check> {
    let mut checks = Vec::new();
    match resolved {
        Ok(Resolved { config, .. }) => {
            checks.push(Check::ok("configuration", "every setting is known and valid"));
            let running = disk::is_locked(&config.data_dir);
            match &config.database_url {
                Some(url) => checks.extend(database::checks(&url.0)),
                None => {
                    checks.push(disk::directory(&config.data_dir));
                    checks.push(disk::lock(running));
                    checks.push(disk::space(&config.data_dir));
                    checks.push(disk::sync(&config.data_dir));
                }
            }
            checks.push(server::master_key(&config));
            checks.extend(kept::checks(&config));
            checks.push(server::listen(config.listen, running));
        }
        Err(errors) => checks.extend(errors.iter().map(|error| {
            Check::fail("configuration", format!("{}: {}", error.place, error.reason), error.way_out.clone())
        })),
    }
    checks.push(server::sqlite(tidings_store_sqlite::sqlite_version(), tidings_store_sqlite::SQLITE_VERSION_MIN));
    checks.extend(machine::checks());
    checks
}

fn failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.verdict == Verdict::Fail)
}

fn to_table(checks: &[Check]) -> String {
    let mut table = Table::new(&["RESULT", "CHECK", "FOUND"]);
    for check in checks {
        let found = match &check.way_out {
            Some(way_out) => format!("{}; {way_out}", check.found),
            None => check.found.clone(),
        };
        table.row([check.verdict.as_str().to_owned(), check.name.to_owned(), found]);
    }
    table.to_string()
}

fn to_json(checks: &[Check]) -> Value {
    let each = |check: &Check| {
        json!({
            "check": check.name,
            "result": check.verdict.as_str(),
            "found": check.found,
            "way_out": check.way_out,
        })
    };
    json!({ "healthy": !failed(checks), "checks": checks.iter().map(each).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_a_table_and_one_failure_decides() {
        let checks = [Check::ok("clock", "fine"), Check::warn("space", "little", "make room")];
        assert!(!failed(&checks));
        assert_eq!(to_table(&checks), "RESULT  CHECK  FOUND\nok      clock  fine\nwarn    space  little; make room\n");
        let checks = [Check::fail("lock", "taken", "stop it")];
        assert!(failed(&checks));
        assert_eq!(to_json(&checks)["healthy"], false);
        assert_eq!(to_json(&checks)["checks"][0]["way_out"], "stop it");
    }

    #[test]
    fn a_refused_configuration_is_told_setting_by_setting() {
        let errors = vec![ConfigError::new("tidings.toml:1", "wrong", "correct it"); 2];
        let checks = examine(Err(errors));
        assert_eq!(checks.iter().filter(|check| check.name == "configuration").count(), 2);
        assert!(failed(&checks) && checks.iter().any(|check| check.name == "SQLite"));
    }
}
