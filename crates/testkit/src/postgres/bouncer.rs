//! Debian's PgBouncer between clients and a server of the tests, in transaction mode: each transaction may get another
//! connection.

use std::{
    ffi::OsStr,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Cluster, as_user, give_to_user, wire::name_of};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/pgbouncer";
const START_BOUND: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(20);

/// A pooler. Ends with this value.
#[derive(Debug)]
pub struct Bouncer {
    address: SocketAddr,
    child: Child,
    directory: TempDir,
}

impl Bouncer {
    /// Starts one before a server, with further settings, one a line.
    ///
    /// # Panics
    ///
    /// If Debian's package `pgbouncer` is not installed, or it does not start.
    pub fn before(cluster: &Cluster, settings: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("it has an address");
        drop(free);
        let directory = TempDir::with_prefix("tidings-bouncer-").expect("a temporary directory can be made");
        let file = directory.path().join("pgbouncer.ini");
        let (host, port, log) = (cluster.directory().display(), address.port(), directory.path().join("log"));
        let text = format!(
            "[databases]\n* = host={host} user=tidings\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\nlogfile = {}\n{settings}\n",
            log.display()
        );
        fs::write(&file, text).expect("it is written");
        give_to_user(directory.path());
        let mut command = as_user(&[OsStr::new(PROGRAM), file.as_os_str()]);
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("Debian's package pgbouncer is installed");
        let begun = Instant::now();
        while connects(address).is_none() {
            let said = || fs::read_to_string(&log).unwrap_or_default();
            assert!(begun.elapsed() < START_BOUND, "PgBouncer did not start:\n{}", said());
            thread::park_timeout(AGAIN);
        }
        Self { address, child, directory }
    }

    /// How a database of the server is reached through it.
    pub fn lead_to(&self, database: &str) -> String {
        format!("postgresql://tidings@{}/{}", self.address, name_of(database))
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a look whether a test's own program listens already")]
fn connects(address: SocketAddr) -> Option<TcpStream> {
    TcpStream::connect(address).ok()
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
