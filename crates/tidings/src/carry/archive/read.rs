//! Reading a backup, and noticing whatever is wrong with it.

use std::io::{ErrorKind, Read};

use anyhow::{anyhow, bail};
use aws_lc_rs::digest::{Context, SHA256};
use serde::de::DeserializeOwned;
use tidings_store_sql::{
    Kind,
    carry::{Cell, Cells, TABLES, Table},
};

use super::{FIRST_LINE, FORMAT, FRAME_BYTES_MAX, Header, SUM_BYTES, Sum, Summing, TableHead, Total, decode};

/// Bytes that are asked for at a time: a length that was altered takes no memory that is not filled.
const CHUNK_BYTES: usize = 1024 * 1024;

/// A backup that is read from the front to its end.
pub(crate) struct Reader<R> {
    input: R,
    context: Context,
    at: u64,
    header: Header,
}

/// What stands next.
pub(crate) enum Taken {
    /// Rows of this table.
    Rows(&'static Table, Vec<Cells>),
    /// Everything was there and is as it was written.
    End(Total),
}

/// A place in the backup, as far as tables go.
pub(crate) struct Place {
    next: usize,
    table: Option<(&'static Table, Summing)>,
    rows: u64,
}

impl<R: Read> Reader<R> {
    /// Looks at how it begins.
    pub(crate) fn new(input: R) -> anyhow::Result<(Self, Place)> {
        let header = Header {
            format: FORMAT,
            version: String::new(),
            source: String::new(),
            schema: 0,
            taken_at_ms: 0,
            master_key_check: None,
        };
        let mut reader = Self { input, context: Context::new(&SHA256), at: 0, header };
        let mut line = vec![0; FIRST_LINE.len()];
        let is_ours = reader.fill(&mut line).is_ok() && line == FIRST_LINE;
        if !is_ours {
            bail!("it is no backup of Tidings: name a file that `tidings backup` wrote");
        }
        let header: serde_json::Value = reader.json(b'H')?;
        let format = header["format"].as_u64();
        if format != Some(u64::from(FORMAT)) {
            // What this program wrote itself it would have written otherwise.
            let is_own = header["version"] == env!("CARGO_PKG_VERSION");
            let Some(format) = format.filter(|_| !is_own) else { return Err(reader.damaged()) };
            bail!("it has format {format}, and this program reads {FORMAT}: restore it with the version that wrote it");
        }
        reader.header = serde_json::from_value(header).map_err(|_| reader.damaged())?;
        Ok((reader, Place { next: 0, table: None, rows: 0 }))
    }

    /// Whose it is.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// What stands next.
    pub(crate) fn next(&mut self, place: &mut Place) -> anyhow::Result<Taken> {
        loop {
            let (tag, payload) = self.frame()?;
            match (tag, place.table.take()) {
                (b'T', None) => place.table = Some((self.begin(place.next, &payload)?, Summing::new())),
                (b'R', Some((table, mut summing))) => {
                    let rows = self.rows(table, &payload)?;
                    summing.add(&rows);
                    place.table = Some((table, summing));
                    return Ok(Taken::Rows(table, rows));
                }
                (b'S', Some((table, summing))) => {
                    let (said, found) = (self.parsed::<Sum>(&payload)?, summing.sum());
                    if said != found {
                        bail!("its table {} is not as it was written: {}", table.name, WAY_OUT);
                    }
                    place.rows += found.rows;
                    place.next += 1;
                }
                (b'Z', None) => {
                    let total: Total = self.parsed(&payload)?;
                    let found = Total { tables: place.next as u64, rows: place.rows };
                    if place.next != TABLES.len() || total != found {
                        return Err(self.damaged());
                    }
                    self.end()?;
                    return Ok(Taken::End(total));
                }
                _ => return Err(self.damaged()),
            }
        }
    }

    fn begin(&self, next: usize, payload: &[u8]) -> anyhow::Result<&'static Table> {
        let head: TableHead = self.parsed(payload)?;
        let table = TABLES.get(next).filter(|table| table.name == head.table);
        // Which tables there are, and what they look like, is the version's.
        table.filter(|table| table.names().eq(head.columns.iter().map(String::as_str))).ok_or_else(|| {
            if self.header.version == env!("CARGO_PKG_VERSION") {
                return self.damaged();
            }
            let (table, version) = (&head.table, &self.header.version);
            anyhow!(
                "its table {table:?} is not as this program knows it: restore it with version {version}, which wrote it"
            )
        })
    }

    fn rows(&self, table: &'static Table, payload: &[u8]) -> anyhow::Result<Vec<Cells>> {
        let (mut rest, mut rows) = (payload, Vec::new());
        while !rest.is_empty() {
            let mut row = Vec::with_capacity(table.columns.len());
            for column in &table.columns {
                let cell = decode(&mut rest).ok_or_else(|| self.damaged())?;
                let fits = match cell {
                    Cell::Null => true,
                    Cell::Int(_) => column.kind == Kind::Int,
                    Cell::Text(_) => column.kind == Kind::Text,
                    Cell::Blob(_) => column.kind == Kind::Blob,
                };
                if !fits {
                    return Err(self.damaged());
                }
                row.push(cell);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The checksum of everything, and nothing after it.
    fn end(&mut self) -> anyhow::Result<()> {
        let found = self.context.clone().finish();
        let mut said = [0; SUM_BYTES];
        self.fill(&mut said)?;
        if found.as_ref() != said {
            bail!("its checksum is wrong, so something in it was altered: {WAY_OUT}");
        }
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => bail!("something stands behind its end: {WAY_OUT}"),
        }
    }

    fn json<T: DeserializeOwned>(&mut self, wanted: u8) -> anyhow::Result<T> {
        let (tag, payload) = self.frame()?;
        if tag != wanted {
            return Err(self.damaged());
        }
        self.parsed(&payload)
    }

    fn parsed<T: DeserializeOwned>(&self, payload: &[u8]) -> anyhow::Result<T> {
        serde_json::from_slice(payload).map_err(|_| self.damaged())
    }

    fn frame(&mut self) -> anyhow::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [tag, length @ ..] = head;
        let length = usize::try_from(u32::from_le_bytes(length))?;
        if length > FRAME_BYTES_MAX {
            return Err(self.damaged());
        }
        let mut payload = Vec::new();
        while payload.len() < length {
            let (start, more) = (payload.len(), (length - payload.len()).min(CHUNK_BYTES));
            payload.resize(start + more, 0);
            self.fill(&mut payload[start..])?;
        }
        Ok((tag, payload))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> anyhow::Result<()> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => anyhow!("it ends before its end, so it was cut off: {WAY_OUT}"),
            _ => error.into(),
        })?;
        self.context.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn damaged(&self) -> anyhow::Error {
        anyhow!("what stands before byte {} is not what a backup says there: {WAY_OUT}", self.at)
    }
}

/// What to do about a backup that is not whole.
const WAY_OUT: &str = "nothing of it was used; take another copy of it, or another backup";
