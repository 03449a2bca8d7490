//! The real server as a process of its own.

use std::{
    ffi::OsStr,
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    sync::watch,
    time::Instant,
};

use crate::{
    exchange::HttpClient,
    nodes::cluster,
    wait::{until, within},
};

/// A server is ready within this time, also after a crash.
pub const READY_BOUND: Duration = Duration::from_secs(5);
/// A machine that is busy with other things gets this much longer before a test gives up.
const GIVE_UP_READY: Duration = Duration::from_secs(60);
/// How long a graceful stop may take: longer than any deadline of a delivery in flight.
const GIVE_UP_STOP: Duration = Duration::from_secs(60);
/// How long a process may take to stand still: longer than a sync to a busy disk.
const GIVE_UP_FREEZE: Duration = Duration::from_secs(30);
/// The operator key of every test's server.
const OPERATOR_KEY: &str = "tdo_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
/// With the value `postgres`, every server that a test starts keeps its data in a PostgreSQL database of its own.
const STORE: &str = "TIDINGS_TEST_STORE";
/// Tells a server where its PostgreSQL is.
const DATABASE_URL: &str = "TIDINGS_DATABASE_URL";
/// Lines of the log that a failing test shows.
const LOG_LINES_SHOWN: usize = 40;

/// A `tidings serve` on a directory of its own. Ends with this value.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    flags: Vec<String>,
    /// A command that runs the server, such as a tracer, with its arguments; empty for none.
    wrapper: Vec<String>,
    directory: TempDir,
    data_directory: PathBuf,
    /// Variables it has besides the usual ones.
    variables: Vec<(&'static str, String)>,
    child: Option<Child>,
    /// Where it listens; changes with every start, because each takes a free port.
    address: watch::Sender<Option<SocketAddr>>,
    /// What it said before it listened, over all starts.
    said: Mutex<Vec<String>>,
}

impl Server {
    /// Starts a server on an empty directory that may send to loopback, and waits until it is ready.
    pub async fn start(binary: impl AsRef<Path>) -> Self {
        Self::start_with(binary, &["--allow-http", "--allow-target", "127.0.0.0/8"]).await
    }

    /// Starts a server on an empty directory with these flags besides address and directory.
    pub async fn start_with(binary: impl AsRef<Path>, flags: &[&str]) -> Self {
        let mut server = Self::prepare(binary, flags);
        server.restart().await;
        server
    }

    /// A server with these flags that does not run yet.
    pub fn prepare(binary: impl AsRef<Path>, flags: &[&str]) -> Self {
        let directory = TempDir::with_prefix("tidings-test-").expect("a temporary directory can be made");
        let variables = match std::env::var(STORE).as_deref() {
            Ok("postgres") => vec![(DATABASE_URL, cluster().database())],
            _ => Vec::new(),
        };
        Self {
            binary: binary.as_ref().to_owned(),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            wrapper: Vec::new(),
            data_directory: directory.path().join("data"),
            directory,
            variables,
            child: None,
            address: watch::Sender::new(None),
            said: Mutex::default(),
        }
    }

