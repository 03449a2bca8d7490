//! Logs: JSON on standard error, or text if that is a terminal.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

/// What is logged unless somebody asks for something else.
const DEFAULT_FILTER: &str = "info";

/// Starts logging. A filter was checked when the configuration was read.
pub(crate) fn start(filter: Option<&str>) {
    let filter = filter.unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in the same process finds logging in place, which is just as well.
    let _ = if std::io::stderr().is_terminal() { logs.try_init() } else { logs.json().flatten_event(true).try_init() };
}
