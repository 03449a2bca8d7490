//! Changes, and the acts that they are: what is to be written down about a change is written in its
//! own transaction, so that neither is without the other.

use std::sync::Arc;

use tidings_ports::store::{AuditNote, StoreError};

use crate::{audit, store::SqliteStore, writer::Session};

impl SqliteStore {
    /// The same store, for one act.
    pub(crate) fn noting(&self, note: Arc<AuditNote>) -> Self {
        Self {
            writer: Arc::clone(&self.writer),
            readers: self.readers.clone(),
            leases: Arc::clone(&self.leases),
            lock: Arc::clone(&self.lock),
            note: Some(note),
        }
    }

    /// See [`crate::writer::Writer::call`].
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        match self.open_note() {
            None => self.writer.call(work).await,
            Some(note) => answered(&note, self.writer.call(noted(Arc::clone(&note), work)).await),
        }
    }

    /// See [`crate::writer::Writer::call_adding`].
    pub(crate) async fn add<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        match self.open_note() {
            None => self.writer.call_adding(work).await,
            Some(note) => answered(&note, self.writer.call_adding(noted(Arc::clone(&note), work)).await),
        }
    }

    fn open_note(&self) -> Option<Arc<AuditNote>> {
        self.note.clone().filter(|note| !note.is_written())
    }
}

/// The work, and the entry after it if it has changed anything: a repetition, or what was refused,
/// is no act.
fn noted<T, F>(
    note: Arc<AuditNote>,
    work: F,
) -> impl FnOnce(&mut Session<'_>) -> rusqlite::Result<(T, bool)> + Send + 'static
where
    F: FnOnce(&mut Session<'_>) -> rusqlite::Result<T> + Send + 'static,
{
    move |session| {
        let before = session.connection.total_changes();
        let done = work(session)?;
        let changed = session.connection.total_changes() > before;
        if changed {
            audit::append(session, &note.entry)?;
        }
        Ok((done, changed))
    }
}

/// After the commit.
fn answered<T>(note: &AuditNote, done: Result<(T, bool), StoreError>) -> Result<T, StoreError> {
    let (done, changed) = done?;
    if changed {
        note.set_written();
    }
    Ok(done)
}
