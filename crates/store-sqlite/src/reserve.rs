//! Room kept for what has to be written when the disk is full.
//!
//! A file that holds nothing takes its place on the disk beforehand. When the disk is full the
//! file goes, and what it leaves is for verdicts, retries and changes; whatever adds something new
//! is refused first. Once there is room the file is made again, and everything is as before.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tidings_ports::store::StoreError;

/// The file's name in the data directory.
const FILE_NAME: &str = "tidings.reserve";
/// Its size: verdicts of some ten thousand deliveries.
const RESERVE_BYTES: u64 = 16 << 20;
/// Room that has to be free beside it before anything new is taken again.
const HEADROOM_BYTES: u64 = 16 << 20;
/// A file of this size counts as there: its file system may round.
const RESERVE_BYTES_MIN: u64 = RESERVE_BYTES - (64 << 10);
/// The unit of `st_blocks` (stat(2)).
const STAT_BLOCK_BYTES: u64 = 512;

/// The reserve, and whether it has been given up.
#[derive(Debug)]
pub(crate) struct Reserve {
    directory: PathBuf,
    given_up: bool,
}

impl Reserve {
    /// The reserve of a data directory: made if there is room, given up if there is none.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        let mut reserve = Self { directory: directory.to_owned(), given_up: false };
        let held = reserve.bytes_held();
        let enough = reserve.bytes_free()?.saturating_add(held) >= RESERVE_BYTES + HEADROOM_BYTES;
        let is_there = enough && (held >= RESERVE_BYTES_MIN || reserve.make().is_ok());
        if !is_there {
            reserve.give_up();
        }
        Ok(reserve)
    }

    fn path(&self) -> PathBuf {
        self.directory.join(FILE_NAME)
    }

    /// Gives the room up, for what has to be written now.
    pub(crate) fn give_up(&mut self) {
        if !self.given_up {
            tracing::error!(
                data_dir = %self.directory.display(),
                needed.mib = (RESERVE_BYTES + HEADROOM_BYTES) >> 20,
                "the disk is full: nothing new is accepted until there is room; results are still written"
            );
        }
        self.given_up = true;
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(error = %error, "the reserve cannot be given up");
            }
            _ => {}
        }
    }

    /// Whether the room is used up or in use, so that nothing new may be written.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Takes the room back if the disk has it again. Looks each time it is asked.
    pub(crate) fn take_back(&mut self) {
        let enough = self.bytes_free().is_ok_and(|free| free >= RESERVE_BYTES + HEADROOM_BYTES);
        if self.given_up && enough && self.make().is_ok() {
            self.given_up = false;
            tracing::info!("there is room on the disk again: everything is accepted as before");
        }
    }

    /// What everybody is told who brings something new meanwhile.
    pub(crate) fn refusal(&self) -> StoreError {
        let needed = (RESERVE_BYTES + HEADROOM_BYTES) >> 20;
        StoreError::Full(format!("make room: {} needs {needed} MiB of free space", self.directory.display()))
    }

    fn make(&self) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(self.path())?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
            // A file system that cannot keep room keeps none; what is free is looked at all the same.
            Err(error) if error == rustix::io::Errno::OPNOTSUPP => Ok(()),
            done => Ok(done?),
        }
    }

    fn bytes_held(&self) -> u64 {
        fs::metadata(self.path()).map_or(0, |found| found.blocks() * STAT_BLOCK_BYTES)
    }

    fn bytes_free(&self) -> io::Result<u64> {
        let disk = statvfs(&self.directory)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_made_given_up_and_made_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut reserve = Reserve::open(directory.path()).expect("a reserve");
        assert!(!reserve.is_given_up());
        assert!(reserve.bytes_held() >= RESERVE_BYTES_MIN);
        reserve.give_up();
        assert!(reserve.is_given_up());
        assert!(!reserve.path().exists());
        reserve.take_back();
        assert!(!reserve.is_given_up());
        assert!(reserve.bytes_held() >= RESERVE_BYTES_MIN);
    }
}
