//! Progress of long work, on standard error, and only where somebody looks at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar without news is drawn anew.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// A bar over bytes of a file; without a length, a count of what has been read.
pub(crate) fn bytes_bar(length: Option<u64>) -> ProgressBar {
    match length {
        Some(length) => bar(length, "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left"),
        None => bar(0, "{spinner} {bytes} {bytes_per_sec}"),
    }
}

/// A bar over things that are counted.
pub(crate) fn count_bar() -> ProgressBar {
    bar(0, "{wide_bar} {pos}/{len} {per_sec}, {eta} left")
}

/// Which table, and how many rows so far.
pub(crate) fn rows_bar() -> RowsBar {
    RowsBar(bar(0, "{spinner} {msg}: {pos} rows, {per_sec}"))
}

/// See [`rows_bar`].
pub(crate) struct RowsBar(ProgressBar);

impl RowsBar {
    pub(crate) fn show(&self, table: &str, rows: u64) {
        self.0.set_message(table.to_owned());
        self.0.set_position(rows);
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(REDRAW_EVERY);
    bar
}
