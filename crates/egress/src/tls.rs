//! TLS: whom to trust, the handshake, and what its failures mean to a person.

use std::io;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tidings_domain::target::{Host, TargetUrl};
use tidings_ports::sender::{FailureKind, SendFailure};
use tokio_rustls::TlsConnector;

use crate::dial::Stream;

/// Why TLS cannot be set up at the start.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// A root certificate that was given to the server cannot be used.
    #[error("root certificate {number} cannot be read ({reason}); give X.509 certificates")]
    Root {
        /// Which of those given, counted from 1.
        number: usize,
        /// What the TLS library says.
        reason: String,
    },
    /// The TLS library cannot speak any version of TLS.
    #[error("the TLS library offers no usable version of TLS: {0}")]
    Library(String),
}

/// Trusts the system's roots, or Mozilla's where the system has none, and the extra ones.
pub(crate) fn connector(extra_roots: &[CertificateDer<'static>]) -> Result<TlsConnector, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (added, ignored) = roots.add_parsable_certificates(system.certs);
    tracing::debug!(added, ignored, "system root certificates");
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for (index, root) in extra_roots.iter().enumerate() {
        roots
            .add(root.clone())
            .map_err(|error| TlsSetupError::Root { number: index + 1, reason: error.to_string() })?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsSetupError::Library(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Does the handshake for the host that the address names.
pub(crate) async fn handshake(
    connector: &TlsConnector,
    url: &TargetUrl,
    stream: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, SendFailure> {
    let name = server_name(url).map_err(|error| SendFailure {
        kind: FailureKind::Tls,
        message: format!("no certificate can be issued for `{}`: {error}", url.authority()),
    })?;
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(SendFailure {
            kind: FailureKind::Tls,
            message: format!("TLS with {} failed: {}", url.authority(), explain(&error)),
        }),
    }
}

fn server_name(url: &TargetUrl) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match url.host() {
        Host::Ip(address) => Ok(ServerName::IpAddress(address.into())),
        Host::Name(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            ServerName::try_from(name.to_owned())
        }
    }
}

fn explain(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(problem)) => explain_certificate(problem),
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("the receiver refused the handshake ({alert:?})")
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            "the receiver does not speak TLS on this port; check the port, or use http where it is allowed".to_owned()
        }
        Some(other) => other.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the receiver closed the connection during the handshake".to_owned()
        }
        None => error.to_string(),
    }
}

fn explain_certificate(problem: &CertificateError) -> String {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired; the receiver must renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet; check the clocks of both sides".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the certificate's issuer is unknown; the receiver must send its whole chain, or the operator must add the issuer's root".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name".to_owned()
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate is not valid ({other})"),
    }
}
