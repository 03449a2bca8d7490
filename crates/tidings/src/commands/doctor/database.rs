//! The PostgreSQL that keeps the data in place of the directory.

use tidings_store_postgres::{OpenError, carry::outlet, risks};

use tokio::runtime::Handle;

use super::check::Check;
use crate::carry::runtime;

const NAME: &str = "database";

/// Whether it can be reached, has tables that this program knows, and keeps what it has committed.
pub(super) fn checks(url: &str) -> Vec<Check> {
    match runtime() {
        Ok(runtime) => [vec![reached(url, runtime.handle())], durability(url, runtime.handle())].concat(),
        Err(error) => vec![Check::fail(NAME, error.to_string(), "see that threads may be started")],
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
