//! A small internet of a test's own, in a network namespace without a way out: every address that
//! may and that must not be called stands on its loopback device, a lying name server tells where
//! names lead, and a canary on every address writes down who comes.
//!
//! Only for tests inside network and mount namespaces of their own ([`crate::in_namespaces`]).
//! Nothing here dials anything.

mod canary;
mod corpus;
mod names;

use std::{
    fs,
    io::Write as _,
    net::IpAddr,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use tempfile::TempDir;
use tokio::task::JoinHandle;

pub use canary::Hit;
pub use corpus::{CorpusRow, corpus};

/// Addresses that may be called: public ones, most of them just outside a forbidden range.
const PUBLIC: [&str; 18] = [
    "93.184.216.34",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.1",
    "172.15.255.254",
    "172.32.0.1",
    "192.167.255.254",
    "192.169.0.1",
    "100.63.255.254",
    "100.128.0.1",
    "169.253.255.254",
    "169.255.0.1",
    "126.255.255.254",
    "128.0.0.1",
    "198.17.255.254",
    "198.20.0.1",
    "223.255.255.254",
    "2606:2800:220:1::34",
];
/// Addresses that names lead to, beside those that stand in the corpus.
const FORBIDDEN: [&str; 8] = [
    "10.0.0.1",
    "172.16.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "fd00:ec2::254",
    "64:ff9b::a9fe:a9fe",
];
/// Ports that webhooks may use; what stands on the others is infrastructure.
const ALLOWED_PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// The lab. Its addresses and mounts end with the namespaces.
#[derive(Debug)]
pub struct Lab {
    canaries: Arc<canary::Canaries>,
    tasks: Vec<JoinHandle<()>>,
    _files: TempDir,
}

impl Lab {
    /// Sets the lab up.
    ///
    /// # Panics
    ///
    /// This network has a way out: then nothing may be done here.
    pub async fn set_up() -> Self {
        assert_no_way_out();
        give_addresses(&corpus());
        let files = TempDir::with_prefix("tidings-lab-").expect("a temporary directory can be made");
        let resolver = format!("nameserver {}\noptions timeout:1 attempts:1\n", names::SERVER.ip());
        hide(files.path(), "resolv.conf", &resolver);
        hide(files.path(), "hosts", "127.0.0.1 localhost\n");
        hide(files.path(), "nsswitch.conf", "hosts: dns\n");
        let (canaries, mut tasks) = canary::Canaries::start();
        tasks.push(names::serve().await);
        Self { canaries, tasks, _files: files }
    }

    /// Everybody who came, in order.
    pub fn hits(&self) -> Vec<Hit> {
        self.canaries.hits()
    }

    /// Whoever came to an address or port that must not be called.
    pub fn forbidden_hits(&self) -> Vec<Hit> {
        self.hits().into_iter().filter(Hit::is_forbidden).collect()
    }

    /// Forgets who came.
    pub fn forget(&self) {
        self.canaries.forget();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A route that does not lead to the loopback device leads out.
fn assert_no_way_out() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (v4, v6) = (read("/proc/self/net/route"), read("/proc/self/net/ipv6_route"));
    let devices = v4.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let devices = devices.chain(v6.lines().filter_map(|line| line.split_whitespace().last()));
    let outside: Vec<_> = devices.filter(|device| *device != "lo").collect();
    assert!(outside.is_empty(), "this network has a way out through {outside:?}: the lab needs a namespace of its own");
}

/// Puts every address on the loopback device, so that calling it arrives here.
fn give_addresses(rows: &[CorpusRow]) {
    let named = rows.iter().filter_map(|row| row.literal_address());
    let fixed = PUBLIC.iter().chain(&FORBIDDEN).map(|text| text.parse().expect("the tables hold addresses"));
    let mut script = "link set lo up\n".to_owned();
    for address in named.chain(fixed).filter(|address: &IpAddr| !address.is_unspecified() && !address.is_loopback()) {
        let options = if address.is_ipv4() { "/32 dev lo" } else { "/128 dev lo nodad" };
        script.push_str(&format!("addr add {address}{options}\n"));
    }
    // Some, such as multicast, cannot be had; and nobody can call those here either.
    let mut command = Command::new("ip");
    command.args(["-force", "-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("ip can be run: it comes with the package iproute2");
    let mut input = child.stdin.take().expect("its input is piped");
    input.write_all(script.as_bytes()).expect("ip reads its input");
    drop(input);
    child.wait().expect("a child can be waited for");
}

/// Puts a file of ours in the place of one of the system's, for this namespace alone.
fn hide(directory: &Path, name: &str, text: &str) {
    let own = directory.join(name);
    fs::write(&own, text).expect("a file can be written");
    let place = Path::new("/etc").join(name);
    if place.exists() {
        let done = Command::new("mount").arg("--bind").args([&own, &place]).status();
        assert!(done.is_ok_and(|status| status.success()), "{} cannot be hidden", place.display());
    }
}
