//! A server of one test: it answers connections in the order of its script and records requests.

use std::sync::{Arc, Mutex};

use tidings_client::{Client, ClientBuilder};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};

/// What the server does with the next request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, further header lines, body.
    Answer(u16, &'static str, String),
    /// Closes the connection without an answer.
    Hangup,
    /// Answers, and closes the connection afterwards without having said so.
    AnswerAndClose(u16, String),
    /// Never answers.
    Silence,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `POST /api/v1/events HTTP/1.1`
    pub(crate) line: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection, counted from 1.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Script {
    replies: Vec<Reply>,
    seen: Vec<Seen>,
}

/// A running server.
pub(crate) struct Loopback {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
}

impl Loopback {
    /// Listens, and goes through these replies.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let script = Arc::new(Mutex::new(Script { replies, seen: Vec::new() }));
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                connection += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared), connection));
            }
        });
        Self { port, script }
    }

    /// A client of this server that does not wait before it repeats.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(format!("http://127.0.0.1:{}", self.port))
            .api_key("tdk_test")
            .retry_wait_max(std::time::Duration::ZERO)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().expect("no test panics while it holds this").seen.clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Arc<Mutex<Script>>, connection: usize) {
    while let Some(seen) = read_request(&mut stream, connection).await {
        let reply = {
            let mut script = script.lock().expect("no test panics while it holds this");
            script.seen.push(seen);
            assert!(!script.replies.is_empty(), "the client asked more often than the test expects");
            script.replies.remove(0)
        };
        let (status, headers, body, close) = match reply {
            Reply::Answer(status, headers, body) => (status, headers, body, false),
            Reply::AnswerAndClose(status, body) => (status, "", body, true),
            Reply::Hangup => return,
            Reply::Silence => std::future::pending().await,
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() || close {
            return;
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin), connection: usize) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head in ASCII");
    let mut lines = head.trim_end().lines();
    let line = lines.next().expect("a request line").to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).expect("a body in UTF-8");
    Some(Seen { line, headers, body, connection })
}
