//! https.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tidings_client::Client;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

const INSTANCE: &str = r#"{"version":"0.1.0","pending_deliveries":3,"oldest_due_at":null,"operations_project_id":null,"nodes":[],"ledger":{"accepted":0,"delivered":0,"failed":0,"dropped":0,"cancelled":0,"pending":0,"unaccounted":0}}"#;

/// Answers one request over TLS; returns the port and the certificate.
async fn start() -> (u16, CertificateDer<'static>) {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let certificate = issued.cert.der().clone();
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a usable certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate breaks off here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4_096];
            let _ = stream.read(&mut buffer).await.expect("a request");
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{INSTANCE}", INSTANCE.len());
            stream.write_all(answer.as_bytes()).await.expect("written");
        }
    });
    (port, certificate)
}

#[tokio::test]
async fn a_trusted_certificate_is_needed() {
    let (port, certificate) = start().await;
    let builder = Client::builder(format!("https://localhost:{port}")).retry_wait_max(std::time::Duration::ZERO);
    let trusting = builder.clone().trust(certificate).build().expect("a client");
    assert_eq!(trusting.instance().await.expect("an answer").pending_deliveries, 3);

    // Trusts another certificate, so that the test does not depend on the machine's own.
    let other = rcgen::generate_simple_self_signed(vec!["other".to_owned()]).expect("a certificate").cert;
    let distrusting = builder.trust(other.der().clone()).build().expect("a client");
    let error = distrusting.instance().await.expect_err("refused").to_string();
    assert!(error.contains("TLS failed"), "{error}");
}
