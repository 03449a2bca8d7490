//! The corpus of forbidden and allowed addresses, row by row (C1, INV-DIAL).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::support::{AMPLE_MS, RecordingDialler, public_http, request_to};
use async_trait::async_trait;
use tidings_egress::{HttpSender, ResolveError, Resolver, SenderParts};
use tidings_ports::Sender;
use tidings_ports::sender::FailureKind;

const CORPUS: &str = include_str!("../ssrf_corpus.tsv");

struct Row {
    id: &'static str,
    allow: bool,
    url: String,
}

fn rows() -> Vec<Row> {
    let unescape = |text: &str| {
        let text = text.replace("\\\\", "\u{1}").replace("\\t", "\t");
        text.replace("\\n", "\n").replace("\\r", "\r").replace('\u{1}', "\\")
    };
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let (id, expect) = (fields.next().unwrap(), fields.next().unwrap());
        let allow = match expect {
            "allow" => true,
            "reject" => false,
            other => panic!("row {id} expects `{other}`"),
        };
        Row { id, allow, url: unescape(fields.nth(1).unwrap()) }
    };
    CORPUS.lines().skip(1).map(row).collect()
}

/// The names of the lab, as the corpus notes them, and of the public wildcard services.
struct LabNames;

#[async_trait]
impl Resolver for LabNames {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let address = match name {
            "good.lab.test" => "93.184.216.34".to_owned(),
            "v6loop.lab.test" => "::1".to_owned(),
            "v6mapped.lab.test" => "::ffff:169.254.169.254".to_owned(),
            "v6nat64.lab.test" => "64:ff9b::a9fe:a9fe".to_owned(),
            "v6ula.lab.test" => "fd00:ec2::254".to_owned(),
            "cname-local.lab.test" | "localtest.me" => "127.0.0.1".to_owned(),
            _ => {
                let dashed = name.strip_suffix(".lab.test").and_then(|rest| rest.strip_prefix('a'));
                let dotted = name.strip_suffix(".nip.io");
                dashed
                    .map(|numbers| numbers.replace('-', "."))
                    .or(dotted.map(str::to_owned))
                    .ok_or(ResolveError::NotFound)?
            }
        };
        address.parse().map(|address| vec![address]).map_err(|_| ResolveError::NotFound)
    }
}

fn lab() -> (HttpSender, Arc<RecordingDialler>) {
    let dialler = Arc::new(RecordingDialler::default());
    let parts =
        SenderParts { resolver: Arc::new(LabNames), dialler: dialler.clone(), ..SenderParts::system(public_http()) };
    (HttpSender::new(parts).unwrap(), dialler)
}

#[tokio::test]
async fn forbidden_rows_are_refused_and_dial_nothing() {
    let (sender, dialler) = lab();
    let policy = public_http();
    let mut checked = 0;
    for Row { id, url, .. } in rows().into_iter().filter(|row| !row.allow) {
        checked += 1;
        let Ok(target) = policy.check_url(&url) else { continue };
        let refusal = sender.check(&target).await;
        assert!(refusal.is_err(), "row {id} {url:?} passed the early check");
        let exchange = sender.send(request_to(&url, AMPLE_MS)).await;
        let failure = exchange.result.expect_err(id);
        assert_eq!(failure.kind, FailureKind::Refused, "row {id} {url:?}: {}", failure.message);
        assert_eq!(dialler.take(), [], "row {id} {url:?}");
    }
    assert!(checked > 150, "only {checked} rows were read");
}

/// The send must refuse on its own too: not everything comes through `check_url`.
#[tokio::test]
async fn forbidden_rows_that_are_urls_at_all_are_refused_by_the_send_alone() {
    let (sender, dialler) = lab();
    let mut sent = 0;
    for Row { id, url, .. } in rows().into_iter().filter(|row| !row.allow) {
        if tidings_domain::target::TargetUrl::parse(&url).is_err() {
            continue;
        }
        sent += 1;
        let exchange = sender.send(request_to(&url, AMPLE_MS)).await;
        let failure = exchange.result.expect_err(id);
        assert_eq!(failure.kind, FailureKind::Refused, "row {id} {url:?}: {}", failure.message);
        assert_eq!(dialler.take(), [], "row {id} {url:?}");
    }
    assert!(sent > 100, "only {sent} rows were sent");
}

#[tokio::test]
async fn allowed_rows_reach_the_address_they_name() {
    let mut checked = 0;
    for Row { id, url, .. } in rows().into_iter().filter(|row| row.allow) {
        checked += 1;
        let (sender, dialler) = lab();
        let target = public_http().check_url(&url).expect(id);
        sender.check(&target).await.expect(id);
        let exchange = sender.send(request_to(&url, AMPLE_MS)).await;
        assert_eq!(exchange.result.expect(id).status, 200, "row {id}");
        let dialled = dialler.take();
        assert_eq!(dialled.len(), 1, "row {id}");
        assert_is_named_in(dialled[0], &url);
    }
    assert!(checked > 15, "only {checked} rows were read");
}

fn assert_is_named_in(dialled: SocketAddr, url: &str) {
    let port = if dialled.port() == 80 { "/".to_owned() } else { format!(":{}/", dialled.port()) };
    let named = match dialled.ip() {
        IpAddr::V4(address) => format!("//{address}{port}"),
        IpAddr::V6(address) => format!("//[{address}]{port}"),
    };
    let good_name = url.to_lowercase().contains("good.lab.test");
    let good = dialled == SocketAddr::from(([93, 184, 216, 34], 80));
    assert!(url.contains(&named) || (good_name && good), "{url} dialled {dialled}");
}
