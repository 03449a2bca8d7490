//! A disk of a test's own: ext4 in a file, mounted, that can be filled and whose power can be cut.
//!
//! Only for tests inside a mount namespace of their own ([`crate::in_namespaces`]): whatever is
//! mounted goes away with it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Seconds between two commits of the file system's journal: longer than any test, so that it
/// writes what it is asked to write and nothing by itself.
const JOURNAL_COMMIT_S: u32 = 300;

/// A small disk. What was written and not synced is in memory only, as on a real one.
#[derive(Debug)]
pub struct Disk {
    directory: TempDir,
    cuts: u32,
}

impl Disk {
    /// A disk of this size with an empty file system on it.
    pub fn create(mebibytes: u32) -> Self {
        let directory = TempDir::with_prefix("tidings-disk-").expect("a temporary directory can be made");
        // The file stands for the disk itself and needs no disk below: memory is quicker.
        run("mount", &["-t", "tmpfs", "tmpfs"], &[directory.path()]);
        let disk = Self { directory, cuts: 0 };
        let image = fs::File::create_new(disk.image()).expect("a file can be made");
        image.set_len(u64::from(mebibytes) << 20).expect("a file can have holes");
        run("mkfs.ext4", &["-q", "-F", "-m", "0"], &[&disk.image()]);
        disk.mount();
        disk
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join(format!("{}.img", self.cuts))
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(format!("{}.mount", self.cuts))
    }

    fn mount(&self) {
        fs::create_dir(self.path()).expect("a directory can be made");
        let options = format!("loop,commit={JOURNAL_COMMIT_S}");
        run("mount", &["-o", &options], &[&self.image(), &self.path()]);
    }

    /// Keeps what the disk itself holds at this moment; what was not synced is not among it.
    /// Whoever writes has to stand still. [`Disk::restore_power`] goes on with it.
    pub fn cut_power(&self) -> PowerCut {
        let image = self.directory.path().join(format!("{}.img", self.cuts + 1));
        run("cp", &["--sparse=always"], &[&self.image(), &image]);
        PowerCut { image }
    }

    /// Goes on with what the disk held when its power was cut. Nobody uses it at this moment.
    pub fn restore_power(&mut self, cut: PowerCut) {
        run("umount", &[], &[&self.path()]);
        fs::remove_file(self.image()).expect("the old image can go");
        self.cuts += 1;
        assert_eq!(cut.image, self.image(), "of this disk, and the last one");
        self.mount();
    }

    /// Takes the last byte that can be had.
    pub fn fill(&self) {
        // Allocating needs blocks for itself, so that one try does not end at the last byte.
        let mut file = fs::File::options().create(true).append(true).open(self.filling()).expect("a file can be made");
        let block = vec![0xAA; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    /// Gives back what was taken.
    pub fn make_room(&self) {
        fs::remove_file(self.filling()).expect("there is something to give back");
    }

    /// Room for whoever is not root, in bytes.
    pub fn bytes_free(&self) -> u64 {
        let found = rustix::fs::statvfs(self.path()).expect("a mounted file system has figures");
        found.f_bavail * found.f_frsize
    }

    fn filling(&self) -> PathBuf {
        self.path().join("filling")
    }
}

/// What a disk held when its power was cut.
#[derive(Debug)]
pub struct PowerCut {
    image: PathBuf,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The directory cannot be removed with something mounted in it. If anything is still in
        // use, the end of the namespace unmounts it.
        let _ = Command::new("umount").arg(self.path()).status();
        let _ = Command::new("umount").arg(self.directory.path()).status();
    }
}

fn run(program: &str, words: &[&str], paths: &[&Path]) {
    let words = words.iter().map(OsStr::new).chain(paths.iter().map(|path| path.as_os_str()));
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}
