//! A PostgreSQL of the tests' own: Debian's, in a temporary directory, run by an ordinary user, without a port.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::fs::{Gid, Uid, chown};
use tempfile::TempDir;

mod bouncer;
mod outage;
mod power;
mod wire;

pub use bouncer::Bouncer;
pub use outage::Stop;
pub use power::Frozen;
pub use wire::{Rule, Wire};

/// Where Debian puts the programs of every version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// What its socket is called by, where it has no port.
const PORT: u16 = 5432;
/// The user Debian's package makes; whoever is root runs the server as this one, for PostgreSQL refuses root.
const USER: &str = "postgres";
/// Nothing of it is to be kept, so nothing waits for the disk; [`Cluster::on_disk`] is for power cuts.
const SETTINGS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses= \
                        -c max_connections=200 -c shared_buffers=64MB";
/// What it has answered outlives it, as long as the machine does.
const DURABLE: &str = "-c synchronous_commit=on";
/// The same when the machine that it runs on loses its power.
const ON_DISK: &str = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on";
/// What is on disk bears checksums, and the log grows in small steps, so that a small disk is soon full of it.
const MADE_ON_DISK: &str = "--data-checksums --wal-segsize=1";
/// Starts the server, says so, and ends it once nobody listens any more, however the tests have ended.
const KEEP: &str = r#"
"$0/initdb" -D "$1/data" -U tidings -A trust -E UTF8 --no-locale $3 >"$1/log" 2>&1 &&
"$0/pg_ctl" -w -t 60 -D "$1/data" -l "$1/log" -o "-k $1 $2" start >>"$1/log" 2>&1 && echo ready
cat >/dev/null
"$0/pg_ctl" -m immediate -D "$1/data" stop >>"$1/log" 2>&1
rm -rf "$1"
"#;

/// A server with its databases. Ends with this value, or with the process.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    keeper: Child,
    made: AtomicU32,
    settings: String,
    port: u16,
}

