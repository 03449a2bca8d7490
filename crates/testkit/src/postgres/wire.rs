//! The way to a PostgreSQL, on which things go wrong: answers are late, stay away, or get lost at the worst moment.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

use super::Cluster;

/// What is read at a time.
const PIECE: usize = 64 * 1024;
/// `COMMIT` as a simple query.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// What becomes of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everything passes.
    Open,
    /// Every answer is so late.
    Late(Duration),
    /// Nothing passes, and nobody is told.
    Stalled,
    /// Every so many commits one is carried out, and its connection breaks before the answer.
    LosesAnswers(u64),
    /// Every so many commits one gets lost on its way, and its connection breaks.
    LosesCommits(u64),
    /// The next commit is carried out, its connection breaks before the answer, and nothing passes any more.
    GoesAway,
}

/// A way to a server.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    rule: Arc<watch::Sender<Rule>>,
    broken: Arc<AtomicU64>,
    listener: JoinHandle<()>,
}

/// What the connections share.
#[derive(Debug, Clone)]
struct Way {
    rule: Arc<watch::Sender<Rule>>,
    commits: Arc<AtomicU64>,
    broken: Arc<AtomicU64>,
}

impl Wire {
    /// A way to this server.
    pub async fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let rule = Arc::new(watch::Sender::new(Rule::Open));
        let way = Way { rule: Arc::clone(&rule), commits: Arc::default(), broken: Arc::default() };
        let (socket, broken) = (cluster.socket(), Arc::clone(&way.broken));
        let listener = tokio::spawn(listen(listener, socket, way));
        Self { address, rule, broken, listener }
    }

    /// How a database of the server is reached on this way.
    pub fn lead_to(&self, database: &str) -> String {
        format!("postgresql://tidings@{}/{}", self.address, name_of(database))
    }

    /// From now on.
    pub fn set(&self, rule: Rule) {
        self.rule.send_replace(rule);
    }

    /// For a while; then everything passes again.
    pub async fn set_for(&self, rule: Rule, length: Duration) {
        self.set(rule);
        tokio::time::sleep(length).await;
        self.set(Rule::Open);
    }

    /// Commits that were broken off.
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::SeqCst)
    }
}

/// The name in a database's URL.
pub(super) fn name_of(database: &str) -> &str {
    let path = database.split_once('?').map_or(database, |(path, _)| path);
    path.rsplit('/').next().unwrap_or(path)
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(listener: TcpListener, socket: PathBuf, way: Way) {
    while let Ok((client, _)) = listener.accept().await {
        let (socket, way) = (socket.clone(), way.clone());
        tokio::spawn(async move {
            let Ok(server) = UnixStream::connect(socket).await else { return };
            way.lead(client, server).await;
        });
    }
}

impl Way {
    async fn lead(self, client: TcpStream, server: UnixStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::select! {
            is_asked = self.asks(&mut from_client, &mut to_server) => {
                if is_asked {
                    // Once it has answered it is done, and nobody gets the answer.
                    let _ = from_server.read(&mut [0; 64]).await;
                }
            }
            () = self.answers(&mut from_server, &mut to_client) => {}
        }
    }

    /// Ends with the connection; whether the server was asked for a commit whose answer is to get lost.
    async fn asks(&self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> bool {
        let mut piece = vec![0; PIECE];
        loop {
            let Ok(count @ 1..) = from.read(&mut piece).await else { return false };
            self.wait().await;
            let is_lost = matches!(*self.rule.borrow(), Rule::LosesCommits(_));
            let is_broken = piece[..count].ends_with(COMMIT) && self.breaks_off();
            if is_broken && is_lost || to.write_all(&piece[..count]).await.is_err() {
                return false;
            }
            if is_broken {
                return true;
            }
        }
    }

    async fn answers(&self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
        let mut piece = vec![0; PIECE];
        loop {
            let Ok(count @ 1..) = from.read(&mut piece).await else { return };
            let late = match *self.rule.borrow() {
                Rule::Late(late) => late,
                _ => Duration::ZERO,
            };
            tokio::time::sleep(late).await;
            self.wait().await;
            if to.write_all(&piece[..count]).await.is_err() {
                return;
            }
        }
    }

    /// Until something passes again.
    async fn wait(&self) {
        let _ = self.rule.subscribe().wait_for(|rule| *rule != Rule::Stalled).await;
    }

    /// Whether it is this commit's turn.
    fn breaks_off(&self) -> bool {
        let rule = *self.rule.borrow();
        let every = match rule {
            Rule::LosesAnswers(every) | Rule::LosesCommits(every) => every,
            Rule::GoesAway => {
                self.rule.send_replace(Rule::Stalled);
                1
            }
            _ => return false,
        };
        let turn = (self.commits.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every);
        self.broken.fetch_add(u64::from(turn), Ordering::SeqCst);
        turn
    }
}
