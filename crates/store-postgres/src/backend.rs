//! PostgreSQL as the verbs see it: transactions that are repeated where they collide.

use std::{cell::Cell, sync::Arc, time::Duration};

use deadpool_postgres::{Object, Pool};
use tidings_ports::store::{Nodes, StoreError};
use tidings_store_sql::{Afterwards, Backend, Connection, Error, Leases, Result, Session, SqlStore, Writes};
use tokio::runtime::Handle;
use tokio_postgres::SimpleQueryMessage;

use crate::{
    error::{no_connection, said},
    nodes::Node,
    transaction::Transaction,
};

/// The store on PostgreSQL.
pub type PostgresStore = SqlStore<PostgresBackend>;

/// How often a transaction that collided is run in all.
const TRIES_MAX: u32 = 20;
/// How long one waits after it collided, at first and at most.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// How often one asks what became of a transaction before its caller is told that nobody knows, …
const FATE_TRIES_MAX: u32 = 20;
/// … and how long one waits between.
const FATE_PAUSE: Duration = Duration::from_millis(100);
/// How long one waits between later on, when nobody is waiting any more.
const LATER_PAUSE: Duration = Duration::from_secs(1);
/// How often at most: more than an hour, and no transaction is open for so long.
const LATER_TRIES_MAX: u32 = 5_000;

/// A database that other processes use as well.
#[derive(Clone)]
pub struct PostgresBackend {
    pub(crate) pool: Pool,
    /// This process among them.
    pub(crate) node: Arc<Node>,
}

/// How a transaction begins.
#[derive(Clone, Copy)]
enum Begin {
    /// As if there were no others.
    Serializable,
    /// Each statement sees what was committed before it.
    ByStatement,
    /// Sees one moment, and changes nothing.
    Reading,
}

/// Nobody waits without end: neither for an answer, nor for a row that somebody else holds, nor for a process that
/// stands still in the middle of a transaction: others wait for that one.
const BOUNDS: &str = "SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '10s'; \
                      SET LOCAL idle_in_transaction_session_timeout = '5s'";
/// Nobody waits for whoever only reads.
const BOUNDS_OF_READING: &str = "SET LOCAL statement_timeout = '30s'; \
                                 SET LOCAL idle_in_transaction_session_timeout = '60s'";

impl Begin {
    fn text(self, node: i64) -> String {
        let how = match self {
            Self::Serializable => "ISOLATION LEVEL SERIALIZABLE",
            Self::ByStatement => "ISOLATION LEVEL READ COMMITTED",
            Self::Reading => return format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {BOUNDS_OF_READING}"),
        };
        let place = crate::sql::node_text("hold_place").replace("$1", &node.to_string());
        format!("BEGIN {how}; {BOUNDS}; SET LOCAL tidings.node = '{node}'; {place}")
    }
}

/// What became of a transaction.
enum Ended<T> {
    Done(T),
    Failed(StoreError),
    /// It may succeed when it is run again.
    Collided(StoreError),
    /// Nobody answered when it was to be committed.
    Unknown {
        value: T,
        transaction: i64,
        error: StoreError,
    },
}

impl PostgresBackend {
    async fn run<T, F>(&self, begin: Begin, work: F) -> Result<Ended<T>, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        let mut work = work;
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            let client = self.pool.get().await.map_err(no_connection)?;
            let text = begin.text(self.node.id());
            let runtime = Handle::current();
            let task = tokio::task::spawn_blocking(move || {
                let ended = carry_out(client, runtime, &text, &work);
                (work, ended)
            });
            let ended;
            (work, ended) = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            match ended {
                Ended::Failed(error) => return Err(error),
                Ended::Collided(error) if attempt == TRIES_MAX => return Err(error),
                Ended::Collided(_) => {}
                ended => return Ok(ended),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        unreachable!("the last attempt returns")
    }

    /// A transaction whose commit was not answered: whoever waits for it is told what became of it, if that can be
    /// learned in time. If not, what it leased is given back as soon as it can be.
    async fn settle_fate<T>(
        &self,
        (value, afterwards): (T, Afterwards),
        transaction: i64,
        error: StoreError,
    ) -> Result<(T, Afterwards), StoreError> {
        for _ in 0..FATE_TRIES_MAX {
            match self.node.fate(transaction).await {
                Ok(Some(true)) => return Ok((value, afterwards)),
                Ok(Some(false)) => return Err(error),
                Ok(None) | Err(_) => tokio::time::sleep(FATE_PAUSE).await,
            }
        }
        tokio::spawn(forsake(Arc::clone(&self.node), self.node.id(), transaction, afterwards));
        Err(error)
    }
}

