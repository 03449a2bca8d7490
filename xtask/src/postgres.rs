//! The database that the tests of the store on PostgreSQL start.

use std::path::Path;

use crate::{debian, steps::Outcome};

/// Where Debian puts the programs of every version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Makes sure that PostgreSQL's programs are there.
///
/// # Errors
///
/// None; what is missing is a failed step.
pub fn provide() -> anyhow::Result<Outcome> {
    let there = || {
        let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        versions.map(|version| version.path()).any(|path| has_programs(&path))
    };
    Ok(debian::provide("PostgreSQL", &["postgresql"], there).map_or_else(Outcome::failed, |()| Outcome::passed()))
}

fn has_programs(version: &Path) -> bool {
    ["initdb", "pg_ctl", "createdb"].iter().all(|program| version.join("bin").join(program).exists())
}
