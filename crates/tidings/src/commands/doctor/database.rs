//! The PostgreSQL that keeps the data in place of the directory.

use tidings_store_postgres::{Flaw, OpenError, carry::outlet, flaws, risks};

use tokio::runtime::Handle;

use super::check::Check;
use crate::carry::runtime;

const NAME: &str = "database";

/// Whether it can be reached, has tables that this program knows, as it made them, and keeps what it has committed.
pub(super) fn checks(url: &str) -> Vec<Check> {
    match runtime() {
        Ok(runtime) => {
            let runtime = runtime.handle();
            [vec![reached(url, runtime)], tables(url, runtime), durability(url, runtime)].concat()
        }
        Err(error) => vec![Check::fail(NAME, error.to_string(), "see that threads may be started")],
    }
}

/// Nothing where there are none, or nobody can be asked: the other check says so.
fn tables(url: &str, runtime: &Handle) -> Vec<Check> {
    const NAME: &str = "tables";
    let Ok(flaws) = flaws(url, runtime) else { return Vec::new() };
    let check = |Flaw { found, way_out, is_grave }: Flaw| match is_grave {
        true => Check::fail(NAME, found, format!("{way_out}; then start the server")),
        false => Check::warn(NAME, found, way_out),
    };
    match flaws.is_empty() {
        true => vec![Check::ok(NAME, "with all their indexes and functions, and partitions for today and tomorrow")],
        false => flaws.into_iter().map(check).collect(),
    }
}

/// Nothing where nobody can be asked: the other check says so.
fn durability(url: &str, runtime: &Handle) -> Vec<Check> {
    const NAME: &str = "durability";
    let Ok(risks) = risks(url, runtime) else { return Vec::new() };
    match risks.is_empty() {
        true => vec![Check::ok(NAME, "what is committed is on disk")],
        false => risks.iter().map(|risk| Check::warn(NAME, risk.found(), risk.way_out())).collect(),
    }
}

fn reached(url: &str, runtime: &Handle) -> Check {
    match outlet(url, runtime) {
        Ok(found) => Check::ok(NAME, format!("reached; its tables have version {}", found.schema())),
        Err(OpenError::Nothing) => Check::ok(NAME, "reached; its tables are made at the first start"),
        Err(OpenError::OlderSchema { found, known }) => Check::ok(
            NAME,
            format!("reached; its tables are brought from version {found} to {known} at the next start"),
        ),
        // It says itself what to do.
        Err(error @ OpenError::Incomplete { .. }) => Check::fail(NAME, error.to_string(), "then start the server"),
        Err(error) => {
            Check::fail(NAME, error.to_string(), "see docs/scaling.md, or leave --database-url out to use a directory")
        }
    }
}
