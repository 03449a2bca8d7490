//! The guard on names: rebinding, mixed answers, this machine's own names (C2, INV-DIAL).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{AMPLE_MS, FixedNames, RecordingDialler, failed, loopback_http, public_http, request_to};
use async_trait::async_trait;
use tidings_domain::target::{RefusalReason, TargetPolicy, TargetUrl};
use tidings_egress::{
    Checked, Dialled, Dialler, HttpSender, ResolveError, Resolver, SenderParts, SystemResolver, TcpDialler,
};
use tidings_ports::Sender;
use tidings_ports::sender::FailureKind;

fn client(policy: TargetPolicy, resolver: Arc<dyn Resolver>) -> (HttpSender, Arc<RecordingDialler>) {
    let dialler = Arc::new(RecordingDialler::default());
    let parts = SenderParts { resolver, dialler: dialler.clone(), ..SenderParts::system(policy) };
    (HttpSender::new(parts).unwrap(), dialler)
}

/// Says something public, then loopback, then something public, and so on.
#[derive(Default)]
struct Rebinding(AtomicUsize);

#[async_trait]
impl Resolver for Rebinding {
    async fn resolve(&self, _name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let public = self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        Ok(vec![if public { [93, 184, 216, 34].into() } else { [127, 0, 0, 1].into() }])
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_nowhere_forbidden() {
    let (sender, dialler) = client(public_http(), Arc::new(Rebinding::default()));
    let (mut answered, mut refused) = (0, 0);
    for round in 0..1000 {
        let request = request_to("http://rebind.example/", AMPLE_MS);
        // The early check takes a look-up of its own, so the send may see another answer.
        let passed = round % 3 != 0 && sender.check(&request.url).await.is_ok();
        match sender.send(request).await.result {
            Ok(_) => answered += 1,
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Refused, "{passed}: {}", failure.message);
                refused += 1;
            }
        }
    }
    let dialled = dialler.take();
    let good = SocketAddr::from(([93, 184, 216, 34], 80));
    assert!(dialled.iter().all(|address| *address == good), "{dialled:?}");
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
}

#[tokio::test]
async fn one_forbidden_address_refuses_the_whole_name() {
    for mixed in [["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"]] {
        let names = FixedNames::one("mixed.example", &mixed);
        let (sender, dialler) = client(public_http(), names);
        let failure = failed(sender.send(request_to("http://mixed.example/", AMPLE_MS)).await);
        assert_eq!(failure.kind, FailureKind::Refused);
        assert_eq!(
            failure.message,
            "`mixed.example` is refused for what it resolves to: 10.0.0.1 is a private address (RFC 1918); use a public address, or start the server with --allow-target 10.0.0.1"
        );
        assert_eq!(dialler.take(), []);
    }
}

#[tokio::test]
async fn localhost_works_where_loopback_is_open() {
    let (sender, dialler) = client(loopback_http(), Arc::new(SystemResolver::new()));
    let exchange = sender.send(request_to("http://localhost:3000/hook", AMPLE_MS)).await;
    assert!(exchange.result.is_ok(), "{:?}", exchange.result);
    assert_eq!(dialler.take(), [SocketAddr::from(([127, 0, 0, 1], 3000))]);
}

#[tokio::test]
async fn the_port_list_holds_for_names_even_where_some_block_is_open() {
    let names = FixedNames::one("public.example", &["93.184.216.34"]);
    let (sender, dialler) = client(loopback_http(), names);
    let failure = failed(sender.send(request_to("http://public.example:6379/", AMPLE_MS)).await);
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(dialler.take(), []);
}

#[tokio::test]
async fn the_server_does_not_call_itself_by_name() {
    let policy = TargetPolicy { own_addresses: vec!["0.0.0.0:8080".parse().unwrap()], ..loopback_http() };
    let (sender, dialler) = client(policy, FixedNames::one("me.example", &["127.0.0.1"]));
    let url = TargetUrl::parse("http://me.example:8080/").unwrap();
    assert_eq!(sender.check(&url).await.unwrap_err().reason, RefusalReason::OwnAddress);
    let failure = failed(sender.send(request_to(url.as_str(), AMPLE_MS)).await);
    assert_eq!(failure.kind, FailureKind::Refused);
    assert_eq!(dialler.take(), []);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_yet_passes_the_check_and_fails_the_send() {
    let (sender, dialler) = client(public_http(), Arc::new(FixedNames::default()));
    let url = TargetUrl::parse("http://tomorrow.example/").unwrap();
    assert_eq!(sender.check(&url).await, Ok(()));
    let failure = failed(sender.send(request_to(url.as_str(), AMPLE_MS)).await);
    assert_eq!(failure.kind, FailureKind::Network);
    assert_eq!(failure.message, "`tomorrow.example` does not resolve: no such name");
    assert_eq!(dialler.take(), []);
}

/// Never answers.
struct Silence;

#[async_trait]
impl Resolver for Silence {
    async fn resolve(&self, _name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_name_server_holds_nothing_up_beyond_its_bound() {
    let (sender, _) = client(public_http(), Arc::new(Silence));
    let started = tokio::time::Instant::now();
    let url = TargetUrl::parse("http://slow.example/").unwrap();
    assert_eq!(sender.check(&url).await, Ok(()));
    assert_eq!(started.elapsed().as_secs(), 2);
    let failure = failed(sender.send(request_to(url.as_str(), 15_000)).await);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "no answer within 15000 ms: looking up the name");
}

/// Pretends that the machine sent the connection elsewhere, as a proxying firewall may.
struct Diverting;

#[async_trait]
impl Dialler for Diverting {
    async fn dial(&self, to: &Checked) -> std::io::Result<Dialled> {
        let dialled = TcpDialler.dial(to).await?;
        Ok(Dialled { stream: dialled.stream, peer: Some(([10, 0, 0, 1], 80).into()) })
    }
}

#[tokio::test]
async fn a_connection_that_leads_elsewhere_is_not_used() {
    let address = crate::support::receiver_writing("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let parts = SenderParts { dialler: Arc::new(Diverting), ..SenderParts::system(loopback_http()) };
    let sender = HttpSender::new(parts).unwrap();
    let failure = failed(crate::support::post(&sender, address, AMPLE_MS).await);
    assert_eq!(failure.kind, FailureKind::Network);
    assert!(failure.message.contains("leads to 10.0.0.1:80 instead"), "{}", failure.message);
}
