//! What the tests share: an injected name server, an injected network, receivers on loopback.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use tidings_domain::target::{TargetPolicy, TargetUrl};
use tidings_egress::{Checked, Dialled, Dialler, HttpSender, ResolveError, Resolver, SenderParts, TcpDialler};
use tidings_ports::Sender;
use tidings_ports::sender::{Answer, Exchange, OutgoingRequest, SendFailure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Long enough never to matter in a test that expects an answer.
pub(crate) const AMPLE_MS: u32 = 20_000;

/// Short, for receivers that never finish.
pub(crate) const SHORT_MS: u32 = 150;

/// The strictest policy that still lets plain HTTP out to the public.
pub(crate) fn public_http() -> TargetPolicy {
    TargetPolicy { allow_http: true, ..TargetPolicy::default() }
}

/// Lets requests out to receivers on loopback.
pub(crate) fn loopback_http() -> TargetPolicy {
    TargetPolicy { allowed: vec!["127.0.0.0/8".parse().unwrap()], ..public_http() }
}

/// A client that reaches receivers on loopback over real sockets.
pub(crate) fn loopback_sender() -> HttpSender {
    HttpSender::new(SenderParts::system(loopback_http())).unwrap()
}

pub(crate) fn request_to(url: &str, timeout_ms: u32) -> OutgoingRequest {
    let url = Arc::new(TargetUrl::parse(url).unwrap());
    OutgoingRequest::post(url, HeaderMap::new(), Bytes::from_static(b"{\"hello\":1}"), timeout_ms)
}

pub(crate) async fn post(sender: &HttpSender, address: SocketAddr, timeout_ms: u32) -> Exchange {
    sender.send(request_to(&format!("http://{address}/hook"), timeout_ms)).await
}

pub(crate) fn answered(exchange: Exchange) -> Answer {
    exchange.result.unwrap()
}

pub(crate) fn failed(exchange: Exchange) -> SendFailure {
    exchange.result.unwrap_err()
}

/// Names and what they resolve to; everything else does not exist.
#[derive(Default)]
pub(crate) struct FixedNames(pub(crate) HashMap<String, Vec<IpAddr>>);

impl FixedNames {
    pub(crate) fn one(name: &str, addresses: &[&str]) -> Arc<FixedNames> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(FixedNames(HashMap::from([(name.to_owned(), addresses)])))
    }
}

#[async_trait]
impl Resolver for FixedNames {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.0.get(name).cloned().ok_or(ResolveError::NotFound)
    }
}

/// A network in which every address answers 200; remembers what was dialled.
#[derive(Default)]
pub(crate) struct RecordingDialler {
    dialled: Mutex<Vec<SocketAddr>>,
}

impl RecordingDialler {
    pub(crate) fn take(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.dialled.lock().unwrap())
    }
}

#[async_trait]
impl Dialler for RecordingDialler {
    async fn dial(&self, to: &Checked) -> io::Result<Dialled> {
        self.dialled.lock().unwrap().push(to.address());
        let (ours, mut theirs) = tokio::io::duplex(8 * 1024);
        tokio::spawn(async move {
            read_request(&mut theirs).await;
            theirs.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await
        });
        Ok(Dialled { stream: Box::new(ours), peer: None })
    }
}

/// TCP that counts its dials.
#[derive(Default)]
pub(crate) struct CountingDialler(pub(crate) AtomicUsize);

#[async_trait]
impl Dialler for CountingDialler {
    async fn dial(&self, to: &Checked) -> io::Result<Dialled> {
        self.0.fetch_add(1, Ordering::SeqCst);
        TcpDialler.dial(to).await
    }
}

/// A client over real sockets that counts its dials.
pub(crate) fn counted_sender() -> (HttpSender, Arc<CountingDialler>) {
    let dialler = Arc::new(CountingDialler::default());
    let parts = SenderParts { dialler: dialler.clone(), ..SenderParts::system(loopback_http()) };
    (HttpSender::new(parts).unwrap(), dialler)
}

/// Listens on loopback and plays the script with every connection, which comes with its number.
pub(crate) async fn receiver<Script, Playing>(script: Script) -> SocketAddr
where
    Script: Fn(usize, TcpStream) -> Playing + Send + 'static,
    Playing: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(number, stream));
        }
    });
    address
}

/// A receiver that reads one request on each connection, writes these bytes and closes.
pub(crate) async fn receiver_writing(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer: Arc<Vec<u8>> = Arc::new(answer.into());
    receiver(move |_, mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_request(&mut stream).await;
            stream.write_all(&answer).await.ok();
            stream.shutdown().await.ok();
            // Wait for the other side, so that nothing unread resets the connection.
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
    })
    .await
}

/// A receiver that writes the beginning once, then the piece for as long as anybody listens.
pub(crate) async fn receiver_repeating(beginning: &'static str, piece: Vec<u8>) -> SocketAddr {
    let piece = Arc::new(piece);
    receiver(move |_, mut stream| {
        let piece = Arc::clone(&piece);
        async move {
            read_request(&mut stream).await;
            let mut written = stream.write_all(beginning.as_bytes()).await;
            while written.is_ok() {
                written = stream.write_all(&piece).await;
            }
        }
    })
    .await
}

/// Answers every request with these bytes for as long as the connection lives.
pub(crate) async fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    while read_request(&mut stream).await.is_some() {
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Reads one request with `content-length`; `None` when the other side closes before its end.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let expected: usize = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= expected {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
