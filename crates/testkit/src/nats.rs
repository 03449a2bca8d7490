//! A NATS of the tests' own: Debian's `nats-server` with JetStream, in a temporary directory, on a free port.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::wait::until;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/nats-server";
/// It is ready within this time, also on a machine that is busy with other things.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Runs the server, and ends it once nobody listens any more, however the tests have ended. What it had is kept for
/// another start only if that is said.
const KEEP: &str = r#"
"$0" -a 127.0.0.1 -p "$2" -c "$1/server.conf" -js -sd "$1/data" -l "$1/log" --ports_file_dir "$1" &
server=$!
read word
kill -9 $server
wait $server
[ "$word" = keep ] || rm -rf "$1"
"#;

/// A server. Ends with this value, or with the process.
#[derive(Debug)]
pub struct Nats {
    directory: PathBuf,
    address: SocketAddr,
    keeper: Child,
}

impl Nats {
    /// Starts it with this configuration besides address and directory; it may be empty.
    ///
    /// # Panics
    ///
    /// If Debian's package `nats-server` is not installed, or it does not start.
    pub async fn start(configuration: &str) -> Self {
        assert!(Path::new(PROGRAM).exists(), "Debian's package nats-server is installed");
        // The keeper removes it: it lives longer than whoever is killed.
        let directory = TempDir::with_prefix("tidings-nats-").expect("a temporary directory can be made").keep();
        fs::write(directory.join("server.conf"), configuration).expect("a file can be written");
        let keeper = keep(&directory, "-1");
        let address = until("NATS to say its port", READY_WITHIN, async || port(&directory)).await;
        let server = Self { directory, address, keeper };
        server.ready().await;
        server
    }

    /// How it is reached.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Kills it, and starts it again at the same address with what it had on disk.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn restart(&mut self) {
        self.end("keep\n");
        self.keeper = keep(&self.directory, &self.address.port().to_string());
        self.ready().await;
    }

    async fn ready(&self) {
        let listens = async || TcpStream::connect(self.address).await.ok().map(drop);
        until("NATS to listen", READY_WITHIN, listens).await;
    }

    fn end(&mut self, word: &str) {
        // The keeper reads until there is nobody left to write.
        if let Some(mut input) = self.keeper.stdin.take() {
            let _ = input.write_all(word.as_bytes());
        }
        let _ = self.keeper.wait();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.end("");
    }
}

fn keep(directory: &Path, port: &str) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", KEEP, PROGRAM]).arg(directory).arg(port);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a shell starts")
}

/// What it writes into its directory once it listens.
fn port(directory: &Path) -> Option<SocketAddr> {
    let files = fs::read_dir(directory).expect("a directory").flatten().map(|file| file.path());
    let ports = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "ports"))?;
    let ports: Value = serde_json::from_slice(&fs::read(ports).ok()?).ok()?;
    ports["nats"][0].as_str()?.strip_prefix("nats://")?.parse().ok()
}
