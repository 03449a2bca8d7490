//! Copying the WAL back into the database, beside the writer and in small steps.
//!
//! SQLite's own checkpoint runs inside a commit and is its p99. Here a thread of its own copies
//! most of the WAL back while commits go on; when the WAL is long, the writer itself copies the
//! short rest between two commits, after which the file is used again from its beginning. The file
//! keeps its size: overwriting is cheaper to sync than growing.

use std::{
    cell::Cell,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;

use crate::connection::open_checkpointer;

/// Frames (pages) in the WAL from which on the thread copies: 8 MiB.
const FRAMES_TO_COPY: u32 = 2_000;
/// Frames from which on the writer finishes the copy, so that the file starts over: 48 MiB.
const FRAMES_TO_FINISH: u32 = 12_000;
/// The same where the disk is full, and the WAL must not take what is left: 1 MiB.
const FRAMES_TO_FINISH_TIGHT: u32 = 256;

#[derive(Default)]
struct Signal {
    wanted: bool,
    stopping: bool,
}

/// The copying thread and the way to it.
pub(crate) struct Checkpointer {
    signal: Arc<(Mutex<Signal>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Frames in the WAL after the last commit.
    frames: Arc<AtomicU32>,
    /// Frames at the last request, so that the thread is not woken by every commit.
    asked_at: Cell<u32>,
}

impl Checkpointer {
    /// Starts the thread, and counts the frames that `writer` commits.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> std::io::Result<Self> {
        let frames: Arc<AtomicU32> = Arc::default();
        let noted = Arc::clone(&frames);
        writer
            .wal_hook(Some(move |_: &mut _, count| {
                noted.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(std::io::Error::other)?;
        let connection = open_checkpointer(path).map_err(std::io::Error::other)?;
        let signal: Arc<(Mutex<Signal>, Condvar)> = Arc::default();
        let own = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("sqlite-copy".to_owned())
            .spawn(move || copy_until_stopped(&own, &connection))?;
        Ok(Self { signal, thread: Mutex::new(Some(thread)), frames, asked_at: Cell::new(0) })
    }

    /// Called by the writer after each transaction; `tight` where the disk is full.
    pub(crate) fn after_commit(&self, connection: &Connection, tight: bool) {
        let frames = self.frames.load(Ordering::Relaxed);
        if frames < self.asked_at.get() {
            self.asked_at.set(0);
        }
        if frames >= if tight { FRAMES_TO_FINISH_TIGHT } else { FRAMES_TO_FINISH } {
            copy(connection);
        }
        if frames >= self.asked_at.get() + FRAMES_TO_COPY {
            self.asked_at.set(frames);
            let (signal, wake) = &*self.signal;
            signal.lock().unwrap_or_else(PoisonError::into_inner).wanted = true;
            wake.notify_one();
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        {
            let (signal, wake) = &*self.signal;
            signal.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
            wake.notify_one();
        }
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn copy_until_stopped(signal: &(Mutex<Signal>, Condvar), connection: &Connection) {
    loop {
        {
            let (signal, wake) = signal;
            let mut signal = signal.lock().unwrap_or_else(PoisonError::into_inner);
            while !signal.wanted && !signal.stopping {
                signal = wake.wait(signal).unwrap_or_else(PoisonError::into_inner);
            }
            if signal.stopping {
                return;
            }
            signal.wanted = false;
        }
        copy(connection);
    }
}

fn copy(connection: &Connection) {
    // PASSIVE waits for nobody. If somebody else is copying it reports so, and that is fine.
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = copied {
        tracing::warn!(error = %error, "copying the write-ahead log back failed; it is tried again");
    }
}
