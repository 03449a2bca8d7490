//! Putting a backup back, into a store that has nothing.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::{Context as _, bail};
use tidings_domain::{seal::MasterKey, time::Timestamp};
use tidings_engine::Restored;
use tidings_store_postgres::carry::PostgresInlet;
use tidings_store_sql::{
    Result,
    carry::{Cells, Inlet, RESTORED, Table},
};
use tidings_store_sqlite::carry::SqliteInlet;

use super::{
    archive::{Header, Reader, Taken, Total, unhex},
    runtime,
};
use crate::{
    config::{MasterKeySource, ServeConfig},
    first_start::opens_check,
};

/// A backup that was put back, or looked at.
pub(crate) struct Restoring {
    /// Whose it is.
    pub(crate) header: Header,
    /// What is in it.
    pub(crate) total: Total,
    /// Whether the master key is where the server looks for it, and is the right one; `None`: it is not there.
    pub(crate) has_master_key: Option<bool>,
}

enum Target {
    Sqlite(SqliteInlet),
    Postgres(Box<PostgresInlet>),
}

impl Target {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        match self {
            Self::Sqlite(inlet) => inlet.write(table, rows),
            Self::Postgres(inlet) => inlet.write(table, rows),
        }
    }

    fn finish(self, mark: &[u8]) -> Result<()> {
        match self {
            Self::Sqlite(inlet) => inlet.finish(mark),
            Self::Postgres(inlet) => inlet.finish(mark),
        }
    }

    fn discard(self) -> Result<()> {
        match self {
            Self::Sqlite(inlet) => inlet.discard(),
            Self::Postgres(inlet) => inlet.discard(),
        }
    }
}

/// Reads a backup to its end, and says whether it is whole.
pub(crate) fn check(
    config: &ServeConfig,
    file: &Path,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<Restoring> {
    carry(config, file, progress, &mut |_, _| Ok(()))
}

/// Puts a backup into the configured store, all of it or nothing.
pub(crate) fn restore(
    config: &ServeConfig,
    file: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<Restoring> {
    // Before anything is made for it.
    let (reader, _) = open(file)?;
    if master_key(config, reader.header())? == Some(false) {
        bail!(
            "the master key that is configured is not the one {} was made with, so its secrets could not be read: give \
             the right one with --master-key-file or TIDINGS_MASTER_KEY, or put it where the server looks for it",
            file.display()
        );
    }
    let runtime = runtime()?;
    let mut target = match &config.database_url {
        Some(url) => Target::Postgres(Box::new(tidings_store_postgres::carry::inlet(&url.0, runtime.handle())?)),
        None => Target::Sqlite(tidings_store_sqlite::carry::inlet(&config.data_dir)?),
    };
    let mut write = |table: &Table, rows: &[Cells]| {
        // A backup of an instance that was itself restored: its mark is written anew.
        let is_mark = |row: &Cells| {
            table.name == "remembered" && row[0] == tidings_store_sql::carry::Cell::Text(RESTORED.to_owned())
        };
        let written = match rows.iter().any(is_mark) {
            true => target.write(table, &rows.iter().filter(|row| !is_mark(row)).cloned().collect::<Vec<_>>()),
            false => target.write(table, rows),
        };
        written.with_context(|| format!("the table {} was not written", table.name))
    };
    let done = carry(config, file, progress, &mut write);
    let restoring = match done {
        Ok(restoring) => restoring,
        Err(error) => {
            if let Err(left) = target.discard() {
                tracing::warn!(error = %left, "what was written so far could not be removed");
            }
            return Err(error);
        }
    };
    let mark = Restored { at_ms: now.as_millis(), taken_at_ms: restoring.header.taken_at_ms };
    target.finish(&serde_json::to_vec(&mark)?).context("it could not be finished, so nothing of it is there")?;
    Ok(restoring)
}

type Input = BufReader<File>;

fn open(file: &Path) -> anyhow::Result<(Reader<Input>, super::archive::Place)> {
    let shown = file.display();
    let input = File::open(file).with_context(|| format!("cannot open {shown}"))?;
    Reader::new(BufReader::with_capacity(1 << 20, input)).with_context(|| format!("{shown} cannot be restored"))
}

fn carry(
    config: &ServeConfig,
    file: &Path,
    progress: &mut dyn FnMut(&str, u64),
    write: &mut dyn FnMut(&Table, &[Cells]) -> anyhow::Result<()>,
) -> anyhow::Result<Restoring> {
    let (mut reader, mut place) = open(file)?;
    let mut rows_in_all = 0;
    loop {
        let taken = reader.next(&mut place).with_context(|| format!("{} cannot be restored", file.display()))?;
        match taken {
            Taken::Rows(table, rows) => {
                rows_in_all += rows.len() as u64;
                progress(table.name, rows_in_all);
                write(table, &rows)?;
            }
            Taken::End(total) => {
                let header = reader.header().clone();
                let has_master_key = master_key(config, &header)?;
                return Ok(Restoring { header, total, has_master_key });
            }
        }
    }
}

fn master_key(config: &ServeConfig, header: &Header) -> anyhow::Result<Option<bool>> {
    opens(config, header.master_key_check.as_deref())
}

/// Whether the key that the server would use opens what was sealed, in hexadecimal digits; `None`: there is no key yet.
pub(super) fn opens(config: &ServeConfig, check: Option<&str>) -> anyhow::Result<Option<bool>> {
    let text = match &config.master_key {
        MasterKeySource::Given(text) => text.expose().to_owned(),
        MasterKeySource::File(path) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read the master key {}", path.display()))?
        }
        MasterKeySource::DataDirectory => match config.master_key_path().map(std::fs::read_to_string) {
            Some(Ok(text)) => text,
            _ => return Ok(None),
        },
    };
    let key = MasterKey::parse(&text).context("what is configured as master key is none")?;
    let check = check.and_then(unhex);
    Ok(Some(check.is_none_or(|sealed| opens_check(&key, &sealed))))
}
