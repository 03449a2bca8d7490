//! Carrying everything that a store keeps from one database into another, or into an archive and back.
//!
//! Row by row in the order of keys, which both databases sort alike. What rows mean is not known here, but for two
//! things that belong to processes and not to data: a lease, which nobody holds any more, and how many deliveries each
//! process has counted.

mod tables;

use tidings_domain::time::Timestamp;

pub use tidings_ports::store::RESTORED;

pub use tables::{Column, TABLES, Table, find};

use crate::{Columns, Error, Kind, Result, Value, sql};

/// A value that belongs to nobody's row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Cell {
    /// As a database takes it, where something of this kind could be.
    pub fn value(&self, kind: Kind) -> Value<'_> {
        match self {
            Self::Null => Value::Null(kind),
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }

    /// How much room it takes, about.
    fn bytes(&self) -> usize {
        16 + match self {
            Self::Null | Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }
}

impl From<Value<'_>> for Cell {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null(_) => Self::Null,
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

/// The values of a row, in the order of its table's columns.
pub type Cells = Vec<Cell>;

/// A row of so many columns, as it came.
pub fn cells(columns: &dyn Columns, count: usize) -> Result<Cells> {
    (0..count).map(|column| columns.value(column).map(Cell::from)).collect()
}

/// Where rows come from.
pub trait Outlet {
    /// The next rows of a table, by key: those behind `after`, or the first ones.
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>>;
}

/// Where rows go.
pub trait Inlet {
    /// Adds rows to a table.
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()>;
}

/// Rows that are read at a time, at first, at least and at most: rows may be large.
const ROWS_FIRST: usize = 64;
const ROWS_MIN: usize = 4;
const ROWS_MAX: usize = 2_048;
/// What rows that are read together should come to, in bytes.
const BYTES_WANTED: usize = 2 * 1024 * 1024;

/// Hands over a table's rows in pieces that are never large, as nobody's: what was leased at `moment` is due then.
pub fn each_piece(
    outlet: &mut dyn Outlet,
    table: &Table,
    after: Option<Cells>,
    moment: Timestamp,
    each: &mut dyn FnMut(&[Cells]) -> Result<()>,
) -> Result<()> {
    if table.name == "ledger" && after.is_some() {
        // It has one row.
        return Ok(());
    }
    let (mut after, mut limit) = (after, ROWS_FIRST);
    loop {
        let mut rows = outlet.read(table, after.as_deref(), limit)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last[..table.key].to_vec());
        let is_last = rows.len() < limit;
        let bytes: usize = rows.iter().flatten().map(Cell::bytes).sum();
        limit = if bytes > BYTES_WANTED { (limit / 2).max(ROWS_MIN) } else { (limit * 2).min(ROWS_MAX) };
        if table.name == "queue" {
            rows.iter_mut().for_each(|row| free(table, row, moment));
        }
        each(&rows)?;
        if is_last {
            return Ok(());
        }
    }
}

/// A lease belongs to a process, and that one stays behind. What was never tried keeps its place by age.
fn free(table: &Table, row: &mut [Cell], moment: Timestamp) {
    let place = |name: &str| table.names().position(|column| column == name).expect("the queue has it");
    let (due_at, attempts) = (place("due_at"), place("attempts"));
    if row[due_at] == Cell::Null {
        let born = match (&row[attempts], &row[0]) {
            (Cell::Int(0), Cell::Int(sequence)) => sequence >> 15,
            _ => i64::MAX,
        };
        row[due_at] = Cell::Int(born.min(moment.as_millis()));
    }
}

/// The statement that reads a table from a key on; its values are the parameters.
pub fn read_text(table: &Table, is_first: bool, limit: usize) -> String {
    if table.name == "ledger" {
        return sql::READ_LEDGER.to_owned();
    }
    let columns: Vec<_> = table.names().collect();
    let key = columns[..table.key].join(", ");
    let after = match is_first {
        true => String::new(),
        false => format!("WHERE ({key}) > ({})", places(table.key)),
    };
    sql::READ_TABLE
        .replace("{columns}", &columns.join(", "))
        .replace("{table}", table.name)
        .replace("{after}", &after)
        .replace("{key}", &key)
        .replace("{limit}", &limit.to_string())
}

/// The statement that adds a row; its values are the parameters.
pub fn write_text(table: &Table) -> String {
    fill(sql::WRITE_TABLE, table, &places(table.columns.len()))
}

/// A statement about a table and all its columns.
pub fn fill(template: &str, table: &Table, values: &str) -> String {
    let columns: Vec<_> = table.names().collect();
    template.replace("{columns}", &columns.join(", ")).replace("{table}", table.name).replace("{values}", values)
}

/// The statement that empties a table.
pub fn clear_text(table: &Table) -> String {
    fill(sql::CLEAR_TABLE, table, "")
}

/// The statement that counts whether there is any row: 0 or 1.
pub fn has_rows_text(table: &Table) -> String {
    fill(sql::HAS_ROWS, table, "")
}

fn places(count: usize) -> String {
    let places: Vec<_> = (1..=count).map(|number| format!("?{number}")).collect();
    places.join(", ")
}

/// Something beside the database went wrong.
pub fn elsewhere(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Elsewhere(reason.into())
}
