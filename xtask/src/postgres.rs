//! The database that the tests of the store on PostgreSQL start.

use std::path::Path;

use crate::{debian, steps::Outcome};

/// Where Debian puts the programs of every version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Where it puts the pooler.
const POOLER: &str = "/usr/sbin/pgbouncer";

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
