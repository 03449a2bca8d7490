//! A PostgreSQL whose power is cut, or whose disk is full.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Cluster,
    outage::{AGAIN, Stop, signal},
    programs,
};

/// How long its processes may take to stand still, or to be gone: longer than a sync to a busy disk.
const STILL_BOUND: Duration = Duration::from_secs(30);

/// All processes of a server that stand still.
#[derive(Debug)]
#[must_use = "they stand still until they are ended"]
pub struct Frozen(Vec<i32>);

impl Frozen {
    /// Ends them at once, and waits until nothing of them uses a disk any more.
    ///
    /// # Panics
    ///
    /// They do not end.
    pub fn end(self) {
        for process in &self.0 {
            signal(*process, Signal::KILL);
        }
        wait_for("the end of PostgreSQL", STILL_BOUND, || {
            self.0.iter().all(|process| matches!(state(*process), None | Some('Z')))
        });
    }
}

impl Cluster {
    /// Has every process of it stand where it is, and waits until none of them does anything any more: what is on its
    /// disk does not change from here on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn freeze_for_good(&self) -> Frozen {
        let first = self.postmaster();
        signal(first, Signal::STOP);
        wait_for("the first of PostgreSQL's processes to stand still", STILL_BOUND, || state(first) == Some('T'));
        // From here on there are no new ones.
        let mut all = self.children();
        for child in &all {
            signal(*child, Signal::STOP);
        }
        let stands = |process: &i32| matches!(state(*process), None | Some('T' | 'Z'));
        wait_for("PostgreSQL to stand still", STILL_BOUND, || all.iter().all(stands));
        all.push(first);
        Frozen(all)
    }

    /// Finds its data there from the next start on.
    ///
    /// # Panics
    ///
    /// If it was not made on a disk.
    pub fn keep_data_in(&self, data: &Path) {
        let link = self.directory.join("data");
        fs::remove_file(&link).expect("it was made on a disk");
        symlink(data, link).expect("a link can be made");
    }

    /// Has these further settings from now on, and is started again with them.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn restart_with(&mut self, settings: &str) {
        self.stop(Stop::Fast);
        self.settings = format!("{} {settings}", self.settings);
        self.launch();
    }

    /// Whether it has gone down.
    pub fn is_down(&self) -> bool {
        !self.directory.join("data/postmaster.pid").exists()
    }

    /// Holds that the tables and indexes of a database are whole, by PostgreSQL's own check.
    ///
    /// # Panics
    ///
    /// They are not; the message says after what.
    pub fn check_integrity(&self, database: &str, after: &str) {
        let checked = Command::new(programs().join("pg_amcheck"))
            .args(["--install-missing", "--heapallindexed", "-U", "tidings", "-p", &self.port.to_string(), "-h"])
            .arg(&self.directory)
            .arg(super::wire::name_of(database))
            .output()
            .expect("pg_amcheck runs");
        let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "after {after}: {said}");
    }
}

/// Looks until it is so.
fn wait_for(what: &str, bound: Duration, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < bound, "waited {} s in vain for {what}", bound.as_secs());
        thread::park_timeout(AGAIN / 10);
    }
}

/// What a process does: R, S, D, T, Z of proc(5); nothing: there is none.
fn state(id: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}
