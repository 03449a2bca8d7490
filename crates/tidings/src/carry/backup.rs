//! Taking a backup, of a server that runs or of none.

use std::{
    fs::File,
    io::{BufWriter, IntoInnerError},
    path::Path,
};

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;
use tidings_domain::time::Timestamp;
use tidings_store_sql::carry::{TABLES, each_piece, elsewhere};

use super::{
    Store,
    archive::{FORMAT, Header, Total, Writer, hex},
    runtime,
};
use crate::{config::ServeConfig, first_start::MASTER_KEY_CHECK};

/// A backup that was taken.
pub(crate) struct Made {
    /// Its bytes.
    pub(crate) bytes: u64,
    /// What is in it.
    pub(crate) total: Total,
}

/// Writes everything that is kept at this moment into a file, which appears once it is whole and on disk.
pub(crate) fn backup(
    config: &ServeConfig,
    file: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<Made> {
    refuse_to_write_over(file)?;
    let runtime = runtime()?;
    let mut store = Store::open(config, &runtime)?;
    let (source, schema) = store.kind();
    let header = Header {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_owned(),
        schema,
        taken_at_ms: now.as_millis(),
        master_key_check: store.remembered(MASTER_KEY_CHECK)?.map(|sealed| hex(&sealed)),
    };
    write_new(file, |out| {
        let mut writer = Writer::new(out, &header)?;
        let mut rows_in_all = 0;
        for table in TABLES.iter() {
            let mut summing = writer.begin(table)?;
            let write = &mut |rows: &[_]| {
                rows_in_all += rows.len() as u64;
                progress(table.name, rows_in_all);
                writer.rows(&mut summing, rows).map_err(elsewhere)
            };
            let read = each_piece(&mut store, table, None, now, write);
            read.with_context(|| format!("the table {} was not read", table.name))?;
            writer.end(summing)?;
        }
        let (_, total, bytes) = writer.finish()?;
        Ok(Made { bytes, total })
    })
}

fn refuse_to_write_over(file: &Path) -> anyhow::Result<()> {
    if file.exists() {
        bail!("{} exists, and nothing is written over it: name another file, or remove it", file.display());
    }
    Ok(())
}

/// Writes a file that appears under its name once it is whole and on disk, readable for its owner alone.
pub(super) fn write_new<T>(
    file: &Path,
    write: impl FnOnce(&mut BufWriter<NamedTempFile>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    refuse_to_write_over(file)?;
    let cannot_write = || format!("cannot write {}", file.display());
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    // Gone where this ends before it is whole.
    let unfinished = tempfile::Builder::new().prefix(".tidings-").tempfile_in(directory).with_context(cannot_write)?;
    let mut out = BufWriter::with_capacity(1 << 20, unfinished);
    let written = write(&mut out).with_context(cannot_write)?;
    let unfinished = out.into_inner().map_err(IntoInnerError::into_error).with_context(cannot_write)?;
    unfinished.as_file().sync_all().with_context(cannot_write)?;
    unfinished.persist_noclobber(file).map_err(|error| error.error).with_context(cannot_write)?;
    File::open(directory).and_then(|directory| directory.sync_all()).with_context(cannot_write)?;
    Ok(written)
}
