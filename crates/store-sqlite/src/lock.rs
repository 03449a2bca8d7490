//! One process per directory.

use std::{
    fs::{File, OpenOptions},
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use crate::OpenError;

/// Held as long as the store is open; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

/// Takes the lock or says who should.
pub(crate) fn lock_directory(directory: &Path) -> Result<DirectoryLock, OpenError> {
    let path = directory.join("tidings.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|reason| OpenError::Directory { path: path.clone(), reason })?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| OpenError::InUse { path })?;
    Ok(DirectoryLock { _file: file })
}
