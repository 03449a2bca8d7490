//! The writer thread: whoever asks while a commit runs is in the next one.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use rusqlite::{Connection, ErrorCode};
use tidings_ports::store::StoreError;
use tidings_store_sql::{self as verbs, Error, Leases, Memory, Result, Session};
use tokio::sync::oneshot;

use crate::{
    backend::Transaction,
    checkpoint::Checkpointer,
    error::store_error,
    gate::{Gate, verb_of},
    reserve::Reserve,
};

/// Jobs that may wait for the next transaction; callers batch, so this is far from being reached
/// unless the disk stands still.
const JOBS_WAITING_MAX: usize = 10_000;

trait Job: Send {
    /// Runs inside the transaction; false asks for its part to be rolled back.
    fn run(&mut self, session: &mut Session<'_>) -> bool;
    /// Whether it brings something new, which has to wait when the disk is full.
    fn adds(&self) -> bool;
    /// Whether it failed because the disk is full.
    fn found_disk_full(&self) -> Option<StoreError>;
    /// Answers the caller once the commit has succeeded or failed.
    fn finish(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Call<T, F> {
    work: Option<F>,
    adds: bool,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: FnOnce(&mut Session<'_>) -> Result<T> + Send,
{
    fn run(&mut self, session: &mut Session<'_>) -> bool {
        let outcome = self.work.take().map(|work| work(session));
        let succeeded = matches!(outcome, Some(Ok(_)));
        self.outcome = outcome;
        succeeded
    }

    fn adds(&self) -> bool {
        self.adds
    }

    fn found_disk_full(&self) -> Option<StoreError> {
        match self.outcome.as_ref()?.as_ref().err()? {
            Error::Store(full @ StoreError::Full(_)) => Some(full.clone()),
            _ => None,
        }
    }

    fn finish(self: Box<Self>, commit: Result<(), StoreError>) {
        let answer = match (self.outcome, commit) {
            // Whatever a job stumbled over in a transaction that was lost, it is tried again.
            (_, Err(error)) => Err(error),
            (Some(Err(error)), Ok(())) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(answer);
    }
}

#[derive(Default)]
struct Inbox {
    jobs: Vec<Box<dyn Job>>,
    closed: bool,
}

/// The way to the writer thread.
pub(crate) struct Writer {
    inbox: Arc<(Mutex<Inbox>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// In place of the thread, in simulations.
    inline: Option<Inline>,
}

/// What the thread would own.
struct Inline {
    gate: Arc<dyn Gate>,
    state: Mutex<(Connection, Memory)>,
    leases: Arc<Leases>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        connection: Connection,
        memory: Memory,
        leases: Arc<Leases>,
        checkpointer: Checkpointer,
        reserve: Reserve,
    ) -> std::io::Result<Self> {
        let inbox: Arc<(Mutex<Inbox>, Condvar)> = Arc::default();
        let own = Arc::clone(&inbox);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write_until_closed(&own, connection, memory, &leases, &checkpointer, reserve))?;
        Ok(Self { inbox, thread: Mutex::new(Some(thread)), inline: None })
    }

    /// Without a thread: each call is carried out where it is made, between two looks at the gate.
    pub(crate) fn inline(connection: Connection, memory: Memory, leases: Arc<Leases>, gate: Arc<dyn Gate>) -> Self {
        let inline = Inline { gate, state: Mutex::new((connection, memory)), leases };
        Self { inbox: Arc::default(), thread: Mutex::default(), inline: Some(inline) }
    }

    /// Whether it has no thread.
    pub(crate) fn is_inline(&self) -> bool {
        self.inline.is_some()
    }

    /// Runs `work` in the next transaction and answers after its commit is on disk.
    pub(crate) async fn call<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.queue(work, false).await
    }

    /// The same for what brings something new: refused first when the disk is full.
    pub(crate) async fn call_adding<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        self.queue(work, true).await
    }

    async fn queue<T, F>(&self, work: F, adds: bool) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Call { work: Some(work), adds, outcome: None, reply });
        if let Some(inline) = &self.inline {
            let verb = verb_of::<F>();
            inline.gate.enter(verb).await?;
            if !locked(&self.inbox.0).closed {
                let (connection, memory) = &mut *locked(&inline.state);
                commit_jobs(connection, memory, &inline.leases, vec![job]);
            }
            inline.gate.leave(verb).await;
        } else {
            let (inbox, wake) = &*self.inbox;
            let mut inbox = locked(inbox);
            if inbox.closed {
                return Err(StoreError::Closed);
            }
            if inbox.jobs.len() >= JOBS_WAITING_MAX {
                return Err(StoreError::Unavailable("too many writes are waiting for the disk".to_owned()));
            }
            inbox.jobs.push(job);
            if inbox.jobs.len() == 1 {
                wake.notify_one();
            }
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Finishes what is waiting and ends the thread.
    pub(crate) fn close(&self) {
        {
            let (inbox, wake) = &*self.inbox;
            locked(inbox).closed = true;
            wake.notify_one();
        }
        if let Some(thread) = locked(&self.thread).take() {
            // The thread ends by itself once its inbox is empty; a panic in it was already logged.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_until_closed(
    inbox: &(Mutex<Inbox>, Condvar),
    connection: Connection,
    mut memory: Memory,
    leases: &Leases,
    checkpointer: &Checkpointer,
    mut reserve: Reserve,
) {
    let _end = EndOnPanic;
    loop {
        let mut jobs = {
            let (inbox, wake) = inbox;
            let mut inbox = locked(inbox);
            while inbox.jobs.is_empty() && !inbox.closed {
                inbox = wake.wait(inbox).unwrap_or_else(PoisonError::into_inner);
            }
            mem::take(&mut inbox.jobs)
        };
        if jobs.is_empty() {
            break;
        }
        if reserve.is_given_up() {
            jobs = refuse_new(&mut reserve, jobs);
        }
        match commit_jobs(&connection, &mut memory, leases, jobs) {
            Committed::Full => reserve.give_up(),
            // Whoever came meanwhile has waited for the same lock.
            Committed::Locked(error) => refuse_all(inbox, &error),
            Committed::AsAsked => {}
        }
        checkpointer.after_commit(&connection, reserve.is_given_up());
    }
    checkpointer.stop();
    // Closing the last connection copies the WAL back, so that the directory holds one file.
    drop(connection);
}

/// Answers whoever brings something new to a full disk; returns the others.
fn refuse_new(reserve: &mut Reserve, jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    reserve.take_back();
    if !reserve.is_given_up() {
        return jobs;
    }
    let (new, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.adds());
    for job in new {
        job.finish(Err(reserve.refusal()));
    }
    others
}

/// Ends the process if it is dropped by a panic: without its writer nothing is answered any more,
/// and what was acknowledged is on disk.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer thread failed; the process ends");
            std::process::abort();
        }
    }
}

fn refuse_all((inbox, _): &(Mutex<Inbox>, Condvar), error: &StoreError) {
    let jobs = mem::take(&mut locked(inbox).jobs);
    for job in jobs {
        job.finish(Err(error.clone()));
    }
}

/// What became of a transaction, as far as the writer itself has to act on it.
enum Committed {
    /// It was committed, or its callers have been told why not.
    AsAsked,
    /// The disk is full.
    Full,
    /// Another process did not let go of the database in time.
    Locked(StoreError),
}

fn commit_jobs(
    connection: &Connection,
    memory: &mut Memory,
    leases: &Leases,
    mut jobs: Vec<Box<dyn Job>>,
) -> Committed {
    if jobs.is_empty() {
        return Committed::AsAsked;
    }
    let begun = execute(connection, "BEGIN IMMEDIATE");
    let is_locked = begun.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
    let committed = match begun {
        Ok(()) => run_transaction(connection, memory, &mut jobs),
        Err(error) => Err(store_error(&error)),
    };
    // A whole transaction is lost for no fault of one job's data: everything in it is tried again.
    let committed = committed.map_err(|error| match error {
        StoreError::Refused(reason) => StoreError::Unavailable(reason),
        other => other,
    });
    match &committed {
        Ok(()) => {
            memory.commit(leases);
        }
        Err(error) => {
            memory.roll_back();
            tracing::error!(error = %error, jobs = jobs.len(), "a transaction was rolled back");
            if !connection.is_autocommit() {
                // If even this fails the next BEGIN reports it.
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
    }
    for job in jobs {
        job.finish(committed.clone());
    }
    match committed {
        Err(StoreError::Full(_)) => Committed::Full,
        Err(error) if is_locked => Committed::Locked(error),
        _ => Committed::AsAsked,
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Runs the jobs in the transaction that has begun, and commits it.
fn run_transaction(connection: &Connection, memory: &mut Memory, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let execute = |sql: &str| execute(connection, sql).map_err(|error| store_error(&error));
    for job in jobs.iter_mut() {
        // Each job in a savepoint of its own: one that fails takes nobody else with it.
        execute("SAVEPOINT job")?;
        let mark = memory.mark();
        if !job.run(&mut Session::alone(&verbs::Connection::new(&Transaction::new(connection)), memory)) {
            // A full disk is everybody's: SQLite may have rolled back all of it already.
            if let Some(full) = job.found_disk_full() {
                return Err(full);
            }
            memory.roll_back_to(mark);
            execute("ROLLBACK TO job")?;
        }
        execute("RELEASE job")?;
    }
    execute("COMMIT")
}
