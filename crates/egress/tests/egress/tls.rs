//! Certificates: whom the client believes, and what it says when it does not.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tidings_egress::{CertificateDer, HttpSender, SenderParts};
use tidings_ports::Sender;
use tidings_ports::sender::{Exchange, FailureKind, SendFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::support::{
    AMPLE_MS, FixedNames, SHORT_MS, answered, failed, loopback_http, read_request, receiver, receiver_writing,
    request_to,
};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate_for(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

/// A TLS receiver with this certificate, which answers every request with 200.
async fn tls_receiver(issuer: &Issuer, certificate: CertificateParams) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate.signed_by(&key, issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    // A receiver that could speak HTTP/2 must not be led to.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    receiver(move |_, stream| answer_all(acceptor.clone(), stream)).await
}

async fn answer_all(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    while read_request(&mut stream).await.is_some() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    }
}

fn client(roots: &[&Issuer]) -> HttpSender {
    let parts = SenderParts {
        resolver: FixedNames::one("receiver.example", &["127.0.0.1"]),
        extra_roots: roots.iter().map(|root| root.der().clone()).collect(),
        ..SenderParts::system(loopback_http())
    };
    HttpSender::new(parts).unwrap()
}

async fn post(sender: &HttpSender, address: SocketAddr, timeout_ms: u32) -> Exchange {
    let url = format!("https://receiver.example:{}/hook", address.port());
    sender.send(request_to(&url, timeout_ms)).await
}

async fn tls_failure(sender: &HttpSender, address: SocketAddr) -> SendFailure {
    let failure = failed(post(sender, address, AMPLE_MS).await);
    assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.message);
    failure
}

#[tokio::test]
async fn a_certificate_from_a_known_issuer_is_believed() {
    let issuer = issuer("Ours");
    let address = tls_receiver(&issuer, certificate_for(&["receiver.example"])).await;
    let sender = client(&[&issuer]);
    let exchange = post(&sender, address, AMPLE_MS).await;
    assert!(exchange.timing.tls_us > 0);
    assert_eq!(answered(exchange).body, "ok");
    let exchange = post(&sender, address, AMPLE_MS).await;
    assert!(exchange.timing.reused && exchange.timing.tls_us == 0);
}

#[tokio::test]
async fn a_certificate_for_a_literal_address_is_believed() {
    let issuer = issuer("Ours");
    let address = tls_receiver(&issuer, certificate_for(&["127.0.0.1"])).await;
    let url = format!("https://{address}/");
    answered(client(&[&issuer]).send(request_to(&url, AMPLE_MS)).await);
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let address = tls_receiver(&issuer("Theirs"), certificate_for(&["receiver.example"])).await;
    for sender in [client(&[]), client(&[&issuer("Ours")])] {
        let failure = tls_failure(&sender, address).await;
        assert!(failure.message.contains("issuer is unknown"), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_believed() {
    let issuer = issuer("Ours");
    let address = tls_receiver(&issuer, certificate_for(&["other.example"])).await;
    let failure = tls_failure(&client(&[&issuer]), address).await;
    assert!(failure.message.contains("for another name"), "{}", failure.message);
}

#[tokio::test]
async fn a_certificate_outside_its_time_is_not_believed() {
    let issuer = issuer("Ours");
    let sender = client(&[&issuer]);
    let mut past = certificate_for(&["receiver.example"]);
    past.not_after = date_time_ymd(2020, 1, 1);
    let failure = tls_failure(&sender, tls_receiver(&issuer, past).await).await;
    assert!(failure.message.contains("has expired"), "{}", failure.message);
    let mut future = certificate_for(&["receiver.example"]);
    future.not_before = date_time_ymd(3000, 1, 1);
    let failure = tls_failure(&sender, tls_receiver(&issuer, future).await).await;
    assert!(failure.message.contains("not valid yet"), "{}", failure.message);
}

#[tokio::test]
async fn a_receiver_without_tls_is_recognised() {
    let address = receiver(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let failure = tls_failure(&client(&[]), address).await;
    assert!(failure.message.contains("does not speak TLS"), "{}", failure.message);
}

#[tokio::test]
async fn a_receiver_that_leaves_in_the_handshake_is_recognised() {
    let address = receiver(|_, mut stream| async move {
        stream.read_u8().await.ok();
    })
    .await;
    tls_failure(&client(&[]), address).await;
    let address = receiver_writing("").await;
    let exchange = post(&client(&[]), address, SHORT_MS).await;
    // It waits for the end of a request that never comes: the handshake lasts for ever.
    let failure = failed(exchange);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "no answer within 150 ms: connected, in the TLS handshake");
}

#[tokio::test]
async fn a_root_that_is_no_certificate_stops_the_start() {
    let parts =
        SenderParts { extra_roots: vec![CertificateDer::from(vec![1, 2, 3])], ..SenderParts::system(loopback_http()) };
    let error = HttpSender::new(parts).err().unwrap();
    assert!(error.to_string().starts_with("root certificate 1 cannot be read"), "{error}");
}
