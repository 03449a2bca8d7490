//! What the verbs see of a database: statements by name, values in, rows out.
//!
//! A verb is written once, against this; how a statement reads in a database's own dialect, and how a
//! transaction is made, is the business of its back end.

use std::cell::Cell;

use tidings_ports::store::StoreError;

pub(crate) use crate::{
    error::{Error, Optional, Result},
    row::Row,
    sql::Statement,
    value::{Param, Params, Value, row},
};

/// One connection, inside a transaction.
pub trait Database {
    /// Runs a statement; returns how many rows it changed.
    fn execute(&self, statement: Statement, params: &dyn Params) -> Result<usize>;

    /// Runs a statement for each of many rows; returns how many each of them changed. No row may concern what
    /// another one concerns, unless the first of them is to win.
    fn execute_many(&self, statement: Statement, rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>>;

    /// Runs a statement and hands over its rows until `each` has had enough.
    fn query(
        &self,
        statement: Statement,
        params: &dyn Params,
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()>;

    /// Runs a statement that reads for each of many rows of parameters, and hands over what they find, in any order,
    /// until `each` has had enough.
    fn query_many(
        &self,
        statement: Statement,
        rows: &[Vec<Value<'_>>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        query_one_by_one(self, statement, rows, each)
    }
}

/// What a database without a better way does.
pub fn query_one_by_one(
    database: &(impl Database + ?Sized),
    statement: Statement,
    rows: &[Vec<Value<'_>>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
) -> Result<()> {
    let mut next = Next::More;
    for row in rows {
        database.query(statement, row, &mut |row| {
            next = each(row)?;
            Ok(next)
        })?;
        if next == Next::Enough {
            break;
        }
    }
    Ok(())
}

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another one.
    More,
    /// No more of them.
    Enough,
}

/// A database as verbs use it.
pub struct Connection<'a> {
    database: &'a dyn Database,
    changes: Cell<usize>,
}

impl<'a> Connection<'a> {
    /// Over a transaction that has begun.
    pub fn new(database: &'a dyn Database) -> Self {
        Self { database, changes: Cell::new(0) }
    }

    /// A statement that is about to be run.
    pub(crate) fn statement(&self, statement: Statement) -> Prepared<'_> {
        Prepared { connection: self, statement }
    }

    /// How many rows have been changed so far.
    pub(crate) fn changes(&self) -> usize {
        self.changes.get()
    }
}

/// A statement that is about to be run.
pub(crate) struct Prepared<'a> {
    connection: &'a Connection<'a>,
    statement: Statement,
}

impl Prepared<'_> {
    /// Runs it; returns how many rows it changed.
    pub(crate) fn execute(&self, params: impl Params) -> Result<usize> {
        let changed = self.connection.database.execute(self.statement, &params)?;
        self.connection.changes.set(self.connection.changes.get() + changed);
        Ok(changed)
    }

    /// Runs it for each of many rows; returns how many each of them changed.
    pub(crate) fn execute_many(&self, rows: &[Vec<Value<'_>>]) -> Result<Vec<usize>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let changed = self.connection.database.execute_many(self.statement, rows)?;
        self.connection.changes.set(self.connection.changes.get() + changed.iter().sum::<usize>());
        Ok(changed)
    }

    /// Hands over its rows one after the other.
    pub(crate) fn each(&self, params: impl Params, mut each: impl FnMut(&Row<'_>) -> Result<Next>) -> Result<()> {
        self.connection.database.query(self.statement, &params, &mut each)
    }

    /// Reads all its rows.
    pub(crate) fn query_map<T>(
        &self,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.each(params, |row| {
            rows.push(read(row)?);
            Ok(Next::More)
        })?;
        Ok(rows)
    }

    /// Reads all its rows for each of many rows of parameters, in any order.
    pub(crate) fn query_many<T>(
        &self,
        rows: &[Vec<Value<'_>>],
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.extend_many(rows, usize::MAX, &mut found, read)?;
        Ok(found)
    }

    /// The same, until so many are found.
    pub(crate) fn extend_many<T>(
        &self,
        rows: &[Vec<Value<'_>>],
        most: usize,
        found: &mut Vec<T>,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<()> {
        if found.len() >= most {
            return Ok(());
        }
        self.each_of_many(rows, |row| {
            found.push(read(row)?);
            Ok(if found.len() < most { Next::More } else { Next::Enough })
        })
    }

    /// Hands over its rows for each of many rows of parameters, in any order.
    pub(crate) fn each_of_many(
        &self,
        rows: &[Vec<Value<'_>>],
        mut each: impl FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.connection.database.query_many(self.statement, rows, &mut each)
    }

    /// Reads its first row; see [`Optional`] for where there may be none.
    pub(crate) fn query_row<T>(&self, params: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        let (mut read, mut found) = (Some(read), None);
        self.each(params, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(Next::Enough)
        })?;
        found.ok_or(Error::NoRow)
    }

    /// Whether it finds anything.
    pub(crate) fn exists(&self, params: impl Params) -> Result<bool> {
        Ok(self.query_row(params, |_| Ok(())).optional()?.is_some())
    }
}

/// Values of any types, as the parameters of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::database::Param),*] as &[&dyn $crate::database::Param]
    };
}
pub(crate) use params;

/// What a caller can do about it.
impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            // Not the database but a value in a row: reading it again changes nothing.
            other => Self::Refused(other.to_string()),
        }
    }
}