impl Cluster {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If Debian's package `postgresql` is not installed, or it does not start.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one that keeps what it has answered, however it ends.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn durable() -> Self {
        Self::start_with(DURABLE)
    }

    /// Starts one with further settings: options of `postgres`.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn start_with(settings: &str) -> Self {
        Self::start_at(PORT, settings)
    }

    /// Starts one that keeps what it has answered in this directory, which is made for it, whatever becomes of the
    /// machine; its log of writes ahead in the other one, if there is one.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn on_disk(data: &Path, log: Option<&Path>) -> Self {
        let mut made = MADE_ON_DISK.to_owned();
        for directory in [Some(data), log].into_iter().flatten() {
            fs::create_dir(directory).expect("a directory can be made");
            give_to_user(directory);
        }
        if let Some(log) = log {
            made = format!("{made} --waldir={}", log.display());
        }
        Self::make(PORT, ON_DISK, &made, |directory| {
            symlink(data, directory.join("data")).expect("a link can be made");
        })
    }

    /// Starts one that is reached over the network as well, there with a password.
    ///
    /// # Panics
    ///
    /// As [`Cluster::start`].
    pub fn on_a_port() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = free.local_addr().expect("it has an address").port();
        drop(free);
        let cluster = Self::start_at(port, &format!("-c listen_addresses=127.0.0.1 -c port={port}"));
        let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(cluster.directory.join("data/pg_hba.conf"), rules).expect("it is written");
        cluster.stop(Stop::Fast);
        cluster.launch();
        cluster
    }

    /// Encrypts from now on, with this certificate and its key, in DER.
    ///
    /// # Panics
    ///
    /// If it does not start with them.
    pub fn encrypt(&mut self, certificate: &[u8], key: &[u8]) {
        for (name, text) in [("server.crt", pem("CERTIFICATE", certificate)), ("server.key", pem("PRIVATE KEY", key))] {
            let path = self.directory.join("data").join(name);
            fs::write(&path, text).expect("it is written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is set");
            give_to_user(&path);
        }
        self.stop(Stop::Fast);
        self.settings.push_str(" -c ssl=on");
        self.launch();
    }

    /// From now on lets in over the network only who has a certificate from this authority, in DER; no password does.
    /// It encrypts already.
    ///
    /// # Panics
    ///
    /// If it does not start so.
    pub fn ask_for_certificates(&mut self, authority: &[u8]) {
        let data = self.directory.join("data");
        fs::write(data.join("clients.crt"), pem("CERTIFICATE", authority)).expect("it is written");
        give_to_user(&data.join("clients.crt"));
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 cert\n";
        fs::write(data.join("pg_hba.conf"), rules).expect("it is written");
        self.stop(Stop::Fast);
        self.settings.push_str(" -c ssl_ca_file=clients.crt");
        self.launch();
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn start_at(port: u16, settings: &str) -> Self {
        Self::make(port, settings, "--no-sync", |_| {})
    }

    /// `made` is what else is said to `initdb`; `prepare` gets the directory before that.
    fn make(port: u16, settings: &str, made: &str, prepare: impl FnOnce(&Path)) -> Self {
        let settings = format!("{SETTINGS} {settings}");
        let programs = programs();
        // The keeper removes it: it lives longer than whoever is killed.
        let directory = TempDir::with_prefix("tidings-pg-").expect("a temporary directory can be made").keep();
        give_to_user(&directory);
        prepare(&directory);
        let words = [OsStr::new("sh"), OsStr::new("-c"), OsStr::new(KEEP), programs.as_os_str()];
        let mut command =
            as_user(&[&words[..], &[directory.as_os_str(), OsStr::new(&settings), OsStr::new(made)]].concat());
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().expect("a shell starts");
        let mut said = String::new();
        let output = keeper.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut said).expect("it is read");
        if said.trim() != "ready" {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("PostgreSQL did not start:\n{log}");
        }
        Self { directory, keeper, made: AtomicU32::new(0), settings, port }
    }

    /// An empty database of its own; how it is reached.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub fn database(&self) -> String {
        self.database_of("template1")
    }

    /// A database that has what this one has, which nobody uses.
    ///
    /// # Panics
    ///
    /// If somebody uses it, or the server refuses.
    pub fn copy_of(&self, database: &str) -> String {
        let path = database.split('?').next().unwrap_or_default();
        self.database_of(path.rsplit('/').next().unwrap_or_default())
    }

    fn database_of(&self, template: &str) -> String {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(programs().join("createdb"))
            .arg("-h")
            .arg(&self.directory)
            .args(["-p", &self.port.to_string(), "-U", "tidings", "-T", template, &name])
            .output()
            .expect("createdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = match self.port {
            PORT => String::new(),
            port => format!("&port={port}"),
        };
        format!("postgresql:///{name}?user=tidings&host={}{port}", self.directory.display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
        // The keeper reads until there is nobody left to write.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Has a database carry out statements, as an operator would by hand; what it answers, a line for each row.
///
/// # Panics
///
/// If it refuses one.
pub fn run(database: &str, sql: &str) -> String {
    let mut command = Command::new(programs().join("psql"));
    // No file of whoever runs the test counts; no headings; the first error is the end.
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, database]);
    let answer = command.env_remove("PGOPTIONS").output().expect("psql runs");
    assert!(answer.status.success(), "{sql}: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8_lossy(&answer.stdout).trim_end().to_owned()
}

/// All that a database holds, as text; bytes are in hexadecimal.
///
/// # Panics
///
/// If it cannot be read.
pub fn dump(database: &str) -> String {
    let dump = Command::new(programs().join("pg_dump")).args(["--dbname", database]).output().expect("pg_dump runs");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    String::from_utf8_lossy(&dump.stdout).into_owned()
}

/// As text, with what it is.
pub fn pem(what: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

fn as_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a path to whoever runs the server.
fn give_to_user(path: &Path) {
    if as_root() {
        let (uid, gid) = user_id(USER);
        chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).expect("root may give it away");
    }
}

/// A command that is run by somebody whom PostgreSQL does not refuse.
fn as_user(words: &[&OsStr]) -> Command {
    if as_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).args(words);
        return command;
    }
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// The newest version's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|path| path.join("bin/initdb").exists())
        .max_by_key(|path| number(path));
    newest.expect("Debian's package postgresql is installed").join("bin")
}

/// User and group of a name.
fn user_id(name: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
    let user = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":"));
    let mut fields = user.unwrap_or_else(|| panic!("there is no user {name}")).split(':').skip(1);
    let mut next = || fields.next().and_then(|field| field.parse().ok()).expect("a number");
    (next(), next())
}
