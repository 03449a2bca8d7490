//! What a directory says once what it keeps was, or is being, migrated elsewhere: no server may start on it by mistake
//! and send a second time what waits.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::OpenError;

/// The note's file in the directory.
const FILE_NAME: &str = "tidings.migrated";

/// Where everything goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Which migration it is; the target knows the same.
    pub id: String,
    /// Where to, for people; without a password.
    pub to: String,
    /// When it began, in milliseconds.
    pub moment_ms: i64,
    /// Whether everything is there.
    pub is_done: bool,
}

/// The note that a directory has.
pub fn left(directory: &Path) -> Result<Option<Left>, OpenError> {
    let path = path(directory);
    let failed = |reason| OpenError::Directory { path: path.clone(), reason };
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| failed(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The database of a directory from which nothing was migrated, if there is one.
pub fn unmigrated(directory: &Path) -> Option<PathBuf> {
    let file = directory.join(crate::open::FILE_NAME);
    (file.exists() && !path(directory).exists()).then_some(file)
}

/// Leaves a note, on disk.
pub fn note_left(directory: &Path, left: &Left) -> Result<(), OpenError> {
    let (path, new) = (path(directory), directory.join(format!("{FILE_NAME}.new")));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(left)?)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|reason| OpenError::Directory { path: path.clone(), reason })
}

fn path(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}

/// Refuses a directory whose deliveries another database has.
pub(crate) fn refuse(directory: &Path) -> Result<(), OpenError> {
    let Some(Left { to, is_done, .. }) = left(directory)? else { return Ok(()) };
    let (directory, note) = (directory.display(), path(directory));
    let note = note.display();
    Err(OpenError::Left(match is_done {
        true => format!(
            "what {directory} kept is in {to} now: start with --database-url, for a server here would send a second \
             time what waited; to go back and leave there what came since, remove {note}"
        ),
        false => format!(
            "what {directory} keeps is being migrated to {to}: go on with `tidings migrate`; to give that up, remove \
             {note}, and migrate into an empty database the next time"
        ),
    }))
}

/// Takes a note back.
pub fn forget_left(directory: &Path) -> Result<(), OpenError> {
    let path = path(directory);
    let removed = fs::remove_file(&path).and_then(|()| File::open(directory)?.sync_all());
    removed.map_err(|reason| OpenError::Directory { path, reason })
}
