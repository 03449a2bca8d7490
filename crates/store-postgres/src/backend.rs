//! PostgreSQL as the verbs see it: transactions that are repeated where they collide.

use std::{cell::Cell, sync::Arc, time::Duration};

use deadpool_postgres::{Object, Pool};
use tidings_ports::store::StoreError;
use tidings_store_sql::{Backend, Connection, Leases, Result, Session, SqlStore, Writes};
use tokio::runtime::Handle;

use crate::{error::no_connection, transaction::Transaction};

/// The store on PostgreSQL.
pub type PostgresStore = SqlStore<PostgresBackend>;

/// How often a transaction that collided is run in all.
const TRIES_MAX: u32 = 20;
/// How long one waits after it collided, at first and at most.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// A database that other processes use as well.
#[derive(Clone)]
pub struct PostgresBackend {
    pub(crate) pool: Pool,
    /// What this process is called in the database.
    pub(crate) node: i64,
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

impl Begin {
    fn text(self, node: i64) -> String {
        match self {
            Self::Serializable => format!("BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL tidings.node = '{node}'"),
            Self::ByStatement => format!("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL tidings.node = '{node}'"),
            Self::Reading => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        }
    }
}

/// What became of a transaction.
enum Ended<T> {
    Done(T),
    Failed(StoreError),
    /// It may succeed when it is run again.
    Collided(StoreError),
}

impl PostgresBackend {
    async fn run<T, F>(&self, begin: Begin, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        let mut work = work;
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            let client = self.pool.get().await.map_err(no_connection)?;
            let text = begin.text(self.node);
            let runtime = Handle::current();
            let task = tokio::task::spawn_blocking(move || {
                let ended = carry_out(&client, runtime, &text, &work);
                (work, ended)
            });
            let ended;
            (work, ended) = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            match ended {
                Ended::Done(value) => return Ok(value),
                Ended::Failed(error) => return Err(error),
                Ended::Collided(error) if attempt == TRIES_MAX => return Err(error),
                Ended::Collided(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        unreachable!("the last attempt returns")
    }
}

/// One attempt, on a thread that may wait.
fn carry_out<T>(
    client: &Object,
    runtime: Handle,
    begin: &str,
    work: &impl Fn(&Connection<'_>) -> Result<T>,
) -> Ended<T> {
    let transaction = Transaction { client, runtime, collided: Cell::new(false) };
    let done = transaction
        .wait(client.batch_execute(begin))
        .and_then(|()| work(&Connection::new(&transaction)))
        .and_then(|value| transaction.wait(client.batch_execute("COMMIT")).map(|()| value));
    match done {
        Ok(value) => Ended::Done(value),
        Err(error) => {
            // Where even this fails, the connection is gone, and the pool gives it to nobody.
            let _ = transaction.wait(client.batch_execute("ROLLBACK"));
            match transaction.collided.get() {
                true => Ended::Collided(error.into()),
                false => Ended::Failed(error.into()),
            }
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
        self.run(begin, move |connection| work(&mut Session::shared(connection))).await
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.run(Begin::Reading, read).await
    }

    fn leases(&self) -> Option<Arc<Leases>> {
        None
    }

    async fn close(&self) {
        self.pool.close();
    }
}
