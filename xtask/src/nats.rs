//! The messaging that the tests of the relay start.

use std::path::Path;

use crate::{debian, steps::Outcome};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/nats-server";

/// Makes sure that NATS's server is there.
///
/// # Errors
///
/// None; what is missing is a failed step.
pub fn provide() -> anyhow::Result<Outcome> {
    let there = || Path::new(PROGRAM).exists();
    Ok(debian::provide("NATS", &["nats-server"], there).map_or_else(Outcome::failed, |()| Outcome::passed()))
}