/// Draws the consequences of a transaction whose caller was told that it failed, if it turns out that it did not.
async fn forsake(node: Arc<Node>, owner: i64, transaction: i64, afterwards: Afterwards) {
    let Afterwards { leased, projects, anything } = afterwards;
    for _ in 0..LATER_TRIES_MAX {
        let done = match node.fate(transaction).await {
            Ok(Some(false)) => return,
            Ok(Some(true)) => match node.release(owner, &leased).await {
                Ok(()) if anything || !projects.is_empty() => node.tell(&projects, anything, false).await,
                released => released,
            },
            Ok(None) | Err(_) => Err(StoreError::Closed),
        };
        if done.is_ok() {
            return;
        }
        tokio::time::sleep(LATER_PAUSE).await;
    }
}

/// One attempt, on a thread that may wait.
fn carry_out<T>(
    client: Object,
    runtime: Handle,
    begin: &str,
    work: &impl Fn(&Connection<'_>) -> Result<T>,
) -> Ended<T> {
    // Whatever happens here, a verb that panics included: nobody gets a connection whose transaction is open.
    let held = Held(Some(client));
    let client = held.client();
    let transaction = Transaction { client, runtime, collided: Cell::new(false) };
    let begun = transaction.wait(client.simple_query(begin)).and_then(|answers| number_of(&answers));
    let done = begun.and_then(|number| work(&Connection::new(&transaction)).map(|value| (number, value)));
    let (number, value) = match done {
        Ok(done) => done,
        Err(error) => {
            let collided = transaction.collided.get();
            // Where even this fails, the connection is gone, and the pool gives it to nobody.
            if transaction.wait(client.batch_execute("ROLLBACK")).is_ok() {
                held.give_back();
            }
            return if collided { Ended::Collided(error.into()) } else { Ended::Failed(error.into()) };
        }
    };
    match transaction.wait_for_commit(client.batch_execute("COMMIT")) {
        Ok(()) => {
            held.give_back();
            Ended::Done(value)
        }
        Err(error) => {
            let is_answer = error.as_db_error().is_some();
            let error = said(&error);
            match (is_answer, transaction.collided.get(), number) {
                (true, true, _) => {
                    held.give_back();
                    Ended::Collided(error.into())
                }
                (true, false, _) => {
                    held.give_back();
                    Ended::Failed(error.into())
                }
                // What only reads is over in any case.
                (false, _, None) => Ended::Failed(error.into()),
                (false, _, Some(transaction)) => Ended::Unknown { value, transaction, error: error.into() },
            }
        }
    }
}

/// The number of the transaction, which only those have that may change something.
fn number_of(answers: &[SimpleQueryMessage]) -> Result<Option<i64>> {
    let mut is_asked = false;
    for answer in answers {
        match answer {
            SimpleQueryMessage::RowDescription(_) => is_asked = true,
            SimpleQueryMessage::Row(row) => return Ok(row.get(0).and_then(|number| number.parse().ok())),
            _ => {}
        }
    }
    match is_asked {
        // Others have taken this process for dead: it writes nothing before it has joined again.
        true => Err(Error::Store(StoreError::Unavailable(
            "this process was out of reach for too long and joins the others again".to_owned(),
        ))),
        false => Ok(None),
    }
}

/// A connection that is thrown away unless it is given back.
struct Held(Option<Object>);

impl Held {
    fn client(&self) -> &Object {
        self.0.as_ref().unwrap_or_else(|| unreachable!("it is held until it is given back"))
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

impl Backend for PostgresBackend {
    async fn write<T, F>(&self, kind: Writes, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        let begin = match kind {
            Writes::Events | Writes::Leases => Begin::ByStatement,
            Writes::More | Writes::Changes => Begin::Serializable,
        };
        let ended = self.run(begin, move |connection| {
            let mut session = Session::shared(connection);
            let value = work(&mut session)?;
            Ok((value, session.afterwards()))
        });
        let (value, afterwards) = match ended.await? {
            Ended::Done(done) => done,
            Ended::Unknown { value, transaction, error } => self.settle_fate(value, transaction, error).await?,
            Ended::Failed(error) | Ended::Collided(error) => return Err(error),
        };
        if afterwards.anything || !afterwards.projects.is_empty() {
            // Whoever changes something waits until all know of it; a verdict that disables a webhook holds up none.
            let waits = matches!(kind, Writes::More | Writes::Changes);
            self.node.tell(&afterwards.projects, afterwards.anything, waits).await?;
        }
        Ok(value)
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        match self.run(Begin::Reading, read).await? {
            Ended::Done(value) | Ended::Unknown { value, .. } => Ok(value),
            Ended::Failed(error) | Ended::Collided(error) => Err(error),
        }
    }

    fn leases(&self) -> Option<Arc<Leases>> {
        None
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        Some(&*self.node)
    }

    async fn close(&self) {
        if let Err(error) = self.node.leave().await {
            tracing::warn!(error = %error, "the others take over once this process is taken for dead");
        }
        self.pool.close();
    }
}
