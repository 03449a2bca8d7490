//! Connecting: TCP, TLS where the address says https, and the HTTP/1.1 handshake.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::Url;

use crate::ClientError;

/// A connection that is ready for one request after the other.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// Where to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    https: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// As the `Host` header carries it.
    authority: String,
}

impl Origin {
    pub(crate) fn from_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        Some(Self {
            https: url.scheme() == "https",
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port_or_known_default()?,
            authority: url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        })
    }

    pub(crate) const fn is_https(&self) -> bool {
        self.https
    }

    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

/// Trusts the system's certificates and the extra ones.
pub(crate) fn tls_connector(extra_roots: &[CertificateDer<'static>]) -> Result<TlsConnector, ClientError> {
    let refused = |reason: String| ClientError::Setting(format!("TLS cannot be set up: {reason}"));
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for root in extra_roots {
        roots.add(root.clone()).map_err(|error| refused(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refused("the system has no root certificates; install the package ca-certificates".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects; the error says what did not work.
pub(crate) async fn connect(origin: &Origin, tls: Option<&TlsConnector>) -> Result<Connection, String> {
    let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await.map_err(|error| explain(&error))?;
    // Requests are written in one piece; waiting for more to come would only delay them.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let Some(tls) = tls else { return open(stream).await };
    let name = ServerName::try_from(origin.host.clone()).map_err(|error| error.to_string())?;
    let stream = tls.connect(name, stream).await.map_err(|error| format!("TLS failed: {error}"))?;
    open(stream).await
}

async fn open<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(stream: S) -> Result<Connection, String> {
    let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // Ends with the connection; its error reaches the request that waits on it.
    tokio::spawn(driver);
    Ok(sender)
}

fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        _ => error.to_string(),
    }
}
