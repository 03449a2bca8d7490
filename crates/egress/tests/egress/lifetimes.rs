//! How long connections are kept, on a clock that the tests move.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tidings_egress::{Checked, Dialled, Dialler, HttpSender, PoolLimits, SenderParts};
use tidings_ports::Sender;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{AMPLE_MS, answered, public_http, read_request, request_to};

/// A network without sockets, so that time stands still unless a test moves it. Every address
/// answers for as long as it is asked.
#[derive(Default)]
struct Network {
    dials: AtomicUsize,
    open: Arc<AtomicUsize>,
}

#[async_trait]
impl Dialler for Network {
    async fn dial(&self, _to: &Checked) -> io::Result<Dialled> {
        self.dials.fetch_add(1, Ordering::SeqCst);
        let open = Arc::clone(&self.open);
        open.fetch_add(1, Ordering::SeqCst);
        let (ours, mut theirs) = tokio::io::duplex(8 * 1024);
        tokio::spawn(async move {
            while read_request(&mut theirs).await.is_some() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                theirs.write_all(answer).await.unwrap();
            }
            open.fetch_sub(1, Ordering::SeqCst);
        });
        Ok(Dialled { stream: Box::new(ours), peer: None })
    }
}

fn client(pool: PoolLimits) -> (HttpSender, Arc<Network>) {
    let network = Arc::new(Network::default());
    let parts = SenderParts { dialler: network.clone(), pool, ..SenderParts::system(public_http()) };
    (HttpSender::new(parts).unwrap(), network)
}

async fn post(sender: &HttpSender, host: &str) {
    answered(sender.send(request_to(&format!("http://{host}/"), AMPLE_MS)).await);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_thirty_seconds() {
    let (sender, network) = client(PoolLimits::default());
    post(&sender, "1.1.1.1").await;
    tokio::time::advance(Duration::from_secs(29)).await;
    post(&sender, "1.1.1.1").await;
    assert_eq!(network.dials.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(31)).await;
    post(&sender, "1.1.1.1").await;
    assert_eq!(network.dials.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_busy_connection_is_replaced_after_five_minutes() {
    let (sender, network) = client(PoolLimits::default());
    for _ in 0..30 {
        post(&sender, "1.1.1.1").await;
        tokio::time::advance(Duration::from_secs(20)).await;
    }
    assert_eq!(network.dials.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_that_nobody_wants_any_more_are_closed() {
    let (sender, network) = client(PoolLimits::default());
    for round in 1..=2 {
        for host in ["1.1.1.1", "9.9.9.9"] {
            post(&sender, host).await;
        }
        assert_eq!(network.open.load(Ordering::SeqCst), 2, "round {round}");
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(network.open.load(Ordering::SeqCst), 0, "round {round}");
    }
}

/// Answers as soon as a request begins, and then reads on to the end.
struct Hasty {
    closed: Arc<AtomicUsize>,
}

#[async_trait]
impl Dialler for Hasty {
    async fn dial(&self, _to: &Checked) -> io::Result<Dialled> {
        let closed = Arc::clone(&self.closed);
        let (ours, mut theirs) = tokio::io::duplex(8 * 1024);
        tokio::spawn(async move {
            theirs.read_u8().await.unwrap();
            theirs.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            theirs.read_to_end(&mut Vec::new()).await.ok();
            closed.fetch_add(1, Ordering::SeqCst);
        });
        Ok(Dialled { stream: Box::new(ours), peer: None })
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_still_uploading_after_the_answer_is_closed_at_once() {
    let closed = Arc::new(AtomicUsize::new(0));
    let dialler = Arc::new(Hasty { closed: Arc::clone(&closed) });
    let sender = HttpSender::new(SenderParts { dialler, ..SenderParts::system(public_http()) }).unwrap();
    let mut request = request_to("http://1.1.1.1/", AMPLE_MS);
    request.body = vec![b'a'; 1 << 20].into();
    answered(sender.send(request).await);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(closed.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_gives_way_when_too_many_are_kept_in_all() {
    let (sender, network) = client(PoolLimits { idle_total_max: 2, ..PoolLimits::default() });
    for host in ["1.1.1.1", "1.1.1.2", "1.1.1.3"] {
        post(&sender, host).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    tokio::task::yield_now().await;
    assert_eq!(network.open.load(Ordering::SeqCst), 2);
    post(&sender, "1.1.1.2").await;
    post(&sender, "1.1.1.3").await;
    assert_eq!(network.dials.load(Ordering::SeqCst), 3);
    post(&sender, "1.1.1.1").await;
    assert_eq!(network.dials.load(Ordering::SeqCst), 4);
}
