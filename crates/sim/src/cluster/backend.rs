//! One node's way to the shared database, and to the other nodes in it.

use std::{sync::Arc, time::Duration};

use tidings_ports::store::{Nodes, Starting, StoreError};
use tidings_store_sql::{
    Backend, Connection, Ended, Fate, Heads, Leases, Meeting, Node, Result, Session, TransactionId, Writes,
};
use tidings_store_sqlite::{Gate as _, verb_of};

use super::database::Database;
use crate::{clock::SimClock, gate::SimGate};

type Said<T> = Result<T, StoreError>;

/// Whoever uses the database, and how it gets there.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) database: Arc<Database>,
    pub(crate) gate: Arc<SimGate>,
    pub(crate) clock: Arc<SimClock>,
}

impl Way {
    /// Asks the database something, if it can be reached, and hears the answer, if that arrives.
    async fn ask<T>(&self, verb: &'static str, work: impl FnOnce(&Database) -> Said<T>) -> Said<T> {
        self.gate.enter(verb).await?;
        let answer = work(&self.database);
        self.gate.leave(verb).await;
        match self.gate.loses_answer(verb) {
            true => Err(lost()),
            false => answer,
        }
    }
}

/// This database never crashes, so its numbers are never given again.
fn mark(number: i64) -> TransactionId {
    TransactionId { number, witness: 0 }
}

fn lost() -> StoreError {
    StoreError::Unavailable("the connection broke before the answer".to_owned())
}

impl Meeting for Way {
    async fn together<T, F>(&self, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.ask(verb_of::<F>(), |database| database.transact(0, work)).await
    }

    async fn apart<T, F>(&self, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.ask(verb_of::<F>(), |database| database.transact(0, work)).await
    }

    async fn fate(&self, transaction: TransactionId) -> Said<Fate> {
        let fate = self.ask("fate", |database| Ok(database.fate(transaction.number))).await?;
        Ok(match fate {
            None => Fate::Open,
            Some(true) => Fate::Committed,
            Some(false) => Fate::Aborted,
        })
    }

    async fn start_alone(&self) -> Said<Starting> {
        Ok(Box::new(()))
    }

    async fn pause(&self, time: Duration) {
        self.clock.pass_ms(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).await;
    }

    fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }
}

/// One node among others.
#[derive(Clone)]
pub(crate) struct SharedBackend {
    pub(crate) way: Way,
    pub(crate) node: Arc<Node<Way>>,
    pub(crate) heads: Arc<Heads>,
}

impl Backend for SharedBackend {
    async fn write<T, F>(&self, kind: Writes, work: F) -> Said<T>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        let (verb, database) = (verb_of::<F>(), &self.way.database);
        self.way.gate.enter(verb).await?;
        if self.way.gate.loses_commit(verb) {
            // What asks for what became of it learns that it never came about.
            let ended = Ended::Unknown { transaction: mark(database.note_fate(false)), error: lost() };
            self.node.conclude(kind, tidings_store_sql::Afterwards::default(), ended).await?;
            return Err(lost());
        }
        let done = database.write(self.node.writes_as(), |connection| {
            let mut session = Session::shared(connection, &self.heads);
            let value = work(&mut session)?;
            Ok((value, session.afterwards()))
        });
        self.way.gate.leave(verb).await;
        let (value, afterwards) = done?;
        let ended = match self.way.gate.loses_answer(verb) {
            true => Ended::Unknown { transaction: mark(database.note_fate(true)), error: lost() },
            false => Ended::Committed,
        };
        self.node.conclude(kind, afterwards, ended).await?;
        Ok(value)
    }

    async fn read<T, F>(&self, read: F) -> Said<T>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.way.ask(verb_of::<F>(), |database| database.transact(0, read)).await
    }

    fn leases(&self) -> Option<Arc<Leases>> {
        None
    }

    fn nodes(&self) -> Option<&dyn Nodes> {
        Some(&*self.node)
    }

    async fn close(&self) {
        // Should it fail, the others find out that it is gone.
        drop(self.node.leave().await);
    }
}
