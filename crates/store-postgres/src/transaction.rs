//! A transaction as the verbs see it.
//!
//! Verbs are plain functions, so a transaction of theirs has a thread of its own for as long as it lasts; there
//! are never more of them than connections. Statements are sent with their types and without names, so that a
//! pooler between may give each transaction another connection.

use std::{
    cell::{Cell, OnceCell},
    collections::HashMap,
    error::Error as StdError,
};

use bytes::BytesMut;
use tidings_store_sql::{
    Columns, Database, Error, Kind, Next, Params, Result, Row, Statement, Value, query_one_by_one,
};
use tokio::runtime::Handle;
use tokio_postgres::{
    Client,
    types::{FromSql as _, IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    error::{collided, without_partition},
    reach::{Lost, Waiting},
    sql,
    text::{as_given, is_rewritten, writable},
};

/// A transaction that has begun.
pub(crate) struct Transaction<'a> {
    pub(crate) client: &'a Client,
    pub(crate) runtime: Handle,
    pub(crate) waiting: Waiting<'a>,
    /// Whether nothing was answered: then nothing more is asked.
    pub(crate) lost: Cell<bool>,
    /// Whether a statement collided with another transaction.
    pub(crate) collided: Cell<bool>,
    /// The sequence of a row that had no place to go.
    pub(crate) without_partition: Cell<Option<i64>>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(client: &'a Client, runtime: Handle, waiting: Waiting<'a>) -> Self {
        let (lost, collided, without_partition) = (Cell::new(false), Cell::new(false), Cell::new(None));
        Self { client, runtime, waiting, lost, collided, without_partition }
    }
}

impl Transaction<'_> {
    /// Waits for PostgreSQL's answer.
    pub(crate) fn wait<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.wait_for_any(answer).map_err(|lost| Error::Store(lost.into()))
    }

    /// The same, for whoever wants to know what came instead.
    pub(crate) fn wait_for_any<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> std::result::Result<T, Lost> {
        self.runtime.block_on(self.waiting.answer(answer)).inspect_err(|lost| match lost {
            Lost::Said(error) => {
                if collided(error) {
                    self.collided.set(true);
                }
                self.without_partition.set(without_partition(error));
            }
            Lost::Silent => self.lost.set(true),
        })
    }
}

impl Transaction<'_> {
    /// One statement for all rows: it costs what a few rows cost.
    fn query_columns(&self, text: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<tokio_postgres::Row>> {
        let columns: Vec<_> = (0..rows[0].len()).map(|column| Column::of(rows, column)).collect();
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            columns.iter().map(|column| (column as &(dyn ToSql + Sync), column.type_of())).collect();
        self.wait(self.client.query_typed(text, &typed))
    }

    /// How many rows it changed for each.
    fn execute_columns(&self, text: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        let handed_back = self.query_columns(text, rows)?;
        let Some(first) = handed_back.first() else {
            // Nothing is handed back where every row counts, or where none did.
            let all = usize::from(!text.contains("RETURNING"));
            return Ok(vec![all; rows.len()]);
        };
        let width = first.len();
        let handed_back: Vec<_> = handed_back.iter().map(Found::new).collect();
        let mut hits: HashMap<Vec<Plain<'_>>, usize> = HashMap::new();
        for row in &handed_back {
            let mut key = Vec::with_capacity(width);
            for column in 0..width {
                key.push(Plain::of(row.value(column)?));
            }
            *hits.entry(key).or_default() += 1;
        }
        // Of equal rows the first one is meant.
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            let key: Vec<_> = row[..width].iter().map(|value| Plain::of(*value)).collect();
            let left = hits.get_mut(&key).filter(|left| **left > 0);
            changed.push(usize::from(left.is_some()));
            if let Some(left) = left {
                *left -= 1;
            }
        }
        Ok(changed)
    }
}

/// A value that can be looked up.
#[derive(PartialEq, Eq, Hash)]
enum Plain<'a> {
    Nothing,
    Int(i64),
    Bytes(&'a [u8]),
}

impl<'a> Plain<'a> {
    fn of(value: Value<'a>) -> Self {
        match value {
            Value::Null(_) => Self::Nothing,
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Bytes(text.as_bytes()),
            Value::Blob(bytes) => Self::Bytes(bytes),
        }
    }
}

/// The same parameter of all rows.
#[derive(Debug)]
pub(crate) struct Column<'r>(Vec<Bound<'r>>, Kind);

