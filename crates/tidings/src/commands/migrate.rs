//! `tidings migrate`

use clap::Args;
use serde_json::json;
use tidings_ports::Clock as _;

use super::{progress::rows_bar, serve::configure};
use crate::{
    carry,
    config::ServerFlags,
    output::{Fields, Output},
    system::{SystemClock, SystemEntropy},
};

/// Move everything from the data directory into an empty PostgreSQL database
///
/// Stop the server first. Nothing in the directory's database is changed, but no server starts on it from then on. What
/// was cut off goes on when it is run again. In the end both are compared, row by row. Whatever waits goes on waiting,
/// and is sent by the server that is started with --database-url.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MigrateCommand {
    #[command(flatten)]
    flags: ServerFlags,
}

const EXAMPLES: &str = "\
Examples:
  tidings migrate --data-dir /var/lib/tidings --database-url postgres://tidings@db.internal/tidings";

impl MigrateCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = configure(&self.flags)?;
        let clock = SystemClock::start();
        let began_at = clock.wall();
        let bar = rows_bar();
        let show = &mut |table: &str, rows| bar.show(table, rows);
        let done = carry::migrate(&config, began_at, &SystemEntropy, show)?;
        bar.end();
        let took_ms = clock.now().millis_since(began_at);
        let body = json!({
            "to": done.to, "tables": done.total.tables, "rows": done.total.rows, "went_on": done.went_on,
            "took_ms": took_ms,
        });
        output.show(&body, |_| {
            let key = match config.master_key_path() {
                Some(path) => format!("the same as before: {}", path.display()),
                None => "the same as before: TIDINGS_MASTER_KEY".to_owned(),
            };
            Fields::default()
                .add("to", &done.to)
                .add("holds", format!("{} rows, compared with the directory's", done.total.rows))
                .add("took", format!("{}.{:03} s", took_ms / 1000, took_ms % 1000))
                .add("master key", key)
                .add("next", "start the server with --database-url")
                .to_string()
        })
    }
}
