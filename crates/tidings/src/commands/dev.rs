//! `tidings dev`

use clap::Args;

use super::serve::configure;
use crate::{config::ServerFlags, wire};

/// Run the server for local work: http and receivers on this machine are allowed
///
/// The same as `serve` with --allow-http --allow-target 127.0.0.0/8 --allow-target ::1/128, and with an inbox at
/// /dev/inbox that shows what arrived there. Not for production.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Example:
  tidings dev --listen 127.0.0.1:0
  tidings webhook create --url http://127.0.0.1:3000/hook";

impl DevCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        wire::dev(configure(&self.flags)?.open_to_this_machine())
    }
}
