//! The file that a backup is: everything that a store keeps, whatever database that is.
//!
//! A first line that says what it is, and then frames: one byte what it is, four bytes how long (little endian), and so
//! many bytes. `H` says whose backup it is (JSON), `T` begins a table with the names of its columns (JSON), `R` holds
//! rows, `S` says how many rows the table has and what SHA-256 they come to (JSON), and `Z` ends it all (JSON), followed
//! by the SHA-256 of every byte before it. Whatever is cut off or altered is noticed, and nothing of it is used.
//!
//! A row is its values in the order of columns: 0; or 1 and a number of eight bytes; or 2 for a text and 3 for bytes,
//! with a length of four bytes before them. All numbers are little endian.

mod read;
#[cfg(test)]
mod tests;
mod write;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tidings_store_sql::carry::{Cell, Cells};

pub(crate) use read::{Place, Reader, Taken};
pub(crate) use write::Writer;

/// How a backup begins.
const FIRST_LINE: &[u8] = b"tidings backup\n";
/// The version of the format.
pub(crate) const FORMAT: u32 = 1;
/// Bytes of a frame at most: more than any row has.
const FRAME_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Bytes of a checksum.
const SUM_BYTES: usize = 32;

/// Whose backup it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the format.
    pub(crate) format: u32,
    /// The version of the program that wrote it.
    pub(crate) version: String,
    /// `sqlite` or `postgresql`.
    pub(crate) source: String,
    /// The version of the schema of that database.
    pub(crate) schema: u32,
    /// Of which moment everything is, in milliseconds.
    pub(crate) taken_at_ms: i64,
    /// Something sealed with the master key, in hexadecimal digits: what it opens with is the right one.
    pub(crate) master_key_check: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TableHead {
    table: String,
    columns: Vec<String>,
}

/// What a table comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    /// Its rows.
    pub(crate) rows: u64,
    /// Their SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// What everything comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Total {
    /// Tables.
    pub(crate) tables: u64,
    /// Rows of all of them.
    pub(crate) rows: u64,
}

/// Counts rows and sums them up.
pub(crate) struct Summing {
    rows: u64,
    context: Context,
    buffer: Vec<u8>,
}

impl Summing {
    pub(crate) fn new() -> Self {
        Self { rows: 0, context: Context::new(&SHA256), buffer: Vec::new() }
    }

    /// Adds rows; returns them as they are written.
    pub(crate) fn add(&mut self, rows: &[Cells]) -> &[u8] {
        self.buffer.clear();
        rows.iter().flatten().for_each(|cell| encode(cell, &mut self.buffer));
        self.context.update(&self.buffer);
        self.rows += rows.len() as u64;
        &self.buffer
    }

    /// What they come to.
    pub(crate) fn sum(self) -> Sum {
        Sum { rows: self.rows, sha256: hex(self.context.finish().as_ref()) }
    }
}

/// Appends a value as it is written.
pub(crate) fn encode(cell: &Cell, out: &mut Vec<u8>) {
    let mut long = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&u32::try_from(bytes.len()).expect("no value is so long").to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match cell {
        Cell::Text(text) => long(2, text.as_bytes()),
        Cell::Blob(bytes) => long(3, bytes),
        Cell::Null => out.push(0),
        Cell::Int(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}

/// Takes a value from the front; `None`: it is none.
pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Cell> {
    let tag = bytes.split_off_first()?;
    Some(match tag {
        0 => Cell::Null,
        1 => Cell::Int(i64::from_le_bytes(bytes.split_off(..8)?.try_into().ok()?)),
        2 | 3 => {
            let length = u32::from_le_bytes(bytes.split_off(..4)?.try_into().ok()?);
            let value = bytes.split_off(..usize::try_from(length).ok()?)?.to_vec();
            if *tag == 2 { Cell::Text(String::from_utf8(value).ok()?) } else { Cell::Blob(value) }
        }
        _ => return None,
    })
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes; `None`: they are none.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let bytes = digits.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    bytes.len().is_multiple_of(2).then(|| bytes.chunks_exact(2).map(pair).collect())?
}
