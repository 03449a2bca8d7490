//! Real look-ups: the resolver asks a name server of the test's own, on loopback, by UDP and TCP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings_domain::target::TargetUrl;
use tidings_egress::{HttpSender, ResolveError, Resolver, SenderParts, SystemResolver};
use tidings_ports::Sender;
use tidings_ports::sender::FailureKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::support::{AMPLE_MS, RecordingDialler, failed, public_http, request_to};

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
/// How long the resolver waits for a name server in these tests.
const PATIENCE: Duration = Duration::from_millis(200);

/// What the name server says to a name.
#[derive(Clone)]
enum Says {
    Addresses(Vec<IpAddr>),
    /// One list of addresses to the first question of each type, and another from then on.
    Rebinds(IpAddr, IpAddr),
    Alias(&'static str, IpAddr),
    Code(u8),
    Nothing,
    /// By UDP only that the answer does not fit.
    ByTcpOnly(IpAddr),
}

/// A name server, as small as the questions it gets.
struct NameServer {
    address: SocketAddr,
    known: HashMap<&'static str, Says>,
    asked: Mutex<HashMap<(String, u16), usize>>,
    by_tcp: AtomicUsize,
}

impl NameServer {
    async fn start(known: impl IntoIterator<Item = (&'static str, Says)>) -> Arc<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let known = known.into_iter().collect();
        let server = Arc::new(Self { address, known, asked: Mutex::default(), by_tcp: AtomicUsize::new(0) });
        tokio::spawn(Arc::clone(&server).serve_udp(udp));
        tokio::spawn(Arc::clone(&server).serve_tcp(tcp));
        server
    }

    async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let mut question = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut question).await {
            if let Some(answer) = self.answer(&question[..length], false) {
                socket.send_to(&answer, peer).await.unwrap();
            }
        }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; length.into()];
                    stream.read_exact(&mut question).await.unwrap();
                    server.by_tcp.fetch_add(1, Ordering::SeqCst);
                    let Some(answer) = server.answer(&question, true) else { continue };
                    stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    }

    /// RFC 1035, section 4: header, the question again, the records.
    fn answer(&self, question: &[u8], by_tcp: bool) -> Option<Vec<u8>> {
        let (name, kind, end) = read_question(question);
        let number = {
            let mut asked = self.asked.lock().unwrap();
            let count = asked.entry((name.clone(), kind)).or_default();
            *count += 1;
            *count
        };
        let fits = |address: &IpAddr| if address.is_ipv4() { kind == A } else { kind == AAAA };
        let mut records = Vec::new();
        let (mut code, mut truncated) = (0, false);
        match self.known.get(name.as_str()).cloned().unwrap_or(Says::Code(NXDOMAIN)) {
            Says::Nothing => return None,
            Says::Code(other) => code = other,
            Says::Addresses(all) => records.extend(all.iter().filter(|one| fits(one)).map(|one| record(&name, *one))),
            Says::Rebinds(first, then) => {
                let address = if number == 1 { first } else { then };
                records.extend(fits(&address).then(|| record(&name, address)));
            }
            Says::Alias(target, address) => {
                records.push(raw_record(&name, CNAME, &encoded(target)));
                records.extend(fits(&address).then(|| record(target, address)));
            }
            Says::ByTcpOnly(_) if !by_tcp => truncated = true,
            Says::ByTcpOnly(address) => records.extend(fits(&address).then(|| record(&name, address))),
        }
        let mut answer = question[..2].to_vec();
        answer.extend([0x81 | if truncated { 2 } else { 0 }, 0x80 | code, 0, 1]);
        answer.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        answer.extend([0; 4]);
        answer.extend(&question[12..end]);
        answer.extend(records.concat());
        Some(answer)
    }

    fn resolver(&self) -> SystemResolver {
        SystemResolver::asking(&[self.address], PATIENCE)
    }

    fn count(&self, name: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|((asked, _), _)| asked == name).map(|(_, count)| count).sum()
    }
}

/// The name in lower case, the type, and where the question ends.
fn read_question(message: &[u8]) -> (String, u16, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([message[at + 1], message[at + 2]]), at + 5)
}

fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record that may not be kept: its time to live is zero.
fn raw_record(name: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(name);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 0]);
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

fn record(name: &str, address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => raw_record(name, A, &address.octets()),
        IpAddr::V6(address) => raw_record(name, AAAA, &address.octets()),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn names_become_the_addresses_that_the_name_server_says() {
    let both = Says::Addresses(vec![address("2606:4700::1"), address("93.184.216.34"), address("93.184.216.35")]);
    let server = NameServer::start([
        ("four.example", Says::Addresses(vec![address("93.184.216.34")])),
        ("six.example", Says::Addresses(vec![address("2606:4700::1")])),
        ("both.example", both),
        ("alias.example", Says::Alias("four.example", address("93.184.216.34"))),
        ("long.example", Says::ByTcpOnly(address("93.184.216.36"))),
        ("empty.example", Says::Addresses(Vec::new())),
        ("broken.example", Says::Code(SERVFAIL)),
    ])
    .await;
    let resolver = server.resolver();
    for (name, expected) in [
        ("four.example", vec!["93.184.216.34"]),
        ("four.example.", vec!["93.184.216.34"]),
        ("six.example", vec!["2606:4700::1"]),
        ("both.example", vec!["93.184.216.34", "93.184.216.35", "2606:4700::1"]),
        ("alias.example", vec!["93.184.216.34"]),
        ("long.example", vec!["93.184.216.36"]),
    ] {
        let mut found = resolver.resolve(name).await.unwrap();
        found.sort();
        assert_eq!(found, expected.into_iter().map(address).collect::<Vec<_>>(), "{name}");
    }
    assert!(server.by_tcp.load(Ordering::SeqCst) > 0, "what does not fit is asked for by TCP");
    for name in ["missing.example", "empty.example"] {
        assert_eq!(resolver.resolve(name).await, Err(ResolveError::NotFound), "{name}");
    }
    let failed = resolver.resolve("broken.example").await;
    assert!(matches!(failed, Err(ResolveError::Failed(_))), "{failed:?}");
}

#[tokio::test]
async fn a_name_server_that_says_nothing_is_given_up() {
    let server = NameServer::start([("silent.example", Says::Nothing)]).await;
    let resolver = server.resolver();
    let found = tokio::time::timeout(PATIENCE * 20, resolver.resolve("silent.example")).await;
    assert!(matches!(found, Ok(Err(ResolveError::Failed(_)))), "{found:?}");
    assert!(server.count("silent.example") > 0);
}

#[tokio::test]
async fn local_names_never_reach_a_name_server() {
    let server = NameServer::start([("localhost", Says::Addresses(vec![address("93.184.216.34")]))]).await;
    for name in ["localhost", "localhost.", "a.localhost"] {
        let found = server.resolver().resolve(name).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{name}: {found:?}");
        assert_eq!(server.count(name.trim_end_matches('.')), 0);
    }
}

/// INV-DIAL over a real name server: the second answer leads inside, between check and dial.
#[tokio::test]
async fn a_name_that_is_bound_anew_between_check_and_dial_leads_nowhere() {
    let (outside, inside) = (address("93.184.216.34"), address("10.0.0.1"));
    let server = NameServer::start([
        ("rebinds.example", Says::Rebinds(outside, inside)),
        ("mapped.example", Says::Addresses(vec![address("::ffff:169.254.169.254")])),
        ("inside.example", Says::Alias("internal.example", inside)),
    ])
    .await;
    let dialler = Arc::new(RecordingDialler::default());
    let resolver = Arc::new(server.resolver());
    let parts = SenderParts { resolver, dialler: dialler.clone(), ..SenderParts::system(public_http()) };
    let sender = HttpSender::new(parts).unwrap();
    let url = TargetUrl::parse("http://rebinds.example/").unwrap();
    assert_eq!(sender.check(&url).await, Ok(()), "the first answer is public");
    for name in ["rebinds.example", "mapped.example", "inside.example"] {
        let failure = failed(sender.send(request_to(&format!("http://{name}/"), AMPLE_MS)).await);
        assert_eq!(failure.kind, FailureKind::Refused, "{name}: {}", failure.message);
    }
    assert_eq!(dialler.take(), [], "nothing was dialled");
}
