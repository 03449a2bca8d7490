//! Everything that a PostgreSQL database keeps, on its way out, and an empty database on its way in.
//!
//! A restore is one transaction. A migration is one for each piece, and notes in it what is there: the table
//! `tidings_migration` is there for as long as it is not done, and no server starts meanwhile.

use deadpool_postgres::Object;
use tidings_store_sql::{
    Error, Kind, Result, Value,
    carry::{
        Cell, Cells, Inlet, Outlet, RESTORED, TABLES, Table, cells, clear_text, fill, find, has_rows_text, read_text,
    },
    sql::{FIND_REMEMBERED, REMEMBER},
};
use tokio::runtime::Handle;
use tokio_postgres::{
    GenericClient,
    error::SqlState,
    types::{ToSql, Type},
};

use crate::{
    OpenError,
    error::{chain, said},
    open::{check_schema, check_version, migrate},
    pool,
    schema::SCHEMA_CHANGES,
    sql::{
        BEGIN_MIGRATION, COUNT_ALIVE, FIND_MIGRATION, FIND_WRITING_ALONE, GO_ON_COUNTING, LOOK_AT_MIGRATION,
        NOTE_CARRIED, WRITE_TABLE_MANY, numbered, text,
    },
    transaction::{Bound, Column, Found, typed},
};

/// Nobody else waits for what is carried, and it may take long.
const NO_BOUNDS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
                         SET LOCAL lock_timeout = '30s'";
/// Whoever starts meanwhile is refused by this ([`refuse_carried`]), and another one that wants to write waits here.
const HOLD_STARTS: &str = "LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE";
const MAKE_MIGRATION: &str = "CREATE TABLE tidings_migration (id TEXT NOT NULL, carried TEXT NOT NULL DEFAULT '', rows BIGINT NOT NULL DEFAULT 0)";

/// How the tables are divided that are made here; a server divides what comes later as its settings say.
const EVENT_DAYS: u32 = 90;

/// A connection of its own, used from outside the runtime.
struct Line {
    client: Object,
    runtime: Handle,
}

impl Line {
    fn open(url: &str, runtime: &Handle) -> Result<Self, OpenError> {
        let client = runtime.block_on(async {
            let client = pool::first(&pool::make(url, 1)?, url).await?;
            check_version(&client).await?;
            Ok(client)
        })?;
        Ok(Self { client, runtime: runtime.clone() })
    }

    fn run(&self, text: &str) -> Result<()> {
        self.runtime.block_on(self.client.batch_execute(text)).map_err(|error| said(&error))
    }

    /// Begins to write, with nobody beside.
    fn begin_alone(&self) -> Result<()> {
        let begun = self.runtime.block_on(self.client.batch_execute(&format!("BEGIN; {NO_BOUNDS}; {HOLD_STARTS}")));
        begun.map_err(|error| match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                let reason = "somebody else has been writing into this database for 30 s, a restore, an import or a \
                              server that starts: wait for its end, and try again";
                Error::Elsewhere(reason.into())
            }
            _ => said(&error),
        })
    }

    fn query(&self, text: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<tokio_postgres::Row>> {
        self.runtime.block_on(self.client.query_typed(text, params)).map_err(|error| said(&error))
    }

    fn number(&self, text: &str) -> Result<i64> {
        Ok(self.query(text, &[])?[0].get(0))
    }

    fn is_migrating(&self) -> Result<bool> {
        Ok(self.query(FIND_MIGRATION, &[])?[0].get(0))
    }

    fn remembered(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let rows = self.query(text(FIND_REMEMBERED), &[(&name, Type::TEXT)])?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    fn read(&self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        let kinds = table.columns.iter().map(|column| column.kind);
        let values: Vec<_> =
            after.unwrap_or_default().iter().zip(kinds).map(|(cell, kind)| Bound(cell.value(kind))).collect();
        let rows = self.query(&numbered(&read_text(table, after.is_none(), limit)), &typed(&values))?;
        rows.iter().map(|row| cells(&Found::new(row), table.columns.len())).collect()
    }

    fn write<'r>(&self, table: &Table, rows: &'r [Cells]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let given =
            |row: &'r Cells| row.iter().zip(&table.columns).map(|(cell, column)| cell.value(column.kind)).collect();
        let values: Vec<Vec<Value<'r>>> = rows.iter().map(given).collect();
        let columns: Vec<_> = (0..table.columns.len()).map(|column| Column::of(&values, column)).collect();
        let arrays: Vec<_> =
            (1..).zip(&table.columns).map(|(number, column)| format!("${number}::{}", array_of(column.kind))).collect();
        let text = fill(WRITE_TABLE_MANY, table, &arrays.join(", "));
        let params: Vec<_> = columns.iter().map(|column| (column as &(dyn ToSql + Sync), column.type_of())).collect();
        self.runtime.block_on(self.client.execute_typed(&text, &params)).map(drop).map_err(|error| said(&error))
    }

    /// Refuses where anything is, or anybody.
    fn refuse_used(&self) -> Result<()> {
        let refuse = |reason: &str| {
            Err(Error::Elsewhere(format!("{reason}, and nothing is written over it: name an empty database").into()))
        };
        if self.number(COUNT_ALIVE)? > 0 {
            return refuse("servers use this database");
        }
        for table in TABLES.iter().filter(|table| table.name != "ledger") {
            if self.number(&has_rows_text(table))? > 0 {
                return refuse(&format!("this database holds data already (its table {} does)", table.name));
            }
        }
        self.run(&clear_text(find("ledger").expect("it is a table")))
    }
}

