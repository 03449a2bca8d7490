//! `tidings backup`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tidings_ports::Clock as _;

use super::{progress::rows_bar, serve::configure};
use crate::{
    carry,
    config::ServerFlags,
    output::{Fields, Output},
    system::SystemClock,
};

/// Write everything that is kept into one file, while the server runs or not
///
/// Takes the flags of `serve`, to know where everything is kept. What is in the file is as it was at one moment, also
/// under load. Secrets in it stay sealed: the master key is not in it and has to be kept apart.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackupCommand {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings backup /backups/tidings-2026-05-25.backup --data-dir /var/lib/tidings
  tidings backup tidings.backup --database-url postgres://tidings@db.internal/tidings";

impl BackupCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = configure(&self.flags)?;
        let clock = SystemClock::start();
        let taken_at = clock.wall();
        let bar = rows_bar();
        let made = carry::backup(&config, &self.file, taken_at, &mut |table, rows| bar.show(table, rows))?;
        bar.end();
        let took_ms = clock.now().millis_since(taken_at);
        let key = config.master_key_path().map(|path| path.display().to_string());
        let body = json!({
            "file": self.file, "bytes": made.bytes, "tables": made.total.tables, "rows": made.total.rows,
            "taken_at": taken_at.rfc3339_millis(), "took_ms": took_ms, "master_key_file": key,
        });
        output.show(&body, |_| {
            let key = key.unwrap_or_else(|| "given as TIDINGS_MASTER_KEY".to_owned());
            Fields::default()
                .add("file", self.file.display())
                .add("size", format!("{} bytes, {} rows", made.bytes, made.total.rows))
                .add("as of", taken_at.rfc3339_millis())
                .add("took", format!("{}.{:03} s", took_ms / 1000, took_ms % 1000))
                .add(
                    "master key",
                    format!("NOT in the file, and without it no secret in the file opens: keep it apart ({key})"),
                )
                .to_string()
        })
    }
}
