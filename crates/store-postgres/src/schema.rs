//! The tables, brought up to date while other processes are at work on them.
//!
//! A process of the next version changes the tables when it starts; those of the version before go on with them
//! (ARCHITECTURE.md, Storage, says what a change must look like for that). Nobody waits for long meanwhile: whoever wants
//! a table for itself alone gives up soon, lets everybody else go on, and tries again; an index is built beside
//! everybody's work.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::{Error, GenericClient, error::SqlState, types::Type};

use crate::{OpenError, error::chain, pool};

/// One change of the tables. A released one stays as it is.
#[derive(Debug, Clone, Copy)]
pub enum SchemaChange {
    /// Statements that are one transaction, each done in a moment however much is stored.
    Tables(&'static str),
    /// An index of a table that may be large.
    Index {
        /// What it is called.
        name: &'static str,
        /// Its table.
        table: &'static str,
        /// What is said of it behind its table: columns, and which rows.
        of: &'static str,
    },
}

/// All of them, in their order; how many there are is the version of the schema.
pub const SCHEMA_CHANGES: &[SchemaChange] = &[SchemaChange::Tables(include_str!("../sql/migrations/0001_schema.sql"))];

/// Held while tables are changed, so that one process does it and the others wait ("Tdng"). Tried for, not waited for:
/// whoever waits in the database looks at it as it was, and so keeps others from building an index.
const LOCK: i64 = 0x5464_6e67;
/// How long everybody waits behind whoever wants a table for itself alone. Longer than it takes PostgreSQL (a second) to
/// see that a vacuum of its own stands in the way, which it then ends.
const LOCK_WAIT: &str = "1300ms";
/// How long everybody goes on, between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries in all: somebody who holds the tables for longer, such as a backup, has to be named.
const TRIES_MAX: u32 = 200;
/// Rounds in which the parts of a table get an index: new parts may be made meanwhile, and old ones dropped.
const ROUNDS_MAX: u32 = 20;
/// Between two looks whether another process is done.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// While another connection builds an index, which may take hours. As a simple query it also lets go of what the query
/// before it saw, which the index would wait for.
const HOLD_NOTHING: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";

/// What became of one try.
enum Step {
    /// There is nothing left to do.
    UpToDate,
    /// There may be more.
    Changed,
    /// Another process is at it.
    Busy,
}

/// Brings a database up to what these changes make of it; they begin with those that it has. Uses two connections.
pub async fn bring_up_to_date(url: &str, changes: &[SchemaChange]) -> Result<(), OpenError> {
    // One holds the lock, one builds an index.
    let pool = pool::make(url, 2)?;
    let mut client = pool::first(&pool, url).await?;
    let (mut failures, mut has_said) = (0, false);
    loop {
        match step(&mut client, &pool, changes).await {
            Ok(Step::UpToDate) => return Ok(()),
            Ok(Step::Changed) => {}
            Ok(Step::Busy) => {
                if !std::mem::replace(&mut has_said, true) {
                    tracing::info!("another process changes the tables, or builds an index: waiting for its end");
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Err(Failure::Said(error)) if is_in_the_way(&error) && failures < TRIES_MAX => {
                failures += 1;
                tracing::info!(error = %chain(&error), "somebody uses the tables that are to be changed: trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(Failure::Said(error)) if is_in_the_way(&error) => {
                let way_out = "somebody has looked at the tables for minutes, such as a backup: wait for its end, and start \
                               again";
                return Err(OpenError::Migration(format!("{way_out} ({})", chain(&error))));
            }
            Err(Failure::Said(error)) => return Err(OpenError::Migration(chain(&error))),
            Err(Failure::Open(error)) => return Err(error),
        }
    }
}

/// Why a try failed.
enum Failure {
    Said(Error),
    Open(OpenError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

/// Whether it may succeed once somebody else is done.
fn is_in_the_way(error: &Error) -> bool {
    let code = error.code();
    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].iter().any(|one| code == Some(one))
}

/// The first change that is missing, if any is.
async fn step(client: &mut Object, pool: &Pool, changes: &[SchemaChange]) -> Result<Step, Failure> {
    let known = changes.len() as i64;
    // Mostly nothing is to be done, and nobody is to be waited for.
    if has_schema(client).await.map_err(Failure::Open)? && is_known(version(&***client).await?, known)? {
        return Ok(Step::UpToDate);
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("SET LOCAL lock_timeout = '{LOCK_WAIT}'")).await?;
    let row = transaction.query_typed_one(&format!("SELECT pg_try_advisory_xact_lock({LOCK})"), &[]).await?;
    if !row.get::<_, bool>(0) {
        return Ok(Step::Busy);
    }
    let notes = "CREATE TABLE IF NOT EXISTS tidings_schema \
                 (version BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())";
    transaction.batch_execute(notes).await?;
    let found = version(&*transaction).await?;
    if is_known(found, known)? {
        return Ok(Step::UpToDate);
    }
    tracing::info!(version = found + 1, "the database's tables are brought up to date");
    match changes[usize::try_from(found).unwrap_or_default()] {
        SchemaChange::Tables(text) => transaction.batch_execute(text).await.map_err(|error| match error.code() {
            Some(&SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_FUNCTION) if found == 0 => {
                Failure::Open(OpenError::Foreign(chain(&error)))
            }
            _ => Failure::Said(error),
        })?,
        SchemaChange::Index { name, table, of } => {
            transaction.batch_execute(HOLD_NOTHING).await?;
            Index { name, table, of }.make(pool).await?;
        }
    }
    transaction.batch_execute(&format!("INSERT INTO tidings_schema (version) VALUES ({})", found + 1)).await?;
    transaction.commit().await?;
    Ok(Step::Changed)
}

/// Whether any of our tables are there. Somebody else's table may be called as the one in which their changes are noted.
pub(crate) async fn has_schema(client: &Object) -> Result<bool, OpenError> {
    let text = "SELECT to_regclass('tidings_schema') IS NOT NULL, EXISTS (SELECT 1 FROM pg_attribute \
                WHERE attrelid = to_regclass('tidings_schema') AND attname = 'version' AND atttypid = 'bigint'::regtype)";
    let row = client.query_typed_one(text, &[]).await.map_err(|error| OpenError::Unreachable(chain(&error)))?;
    match (row.get(0), row.get(1)) {
        (true, false) => {
            let reason = "relation \"tidings_schema\" already exists, and has no column version of type bigint";
            Err(OpenError::Foreign(reason.to_owned()))
        }
        (is_there, _) => Ok(is_there),
    }
}

/// How many changes the tables have had.
pub(crate) async fn version(client: &impl GenericClient) -> Result<i64, Error> {
    number(client, "SELECT coalesce(max(version), 0) FROM tidings_schema").await
}

async fn number(client: &impl GenericClient, text: &str) -> Result<i64, Error> {
    let rows = client.query_typed(text, &[]).await?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// Whether that is all of them.
fn is_known(found: i64, known: i64) -> Result<bool, Failure> {
    match found > known {
        true => Err(Failure::Open(OpenError::NewerSchema { found, known })),
        false => Ok(found == known),
    }
}

/// An index that is to be there.
struct Index<'a> {
    name: &'a str,
    table: &'a str,
    of: &'a str,
}

impl Index<'_> {
    /// Builds it while everybody goes on. What a try before this one has left unfinished is taken away.
    async fn make(&self, pool: &Pool) -> Result<(), Failure> {
        let gone = |error: deadpool_postgres::PoolError| Failure::Open(OpenError::Unreachable(chain(&error)));
        let mut client = pool.get().await.map_err(gone)?;
        let is_divided =
            format!("SELECT (relkind = 'p')::int::bigint FROM pg_class WHERE oid = '{}'::regclass", self.table);
        match number(&**client, &is_divided).await? {
            0 => self.build(&mut client).await,
            _ => self.make_divided(&mut client).await,
        }
    }

    /// An index of a table in parts is whole once each part has its own.
    async fn make_divided(&self, client: &mut Object) -> Result<(), Failure> {
        let Self { name, table, of } = self;
        self.refuse_clash(client).await?;
        alone(client, &format!("CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} {of}")).await?;
        for _ in 0..ROUNDS_MAX {
            let parts = client.query_typed(PARTS_WITHOUT, &[(table, Type::TEXT), (name, Type::TEXT)]).await?;
            if parts.is_empty() {
                return Ok(());
            }
            for part in parts {
                let part: String = part.get(0);
                let own = format!("{part}_{name}");
                Index { name: &own, table: &part, of }.build(client).await?;
                alone(client, &format!("ALTER INDEX {name} ATTACH PARTITION {own}")).await?;
            }
        }
        let reason = format!("parts of {table} come and go faster than their index {name} is built");
        Err(Failure::Open(OpenError::Migration(reason)))
    }

    async fn build(&self, client: &mut Object) -> Result<(), Failure> {
        let Self { name, table, of } = self;
        match self.refuse_clash(client).await? {
            Some(true) => return Ok(()),
            Some(false) => alone(client, &format!("DROP INDEX {name}")).await?,
            None => {}
        }
        // No transaction, and no bound: it waits for everybody who looked at the table before, and nobody waits for it.
        Ok(client.batch_execute(&format!("CREATE INDEX CONCURRENTLY {name} ON {table} {of}")).await?)
    }

    /// Whether it is there, and whole. Something else may be called the same.
    async fn refuse_clash(&self, client: &Object) -> Result<Option<bool>, Failure> {
        let Self { name, table, .. } = self;
        let text = "SELECT i.indrelid = $2::regclass, i.indisvalid, i.indrelid::regclass::text FROM pg_class AS c \
                    LEFT JOIN pg_index AS i ON i.indexrelid = c.oid WHERE c.oid = to_regclass($1)";
        let found = client.query_typed(text, &[(name, Type::TEXT), (table, Type::TEXT)]).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let (is_ours, is_whole, other): (Option<bool>, Option<bool>, Option<&str>) =
            (row.get(0), row.get(1), row.get(2));
        if is_ours == Some(true) {
            return Ok(is_whole);
        }
        let what = other.map_or("no index".to_owned(), |other| format!("an index of {other}"));
        let reason = format!(
            "{table} is to have an index {name}, but what is called so is {what}; give that one another name (ALTER … \
             {name} RENAME TO …) or drop it, and start again"
        );
        Err(Failure::Open(OpenError::Migration(reason)))
    }
}

/// Parts of a table that have no part of an index.
const PARTS_WITHOUT: &str = "
    SELECT i.inhrelid::regclass::text FROM pg_inherits AS i
    WHERE i.inhparent = $1::regclass AND NOT EXISTS (
        SELECT 1 FROM pg_inherits AS own JOIN pg_index AS x ON x.indexrelid = own.inhrelid
        WHERE own.inhparent = $2::regclass AND x.indrelid = i.inhrelid)
    ORDER BY 1";

/// A transaction that wants something for itself alone, and does not wait for it for long.
async fn alone(client: &mut Object, text: &str) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(&format!("SET LOCAL lock_timeout = '{LOCK_WAIT}'; {text}")).await?;
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What keeps a change from being made beside processes that know nothing of it, or from being done in a moment.
    fn against(text: &str) -> Vec<String> {
        let code: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        let code = code.join(" ");
        let statements = code.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
        let (mut new, mut changed, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for statement in statements.filter(|one| !one.is_empty()) {
            let words: Vec<_> = statement.split([' ', '(']).collect();
            let about = |place: usize| words.get(place).copied().unwrap_or_default().to_owned();
            let of_index = || words.iter().position(|word| *word == "ON").map(|on| about(on + 1));
            let reason = match words[..] {
                ["CREATE", "TABLE", ..] => {
                    new.push(about(2));
                    None
                }
                ["CREATE", "UNLOGGED", "TABLE", ..] => {
                    new.push(about(3));
                    None
                }
                ["CREATE", "FUNCTION", ..] => None,
                ["CREATE", "INDEX", ..] | ["CREATE", "UNIQUE", "INDEX", ..]
                    if new.contains(&of_index().unwrap_or_default()) =>
                {
                    None
                }
                ["INSERT", "INTO", table, ..] if new.iter().any(|one| one == table) => None,
                ["ALTER", "TABLE", table, "ADD", "COLUMN", ..] => {
                    changed.push(table.to_owned());
                    against_column(&statement)
                }
                _ => Some("only what is new is made, and columns are added"),
            };
            reasons.extend(reason.map(|reason| format!("{reason}: {statement}")));
        }
        changed.dedup();
        if changed.len() > 1 {
            reasons.push(format!("each table is changed by itself, so that nobody waits for several: {changed:?}"));
        }
        reasons
    }

    fn against_column(statement: &str) -> Option<&'static str> {
        let (what, default) = statement.split_once(" DEFAULT ").unwrap_or((statement, ""));
        if what.contains("NOT NULL") && default.is_empty() {
            return Some("programs that do not know the column write no value");
        }
        if default.contains('(') {
            return Some("a value that is computed is written into every row");
        }
        let walks = ["UNIQUE", "PRIMARY KEY", "REFERENCES", "CHECK", "GENERATED", " ADD COLUMN "];
        let rest = statement.split_once("ADD COLUMN").map_or("", |(_, rest)| rest);
        walks.iter().any(|word| rest.contains(word)).then_some("one column, and nothing that looks at every row")
    }

    #[test]
    fn every_change_can_be_made_beside_programs_that_do_not_know_it() {
        // On the first one nobody is at work.
        for change in &SCHEMA_CHANGES[1..] {
            if let SchemaChange::Tables(text) = change {
                assert_eq!(against(text), [""; 0]);
            }
        }
    }

    #[test]
    fn a_change_that_makes_others_wait_or_fail_is_found() {
        let fine = "-- Why; because.
            CREATE TABLE a (id BIGINT PRIMARY KEY); CREATE UNIQUE INDEX a_by_id ON a (id);
            INSERT INTO a (id) VALUES (0);
            ALTER TABLE event ADD COLUMN one BIGINT; ALTER TABLE event ADD COLUMN two TEXT NOT NULL DEFAULT ''";
        assert_eq!(against(fine), [""; 0]);
        for bad in [
            "DROP TABLE event",
            "ALTER TABLE event DROP COLUMN label",
            "ALTER TABLE event RENAME COLUMN label TO name",
            "ALTER TABLE event ALTER COLUMN label TYPE BIGINT",
            "ALTER TABLE event ADD COLUMN a BIGINT NOT NULL",
            "ALTER TABLE event ADD COLUMN a BIGINT NOT NULL DEFAULT now_ms()",
            "ALTER TABLE event ADD COLUMN a BIGINT UNIQUE",
            "ALTER TABLE event ADD COLUMN a BIGINT; ALTER TABLE queue ADD COLUMN a BIGINT",
            "CREATE INDEX event_by_type ON event (type)",
            "UPDATE event SET label = ''",
            "INSERT INTO event (seq) VALUES (1)",
        ] {
            assert_eq!(against(bad).len(), 1, "{bad}: {:?}", against(bad));
        }
    }
}
