//! Connecting, to checked addresses only (INV-DIAL).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::guard::Checked;

/// How many of a name's addresses are tried.
const ADDRESSES_TRIED_MAX: usize = 4;

/// How long one address may take while another is left to try.
const CONNECT_MAX_WITH_ALTERNATIVE: Duration = Duration::from_secs(3);

/// A connected byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection as a dialler hands it over.
pub struct Dialled {
    /// The bytes.
    pub stream: Box<dyn Stream>,
    /// Whom the operating system says it is connected to, where there is one.
    pub peer: Option<SocketAddr>,
}

/// Makes connections. A parameter, so that tests and simulations see every dial.
#[async_trait]
pub trait Dialler: Send + Sync {
    /// Connects to exactly this address.
    ///
    /// # Errors
    ///
    /// Whatever connecting gave.
    async fn dial(&self, to: &Checked) -> io::Result<Dialled>;
}

/// Dials over TCP without delaying small packets.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDialler;

#[async_trait]
impl Dialler for TcpDialler {
    async fn dial(&self, to: &Checked) -> io::Result<Dialled> {
        let stream = TcpStream::connect(to.address()).await?;
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr()?;
        Ok(Dialled { stream: Box::new(stream), peer: Some(peer) })
    }
}

/// Why no connection came about.
#[derive(Debug)]
pub(crate) struct DialError {
    pub(crate) address: SocketAddr,
    pub(crate) error: io::Error,
}

/// Tries the addresses one after another, at least one. The only way to [`Dialler::dial`].
pub(crate) async fn dial_checked(dialler: &dyn Dialler, addresses: &[Checked]) -> Result<Box<dyn Stream>, DialError> {
    let addresses = &addresses[..addresses.len().min(ADDRESSES_TRIED_MAX)];
    let Some((last, alternatives)) = addresses.split_last() else {
        unreachable!("a name without addresses counts as not found, before it is dialled");
    };
    for address in alternatives {
        let attempt = timeout(CONNECT_MAX_WITH_ALTERNATIVE, dial_one(dialler, address)).await;
        match attempt {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                tracing::debug!(target.address = %address.address(), %error, "trying the next address");
            }
            Err(_) => {
                tracing::debug!(target.address = %address.address(), "slow, trying the next address");
            }
        }
    }
    let attempt = dial_one(dialler, last).await;
    attempt.map_err(|error| DialError { address: last.address(), error })
}

async fn dial_one(dialler: &dyn Dialler, to: &Checked) -> io::Result<Box<dyn Stream>> {
    tracing::debug!(target.address = %to.address(), "dialling");
    let dialled = dialler.dial(to).await?;
    match dialled.peer {
        Some(peer) if !is_same(peer, to.address()) => Err(io::Error::other(format!(
            "the connection leads to {peer} instead; something on this machine redirects it"
        ))),
        _ => Ok(dialled.stream),
    }
}

fn is_same(peer: SocketAddr, checked: SocketAddr) -> bool {
    peer.ip().to_canonical() == checked.ip().to_canonical() && peer.port() == checked.port()
}
