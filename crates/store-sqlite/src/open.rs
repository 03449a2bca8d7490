//! Opening the store: the directory, its lock, the database, and whoever works on it.

use std::{
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use tidings_store_sql::{Leases, Memory, SqlStore};

use crate::{
    OpenError, SqliteStore,
    backend::SqliteBackend,
    checkpoint::Checkpointer,
    connection::{assert_version, open_writer},
    gate::Gate,
    left::refuse,
    lock::lock_directory,
    readers::Readers,
    reserve::Reserve,
    writer::Writer,
};

/// The database's file name in the data directory.
pub(crate) const FILE_NAME: &str = "tidings.sqlite";

/// How a store works: with threads and a reserve of disk space, or inline in a simulation.
enum Mode {
    Threads(Reserve),
    Inline(Arc<dyn Gate>),
}

/// Opens the store in a directory, which is made if it does not exist.
pub fn open(directory: &Path) -> Result<SqliteStore, OpenError> {
    open_with(directory, None)
}

/// Opens the store without threads of its own, for simulations: each call is carried out where
/// it is made, between two looks at the gate.
pub fn open_inline(directory: &Path, gate: Arc<dyn Gate>) -> Result<SqliteStore, OpenError> {
    open_with(directory, Some(gate))
}

fn open_with(directory: &Path, gate: Option<Arc<dyn Gate>>) -> Result<SqliteStore, OpenError> {
    assert_version()?;
    make_directory(directory)?;
    let lock = lock_directory(directory)?;
    refuse(directory)?;
    // First: where the disk is full, opening needs the room that it gives up.
    let mode = match gate {
        Some(gate) => Mode::Inline(gate),
        None => Mode::Threads(
            Reserve::open(directory).map_err(|reason| OpenError::Directory { path: directory.to_owned(), reason })?,
        ),
    };
    let path = directory.join(FILE_NAME);
    make_file(&path)?;
    let failed = |reason| OpenError::Directory { path: path.clone(), reason };
    let mut connection = open_writer(&path)?;
    let leases = Arc::new(Leases::default());
    let (writer, gate) = match mode {
        Mode::Threads(reserve) => {
            let checkpointer = Checkpointer::start(&path, &mut connection).map_err(failed)?;
            let writer = Writer::start(connection, Memory::default(), Arc::clone(&leases), checkpointer, reserve);
            (writer.map_err(failed)?, None)
        }
        Mode::Inline(gate) => {
            let writer = Writer::inline(connection, Memory::default(), Arc::clone(&leases), Arc::clone(&gate));
            (writer, Some(gate))
        }
    };
    let (writer, readers) = (Arc::new(writer), Readers::new(path, gate));
    Ok(SqlStore::new(SqliteBackend { writer, readers, leases, _lock: Arc::new(lock) }))
}

/// Only its owner may look into it: it holds the master key.
pub(crate) fn make_directory(directory: &Path) -> Result<(), OpenError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|reason| OpenError::Directory { path: directory.to_owned(), reason })
}

/// SQLite gives its other files the mode of this one.
pub(crate) fn make_file(path: &Path) -> Result<(), OpenError> {
    let opened = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    opened.map(drop).map_err(|reason| OpenError::Directory { path: path.to_owned(), reason })
}
