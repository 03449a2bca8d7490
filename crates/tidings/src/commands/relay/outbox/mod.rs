//! `tidings relay outbox` and `tidings relay schema`
//!
//! A batch is taken, published and acknowledged in one transaction of the platform's database: what is taken is locked,
//! so that no other relay publishes it meanwhile, and free again when this process dies. One relay works at a time, by a
//! lock on the table that the transaction holds; the order needs that, and one is fast enough. Who wants no order leaves
//! the lock out.

mod error;
mod schema;
mod statements;
mod table;

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use tidings_client::contract::codes::ErrorCode;
use tidings_store_postgres::MakeRustlsConnect;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, types::Type};

pub(super) use self::schema::{EXAMPLES as SCHEMA_EXAMPLES, SchemaArgs};
use self::{
    error::{closed, trouble},
    statements::Statements,
    table::Table,
};
use super::{
    RunArgs,
    intake::{Intake, Taken, Trouble, Verdict},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  tidings relay schema | psql \"$TIDINGS_RELAY_DATABASE_URL\"
  TIDINGS_RELAY_DATABASE_URL=postgres://app:…@db/app TIDINGS_API_KEY=tdk_… tidings relay outbox
  tidings relay outbox --once
  tidings relay outbox --table app.events_out --listen events_out --poll-ms 10000

What the table has to look like, and what becomes of refused rows: docs/relay.md.";

/// Bytes of payloads that are taken at a time, about: as many as one request to the server holds.
const BATCH_BYTES: i64 = 8 * 1024 * 1024;
/// How long making a connection may take, with everything that is said before the first statement.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may be silent before it is looked at, and how long it may take to answer then.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a transaction may wait for this process before the database ends it, so that a process that stands still
/// holds nothing up for ever: longer than publishing takes.
const IDLE_WITHIN: &str = "5min";

/// Which table, and how.
#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    /// The platform's database, postgres://USER:PASSWORD@HOST/DATABASE; better given as a variable, which no list of
    /// processes shows
    #[arg(long, env = "TIDINGS_RELAY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: String,
    /// The table, with its schema if it is not in the search path
    #[arg(long, env = "TIDINGS_RELAY_TABLE", value_name = "NAME", default_value = "tidings_outbox")]
    table: String,
    /// Delete what is published, or keep it and mark it in the column published_at
    #[arg(long, env = "TIDINGS_RELAY_ACKNOWLEDGE", value_name = "HOW", default_value = "delete")]
    acknowledge: Acknowledge,
    /// Take so many rows at a time
    #[arg(long, env = "TIDINGS_RELAY_BATCH", value_name = "ROWS", default_value_t = 500,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
    /// Look so often, in milliseconds, whether there is something, when there was nothing
    #[arg(long, env = "TIDINGS_RELAY_POLL_MS", value_name = "MS", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(10..=3_600_000))]
    poll_ms: u32,
    /// Look at once when something is notified on this channel (LISTEN); not through a pooler of transactions
    #[arg(long, env = "TIDINGS_RELAY_LISTEN", value_name = "CHANNEL")]
    listen: Option<String>,
    /// Give up the order, so that several relays publish different rows at the same time
    #[arg(long, env = "TIDINGS_RELAY_UNORDERED")]
    unordered: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// What becomes of a row that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Acknowledge {
    /// It is deleted.
    Delete,
    /// Its column `published_at` says when.
    Mark,
}

/// How the lock is had that keeps the order: one relay at a time has it.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// Without it.
    Anybodys,
    /// Not at all, if another relay has it: it takes what waits.
    Tried,
    /// After whoever has it: what waits is to be taken before the end.
    Waited,
}

/// The outbox of a platform.
pub(super) struct Outbox {
    arguments: OutboxArgs,
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    /// Told when something was notified.
    notified: Arc<Notify>,
    connection: Option<Connection>,
    /// Whether more waits than the last batch held.
    more: bool,
}

/// A connection whose table was looked at.
struct Connection {
    client: Client,
    statements: Statements,
    /// The rows that are locked, as text that names them.
    taken: Vec<String>,
}

impl OutboxArgs {
    pub(super) fn begin(mut self) -> anyhow::Result<(Outbox, RunArgs)> {
        let mut config = tidings_store_postgres::config(&self.database_url)
            .map_err(|error| anyhow!("{error}; correct --database-url or TIDINGS_RELAY_DATABASE_URL"))?;
        let tls = tidings_store_postgres::tls(&self.database_url)?;
        config.keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE);
        // It is in the configuration now, and is to stand nowhere else.
        self.database_url.clear();
        let run = self.run.clone();
        let outbox =
            Outbox { arguments: self, config, tls, notified: Arc::new(Notify::new()), connection: None, more: false };
        Ok((outbox, run))
    }
}

impl Outbox {
    /// The connection that there is, or a new one.
    async fn connection(&mut self) -> Result<&mut Connection, Trouble> {
        if self.connection.as_ref().is_none_or(|connection| connection.client.is_closed()) {
            self.connection = None;
            let connected = tokio::time::timeout(CONNECT_WITHIN, self.connect()).await;
            let silent =
                || Trouble::Passing(format!("the database says nothing within {} s", CONNECT_WITHIN.as_secs()));
            self.connection = Some(connected.map_err(|_| silent())??);
        }
        self.connection.as_mut().ok_or_else(closed)
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await.map_err(|error| trouble(&error))?;
        let notified = Arc::clone(&self.notified);
        // Ends with the client.
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(_) = message {
                    notified.notify_one();
                }
            }
        });
        let table = Table::look(&client, &self.arguments.table, self.arguments.acknowledge).await?;
        if let Some(channel) = &self.arguments.listen {
            let listen = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
            client.batch_execute(&listen).await.map_err(|error| trouble(&error))?;
        }
        let statements = Statements::new(&table, self.arguments.acknowledge);
        Ok(Connection { client, statements, taken: Vec::new() })
    }
}

