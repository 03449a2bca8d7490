//! Requests that no HTTP library would send: bytes on a socket, and whatever comes back.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// Bytes of an answer that are read at most.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// All bytes.
    pub bytes: Vec<u8>,
    /// Whether the server ended the connection; otherwise it left it open until the bound.
    pub closed: bool,
}

impl RawAnswer {
    /// The statuses of all answers in it, in order.
    pub fn statuses(&self) -> Vec<u16> {
        let text = String::from_utf8_lossy(&self.bytes);
        let codes = text.match_indices("HTTP/1.1 ").map(|(at, start)| text[at + start.len()..].get(..3));
        codes.filter_map(|code| code?.parse().ok()).collect()
    }

    /// The body of the first answer.
    pub fn body(&self) -> &[u8] {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n");
        end.map_or(&[], |end| &self.bytes[end + 4..])
    }
}

/// Sends bytes on a new connection and reads until the server closes it or the bound has passed. A
/// connection that the server resets, even while it is being written to, is closed and no error:
/// it is the server's right.
pub async fn raw_exchange(address: SocketAddr, request: &[u8], bound: Duration) -> RawAnswer {
    let mut stream = TcpStream::connect(address).await.expect("the server takes connections");
    let until = Instant::now() + bound;
    let mut bytes = Vec::new();
    let (mut reader, mut writer) = stream.split();
    // What cannot be written any more was refused early.
    let write = timeout_at(until, writer.write_all(request));
    let (closed, _) = tokio::join!(read_all(&mut reader, &mut bytes, until), write);
    RawAnswer { bytes, closed }
}

/// Sends pieces with pauses between them for as long as the server takes them, and returns its
/// answer and how long it held out.
pub async fn send_slowly(
    address: SocketAddr,
    pieces: impl Iterator<Item = Vec<u8>> + Send,
    pause: Duration,
    bound: Duration,
) -> (RawAnswer, Duration) {
    let mut stream = TcpStream::connect(address).await.expect("the server takes connections");
    let started = Instant::now();
    let until = started + bound;
    let mut bytes = Vec::new();
    let (mut reader, mut writer) = stream.split();
    let write = async {
        for piece in pieces {
            if writer.write_all(&piece).await.is_err() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        std::future::pending::<()>().await;
    };
    let closed = tokio::select! {
        biased;
        closed = read_all(&mut reader, &mut bytes, until) => closed,
        () = write => unreachable!("it never ends by itself"),
    };
    (RawAnswer { bytes, closed }, started.elapsed())
}

/// Reads to the end; false if the bound passed first.
async fn read_all(reader: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>, until: Instant) -> bool {
    let mut chunk = vec![0; 16 * 1024];
    while bytes.len() < ANSWER_BYTES_MAX {
        match timeout_at(until, reader.read(&mut chunk)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(count)) => bytes.extend_from_slice(&chunk[..count]),
            Err(_) => return false,
        }
    }
    true
}
