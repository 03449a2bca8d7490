//! Where processes meet: in PostgreSQL, by connections of a process's own, however busy its others are.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tidings_ports::store::{Starting, StoreError};
use tidings_store_sql::{Connection, Meeting, Result};
use tokio::runtime::Handle;
use tokio_postgres::types::Type;

use crate::{
    backend::{Ended, carry_out, statement_by_statement},
    error::{no_connection, store_error},
    sql::node_text,
};

/// How long a process waits until others have started, in seconds.
const START_WAIT_S: u32 = 60;

type Said<T> = Result<T, StoreError>;

/// A database as processes meet in it.
pub(crate) struct Forum(pub(crate) Pool);

impl Forum {
    async fn client(&self) -> Said<Object> {
        self.0.get().await.map_err(no_connection)
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
        let client = self.client().await?;
        beside(move |runtime| match carry_out(client, runtime, "BEGIN ISOLATION LEVEL READ COMMITTED", work) {
            Ended::Done(value) => Ok(value),
            Ended::Failed(error)
            | Ended::Collided(error)
            | Ended::Homeless(_, error)
            | Ended::Unknown { error, .. } => Err(error),
        })
        .await
    }

    async fn apart<T, F>(&self, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        let client = self.client().await?;
        beside(move |runtime| statement_by_statement(&client, runtime, work)).await
    }

    async fn fate(&self, transaction: i64) -> Said<Option<bool>> {
        let client = self.client().await?;
        let rows = client.query_typed(node_text("fate"), &[(&transaction, Type::INT8)]).await;
        let rows = rows.map_err(|error| store_error(&error))?;
        Ok(match rows[0].get::<_, Option<&str>>(0) {
            Some("in progress") => None,
            fate => Some(fate == Some("committed")),
        })
    }

    async fn start_alone(&self) -> Said<Starting> {
        let client = self.client().await?;
        let begin = format!("BEGIN; SET LOCAL lock_timeout = '{START_WAIT_S}s'; {}", node_text("start_alone"));
        // Its transaction is open, and ends with the connection.
        let client = Object::take(client);
        client.batch_execute(&begin).await.map_err(|error| store_error(&error))?;
        Ok(Box::new(client))
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }
}