const fn array_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint[]",
        Kind::Text => "text[]",
        Kind::Blob => "bytea[]",
    }
}

/// All that was committed at one moment, whatever is written meanwhile.
pub struct PostgresOutlet(Line);

/// Opens what a database keeps at this moment. Servers may be at work on it. Not to be called inside of a runtime.
pub fn outlet(url: &str, runtime: &Handle) -> Result<PostgresOutlet, OpenError> {
    let line = Line::open(url, runtime)?;
    let failed = |error: Error| OpenError::Unreachable(error.to_string());
    line.run(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {NO_BOUNDS}")).map_err(failed)?;
    runtime.block_on(check_schema(&line.client))?;
    if line.is_migrating().map_err(failed)? {
        return Err(OpenError::HalfMigrated);
    }
    Ok(PostgresOutlet(line))
}

impl PostgresOutlet {
    /// What it remembers under a name.
    pub fn remembered(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.remembered(name)
    }

    /// The version of its tables.
    pub fn schema(&self) -> u32 {
        SCHEMA_CHANGES.len() as u32
    }
}

impl Outlet for PostgresOutlet {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        self.0.read(table, after, limit)
    }
}

/// An empty database that has everything at once, in the end.
pub struct PostgresInlet(Line);

fn open_for_writing(url: &str, runtime: &Handle) -> Result<Line, OpenError> {
    let mut line = Line::open(url, runtime)?;
    runtime.block_on(migrate(url, &mut line.client, EVENT_DAYS))?;
    Ok(line)
}

/// Opens an empty database. Not to be called inside of a runtime.
pub fn inlet(url: &str, runtime: &Handle) -> Result<PostgresInlet, OpenError> {
    let line = open_for_writing(url, runtime)?;
    let begin = || {
        if line.is_migrating()? {
            return Err(Error::Elsewhere(OpenError::HalfMigrated.to_string().into()));
        }
        line.begin_alone()?;
        line.refuse_used()
    };
    begin().map_err(|error| OpenError::Target(error.to_string()))?;
    Ok(PostgresInlet(line))
}

impl Inlet for PostgresInlet {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        self.0.write(table, rows)
    }
}

impl PostgresInlet {
    /// From here on everything is there. `mark`: what it remembers as having been restored.
    pub fn finish(self, mark: &[u8]) -> Result<()> {
        let remember = [(&RESTORED as &(dyn ToSql + Sync), Type::TEXT), (&mark, Type::BYTEA)];
        self.0.query(text(REMEMBER), &remember)?;
        self.0.query(GO_ON_COUNTING, &[])?;
        self.0.run("COMMIT")
    }

    /// Leaves the database empty.
    pub fn discard(self) -> Result<()> {
        self.0.run("ROLLBACK")
    }
}

/// A database that something is added to, in one transaction, while no server uses it.
pub struct PostgresAddition(Line);

/// Opens it for that. Not to be called inside of a runtime.
pub fn addition(url: &str, runtime: &Handle) -> Result<PostgresAddition, OpenError> {
    let line = open_for_writing(url, runtime)?;
    let begin = || {
        line.begin_alone()?;
        Ok((line.is_migrating()?, line.number(COUNT_ALIVE)?))
    };
    match begin().map_err(|error: Error| OpenError::Target(error.to_string()))? {
        (true, _) => Err(OpenError::HalfMigrated),
        (false, 0) => Ok(PostgresAddition(line)),
        (false, _) => Err(OpenError::Target("servers use this database: stop them first".to_owned())),
    }
}

impl Outlet for PostgresAddition {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        self.0.read(table, after, limit)
    }
}

impl Inlet for PostgresAddition {
    fn write(&mut self, table: &Table, rows: &[Cells]) -> Result<()> {
        self.0.write(table, rows)
    }
}

impl PostgresAddition {
    /// From here on it is there.
    pub fn finish(self) -> Result<()> {
        self.0.run("COMMIT")
    }

    /// Leaves everything as it was.
    pub fn discard(self) -> Result<()> {
        self.0.run("ROLLBACK")
    }
}

/// A database that everything is migrated into, piece by piece.
pub struct Migration {
    line: Line,
    /// The last piece that is there, as whoever migrates has noted it; empty: none.
    pub carried: String,
    /// Rows that are there.
    pub rows: i64,
}

