//! A transaction as the verbs see it.
//!
//! Verbs are plain functions, so a transaction of theirs has a thread of its own for as long as it lasts; there
//! are never more of them than connections. Statements are sent with their types and without names, so that a
//! pooler between may give each transaction another connection.

use std::{cell::Cell, error::Error as StdError};

use bytes::BytesMut;
use tidings_store_sql::{Columns, Database, Error, Kind, Next, Params, Result, Row, Statement, Value};
use tokio::runtime::Handle;
use tokio_postgres::{
    Client,
    types::{FromSql as _, IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    error::{collided, said},
    sql,
};

/// A transaction that has begun.
pub(crate) struct Transaction<'a> {
    pub(crate) client: &'a Client,
    pub(crate) runtime: Handle,
    /// Whether a statement collided with another transaction.
    pub(crate) collided: Cell<bool>,
}

impl Transaction<'_> {
    /// Waits for PostgreSQL's answer.
    pub(crate) fn wait<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.runtime.block_on(answer).map_err(|error| {
            if collided(&error) {
                self.collided.set(true);
            }
            said(&error)
        })
    }
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

fn typed<'v>(values: &'v [Bound<'_>]) -> Vec<(&'v (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), value.type_of())).collect()
}

impl Database for Transaction<'_> {
    fn execute(&self, statement: Statement, params: &dyn Params) -> Result<usize> {
        let values = bound(params)?;
        let changed = self.wait(self.client.execute_typed(sql::text(statement), &typed(&values)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(
        &self,
        statement: Statement,
        params: &dyn Params,
        each: &mut dyn FnMut(&Row<'_>) -> Result<Next>,
    ) -> Result<()> {
        let values = bound(params)?;
        for row in self.wait(self.client.query_typed(sql::text(statement), &typed(&values)))? {
            if each(&Row::new(&Found(&row)))? == Next::Enough {
                break;
            }
        }
        Ok(())
    }
}

/// A value on its way to PostgreSQL.
#[derive(Debug)]
struct Bound<'a>(Value<'a>);

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
            Value::Text(text) => text.to_sql(to, out),
            Value::Blob(bytes) => bytes.to_sql(to, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(of)
    }

    to_sql_checked!();
}

/// A row of PostgreSQL's.
struct Found<'a>(&'a tokio_postgres::Row);

impl Columns for Found<'_> {
    fn value(&self, column: usize) -> Result<Value<'_>> {
        let of = self.0.columns().get(column).ok_or_else(|| Error::unreadable(column, "there is none"))?.type_();
        let Raw(bytes) = self.0.try_get(column).map_err(|error| Error::unreadable(column, error))?;
        let Some(bytes) = bytes else { return Ok(Value::Null(Kind::Int)) };
        let unreadable = |error: Box<dyn StdError + Sync + Send>| Error::unreadable(column, error);
        Ok(match *of {
            Type::INT8 => Value::Int(i64::from_sql(of, bytes).map_err(unreadable)?),
            Type::INT4 => Value::Int(i64::from(i32::from_sql(of, bytes).map_err(unreadable)?)),
            Type::BOOL => Value::Int(i64::from(bool::from_sql(of, bytes).map_err(unreadable)?)),
            Type::BYTEA => Value::Blob(bytes),
            _ => Value::Text(std::str::from_utf8(bytes).map_err(|error| Error::unreadable(column, error))?),
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
