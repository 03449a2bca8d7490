//! From SQLite to PostgreSQL, piece by piece, so that it goes on where it was cut off.

use anyhow::{Context as _, bail};
use tidings_domain::time::Timestamp;
use tidings_ports::Entropy;
use tidings_store_postgres::carry::{Migration, finish_migration, migration};
use tidings_store_sql::carry::{Cells, Outlet, TABLES, Table, each_piece};
use tidings_store_sqlite::{Left, carry::outlet_alone, forget_left, left, note_left};

use super::{
    archive::{Sum, Summing, Total, decode, encode, hex, unhex},
    runtime,
};
use crate::config::{ServeConfig, without_password};

/// A migration that is done.
pub(crate) struct Migrated {
    /// What was carried, this time and before.
    pub(crate) total: Total,
    /// Where to.
    pub(crate) to: String,
    /// Whether a former run had begun it.
    pub(crate) went_on: bool,
}

/// Carries everything in the data directory into the configured PostgreSQL, and looks whether it is there.
pub(crate) fn migrate(
    config: &ServeConfig,
    now: Timestamp,
    entropy: &dyn Entropy,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<Migrated> {
    let Some(url) = &config.database_url else {
        bail!("there is no database to migrate into: name an empty one with --database-url or TIDINGS_DATABASE_URL");
    };
    let directory = &config.data_dir;
    let runtime = runtime()?;
    // From here on no server can use the directory.
    let mut source = outlet_alone(directory)?;
    let to = without_password(&url.0);
    let begun = left(directory)?;
    let went_on = begun.is_some();
    let note = begun.unwrap_or_else(|| {
        let mut id = [0; 16];
        entropy.fill(&mut id);
        Left { id: hex(&id), to: to.clone(), moment_ms: now.as_millis(), is_done: false }
    });
    if note.to != to {
        bail!(
            "{} is migrated to {}, not to {to}: name that one, or remove tidings.migrated from the directory to give \
             it up",
            directory.display(),
            note.to
        );
    }
    if note.is_done {
        let finished = finish_migration(&url.0, runtime.handle(), &note.id)?;
        if !finished {
            bail!("{} was migrated to {to} before: start the server with --database-url", directory.display());
        }
        let total = Total { tables: TABLES.len() as u64, rows: 0 };
        return Ok(Migrated { total, to, went_on });
    }
    if !went_on {
        note_left(directory, &note)?;
    }
    let mut target = match migration(&url.0, runtime.handle(), &note.id) {
        Ok(target) => target,
        Err(error) => {
            // Nothing was begun, so the server may go on where it was.
            if !went_on {
                forget_left(directory)?;
            }
            return Err(error.into());
        }
    };
    let moment = Timestamp::from_millis(note.moment_ms);
    carry(&mut source, &mut target, moment, progress)?;
    let total = compare(&mut source, &mut target, moment, progress)?;
    // First the directory says so, then servers may start there: never both.
    note_left(directory, &Left { is_done: true, ..note })?;
    target.finish().context("everything is there, but that could not be noted: run `tidings migrate` again")?;
    Ok(Migrated { total, to, went_on })
}

fn carry(
    source: &mut dyn Outlet,
    target: &mut Migration,
    moment: Timestamp,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<()> {
    let (first, mut after) = place_of(&target.carried).context("the target's note of what is there cannot be read")?;
    for (number, table) in TABLES.iter().enumerate().skip(first) {
        let write = &mut |rows: &[Cells]| {
            let key = rows.last().map(|row| &row[..table.key]).unwrap_or_default();
            target.write(table, rows, note_of(number, key))?;
            progress(table.name, target.rows.cast_unsigned());
            Ok(())
        };
        let carried = each_piece(source, table, after.take(), moment, write);
        carried.with_context(|| {
            format!("the table {} was not carried; run `tidings migrate` again to go on", table.name)
        })?;
    }
    Ok(())
}

/// Whether both have the same, table by table.
fn compare(
    source: &mut dyn Outlet,
    target: &mut dyn Outlet,
    moment: Timestamp,
    progress: &mut dyn FnMut(&str, u64),
) -> anyhow::Result<Total> {
    let mut total = Total { tables: 0, rows: 0 };
    for table in TABLES.iter() {
        let (here, there) = (sum(source, table, moment)?, sum(target, table, moment)?);
        if here != there {
            bail!(
                "the table {} has {} rows in the directory and {} in the database, or they differ: something else wrote \
                 into one of them; remove tidings.migrated from the directory and migrate into an empty database",
                table.name,
                here.rows,
                there.rows
            );
        }
        total.tables += 1;
        total.rows += here.rows;
        progress("comparing", total.rows);
    }
    Ok(total)
}

fn sum(outlet: &mut dyn Outlet, table: &Table, moment: Timestamp) -> anyhow::Result<Sum> {
    let mut summing = Summing::new();
    let add = &mut |rows: &[Cells]| {
        summing.add(rows);
        Ok(())
    };
    each_piece(outlet, table, None, moment, add)
        .with_context(|| format!("the table {} was not compared", table.name))?;
    Ok(summing.sum())
}

/// Which piece was the last one: the table's number, and the key of its last row.
fn note_of(table: usize, key: &[tidings_store_sql::carry::Cell]) -> String {
    let mut bytes = Vec::new();
    key.iter().for_each(|cell| encode(cell, &mut bytes));
    format!("{table}:{}", hex(&bytes))
}

/// Where to go on.
fn place_of(note: &str) -> Option<(usize, Option<Cells>)> {
    if note.is_empty() {
        return Some((0, None));
    }
    let (table, key) = note.split_once(':')?;
    let (bytes, mut cells) = (unhex(key)?, Vec::new());
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        cells.push(decode(&mut rest)?);
    }
    Some((table.parse().ok()?, Some(cells)))
}

#[cfg(test)]
mod tests {
    use tidings_store_sql::carry::Cell;

    use super::*;

    #[test]
    fn a_place_is_noted_and_found() {
        let key = vec![Cell::Int(-7), Cell::Text("a:b".to_owned())];
        assert_eq!(place_of(&note_of(3, &key)), Some((3, Some(key))));
        assert_eq!(place_of(""), Some((0, None)));
        assert_eq!(place_of("x"), None);
        assert_eq!(place_of("1:0"), None);
    }
}
