//! PostgreSQL as the verbs see it: transactions that are repeated where they collide.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Object, Pool};
use tidings_domain::time::Timestamp;
use tidings_ports::store::{Nodes, StoreError};
use tidings_store_sql::{
    self as verbs, Backend, Connection, Error, Heads, Leases, Node, Result, Session, SqlStore, TransactionId, Writes,
};
use tokio::{runtime::Handle, sync::Mutex};
use tokio_postgres::SimpleQueryMessage;

use crate::{
    error::{is_over, no_connection},
    nodes::Forum,
    partitions::Partitions,
    reach::{Lost, Reach, Waiting},
    transaction::Transaction,
};

/// The store on PostgreSQL.
pub type PostgresStore = SqlStore<PostgresBackend>;

/// How often a transaction that collided is run in all.
const TRIES_MAX: u32 = 20;
/// How long one waits after it collided, at first and at most.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// How long a change that collided waits for those of this process that collided before it.
const TURN_MAX: Duration = Duration::from_secs(5);

/// A database that other processes use as well.
#[derive(Clone)]
pub struct PostgresBackend {
    pub(crate) pool: Pool,
    /// Whether the database answers.
    pub(crate) reach: Arc<Reach>,
    /// This process among them.
    pub(crate) node: Arc<Node<Forum>>,
    pub(crate) partitions: Arc<Partitions>,
    pub(crate) heads: Arc<Heads>,
    /// Held by the change of this process that collided and is run again, one after the other as they came: those of one
    /// process would go on colliding with each other, and whoever has no luck would be refused in the end.
    pub(crate) again: Arc<Mutex<()>>,
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
/// Nobody waits for whoever only reads; who reads may have to wait for somebody who has locked a whole table.
const BOUNDS_OF_READING: &str = "SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '10s'; \
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
pub(crate) enum Ended<T> {
    Done(T),
    Failed(StoreError),
    /// It may succeed when it is run again.
    Collided(StoreError),
    /// The same, once there is a partition for a row with this sequence.
    Homeless(i64, StoreError),
    /// Nobody answered when it was to be committed.
    Unknown {
        value: T,
        transaction: TransactionId,
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
        let mut turn = None;
        for attempt in 1.. {
            self.reach.check()?;
            let client = self.pool.get().await.map_err(no_connection)?;
            let text = begin.text(self.node.writes_as());
            let (runtime, reach) = (Handle::current(), Arc::clone(&self.reach));
            let task = tokio::task::spawn_blocking(move || {
                let ended = carry_out(client, (runtime, reach.hopeful()), &text, &work);
                (work, ended)
            });
            let ended;
            (work, ended) = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            match ended {
                Ended::Failed(error) => return Err(error),
                Ended::Collided(error) | Ended::Homeless(_, error) if attempt == TRIES_MAX => return Err(error),
                Ended::Collided(_) => {}
                Ended::Homeless(seq, _) => self.partitions.make_for(&self.pool, seq).await?,
                ended => return Ok(ended),
            }
            match begin {
                Begin::Serializable if turn.is_none() => {
                    let free = tokio::time::timeout(TURN_MAX, Arc::clone(&self.again).lock_owned()).await;
                    let all_wait = || StoreError::Unavailable("too many changes at the same time".to_owned());
                    turn = Some(free.map_err(|_| all_wait())?);
                }
                _ => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
        unreachable!("the last attempt returns")
    }
}

/// One attempt, on a thread that may wait.
pub(crate) fn carry_out<T>(
    client: Object,
    (runtime, waiting): (Handle, Waiting<'_>),
    begin: &str,
    work: impl FnOnce(&Connection<'_>) -> Result<T>,
) -> Ended<T> {
    // Whatever happens here, a verb that panics included: nobody gets a connection whose transaction is open.
    let held = Held(Some(client));
    let client = held.client();
    let transaction = Transaction::new(client, runtime, waiting);
    // Before it begins: what is there now is gone if this is lost by a crash.
    let witness = waiting.reach.witness();
    let begun = transaction.wait(client.simple_query(begin)).and_then(|answers| number_of(&answers));
    let done = begun.and_then(|number| work(&Connection::new(&transaction)).map(|value| (number, value)));
    let (number, value) = match done {
        Ok(done) => done,
        Err(error) => {
            let (collided, homeless) = (transaction.collided.get(), transaction.without_partition.get());
            // Where even this fails, the connection is gone, and the pool gives it to nobody.
            if !transaction.lost.get() && transaction.wait(client.batch_execute("ROLLBACK")).is_ok() {
                held.give_back();
            }
            return match homeless {
                Some(seq) => Ended::Homeless(seq, error.into()),
                None if collided => Ended::Collided(error.into()),
                None => Ended::Failed(error.into()),
            };
        }
    };
    match transaction.wait_for_any(client.batch_execute("COMMIT")) {
        Ok(()) => {
            held.give_back();
            Ended::Done(value)
        }
        // It was refused, and is over.
        Err(Lost::Said(error)) if is_over(&error) => {
            let (collided, error) = (transaction.collided.get(), Lost::Said(error).into());
            held.give_back();
            if collided { Ended::Collided(error) } else { Ended::Failed(error) }
        }
        Err(lost) => match number {
            Some(number) => {
                Ended::Unknown { value, transaction: TransactionId { number, witness }, error: lost.into() }
            }
            // What only reads has read.
            None => Ended::Done(value),
        },
    }
}

/// Statements that are transactions of their own, on a thread that may wait.
pub(crate) fn statement_by_statement<T>(
    client: Object,
    (runtime, waiting): (Handle, Waiting<'_>),
    work: impl FnOnce(&Connection<'_>) -> Result<T>,
) -> Result<T, StoreError> {
    let held = Held(Some(client));
    let client = held.client();
    let transaction = Transaction::new(client, runtime, waiting);
    let done = work(&Connection::new(&transaction)).map_err(StoreError::from);
    // Nobody gets a connection on which an answer may still come.
    if !transaction.lost.get() {
        held.give_back();
    }
    done
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
        let heads = Arc::clone(&self.heads);
        let ended = self.run(begin, move |connection| {
            let mut session = Session::shared(connection, &heads);
            let value = work(&mut session)?;
            Ok((value, session.afterwards()))
        });
        let ((value, afterwards), ended) = match ended.await? {
            Ended::Done(done) => (done, verbs::Ended::Committed),
            Ended::Unknown { value, transaction, error } => (value, verbs::Ended::Unknown { transaction, error }),
            Ended::Failed(error) | Ended::Collided(error) | Ended::Homeless(_, error) => return Err(error),
        };
        self.node.conclude(kind, afterwards, ended).await?;
        Ok(value)
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        match self.run(Begin::Reading, read).await? {
            Ended::Done(value) | Ended::Unknown { value, .. } => Ok(value),
            Ended::Failed(error) | Ended::Collided(error) | Ended::Homeless(_, error) => Err(error),
        }
    }

    async fn roll_partitions(&self, now: Timestamp, days: u32) -> Result<i64, StoreError> {
        self.partitions.roll(&self.pool, now, days).await
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
