//! One chromedriver and the one browser that it runs.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, pidfd_open},
    time::Timespec,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_testkit::{HttpClient, within};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    sync::watch,
};

/// Set by `cargo xtask test`: where axe-core's script lies.
pub const AXE: &str = "TIDINGS_AXE";
/// How long chromedriver and the browser may take to start on a busy machine.
const GIVE_UP_START: Duration = Duration::from_secs(60);
/// How often driver and browser are started until they run.
const STARTS: u32 = 3;
/// How long the browser may take to end after its driver.
const GIVE_UP_END: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// What the driver says once it listens; the port follows.
const READY: &str = "started successfully on port ";

/// What the browser must not do by itself: ask the outside world for anything.
const FLAGS: [&str; 12] = [
    "--headless=new",
    // A container's root has no sandbox of Chromium's; the pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Nothing but loopback has an address, so that whatever leads elsewhere fails at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--force-color-profile=srgb",
    // The browser ends with the pipe, and so with its driver, however that ends.
    "--remote-debugging-pipe",
];

/// A session with a browser of its own. Both end with this value, and with the process of the test.
#[derive(Debug)]
pub(crate) struct Driver {
    client: HttpClient,
    session: String,
    /// The browser itself, once it runs.
    browser: Option<Pid>,
    /// Last, so that they outlive the calls: the process, its address, and the browser's profile.
    child: Child,
    _address: watch::Sender<Option<SocketAddr>>,
    profile: TempDir,
}

/// What the driver refused, in its own words.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// One of WebDriver's error codes, such as `no such element`.
    pub(crate) code: String,
    message: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = self.message.lines().next().unwrap_or_default();
        write!(f, "{}: {first}", self.code)
    }
}

impl Driver {
    /// Starts both, with an empty profile.
    ///
    /// # Panics
    ///
    /// chromedriver or Chromium is missing; the message says how to get them.
    pub(crate) async fn start() -> Self {
        for _ in 1..STARTS {
            match Self::try_start().await {
                Ok(driver) => return driver,
                Err(why) => eprintln!("{why}; once more"),
            }
        }
        Self::try_start().await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// On a busy machine the driver may find its port taken by somebody else, or give the browser up.
    async fn try_start() -> Result<Self, String> {
        let profile = TempDir::with_prefix("tidings-browser-").expect("a temporary directory can be made");
        let (child, output) = spawn(&profile);
        let port = within("chromedriver to listen", GIVE_UP_START, ready_port(output)).await;
        let port = port.ok_or("chromedriver ended before it listened")?;
        let address = watch::Sender::new(Some(SocketAddr::from(([127, 0, 0, 1], port))));
        let client = HttpClient::new(address.subscribe());
        let mut driver = Self { client, session: String::new(), browser: None, child, _address: address, profile };
        let made = driver.send(Method::POST, "/session", &driver.capabilities()).await;
        let made = made.map_err(|refused| format!("Chromium cannot be started: {refused}"))?;
        driver.session = made["sessionId"].as_str().expect("a session has an id").to_owned();
        let id = made["capabilities"]["goog:processID"].as_i64().and_then(|id| i32::try_from(id).ok());
        driver.browser = id.and_then(Pid::from_raw);
        Ok(driver)
    }

    fn capabilities(&self) -> Value {
        let mut flags: Vec<_> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", self.profile.path().join("profile").display()));
        json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
            // An alert stays until somebody looks: a test must be able to see it.
            "unhandledPromptBehavior": "ignore",
        }}})
    }

    /// A command of the session. `None`: the driver refused it.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, Refused> {
        self.send(method, &format!("/session/{}{path}", self.session), body).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Refused> {
        let shown = format!("{method} {path}");
        let text = if method == Method::POST { body.to_string() } else { String::new() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Full::new(Bytes::from(text)))
            .expect("commands are valid requests");
        let answer = self.client.exchange(request).await;
        let answer = answer.unwrap_or_else(|broken| panic!("chromedriver left {shown} without an answer: {broken}"));
        let mut value = answer.json();
        let value = value["value"].take();
        if answer.status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(Refused { code: text("error"), message: text("message") })
    }
}

impl Drop for Driver {
    /// The driver ends, with it the browser, and only then what the browser writes into is removed.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        if let Some(browser) = self.browser {
            // A browser that is gone already has no descriptor, and needs no waiting for.
            if let Ok(ended) = pidfd_open(browser, PidfdFlags::empty()) {
                let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&GIVE_UP_END));
            }
        }
    }
}

/// Starts chromedriver so that it cannot outlive this thread, however the test ends.
fn spawn(profile: &TempDir) -> (Child, ChildStdout) {
    let way_out = "install Debian's packages chromium and chromium-driver, or run `cargo xtask test`, which does";
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "chromedriver", "--port=0", "--log-level=SEVERE"])
        // Neither a display nor settings of whoever runs the test count.
        .env("HOME", profile.path())
        .env("XDG_CONFIG_HOME", profile.path())
        .env("TMPDIR", profile.path())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("setpriv cannot be started: {error}; {way_out}"));
    let output = child.stdout.take().expect("its output is piped");
    (child, output)
}

/// Reads on behind the port, so that the driver never writes into a closed pipe.
async fn ready_port(output: ChildStdout) -> Option<u16> {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, port)) = line.split_once(READY) {
            let port = port.trim_end_matches('.').parse().expect("the ready line ends with a port");
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(port);
        }
    }
    None
}

/// Where axe-core's script lies.
///
/// # Panics
///
/// Nobody said so.
pub(crate) fn axe_path() -> PathBuf {
    let set = std::env::var_os(AXE);
    set.unwrap_or_else(|| panic!("{AXE} is not set: `cargo xtask test` installs axe-core and says where it is")).into()
}
