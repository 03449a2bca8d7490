//! `tidings import`

use std::path::PathBuf;

use clap::Args;

use super::{export::show, serve::configure};
use crate::{carry, config::ServerFlags, output::Output};

/// Add an exported configuration to an instance whose server does not run
///
/// Ids stay as they are. What is there already stays, and what is there in another way, or under another id, is a
/// conflict: then nothing is imported. The master key has to be the same.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportCommand {
    /// The file that `tidings export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would be added
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings import --dry-run tidings.json --data-dir /var/lib/tidings
  tidings import tidings.json --data-dir /var/lib/tidings";

impl ImportCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = configure(&self.flags)?;
        let imported = carry::import(&config, &self.file, self.dry_run)?;
        let rows: Vec<_> = imported.added.into_iter().chain([("already there", imported.same)]).collect();
        show(output, &rows)
    }
}
