//! The PostgreSQL that keeps the data in place of the directory.

use tidings_store_postgres::{OpenError, carry::outlet};

use super::check::Check;
use crate::carry::runtime;

const NAME: &str = "database";

/// Whether it can be reached, and has tables that this program knows.
pub(super) fn check(url: &str) -> Check {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return Check::fail(NAME, error.to_string(), "see that threads may be started"),
    };
    match outlet(url, runtime.handle()) {
        Ok(found) => Check::ok(NAME, format!("reached; its tables have version {}", found.schema())),
        Err(OpenError::Nothing) => Check::ok(NAME, "reached; its tables are made at the first start"),
        Err(OpenError::OlderSchema { found, known }) => Check::ok(
            NAME,
            format!("reached; its tables are brought from version {found} to {known} at the next start"),
        ),
        Err(error) => {
            Check::fail(NAME, error.to_string(), "see docs/scaling.md, or leave --database-url out to use a directory")
        }
    }
}