    /// The rest of the first line that begins so, of what it said on standard output before it
    /// listened.
    pub fn said(&self, start: &str) -> Option<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().find_map(|line| line.strip_prefix(start).map(str::to_owned))
    }

    /// Has this variable from the next start on.
    pub fn give(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Keeps its data in this PostgreSQL from the next start on, with the key that opens its secrets.
    pub(crate) fn keep_data_at(&mut self, database: &str, master_key: &str) {
        self.give(DATABASE_URL, database);
        self.give("TIDINGS_MASTER_KEY", master_key);
    }

    /// Tells where it listens from start to start.
    pub(crate) fn watch_address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    /// Keeps its data in a file from the next start on, whatever the other servers of this run do.
    pub fn keep_data_in_a_file(&mut self) {
        self.variables.retain(|(name, _)| *name != DATABASE_URL);
    }

    /// Keeps its data in this directory from the next start on.
    pub fn keep_data_in(&mut self, directory: PathBuf) {
        self.data_directory = directory;
    }

    /// Has these flags from the next start on.
    pub fn use_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&flag| flag.to_owned()).collect();
    }

    /// Is run by this command from the next start on; by nothing if it is empty. The command has
    /// to become the server, as `strace -D` does, so that signals reach it.
    pub fn run_under(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
    }

    /// Starts it again on the same directory; returns how long it took to be ready.
    pub async fn restart(&mut self) -> Duration {
        let started = Instant::now();
        let output = self.launch();
        let address = within("the server's ready line", GIVE_UP_READY, self.ready_line(output)).await;
        let Some(address) = address else { panic!("the server ended before it was ready\n{}", self.log_tail()) };
        let took = started.elapsed();
        self.address.send_replace(Some(address));
        took
    }

    /// Starts it again and does not wait until it is ready.
    pub fn begin_to_start(&mut self) {
        let mut output = self.launch();
        // Nobody blocks on what it says.
        tokio::spawn(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
    }

    /// Starts it again where it must not start, and waits until it has ended by itself; returns
    /// what it said meanwhile.
    ///
    /// # Panics
    ///
    /// It starts all the same, or ends with success.
    pub async fn refuses_to_start(&mut self) -> String {
        let said_before = self.log().len();
        let output = self.launch();
        let address = within("the server's refusal", GIVE_UP_READY, self.ready_line(output)).await;
        assert_eq!(address, None, "it is ready where it must not start");
        let mut child = self.child.take().expect("it was launched");
        let status = within("the server's end", GIVE_UP_STOP, child.wait()).await.expect("a child can be waited for");
        assert!(!status.success(), "it ended with {status}");
        self.log()[said_before..].to_owned()
    }

    /// Reads the output up to the ready line, and leaves a task that reads on, so that the server
    /// never writes into a closed pipe. `None`: the output ended first.
    async fn ready_line(&self, output: ChildStdout) -> Option<SocketAddr> {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(address) = line.strip_prefix("listening on http://") {
                let address = address.parse().expect("the ready line ends with an address");
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Some(address);
            }
            self.said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        None
    }

    /// Starts it again and kills it after a while, ready or not.
    pub async fn restart_and_kill_after(&mut self, delay: Duration) {
        let output = self.launch();
        // Reading the output as usual; what it says does not matter, only that nobody blocks on it.
        let _ = tokio::time::timeout(delay, async {
            self.ready_line(output).await;
            std::future::pending::<()>().await;
        })
        .await;
        self.kill().await;
    }

    /// Starts it again where it may end before it is ready: `None` if it does. Then
    /// [`Server::ended`] says how.
    pub async fn try_restart(&mut self) -> Option<Duration> {
        let started = Instant::now();
        let output = self.launch();
        let address = within("the server's ready line or end", GIVE_UP_READY, self.ready_line(output)).await;
        self.address.send_replace(address);
        address.map(|_| started.elapsed())
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server was started");
        let status = within("the server's end", GIVE_UP_STOP, child.wait()).await;
        self.address.send_replace(None);
        status.expect("a child can be waited for")
    }

    fn launch(&mut self) -> ChildStdout {
        assert!(self.child.is_none(), "the server runs already");
        let log = File::options().create(true).append(true).open(self.log_path()).expect("the log can be opened");
        let program = self.wrapper.iter().map(OsStr::new).chain([self.binary.as_os_str()]);
        let words: Vec<_> = program.collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"].map(OsStr::new))
            .arg(self.data_directory())
            .args(&self.flags)
            // Neither variables nor a configuration file of whoever runs the test count.
            .env_clear()
            .env("TIDINGS_OPERATOR_KEY", OPERATOR_KEY)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("RUST_BACKTRACE", "1")
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", self.binary.display()));
        let output = child.stdout.take().expect("its output is piped");
        self.child = Some(child);
        output
    }

    /// Kills it after a while, whatever it is doing by then.
    pub async fn kill_after(&mut self, delay: Duration) {
        tokio::time::sleep(delay).await;
        self.kill().await;
    }

    /// Kills it at once (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("the server runs");
        child.kill().await.expect("a child can be killed");
        self.address.send_replace(None);
    }

    /// Has it go on where it was stopped.
    pub fn thaw(&self) {
        kill_process(self.id(), Signal::CONT).expect("a child can be continued");
    }

    /// Stops it where it stands (SIGSTOP) and waits until none of its threads does anything any
    /// more, so that what it has written so far does not change.
    pub async fn freeze(&self) {
        let id = self.id();
        kill_process(id, Signal::STOP).expect("a child can be stopped");
        until("the server to stand still", GIVE_UP_FREEZE, async || stands_still(id).then_some(())).await;
    }

    fn id(&self) -> Pid {
        let id = self.child.as_ref().and_then(Child::id).expect("the server runs");
        Pid::from_raw(i32::try_from(id).expect("a process id fits")).expect("a process id is not 0")
    }

    /// Its process, as long as it runs.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn process_id(&self) -> u32 {
        self.id().as_raw_nonzero().get().unsigned_abs()
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        kill_process(self.id(), Signal::TERM).expect("a child can be told to stop");
        let mut child = self.child.take().expect("the server runs");
        let status = within("the server's graceful stop", GIVE_UP_STOP, child.wait()).await;
        self.address.send_replace(None);
        status.expect("a child can be waited for")
    }

    /// Where its data lies.
    pub fn data_directory(&self) -> PathBuf {
        self.data_directory.clone()
    }

    /// The database file, where it keeps its data in one.
    pub fn database_path(&self) -> PathBuf {
        self.data_directory.join("tidings.sqlite")
    }

    /// How its PostgreSQL is reached; nothing where it keeps its data in a file.
    pub fn database_url(&self) -> Option<&str> {
        // The last one counts.
        let url = self.variables.iter().rfind(|(name, _)| *name == DATABASE_URL);
        url.map(|(_, url)| url.as_str())
    }

    /// A place for a test's own files, which go away with the server.
    pub fn scratch_path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where it listens.
    ///
    /// # Panics
    ///
    /// It does not run.
    pub fn address(&self) -> SocketAddr {
        self.address.borrow().expect("the server runs")
    }

    /// The operator key it was given.
    pub fn operator_key(&self) -> &'static str {
        OPERATOR_KEY
    }

    /// A client that follows it from start to start.
    pub fn client(&self) -> HttpClient {
        HttpClient::new(self.address.subscribe())
    }

    /// Memory that it holds now and held at most, in KiB (`VmRSS` and `VmHWM` of proc(5)).
    pub fn memory_kib(&self) -> (u64, u64) {
        let id = self.id().as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a running process has a status");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the status has this field");
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            digits.parse().expect("the field is a number of KiB")
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    fn log_path(&self) -> PathBuf {
        self.scratch_path("stderr.log")
    }

    /// Everything it wrote to standard error, over all starts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let skipped = lines.len().saturating_sub(LOG_LINES_SHOWN);
        format!("── the server's log, last {LOG_LINES_SHOWN} lines\n{}", lines[skipped..].join("\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
    }
}

/// Whether every thread of a process is stopped (`T`), or stopped for its tracer (`t`).
fn stands_still(id: Pid) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", id.as_raw_nonzero())).expect("a process has threads");
    // A thread that is gone does nothing either.
    let stats = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    // The name in front of the state may hold spaces and brackets.
    stats.into_iter().all(|stat| stat.rsplit(") ").next().is_some_and(|state| state.starts_with(['T', 't'])))
}
