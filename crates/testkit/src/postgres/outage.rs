//! What may become of a PostgreSQL: stopped, killed, gone for a while, or standing still.

use std::{
    ffi::OsStr,
    fs, io,
    path::PathBuf,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Cluster, as_user, programs, wire::name_of};

/// How long a server may take to start: what a killed one has left behind has to go first.
const START_BOUND: Duration = Duration::from_secs(60);
/// Between two tries.
pub(super) const AGAIN: Duration = Duration::from_millis(100);

/// Lines of the log that a failing test shows.
const LOG_LINES_SHOWN: usize = 40;

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Whoever is connected is sent away, and everything is written down.
    Fast,
    /// At once, as a crash would.
    Immediate,
}

impl Cluster {
    /// Ends the server at once, as a crash would, and starts it again with what it had on disk.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&self) {
        self.stop(Stop::Immediate);
        self.launch();
    }

    /// Stops the server and waits until it has ended.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        assert!(self.control(&["-m", mode, "stop"]), "{}", self.log());
    }

    /// Starts the server again.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn launch(&self) {
        let options = format!("-k {} {}", self.directory.display(), self.settings);
        let log = self.directory.join("log");
        let log = log.to_str().expect("a temporary path is text");
        let begun = Instant::now();
        // Processes of one that was killed may still be there: they notice, and end.
        while !self.control(&["-l", log, "-o", &options, "start"]) {
            assert!(begun.elapsed() < START_BOUND, "{}", self.log());
            thread::park_timeout(AGAIN);
        }
    }

    /// Kills the first of its processes (SIGKILL); the others notice that it is gone.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn kill(&self) {
        signal(self.postmaster(), Signal::KILL);
    }

    /// Kills one process that serves a connection to this database, if there is any: the server takes that for a crash,
    /// sends everybody away and recovers by itself.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn kill_backend(&self, database: &str, place: usize) -> bool {
        let name = format!(" {} ", name_of(database));
        let mut serving: Vec<_> = self.children().into_iter().filter(|child| title(*child).contains(&name)).collect();
        serving.sort_unstable();
        let Some(victim) = serving.get(place % serving.len().max(1)) else { return false };
        signal(*victim, Signal::KILL);
        true
    }

    /// Has all its processes stand still (SIGSTOP): connections are taken, and nothing is answered.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn freeze(&self) {
        // The first one is stopped before its children: so there are no new ones.
        signal(self.postmaster(), Signal::STOP);
        for child in self.children() {
            signal(child, Signal::STOP);
        }
    }

    /// Has all its processes go on.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn thaw(&self) {
        for child in self.children() {
            signal(child, Signal::CONT);
        }
        signal(self.postmaster(), Signal::CONT);
    }

    /// Is stopped, and started again after a while.
    ///
    /// # Panics
    ///
    /// If it does not end or start.
    pub fn be_gone_for(&self, length: Duration) {
        self.stop(Stop::Fast);
        pass(length);
        self.launch();
    }

    /// Stands still for a while.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn stand_still_for(&self, length: Duration) {
        self.freeze();
        pass(length);
        self.thaw();
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(format!(".s.PGSQL.{}", self.port))
    }

    /// Its directory, for files that belong to it.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    fn control(&self, words: &[&str]) -> bool {
        let (control, data) = (programs().join("pg_ctl"), self.directory.join("data"));
        let first = [control.as_os_str(), OsStr::new("-w"), OsStr::new("-t60"), OsStr::new("-D"), data.as_os_str()];
        let rest: Vec<_> = words.iter().map(OsStr::new).collect();
        let mut command = as_user(&[&first[..], &rest].concat());
        command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().expect("pg_ctl runs").success()
    }

    /// What it has said, over all starts.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// What it said last; not of statements, which are long.
    pub(super) fn log_tail(&self) -> String {
        let log = self.log();
        let said = |line: &&str| ["LOG:", "WARNING:", "ERROR:", "FATAL:", "PANIC:"].iter().any(|is| line.contains(is));
        let lines: Vec<_> = log.lines().filter(said).collect();
        let skipped = lines.len().saturating_sub(LOG_LINES_SHOWN);
        format!("── PostgreSQL's log, last {LOG_LINES_SHOWN} lines\n{}", lines[skipped..].join("\n"))
    }

    pub(super) fn postmaster(&self) -> i32 {
        let file = self.directory.join("data/postmaster.pid");
        let text = fs::read_to_string(file).expect("a server that runs says so in a file");
        text.lines().next().and_then(|line| line.trim().parse().ok()).expect("the file begins with its process")
    }

    pub(super) fn children(&self) -> Vec<i32> {
        let parent = self.postmaster().to_string();
        let processes = fs::read_dir("/proc").expect("there is /proc").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_child = |id: &i32| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // The name in front may hold spaces and brackets.
            stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&parent)
        };
        ids.filter(is_child).collect()
    }
}

/// Lets time pass: how long a trouble lasts is part of it.
fn pass(length: Duration) {
    let begun = Instant::now();
    while let Some(left) = length.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

/// What a process calls itself.
fn title(id: i32) -> String {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// One that is gone already needs none.
pub(super) fn signal(id: i32, signal: Signal) {
    let pid = Pid::from_raw(id).expect("a process id is not 0");
    match kill_process(pid, signal).map_err(io::Error::from) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.raw_os_error(), Some(3), "{id}: {error}"),
    }
}
