//! `tidings export`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tidings_ports::Clock as _;

use super::serve::configure;
use crate::{
    carry,
    cli::GlobalOptions,
    config::ServerFlags,
    output::{Output, Table},
    system::SystemClock,
};

/// Write the configuration into a file of JSON, without any history
///
/// Organizations, projects, webhooks, event types, sources, commands, bots, portals and the hashes of keys; of one
/// organization with --organization. Secrets in it stay sealed with the master key. Members and their passwords are not
/// in it, nor the operator's keys, nor properties and records.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportCommand {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings export tidings.json --data-dir /var/lib/tidings
  tidings export acme.json --organization org_… --database-url postgres://tidings@db.internal/tidings";

impl ExportCommand {
    pub(crate) fn run(self, options: &GlobalOptions) -> anyhow::Result<()> {
        let config = configure(&self.flags)?;
        let organization = options.organization.as_deref().filter(|id| !id.is_empty()).map(str::parse).transpose();
        let organization = organization.context("--organization is no id of an organization: it looks like org_…")?;
        let rows = carry::export(&config, &self.file, organization, SystemClock::start().wall())?;
        show(Output { json: options.json }, &rows)
    }
}

/// Rows by table.
pub(super) fn show(output: Output, rows: &[(&'static str, usize)]) -> anyhow::Result<()> {
    let body: serde_json::Map<_, _> = rows.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    output.show(&body, |_| {
        let mut table = Table::new(&["WHAT", "ROWS"]);
        rows.iter().for_each(|(name, count)| table.row([(*name).to_owned(), count.to_string()]));
        table.to_string()
    })
}
