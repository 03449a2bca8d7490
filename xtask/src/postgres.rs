//! The database that the tests of the store on PostgreSQL start, and the server's tests on it.

use std::path::Path;

use crate::{
    debian,
    steps::{Cargo, Outcome},
};

/// Where Debian puts the programs of every version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Where it puts the pooler.
const POOLER: &str = "/usr/sbin/pgbouncer";

/// Has every server that a test starts keep its data in PostgreSQL.
const STORE: (&str, &str) = ("TIDINGS_TEST_STORE", "postgres");
/// How often a server is killed there: each time, what it had leased waits until others may take it.
const ROUNDS: (&str, &str) = ("TIDINGS_TORTURE_ROUNDS", "3");
/// The server's suites that are run there as well: what writes most, what changes most at the same time, and what lists
/// and counts. All of them can be; these find most in the time that they take.
pub const SUITES: [&str; 11] = [
    "audit",
    "changes",
    "crash",
    "isolation",
    "pausing",
    "publishing",
    "receipts",
    "receive",
    "recovering",
    "statistics",
    "story",
];

/// Runs the server's suites of [`SUITES`] on PostgreSQL.
///
/// # Errors
///
/// The tests could not be started.
pub fn test_on_postgres(cargo: &Cargo) -> anyhow::Result<Outcome> {
    let cargo = cargo.clone().with_variable(STORE.0, STORE.1).with_variable(ROUNDS.0, ROUNDS.1);
    // The whole workspace's, as the step before has built them: alone they would be built anew.
    let mut arguments = vec!["test", "--workspace", "--locked", "--no-fail-fast"];
    arguments.extend(SUITES.iter().flat_map(|suite| ["--test", *suite]));
    cargo.run_tests(&arguments)
}

/// Makes sure that PostgreSQL's programs are there, and PgBouncer.
///
/// # Errors
///
/// None; what is missing is a failed step.
pub fn provide() -> anyhow::Result<Outcome> {
    let there = || {
        let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let has_server = versions.map(|version| version.path()).any(|path| has_programs(&path));
        has_server && Path::new(POOLER).exists()
    };
    Ok(debian::provide("PostgreSQL with PgBouncer", &["postgresql", "pgbouncer"], there)
        .map_or_else(Outcome::failed, |()| Outcome::passed()))
}

fn has_programs(version: &Path) -> bool {
    ["initdb", "pg_ctl", "createdb"].iter().all(|program| version.join("bin").join(program).exists())
}
