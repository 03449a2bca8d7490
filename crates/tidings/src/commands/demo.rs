//! `tidings demo`

use clap::Args;

use super::serve::configure;
use crate::{config::ServerFlags, wire};

/// See it work: a server, receivers, and the first signed and retried deliveries
///
/// Starts a server on a temporary directory (or the one you name), brings its own receivers, publishes an event under
/// each profile, shows each request as it arrives with its signature verified, and stays up. If the usual port is taken it takes a free one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Example:
  tidings demo --listen 127.0.0.1:0";

impl DemoCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        wire::demo(configure(&self.flags)?.open_to_this_machine())
    }
}
