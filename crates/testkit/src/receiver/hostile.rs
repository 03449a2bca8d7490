//! What no receiver should do, and some do.

use std::{io, sync::LazyLock, time::Duration};

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{bomb::GZIP_BOMB, connection::wait_for_end};

/// Between two bytes that drip.
const DRIP: Duration = Duration::from_millis(50);
/// Bytes of a block that is sent without end.
const BLOCK_BYTES: usize = 16 * 1024;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hostile {
    /// Resets the connection.
    Reset,
    /// Closes the connection without a byte.
    CloseSilently,
    /// Answers with something that is not HTTP.
    Garbage,
    /// Begins a head and never ends it.
    HeadWithoutEnd,
    /// Sends header after header.
    EndlessHeaders,
    /// Sends a chunked body without end.
    EndlessBody,
    /// Sends a head byte by byte.
    DrippingHead,
    /// Sends a body byte by byte.
    DrippingBody,
    /// Announces a body of nearly 2^63 bytes, and sends a few.
    HugeContentLength,
    /// Sends a small compressed body that unpacks to 200 MiB.
    GzipBomb,
    /// Sends header values that are not UTF-8.
    NonUtf8Headers,
    /// Sends a body that is not UTF-8.
    NonUtf8Body,
    /// Says 100 Continue for ever.
    EndlessContinue,
    /// Answers with a redirect to this address.
    Redirect(&'static str),
    /// Answers 204.
    NoContent,
    /// Answers as HTTP/1.0 did: a body that ends with the connection.
    Http10,
    /// Announces two different lengths.
    TwoLengths,
    /// Closes the connection in the middle of the body.
    HalfABody,
}

impl Hostile {
    /// Every way, but for redirects, which need an address.
    pub const ALL: [Self; 17] = [
        Self::Reset,
        Self::CloseSilently,
        Self::Garbage,
        Self::HeadWithoutEnd,
        Self::EndlessHeaders,
        Self::EndlessBody,
        Self::DrippingHead,
        Self::DrippingBody,
        Self::HugeContentLength,
        Self::GzipBomb,
        Self::NonUtf8Headers,
        Self::NonUtf8Body,
        Self::EndlessContinue,
        Self::NoContent,
        Self::Http10,
        Self::TwoLengths,
        Self::HalfABody,
    ];

    /// Makes what takes long to make, before anybody waits for it.
    pub(super) fn prepare(self) {
        if self == Self::GzipBomb {
            LazyLock::force(&GZIP_BOMB);
        }
    }

    /// Does it, for as long as the sender stays. The connection is not to be used again.
    pub(super) async fn misbehave(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Reset => stream.set_zero_linger(),
            Self::CloseSilently => Ok(()),
            Self::Garbage => stream.write_all(b"\x16\x03\x01\x00\x05 SSH-2.0-nonsense\n\n\n").await,
            Self::HeadWithoutEnd => begin(stream, b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n").await,
            Self::EndlessHeaders => endless(stream, b"HTTP/1.1 200 OK\r\n", &header_block()).await,
            Self::EndlessBody => {
                endless(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &chunk()).await
            }
            Self::DrippingHead => drip(stream, b"HTTP/1.1 200 OK\r\nx-drip: ", b'a').await,
            Self::DrippingBody => drip(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b'b').await,
            Self::HugeContentLength => {
                begin(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775806\r\n\r\na few").await
            }
            Self::GzipBomb => {
                let length = GZIP_BOMB.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&GZIP_BOMB).await
            }
            Self::NonUtf8Headers => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nx-bytes: \xff\xfe\x80\r\ncontent-length: 0\r\n\r\n").await
            }
            Self::NonUtf8Body => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\xff\xfe\x00\x80\xc3(").await
            }
            Self::EndlessContinue => endless(stream, b"", b"HTTP/1.1 100 Continue\r\n\r\n").await,
            Self::Redirect(address) => {
                let head =
                    format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {address}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await
            }
            Self::NoContent => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await,
            Self::Http10 => stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nold, but fine").await,
            Self::TwoLengths => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab").await
            }
            Self::HalfABody => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await,
        }
    }
}

/// Sends a beginning, and nothing more.
async fn begin(stream: &mut TcpStream, start: &[u8]) -> io::Result<()> {
    stream.write_all(start).await?;
    wait_for_end(stream).await;
    Ok(())
}

fn chunk() -> Vec<u8> {
    let mut chunk = format!("{BLOCK_BYTES:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + BLOCK_BYTES, b'a');
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn header_block() -> Vec<u8> {
    let line = format!("x-more: {}\r\n", "m".repeat(120));
    line.repeat(BLOCK_BYTES / line.len()).into_bytes()
}

/// Sends a start, and then the same again and again until the sender leaves.
async fn endless(stream: &mut TcpStream, start: &[u8], again: &[u8]) -> io::Result<()> {
    stream.write_all(start).await?;
    loop {
        stream.write_all(again).await?;
        // Leaves the other tasks of the test their turn.
        tokio::task::yield_now().await;
    }
}

async fn drip(stream: &mut TcpStream, start: &[u8], again: u8) -> io::Result<()> {
    stream.write_all(start).await?;
    loop {
        stream.write_all(&[again]).await?;
        tokio::time::sleep(DRIP).await;
    }
}