impl<'r> Column<'r> {
    pub(crate) fn of(rows: &'r [Vec<Value<'_>>], column: usize) -> Self {
        Self(rows.iter().map(|row| Bound(row[column])).collect(), rows[0][column].kind())
    }

    pub(crate) fn type_of(&self) -> Type {
        match self.1 {
            Kind::Int => Type::INT8_ARRAY,
            Kind::Text => Type::TEXT_ARRAY,
            Kind::Blob => Type::BYTEA_ARRAY,
        }
    }
}

impl ToSql for Column<'_> {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.0.to_sql(to, out)
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8_ARRAY, Type::TEXT_ARRAY, Type::BYTEA_ARRAY].contains(of)
    }

    to_sql_checked!();
}

/// Values as PostgreSQL's client takes them.
fn bound<'p>(params: &'p dyn Params) -> Result<Vec<Bound<'p>>> {
    let mut values = Vec::new();
    params.each(&mut |value| {
        values.push(Bound(value));
        Ok(())
    })?;
    Ok(values)
}

pub(crate) fn typed<'v>(values: &'v [Bound<'_>]) -> Vec<(&'v (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), value.type_of())).collect()
}

impl Database for Transaction<'_> {
    fn execute(&self, statement: Statement, params: &dyn Params) -> Result<usize> {
        let values = bound(params)?;
        let changed = self.wait(self.client.execute_typed(sql::text(statement), &typed(&values)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn execute_many(&self, statement: Statement, rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        match (sql::text_of_many(statement), rows) {
            (Some(text), [_, _, ..]) => self.execute_columns(text, rows),
            _ => rows.iter().map(|row| self.execute(statement, row)).collect(),
        }
    }

    fn query(
        &self,
        statement: Statement,
        params: &dyn Params,
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        let values = bound(params)?;
        for row in self.wait(self.client.query_typed(sql::text(statement), &typed(&values)))? {
            if each(&Row::new(&Found::new(&row)))? == Next::Enough {
                break;
            }
        }
        Ok(())
    }

    fn query_many(
        &self,
        statement: Statement,
        rows: &[Vec<Value<'_>>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        let (Some(text), [_, _, ..]) = (sql::text_of_many(statement), rows) else {
            return query_one_by_one(self, statement, rows, each);
        };
        for row in self.query_columns(text, rows)? {
            if each(&Row::new(&Found::new(&row)))? == Next::Enough {
                break;
            }
        }
        Ok(())
    }
}

/// A value on its way to PostgreSQL.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub(crate) Value<'a>);

impl Bound<'_> {
    fn type_of(&self) -> Type {
        match self.0.kind() {
            Kind::Int => Type::INT8,
            Kind::Text => Type::TEXT,
            Kind::Blob => Type::BYTEA,
        }
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, to: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Int(number) => number.to_sql(to, out),
            Value::Text(text) => writable(text).to_sql(to, out),
            Value::Blob(bytes) => bytes.to_sql(to, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(of)
    }

    to_sql_checked!();
}

/// A row of PostgreSQL's.
pub(crate) struct Found<'a> {
    row: &'a tokio_postgres::Row,
    /// By column, texts that were written in another way than they are read.
    texts: OnceCell<Vec<OnceCell<String>>>,
}

impl<'a> Found<'a> {
    pub(crate) fn new(row: &'a tokio_postgres::Row) -> Self {
        Self { row, texts: OnceCell::new() }
    }

    fn text<'t>(&'t self, column: usize, written: &'t str) -> &'t str {
        if !is_rewritten(written) {
            return written;
        }
        let texts = self.texts.get_or_init(|| vec![OnceCell::new(); self.row.len()]);
        texts[column].get_or_init(|| as_given(written))
    }
}

impl Columns for Found<'_> {
    fn value(&self, column: usize) -> Result<Value<'_>> {
        let of = self.row.columns().get(column).ok_or_else(|| Error::unreadable(column, "there is none"))?.type_();
        let Raw(bytes) = self.row.try_get(column).map_err(|error| Error::unreadable(column, error))?;
        let Some(bytes) = bytes else { return Ok(Value::Null(Kind::Int)) };
        let unreadable = |error: Box<dyn StdError + Sync + Send>| Error::unreadable(column, error);
        Ok(match *of {
            Type::INT8 => Value::Int(i64::from_sql(of, bytes).map_err(unreadable)?),
            Type::INT4 => Value::Int(i64::from(i32::from_sql(of, bytes).map_err(unreadable)?)),
            Type::BOOL => Value::Int(i64::from(bool::from_sql(of, bytes).map_err(unreadable)?)),
            Type::BYTEA => Value::Blob(bytes),
            _ => {
                let written = std::str::from_utf8(bytes).map_err(|error| Error::unreadable(column, error))?;
                Value::Text(self.text(column, written))
            }
        })
    }
}

/// A value as it came.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> tokio_postgres::types::FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
