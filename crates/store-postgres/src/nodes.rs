//! Where processes meet: in PostgreSQL, by connections of a process's own, however busy its others are.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Object, Pool};
use tidings_ports::store::{Starting, StoreError};
use tidings_store_sql::{Connection, Fate, Meeting, Result, TransactionId};
use tokio::runtime::Handle;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    backend::{Ended, carry_out, statement_by_statement},
    error::no_connection,
    reach::Reach,
    sql::node_text,
};

/// How long a process waits until others have started, in seconds.
const START_WAIT_S: u32 = 60;

type Said<T> = Result<T, StoreError>;

/// A database as processes meet in it.
pub(crate) struct Forum {
    pool: Pool,
    reach: Arc<Reach>,
}

impl Forum {
    /// Puts a witness there, by which is known whether the database has crashed.
    pub(crate) async fn open(pool: Pool, reach: Arc<Reach>, witness: i64) -> Said<Self> {
        let forum = Self { pool, reach };
        forum.put_witness(witness).await?;
        Ok(forum)
    }

    async fn client(&self) -> Said<Object> {
        self.pool.get().await.map_err(no_connection)
    }

    async fn put_witness(&self, id: i64) -> Said<()> {
        self.ask("put_witness", &[(&id, Type::INT8)]).await?;
        self.reach.set_witness(id);
        Ok(())
    }

    async fn ask(&self, name: &'static str, params: &[(&(dyn ToSql + Sync), Type)]) -> Said<Vec<Row>> {
        let waiting = self.reach.beating();
        let client = self.client().await?;
        let answer = waiting.answer(client.query_typed(node_text(name), params)).await;
        answer.map_err(|lost| {
            // Nobody gets a connection on which an answer may still come.
            drop(Object::take(client));
            lost.into()
        })
    }
}

async fn beside<T: Send + 'static>(work: impl FnOnce(Handle) -> Said<T> + Send + 'static) -> Said<T> {
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || work(runtime));
    done.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

impl Meeting for Forum {
    async fn together<T, F>(&self, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        let reach = Arc::clone(&self.reach);
        reach.beating();
        let client = self.client().await?;
        beside(move |runtime| {
            let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
            match carry_out(client, (runtime, reach.beating()), begin, work) {
                Ended::Done(value) => Ok(value),
                Ended::Failed(error)
                | Ended::Collided(error)
                | Ended::Homeless(_, error)
                | Ended::Unknown { error, .. } => Err(error),
            }
        })
        .await
    }

    async fn apart<T, F>(&self, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        let reach = Arc::clone(&self.reach);
        reach.beating();
        let client = self.client().await?;
        beside(move |runtime| statement_by_statement(client, (runtime, reach.beating()), work)).await
    }

    /// A database that crashes forgets the numbers of transactions of which nothing was on disk, and gives them to
    /// others: what it says of such a number is about one of those. It loses its witnesses then, too; so without the
    /// witness of that time it is believed only that there is nothing.
    async fn fate(&self, transaction: TransactionId) -> Said<Fate> {
        self.reach.check()?;
        let TransactionId { number, witness } = transaction;
        let rows = match self.ask("fate", &[(&number, Type::INT8), (&witness, Type::INT8)]).await {
            // The number has not been given to anybody: so it was forgotten.
            Err(StoreError::Refused(_)) => return Ok(Fate::Aborted),
            rows => rows?,
        };
        let (status, has_witness): (Option<&str>, bool) = (rows[0].get(0), rows[0].get(1));
        if !has_witness && self.reach.witness() == witness {
            self.put_witness(next_witness(witness)).await?;
        }
        Ok(match (status, has_witness) {
            (Some("in progress"), true) => Fate::Open,
            (Some("committed"), true) => Fate::Committed,
            (Some("in progress" | "committed"), false) => Fate::Unclear,
            _ => Fate::Aborted,
        })
    }

    async fn start_alone(&self) -> Said<Starting> {
        let client = self.client().await?;
        let begin = format!("BEGIN; SET LOCAL lock_timeout = '{START_WAIT_S}s'; {}", node_text("start_alone"));
        // Its transaction is open, and ends with the connection.
        let client = Object::take(client);
        client.batch_execute(&begin).await.map_err(|error| crate::error::store_error(&error))?;
        Ok(Box::new(client))
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }
}

/// Another one that nobody else has.
fn next_witness(id: i64) -> i64 {
    id.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
