//! `tidings config`

use anyhow::anyhow;
use clap::Args;

use crate::{
    config::{ServerFlags, Sources, join, report_json, report_table},
    output::{Output, print},
};

/// Show the server's settings and where each comes from, secrets masked
///
/// Takes the flags of `serve` and resolves them like it: flags over TIDINGS_* variables over tidings.toml over
/// defaults. Starts nothing and touches nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings config
  tidings config --config /etc/tidings.toml --json

A tidings.toml with everything in it:
  listen = \"127.0.0.1:8700\"
  data_dir = \"/var/lib/tidings\"
  public_url = \"https://hooks.example.com\"
  master_key_file = \"/etc/tidings/master.key\"
  allow_http = false
  allow_target = [\"10.0.0.0/8\"]
  allow_port = [8086]
  log = \"info\"
  workers = 4

Secrets are variables only: TIDINGS_OPERATOR_KEY, TIDINGS_MASTER_KEY. Paths are relative to the working directory.";

impl ConfigCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let resolved = Sources::read(&self.flags).and_then(|sources| sources.resolve(&self.flags));
        let resolved = resolved.map_err(|errors| anyhow!(join(&errors)))?;
        if output.json {
            return print(&format!("{:#}\n", report_json(&resolved)));
        }
        print(&report_table(&resolved))
    }
}
