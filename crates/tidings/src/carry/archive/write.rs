//! Writing a backup.

use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA256};
use serde::Serialize;
use tidings_store_sql::carry::{Cells, Table};

use super::{FIRST_LINE, Header, Sum, Summing, TableHead, Total};

/// Writes a backup from the front to its end.
pub(crate) struct Writer<W> {
    out: W,
    context: Context,
    bytes: u64,
    total: Total,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub(crate) fn new(out: W, header: &Header) -> io::Result<Self> {
        let total = Total { tables: 0, rows: 0 };
        let mut writer = Self { out, context: Context::new(&SHA256), bytes: 0, total };
        writer.put(FIRST_LINE)?;
        writer.json(b'H', header)?;
        Ok(writer)
    }

    /// Begins a table.
    pub(crate) fn begin(&mut self, table: &Table) -> io::Result<Summing> {
        let columns = table.names().map(str::to_owned).collect();
        self.json(b'T', &TableHead { table: table.name.to_owned(), columns })?;
        Ok(Summing::new())
    }

    /// Adds rows of the table that has begun.
    pub(crate) fn rows(&mut self, summing: &mut Summing, rows: &[Cells]) -> io::Result<()> {
        self.frame(b'R', summing.add(rows))
    }

    /// Ends the table that has begun.
    pub(crate) fn end(&mut self, summing: Summing) -> io::Result<Sum> {
        let sum = summing.sum();
        self.json(b'S', &sum)?;
        self.total.tables += 1;
        self.total.rows += sum.rows;
        Ok(sum)
    }

    /// Ends the backup; returns what it was written to, what it comes to, and how many bytes that is.
    pub(crate) fn finish(mut self) -> io::Result<(W, Total, u64)> {
        let total = self.total;
        self.json(b'Z', &total)?;
        let sum = self.context.clone().finish();
        self.put(sum.as_ref())?;
        self.out.flush()?;
        Ok((self.out, total, self.bytes))
    }

    fn json(&mut self, tag: u8, value: &impl Serialize) -> io::Result<()> {
        self.frame(tag, &serde_json::to_vec(value)?)
    }

    fn frame(&mut self, tag: u8, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
        self.put(&[tag])?;
        self.put(&length.to_le_bytes())?;
        self.put(payload)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}
