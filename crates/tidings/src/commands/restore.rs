//! `tidings restore`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tidings_domain::time::Timestamp;
use tidings_ports::Clock as _;

use super::{progress::rows_bar, serve::configure};
use crate::{
    carry,
    config::ServerFlags,
    output::{Fields, Output},
    system::SystemClock,
};

/// Put a backup back, into an empty directory or an empty database
///
/// Takes the flags of `serve`, to know where to. All of it is put back, or nothing. The restored instance takes events
/// in and sends nothing, and begins nothing by itself, before its operator lets it go with `tidings resume`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreCommand {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only look whether the backup is whole, and change nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings restore --check tidings.backup
  tidings restore tidings.backup --data-dir /var/lib/tidings-restored --master-key-file /keys/tidings.key
  tidings restore tidings.backup --database-url postgres://tidings@db.internal/tidings_restored";

impl RestoreCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = configure(&self.flags)?;
        let clock = SystemClock::start();
        let began_at = clock.wall();
        let bar = rows_bar();
        let show = &mut |table: &str, rows| bar.show(table, rows);
        let done = match self.check {
            true => carry::check(&config, &self.file, show)?,
            false => carry::restore(&config, &self.file, began_at, show)?,
        };
        bar.end();
        let took_ms = clock.now().millis_since(began_at);
        let taken_at = Timestamp::from_millis(done.header.taken_at_ms).rfc3339_millis();
        let body = json!({
            "file": self.file, "restored": !self.check, "tables": done.total.tables, "rows": done.total.rows,
            "taken_at": taken_at, "took_ms": took_ms, "has_master_key": done.has_master_key,
        });
        output.show(&body, |_| {
            let key = match done.has_master_key {
                Some(true) => "the right one is there",
                Some(false) => "the one that is configured is not the one this backup was made with",
                None => "none is there yet: put the one of the backed up instance where the server looks for it",
            };
            let next = match self.check {
                true => "nothing was changed; the backup is whole",
                false => {
                    "start the server, look at it, and let it send with `tidings resume`; until then it sends nothing"
                }
            };
            Fields::default()
                .add("file", self.file.display())
                .add("holds", format!("{} rows, as of {taken_at}, by version {}", done.total.rows, done.header.version))
                .add("took", format!("{}.{:03} s", took_ms / 1000, took_ms % 1000))
                .add("master key", key)
                .add("next", next)
                .to_string()
        })
    }
}
