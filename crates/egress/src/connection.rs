//! One HTTP/1.1 connection, driven by whoever waits for it.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::dial::Stream;

/// How much of an answer is buffered at once; a head must fit in it. Hyper itself caps the
/// number of header fields at 100.
const READ_BUFFER_BYTES_MAX: usize = 64 * 1024;

type Body = Full<Bytes>;

/// A connection that carries one exchange at a time.
///
/// Hyper splits a connection into a handle and a driver that is usually spawned. Here both stay
/// together: an exchange polls the driver itself. That saves two switches between tasks for each
/// delivery, and when an exchange is dropped half-way the whole connection goes with it.
pub(crate) struct Connection {
    handle: http1::SendRequest<Body>,
    driver: Driver,
    bytes_received: Arc<AtomicU64>,
    opened: Instant,
}

impl Connection {
    /// Prepares HTTP on a connected stream; sends nothing yet.
    pub(crate) async fn open(stream: Box<dyn Stream>) -> hyper::Result<Box<Connection>> {
        let bytes_received = Arc::new(AtomicU64::new(0));
        let metered = Metered { stream, bytes_received: Arc::clone(&bytes_received) };
        let (handle, connection) =
            http1::Builder::new().max_buf_size(READ_BUFFER_BYTES_MAX).handshake(TokioIo::new(metered)).await?;
        let driver = Driver { connection, ended: false };
        Ok(Box::new(Connection { handle, driver, bytes_received, opened: Instant::now() }))
    }

    /// When the connection was made.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// How many bytes the other side has sent so far.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.bytes_received.load(Ordering::Relaxed)
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        let answer = self.handle.send_request(request);
        self.driver.run_with(answer).await
    }

    /// Drives the connection while something reads the body that came over it.
    pub(crate) async fn run_with<F: Future>(&mut self, reading: F) -> F::Output {
        self.driver.run_with(reading).await
    }

    /// Whether the next request may be handed over. Does not look at the socket.
    pub(crate) fn is_ready(&self) -> bool {
        !self.driver.ended && self.handle.is_ready()
    }

    /// Looks at the socket of an idle connection and says whether it is still open and has
    /// received nothing that nobody asked for.
    ///
    /// Nobody is to be woken by an idle connection, neither the task that looks nor the one that
    /// used it before, hence the waker that does nothing. The next exchange puts its own.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.driver.advance(&mut Context::from_waker(Waker::noop()));
        self.is_ready()
    }
}

struct Driver {
    connection: http1::Connection<TokioIo<Metered>, Body>,
    ended: bool,
}

impl Driver {
    /// Polls the work and the connection in turn, in one task. The work is polled on both sides
    /// of the driver: before it, because the driver reads a body only once it is asked for;
    /// after it, because what the driver has read completes the work.
    async fn run_with<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.advance(context);
            work.as_mut().poll(context)
        })
        .await
    }

    /// How the connection ended is told to the work, which waits on the other end of hyper's
    /// channels.
    fn advance(&mut self, context: &mut Context<'_>) {
        if !self.ended {
            self.ended = Pin::new(&mut self.connection).poll(context).is_ready();
        }
    }
}

/// A stream that counts what it receives, to tell a connection that broke before the answer
/// began from one that broke in its midst.
struct Metered {
    stream: Box<dyn Stream>,
    bytes_received: Arc<AtomicU64>,
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().len() - before;
        if received > 0 {
            self.bytes_received.fetch_add(received as u64, Ordering::Relaxed);
        }
        result
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
