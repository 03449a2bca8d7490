//! Debian's packages that tests start programs of.

use std::process::{Command, Stdio};

use crate::python::succeeds;

/// Makes sure that something is there, which these packages bring; or says what is missing, and the way out.
///
/// # Errors
///
/// It is not there, and could not be installed.
pub fn provide(what: &str, packages: &[&str], there: impl Fn() -> bool) -> Result<(), String> {
    if there() {
        return Ok(());
    }
    // Installs nothing where it would have to ask for a password: only root may.
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive");
        succeeds(&mut apt, Stdio::inherit())
    };
    let refresh = || succeeds(Command::new("apt-get").arg("update"), Stdio::inherit());
    if (install() || (refresh() && install())) && there() {
        return Ok(());
    }
    Err(format!("no {what}: install as root what Debian calls {}, then run this again", packages.join(" and ")))
}
