//! Listeners on every address that write down who comes.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use super::{ALLOWED_PORTS, PUBLIC};

/// Where infrastructure and web servers listen.
const PORTS: [u16; 19] =
    [80, 443, 8080, 8443, 22, 23, 25, 110, 143, 389, 445, 465, 587, 2375, 3306, 5432, 6379, 9200, 11211];
/// Bytes of a request's head that are read: the paths here are short.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long a canary listens to whoever came and says nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// A path that starts like this is answered with a redirect to what follows it.
const REDIRECT: &str = "/redirect/";
const ACCEPT_QUEUE: u32 = 1_024;

/// Somebody who came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// To where.
    pub address: SocketAddr,
    /// What was asked for; empty if nothing was.
    pub path: String,
}

impl Hit {
    /// Whether nobody may come there.
    pub fn is_forbidden(&self) -> bool {
        let public = PUBLIC.iter().any(|public| public.parse() == Ok(self.address.ip()));
        !public || !ALLOWED_PORTS.contains(&self.address.port())
    }
}

/// All canaries together.
#[derive(Debug, Default)]
pub(super) struct Canaries {
    hits: Mutex<Vec<Hit>>,
}

impl Canaries {
    /// Starts a listener on every port, for all addresses at once.
    pub(super) fn start() -> (Arc<Self>, Vec<JoinHandle<()>>) {
        let canaries = Arc::new(Self::default());
        let listen = |port| {
            // One for IPv6 takes what comes by IPv4 as well.
            let socket = TcpSocket::new_v6().expect("a socket can be made");
            socket.set_reuseaddr(true).expect("an option can be set");
            socket.bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).expect("nobody else is in this namespace");
            let listener = socket.listen(ACCEPT_QUEUE).expect("a bound socket can listen");
            tokio::spawn(accept(listener, Arc::clone(&canaries)))
        };
        let tasks = PORTS.into_iter().chain([27017]).map(listen).collect();
        (canaries, tasks)
    }

    pub(super) fn hits(&self) -> Vec<Hit> {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn forget(&self) {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn accept(listener: TcpListener, canaries: Arc<Canaries>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let address = stream.local_addr().expect("a connection has two ends");
        let address = SocketAddr::new(plain(address.ip()), address.port());
        // Written down at once: who comes and says nothing has come.
        let place = {
            let mut hits = canaries.hits.lock().unwrap_or_else(PoisonError::into_inner);
            hits.push(Hit { address, path: String::new() });
            hits.len() - 1
        };
        let canaries = Arc::clone(&canaries);
        tokio::spawn(async move { drop(tokio::time::timeout(PATIENCE, answer(stream, &canaries, place)).await) });
    }
}

fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Reads a request and answers it; the connection ends with it, so that the next is dialled anew.
async fn answer(mut stream: TcpStream, canaries: &Canaries, place: usize) {
    let Some(head) = read_head(&mut stream).await else { return };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if let Some(hit) = canaries.hits.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
        hit.path.clone_from(&path);
    }
    let answer = match path.strip_prefix(REDIRECT).and_then(|rest| rest.split_once('/')) {
        Some((status, target)) => format!("HTTP/1.1 {status} Elsewhere\r\nlocation: http://{target}\r\n"),
        None => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    let answer = format!("{answer}content-length: 0\r\nconnection: close\r\n\r\n");
    // Whoever has gone away needs no answer.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    // What is left of the body is read, so that closing does not reset the answer away.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while head.len() < HEAD_BYTES_MAX && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        head.extend_from_slice(&part[..count]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
