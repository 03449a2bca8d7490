//! The data directory: there, ours alone, with room, and honest about what is on disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, flock, statvfs};

use super::check::Check;

/// Below this the server will soon refuse to accept anything.
const FREE_BYTES_FAIL: u64 = 100 << 20;
/// Below this somebody should look.
const FREE_BYTES_WARN: u64 = 1 << 30;
/// A commit waits for one of these, so a slower disk limits how fast single events are accepted.
const SYNC_SLOW: Duration = Duration::from_millis(50);
/// How often syncing is timed.
const SYNC_ROUNDS: usize = 20;
/// Bytes written before each sync: one page of the database.
const SYNC_BYTES: usize = 4_096;
/// The name of the file that is written to see whether writing works.
const PROBE_FILE: &str = ".tidings-doctor";

/// Whether another process holds the directory. Looks only; makes nothing.
pub(super) fn is_locked(data_dir: &Path) -> bool {
    let Ok(file) = File::open(data_dir.join("tidings.lock")) else { return false };
    // A shared lock is refused only while a server holds its exclusive one; it ends with `file`.
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

pub(super) fn directory(data_dir: &Path) -> Check {
    const NAME: &str = "data directory";
    let shown = data_dir.display();
    let place = existing(data_dir);
    if let Err(error) = probe(&place) {
        let found = format!("{} cannot be written: {error}", place.display());
        return Check::fail(NAME, found, "correct its owner or permissions, or name another one with --data-dir");
    }
    if place != data_dir {
        return Check::ok(NAME, format!("{shown} does not exist yet and will be made"));
    }
    match fs::metadata(data_dir).map(|metadata| metadata.permissions().mode() & 0o777) {
        Ok(mode) if mode & 0o077 != 0 => {
            let found = format!("{shown} is open to other users (mode {mode:o})");
            Check::warn(NAME, found, format!("run: chmod 700 {shown}"))
        }
        Ok(mode) => Check::ok(NAME, format!("{shown} is there, writable, mode {mode:o}")),
        Err(error) => Check::fail(NAME, format!("{shown} cannot be looked at: {error}"), "correct its permissions"),
    }
}

pub(super) fn lock(running: bool) -> Check {
    const NAME: &str = "lock";
    if running {
        let way_out = "fine if that is your server; a second one needs its own --data-dir";
        return Check::warn(NAME, "another process is using the data directory", way_out);
    }
    Check::ok(NAME, "no other process uses the data directory")
}

pub(super) fn space(data_dir: &Path) -> Check {
    match statvfs(existing(data_dir)) {
        Ok(disk) => judge_space(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Check::warn("free space", format!("it cannot be asked for: {error}"), "look with: df -h"),
    }
}

fn judge_space(free_bytes: u64) -> Check {
    const NAME: &str = "free space";
    let found = format!("{} MiB", free_bytes >> 20);
    match free_bytes {
        ..FREE_BYTES_FAIL => Check::fail(NAME, found, "make room: below 100 MiB the server soon accepts nothing"),
        FREE_BYTES_FAIL..FREE_BYTES_WARN => Check::warn(NAME, found, "make room: below 1 GiB a busy day can fill it"),
        _ => Check::ok(NAME, found),
    }
}

pub(super) fn sync(data_dir: &Path) -> Check {
    const NAME: &str = "fsync";
    match time_syncs(&existing(data_dir)) {
        Ok(mut times) => {
            times.sort_unstable();
            let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
            let found = format!("median {median:.1?}, slowest {slowest:.1?} of {SYNC_ROUNDS}");
            if median > SYNC_SLOW {
                return Check::warn(NAME, found, "put the data on a faster disk: every commit waits for one of these");
            }
            Check::ok(NAME, found)
        }
        Err(error) => Check::fail(NAME, format!("it fails: {error}"), "put the data on a disk that can sync"),
    }
}

fn time_syncs(directory: &Path) -> io::Result<Vec<Duration>> {
    with_probe(directory, |file| {
        let page = [0_u8; SYNC_BYTES];
        (0..SYNC_ROUNDS)
            .map(|_| {
                file.write_all(&page)?;
                let start = Instant::now();
                file.sync_data()?;
                Ok(start.elapsed())
            })
            .collect()
    })
}

fn probe(directory: &Path) -> io::Result<()> {
    with_probe(directory, |file| file.write_all(b"tidings doctor\n"))
}

/// Makes a file of our own, works with it, and removes it whatever happened.
fn with_probe<T>(directory: &Path, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    let path = directory.join(format!("{PROBE_FILE}-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let result = work(&mut file);
    fs::remove_file(&path)?;
    result
}

/// The directory itself, or the nearest one above it that exists: where it would be made.
fn existing(data_dir: &Path) -> PathBuf {
    let above = data_dir.ancestors().find(|place| !place.as_os_str().is_empty() && place.exists());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn the_directory_is_judged_and_left_as_it_was() {
        let home = tempfile::tempdir().expect("a directory");
        let data_dir = home.path().join("a/b");
        assert!(directory(&data_dir).found.contains("will be made"));
        assert!(!home.path().join("a").exists());

        fs::create_dir_all(&data_dir).expect("made");
        mode(&data_dir, 0o700);
        assert_eq!(directory(&data_dir).verdict, Verdict::Ok);
        mode(&data_dir, 0o755);
        let open = directory(&data_dir);
        assert_eq!(open.verdict, Verdict::Warn);
        assert!(open.way_out.is_some_and(|way_out| way_out.starts_with("run: chmod 700")));
        assert_eq!(sync(&data_dir).verdict, Verdict::Ok);
        assert_eq!(fs::read_dir(&data_dir).expect("readable").count(), 0, "nothing is left behind");

        let file = home.path().join("file");
        fs::write(&file, "").expect("written");
        assert_eq!(directory(&file).verdict, Verdict::Fail, "a file is no directory");
    }

    #[test]
    fn a_server_on_the_directory_is_noticed() {
        let home = tempfile::tempdir().expect("a directory");
        assert!(!is_locked(home.path()));
        let held = File::create(home.path().join("tidings.lock")).expect("a lock file");
        assert!(!is_locked(home.path()));
        flock(&held, FlockOperation::NonBlockingLockExclusive).expect("the lock");
        assert!(is_locked(home.path()));
        assert_eq!((lock(true).verdict, lock(false).verdict), (Verdict::Warn, Verdict::Ok));
    }

    #[test]
    fn space_has_two_limits() {
        for (free_bytes, verdict) in [
            (FREE_BYTES_FAIL - 1, Verdict::Fail),
            (FREE_BYTES_FAIL, Verdict::Warn),
            (FREE_BYTES_WARN - 1, Verdict::Warn),
            (FREE_BYTES_WARN, Verdict::Ok),
        ] {
            assert_eq!(judge_space(free_bytes).verdict, verdict, "{free_bytes}");
        }
    }
}