/// Begins a migration into an empty database, or goes on with the one of this id. Not to be called inside of a runtime.
pub fn migration(url: &str, runtime: &Handle, id: &str) -> Result<Migration, OpenError> {
    let line = open_for_writing(url, runtime)?;
    let begin = || {
        line.begin_alone()?;
        if !line.is_migrating()? {
            line.refuse_used()?;
            line.run(MAKE_MIGRATION)?;
            line.query(BEGIN_MIGRATION, &[(&id, Type::TEXT)])?;
        }
        line.run("COMMIT")?;
        line.query(LOOK_AT_MIGRATION, &[])
    };
    let rows = begin().map_err(|error| OpenError::Target(error.to_string()))?;
    let row = rows.first().ok_or_else(|| OpenError::Target("the note of its migration is missing".to_owned()))?;
    if row.get::<_, &str>(0) != id {
        let reason = "another migration into this database was begun and not finished: finish that one, or name an \
                      empty database";
        return Err(OpenError::Target(reason.to_owned()));
    }
    let (carried, rows) = (row.get(1), row.get(2));
    Ok(Migration { line, carried, rows })
}

/// Finishes a migration of which everything is there; false: it was finished before.
pub fn finish_migration(url: &str, runtime: &Handle, id: &str) -> Result<bool, OpenError> {
    let line = Line::open(url, runtime)?;
    match line.is_migrating().map_err(|error| OpenError::Target(error.to_string()))? {
        true => {
            drop(line);
            let finished = migration(url, runtime, id)?.finish();
            finished.map(|()| true).map_err(|error| OpenError::Target(error.to_string()))
        }
        false => Ok(false),
    }
}

impl Migration {
    /// Adds rows, and notes which, in one transaction.
    pub fn write(&mut self, table: &Table, rows: &[Cells], carried: String) -> Result<()> {
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        self.line.run(&format!("BEGIN; {NO_BOUNDS}"))?;
        let written = self.line.write(table, rows).and_then(|()| {
            self.line.query(NOTE_CARRIED, &[(&carried, Type::TEXT), (&count, Type::INT8)])?;
            self.line.run("COMMIT")
        });
        if written.is_err() {
            let _ = self.line.run("ROLLBACK");
        }
        written?;
        self.carried = carried;
        self.rows += count;
        Ok(())
    }

    /// Everything is there, and servers may start.
    pub fn finish(self) -> Result<()> {
        self.line.run(&format!("BEGIN; {NO_BOUNDS}"))?;
        self.line.query(GO_ON_COUNTING, &[])?;
        self.line.run("DROP TABLE tidings_migration; COMMIT")
    }
}

impl Outlet for Migration {
    fn read(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>> {
        self.line.read(table, after, limit)
    }
}

/// Whether somebody holds [`HOLD_STARTS`].
pub(crate) async fn is_written_alone(client: &impl GenericClient) -> std::result::Result<bool, tokio_postgres::Error> {
    Ok(client.query_typed_one(FIND_WRITING_ALONE, &[]).await?.get(0))
}

/// Refuses while somebody puts everything into it: whoever takes a place among the processes would wait for that one.
pub(crate) async fn refuse_carried(client: &Object) -> Result<(), OpenError> {
    match is_written_alone(&***client).await.map_err(|error| OpenError::Unreachable(chain(&error)))? {
        true => Err(OpenError::WrittenAlone),
        false => refuse_half_migrated(client).await,
    }
}

/// Whether a migration into this database was begun and is not done.
pub(crate) async fn refuse_half_migrated(client: &Object) -> Result<(), OpenError> {
    let row = client.query_typed_one(FIND_MIGRATION, &[]).await;
    match row.map_err(|error| OpenError::Unreachable(chain(&error)))?.get(0) {
        true => Err(OpenError::HalfMigrated),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What concerns processes that live, and goes with them.
    const OF_PROCESSES: [&str; 10] = [
        "change",
        "changes",
        "command_turn",
        "instance",
        "leader",
        "listener",
        "news",
        "node",
        "tidings_schema",
        "witness",
    ];
    const COLUMNS_OF_PROCESSES: [(&str, &str); 3] =
        [("organization", "version"), ("project", "version"), ("queue", "owner")];
    const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
                           WHERE table_schema = 'public' AND NOT EXISTS (SELECT 1 FROM pg_class AS c \
                           WHERE c.relname = table_name AND c.relispartition)";

    #[test]
    fn every_table_and_column_is_carried() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let line = open_for_writing(&tidings_testkit::cluster().database(), runtime.handle()).expect("a database");
        let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in line.query(COLUMNS, &[]).expect("columns") {
            let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            if !OF_PROCESSES.contains(&&*table) && !COLUMNS_OF_PROCESSES.contains(&(&*table, &*column)) {
                found.entry(table).or_default().push((column, kind));
            }
        }
        let kind = |kind| match kind {
            Kind::Int => "bigint",
            Kind::Text => "text",
            Kind::Blob => "bytea",
        };
        let mut carried: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for table in TABLES.iter() {
            let columns = table.columns.iter().map(|column| (column.name.to_owned(), kind(column.kind).to_owned()));
            carried.insert(table.name.to_owned(), columns.collect());
        }
        found.values_mut().chain(carried.values_mut()).for_each(|columns| columns.sort());
        assert_eq!(carried, found, "name it in store-sql's carry/tables.rs");
    }
}
