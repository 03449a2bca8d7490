//! A name server that says what an attacker's would.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use tokio::{net::UdpSocket, task::JoinHandle};

/// Where it listens.
pub(super) const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 53)), 53);

/// The address that all good names have.
const GOOD: &str = "93.184.216.34";
/// Names with addresses of their own. Several addresses are answered together.
const NAMES: &[(&str, &[&str])] = &[
    ("good.lab.test", &[GOOD]),
    ("xn--bcher-kva.lab.test", &[GOOD]),
    ("mixed.lab.test", &[GOOD, "10.0.0.1"]),
    ("cname-local.lab.test", &["127.0.0.1"]),
    ("localtest.me", &["127.0.0.1"]),
    ("localhost.localdomain", &["127.0.0.1"]),
    ("ip6-localhost", &["::1"]),
    ("ip6-loopback", &["::1"]),
    ("metadata", &["169.254.169.254"]),
    ("metadata.google.internal", &["169.254.169.254"]),
    ("instance-data", &["169.254.169.254"]),
    ("instance-data.ec2.internal", &["169.254.169.254"]),
    ("kubernetes.default.svc", &["10.0.0.1"]),
    ("host.docker.internal", &["172.16.0.1"]),
    ("-a.lab.test", &["127.0.0.1"]),
    ("_http.lab.test", &["127.0.0.1"]),
    ("xn--a127-0-0-1.lab.test", &["127.0.0.1"]),
    ("v6loop.lab.test", &["::1"]),
    ("v6mapped.lab.test", &["::ffff:169.254.169.254"]),
    ("v6nat64.lab.test", &["64:ff9b::a9fe:a9fe"]),
    ("v6ula.lab.test", &["fd00:ec2::254"]),
];
/// Names that start like this lead to a good and a forbidden address in turn.
const REBINDING: &str = "rebind";
/// Where they lead when they do not lead to the good one.
const REBOUND: [&str; 4] = ["127.0.0.1", "169.254.169.254", "10.0.0.1", "100.64.0.1"];

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

/// Answers for as long as the task lives.
pub(super) async fn serve() -> JoinHandle<()> {
    let socket = UdpSocket::bind(SERVER).await.expect("nobody else is in this namespace");
    tokio::spawn(async move {
        let mut asked: HashMap<String, usize> = HashMap::new();
        let mut query = [0; 1500];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut query).await else { continue };
            if let Some(answer) = answer(&query[..length], &mut asked) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    })
}

/// The answer to a query (RFC 1035, section 4), with a time to live of zero.
fn answer(query: &[u8], asked: &mut HashMap<String, usize>) -> Option<Vec<u8>> {
    let (name, end) = read_name(query)?;
    let kind = u16::from_be_bytes([*query.get(end)?, *query.get(end + 1)?]);
    let addresses: Vec<IpAddr> = addresses(&name, kind, asked);
    let matching: Vec<_> = addresses.into_iter().filter(|address| address.is_ipv4() == (kind == TYPE_A)).collect();
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::try_from(matching.len()).ok()?, 0, 0, 0, 0]);
    answer.extend(&query[12..end + 4]);
    for address in matching {
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0]);
        match address {
            IpAddr::V4(address) => answer.extend([0, 4].iter().chain(&address.octets())),
            IpAddr::V6(address) => answer.extend([0, 16].iter().chain(&address.octets())),
        }
    }
    Some(answer)
}

/// The name in question, and where its type stands.
fn read_name(query: &[u8]) -> Option<(String, usize)> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*query.get(at)?);
        if length == 0 {
            return Some((labels.join(".").to_lowercase(), at + 1));
        }
        labels.push(String::from_utf8_lossy(query.get(at + 1..at + 1 + length)?).into_owned());
        at += 1 + length;
    }
}

fn addresses(name: &str, kind: u16, asked: &mut HashMap<String, usize>) -> Vec<IpAddr> {
    if kind != TYPE_A && kind != TYPE_AAAA {
        return Vec::new();
    }
    if name.starts_with(REBINDING) {
        // Both kinds are asked for at each look-up; it changes its mind between two look-ups.
        let times = asked.entry(name.to_owned()).or_default();
        *times += usize::from(kind == TYPE_A);
        let address = if *times % 2 == 1 { GOOD } else { REBOUND[*times / 2 % REBOUND.len()] };
        return vec![address.parse().expect("the table holds addresses")];
    }
    if let Some((_, addresses)) = NAMES.iter().find(|(known, _)| *known == name) {
        return addresses.iter().map(|text| text.parse().expect("the table holds addresses")).collect();
    }
    // `a10-0-0-1.lab.test` and `10.0.0.1.nip.io` lead where they say.
    let dashed = name.strip_suffix(".lab.test").and_then(|rest| rest.strip_prefix('a'));
    let spelled = dashed.map(|rest| rest.replace('-', ".")).or(name.strip_suffix(".nip.io").map(str::to_owned));
    spelled.and_then(|text| text.parse().ok()).into_iter().collect()
}