impl Intake for Outbox {
    async fn take(&mut self) -> Result<Vec<Taken>, Trouble> {
        let rows = i64::from(self.arguments.batch);
        let turn = match (self.arguments.unordered, self.arguments.run.once) {
            (true, _) => Turn::Anybodys,
            (false, true) => Turn::Waited,
            (false, false) => Turn::Tried,
        };
        self.connection().await?;
        // Whatever cuts this short closes the connection, and with it the transaction.
        let mut connection = self.connection.take().ok_or_else(closed)?;
        let taken = connection.take(rows, turn).await.map_err(|error| trouble(&error))?;
        self.connection = Some(connection);
        self.more = taken.1;
        Ok(taken.0)
    }

    async fn settle(&mut self, settled: &[(usize, Verdict)]) -> Result<(), Trouble> {
        let Some(mut connection) = self.connection.take() else { return Err(closed()) };
        connection.settle(settled).await.map_err(|error| trouble(&error))?;
        self.connection = Some(connection);
        Ok(())
    }

    async fn hold(&mut self) {
        // The transaction does.
    }

    async fn wait(&mut self, wait: Duration) -> bool {
        // No transaction is open while the server is waited for. A connection that cannot end its own is closed, which
        // ends it as well; it is over already if something was settled.
        if let Some(connection) = self.connection.take() {
            let given_back = connection.client.batch_execute("ROLLBACK");
            if let Ok(Ok(())) = tokio::time::timeout(CONNECT_WITHIN, given_back).await {
                self.connection = Some(connection);
            }
        }
        self.more = true;
        tokio::time::sleep(wait).await;
        false
    }

    async fn rest(&mut self) {
        if self.more {
            return;
        }
        let poll = Duration::from_millis(u64::from(self.arguments.poll_ms));
        // Whichever comes first.
        let _ = tokio::time::timeout(poll, self.notified.notified()).await;
    }

    async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = tokio::time::timeout(CONNECT_WITHIN, connection.client.batch_execute("ROLLBACK")).await;
        }
    }
}

impl Connection {
    /// Locks what waits, and reads it. Also whether more than that waits.
    async fn take(&mut self, rows: i64, turn: Turn) -> Result<(Vec<Taken>, bool), tokio_postgres::Error> {
        let begin = format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '{IDLE_WITHIN}'");
        self.client.batch_execute(&begin).await?;
        if !self.has_turn(turn).await? {
            // Another relay is at work, and takes what waits.
            self.client.batch_execute("ROLLBACK").await?;
            return Ok((Vec::new(), false));
        }
        let found =
            self.client.query_typed(&self.statements.take, &[(&rows, Type::INT8), (&BATCH_BYTES, Type::INT8)]).await?;
        if found.is_empty() {
            self.client.batch_execute("ROLLBACK").await?;
            return Ok((Vec::new(), false));
        }
        let locked: i64 = found[0].try_get("locked")?;
        let mut taken = Vec::with_capacity(found.len());
        self.taken.clear();
        for row in &found {
            self.taken.push(row.try_get("row_id")?);
            taken.push(self.statements.read(row)?);
        }
        let more = locked == rows || locked > i64::try_from(found.len()).unwrap_or(i64::MAX);
        Ok((taken, more))
    }

    async fn has_turn(&self, turn: Turn) -> Result<bool, tokio_postgres::Error> {
        let statement = match turn {
            Turn::Anybodys => return Ok(true),
            Turn::Tried => "SELECT pg_try_advisory_xact_lock($1)",
            Turn::Waited => "SELECT true FROM (SELECT pg_advisory_xact_lock($1)) AS waited",
        };
        self.client.query_typed_one(statement, &[(&self.statements.lock, Type::INT8)]).await?.try_get(0)
    }

    /// Acknowledges, marks, and commits; what is left is free again.
    async fn settle(&mut self, settled: &[(usize, Verdict)]) -> Result<(), tokio_postgres::Error> {
        let (mut published, mut refused, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        for (number, verdict) in settled {
            let row = &self.taken[*number];
            match verdict {
                Verdict::Published => published.push(row),
                Verdict::Refused(why) => {
                    refused.push(row);
                    // The one character that PostgreSQL cannot keep.
                    reasons.push(why.to_string().replace('\0', "\u{fffd}"));
                }
                Verdict::Later(_) => {}
            }
        }
        if !published.is_empty() {
            let rows = [(&published as _, Type::TEXT_ARRAY)];
            self.client.execute_typed(&self.statements.acknowledge, &rows).await?;
        }
        if !refused.is_empty() {
            let rows = [(&refused as _, Type::TEXT_ARRAY), (&reasons as _, Type::TEXT_ARRAY)];
            self.client.execute_typed(&self.statements.refuse, &rows).await?;
        }
        self.client.batch_execute("COMMIT").await
    }
}

/// A row that cannot be an event, in the API's own words.
const INVALID: &str = ErrorCode::ValidationFailed.as_str();
/// The same for one that is too large.
const TOO_LARGE: &str = ErrorCode::PayloadTooLarge.as_str();
