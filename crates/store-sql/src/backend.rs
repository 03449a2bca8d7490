//! What makes transactions, and the store over it.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{ids::first_sequence_at, time::Timestamp};
use tidings_ports::store::{AuditNote, Beat, Exchange, Exchanged, Joined, NodeView, Nodes, Starting, StoreError};

use crate::{
    audit,
    database::{Connection, Result},
    memory::Leases,
    session::Session,
};

/// A database that keeps what it has said it keeps.
pub trait Backend: Clone + Send + Sync + 'static {
    /// Runs `work` in one transaction and answers after its commit is on disk. It is run again where the
    /// transaction did not come about for no fault of its own.
    fn write<T, F>(&self, kind: Writes, work: F) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static;

    /// Runs `read` in one transaction that changes nothing, so that all its statements see the same state.
    fn read<T, F>(&self, read: F) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static;

    /// What the only process that writes knows of its leases.
    fn leases(&self) -> Option<Arc<Leases>>;

    /// The other processes that use the database, if there can be any.
    fn nodes(&self) -> Option<&dyn Nodes> {
        None
    }

    /// Where events lie in partitions by time: see [`Retention::roll_partitions`](tidings_ports::store::Retention).
    fn roll_partitions(&self, now: Timestamp, days: u32) -> impl Future<Output = Result<i64, StoreError>> + Send {
        let kept_since = now.as_millis().saturating_sub(i64::from(days) * 86_400_000);
        async move { Ok(first_sequence_at(Timestamp::from_millis(kept_since))) }
    }

    /// Finishes what is under way, and refuses all else.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Something new, which has to wait while the disk is full.
    More,
    /// What is there is changed.
    Changes,
    /// Events, in a transaction whose statements hold by themselves, whoever writes beside it.
    Events,
    /// Leases and verdicts, likewise.
    Leases,
}

/// The store as the ports see it, over any database.
#[derive(Clone)]
pub struct SqlStore<B> {
    pub(crate) backend: B,
    /// What is to be written down with the next change.
    note: Option<Arc<AuditNote>>,
}

impl<B: Backend> SqlStore<B> {
    /// Over a database that is ready.
    pub fn new(backend: B) -> Self {
        Self { backend, note: None }
    }

    /// The database.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The same store, for one act.
    pub(crate) fn noting(&self, note: Arc<AuditNote>) -> Self {
        Self { backend: self.backend.clone(), note: Some(note) }
    }

    /// Changes what is there.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.write(Writes::Changes, work).await
    }

    /// Adds something, which is refused first when the disk is full.
    pub(crate) async fn add<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.write(Writes::More, work).await
    }

    /// Changes, and the acts that they are: what is to be written down about a change is written in its
    /// own transaction, so that neither is without the other.
    pub(crate) async fn write<T, F>(&self, kind: Writes, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        match self.note.clone().filter(|note| !note.is_written()) {
            None => self.backend.write(kind, work).await,
            Some(note) => {
                let (done, changed) = self.backend.write(kind, noted(Arc::clone(&note), work)).await?;
                if changed {
                    note.set_written();
                }
                Ok(done)
            }
        }
    }

    /// Reads.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection<'_>) -> Result<T> + Send + 'static,
    {
        self.backend.read(read).await
    }
}

/// The work, and the entry after it if it has changed anything: a repetition, or what was refused,
/// is no act.
fn noted<T, F>(note: Arc<AuditNote>, work: F) -> impl Fn(&mut Session<'_>) -> Result<(T, bool)> + Send + 'static
where
    F: Fn(&mut Session<'_>) -> Result<T> + Send + 'static,
{
    move |session| {
        let before = session.connection.changes();
        let done = work(session)?;
        let changed = session.connection.changes() > before;
        if changed {
            audit::append(session, &note.entry)?;
        }
        Ok((done, changed))
    }
}

#[async_trait]
impl<B: Backend> Nodes for SqlStore<B> {
    fn joined(&self) -> Option<Joined> {
        self.backend.nodes()?.joined()
    }

    async fn start_alone(&self) -> Result<Starting, StoreError> {
        match self.backend.nodes() {
            Some(nodes) => nodes.start_alone().await,
            None => Ok(Box::new(())),
        }
    }

    async fn beat(&self, heard: u64) -> Result<Beat, StoreError> {
        match self.backend.nodes() {
            Some(nodes) => nodes.beat(heard).await,
            None => Ok(Beat::of_the_only_one(heard)),
        }
    }

    async fn exchange(&self, exchange: Exchange) -> Result<Exchanged, StoreError> {
        match self.backend.nodes() {
            Some(nodes) => nodes.exchange(exchange).await,
            None => Ok(Exchanged::default()),
        }
    }

    async fn list_nodes(&self) -> Result<Vec<NodeView>, StoreError> {
        match self.backend.nodes() {
            Some(nodes) => nodes.list_nodes().await,
            None => Ok(Vec::new()),
        }
    }
}
