//! `tidings serve`

use anyhow::anyhow;
use clap::Args;

use crate::{
    config::{ServeConfig, ServerFlags, Sources, join},
    wire,
};

/// Run the server
///
/// Keeps everything in one directory and needs nothing else. Prints "listening on http://…" to standard output once it
/// is ready, and stops gracefully on SIGINT or SIGTERM: it takes no more requests, finishes those under way, and ends
/// with everything on disk.
///
/// Settings come from flags, else from TIDINGS_* variables, else from tidings.toml, else they have their defaults;
/// `tidings config` shows what holds. A setting that is not known is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings serve
  tidings serve --listen 0.0.0.0:8700 --data-dir /var/lib/tidings --public-url https://hooks.example.com
  TIDINGS_OPERATOR_KEY=tdo_… tidings serve --config /etc/tidings.toml";

impl ServeCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        wire::serve(configure(&self.flags)?)
    }
}

/// Resolves the server's configuration out of everything this process was given.
pub(crate) fn configure(flags: &ServerFlags) -> anyhow::Result<ServeConfig> {
    let resolved = Sources::read(flags).and_then(|sources| sources.resolve(flags));
    Ok(resolved.map_err(|errors| anyhow!(join(&errors)))?.config)
}
