//! Which connection carries which request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_egress::{HttpSender, PoolLimits, SenderParts};
use tidings_ports::Sender;
use tidings_ports::sender::FailureKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use crate::support::{
    AMPLE_MS, CountingDialler, FixedNames, answer_all, answered, counted_sender, failed, loopback_http, post,
    read_request, receiver, request_to,
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn dials(dialler: &CountingDialler) -> usize {
    dialler.0.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let address = receiver(|_, stream| answer_all(stream, OK)).await;
    let (sender, dialler) = counted_sender();
    let first = post(&sender, address, AMPLE_MS).await;
    assert!(!first.timing.reused && first.timing.connect_us > 0);
    for _ in 0..5 {
        let exchange = post(&sender, address, AMPLE_MS).await;
        assert!(exchange.timing.reused);
        assert_eq!((exchange.timing.dns_us, exchange.timing.connect_us), (0, 0));
        assert!(exchange.timing.first_byte_us > 0);
        assert!(exchange.timing.total_us >= exchange.timing.first_byte_us);
        assert_eq!(answered(exchange).body, "ok");
    }
    assert_eq!(dials(&dialler), 1);
}

#[tokio::test]
async fn different_origins_share_no_connection() {
    let address = receiver(|_, stream| answer_all(stream, OK)).await;
    let (_, dialler) = counted_sender();
    let parts = SenderParts {
        dialler: dialler.clone(),
        resolver: FixedNames::one("receiver.example", &["127.0.0.1"]),
        ..SenderParts::system(loopback_http())
    };
    let sender = HttpSender::new(parts).unwrap();
    for host in ["127.0.0.1", "receiver.example"] {
        let url = format!("http://{host}:{}/", address.port());
        answered(sender.send(request_to(&url, AMPLE_MS)).await);
    }
    assert_eq!(dials(&dialler), 2);
}

#[tokio::test]
async fn a_receiver_that_asks_to_close_is_dialled_anew() {
    let closing = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let address = receiver(|_, stream| answer_all(stream, closing)).await;
    let (sender, dialler) = counted_sender();
    for expected in 1..=3 {
        answered(post(&sender, address, AMPLE_MS).await);
        assert_eq!(dials(&dialler), expected);
    }
}

#[tokio::test]
async fn a_connection_closed_between_requests_is_replaced_by_one_new_one() {
    let (closed, mut closes) = mpsc::unbounded_channel();
    let address = receiver(move |number, mut stream| {
        let closed = closed.clone();
        async move {
            if number > 0 {
                return answer_all(stream, OK).await;
            }
            read_request(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    })
    .await;
    let (sender, dialler) = counted_sender();
    answered(post(&sender, address, AMPLE_MS).await);
    closes.recv().await.unwrap();
    answered(post(&sender, address, AMPLE_MS).await);
    assert_eq!(dials(&dialler), 2);
}

/// Answers the first request on the first connection; meets everything after it with `then`.
async fn answering_once(then: &'static [u8], asked: Arc<AtomicUsize>) -> std::net::SocketAddr {
    receiver(move |number, mut stream| {
        let asked = Arc::clone(&asked);
        async move {
            while read_request(&mut stream).await.is_some() {
                let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
                let spoilt = number == 0 || then.is_empty();
                let answer = if first || !spoilt { OK } else { then };
                stream.write_all(answer).await.unwrap();
                if !first && spoilt {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_kept_connection_that_breaks_before_the_answer_is_retried_once_on_a_new_one() {
    let address = receiver(|number, mut stream| async move {
        if number > 0 {
            return answer_all(stream, OK).await;
        }
        read_request(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let (sender, dialler) = counted_sender();
    answered(post(&sender, address, AMPLE_MS).await);
    let exchange = post(&sender, address, AMPLE_MS).await;
    assert!(!exchange.timing.reused && exchange.timing.connect_us > 0);
    assert_eq!(answered(exchange).body, "ok");
    assert_eq!(dials(&dialler), 2);
}

#[tokio::test]
async fn the_retry_itself_is_not_retried() {
    let asked = Arc::new(AtomicUsize::new(0));
    let address = answering_once(b"", asked.clone()).await;
    let (sender, dialler) = counted_sender();
    answered(post(&sender, address, AMPLE_MS).await);
    let failure = failed(post(&sender, address, AMPLE_MS).await);
    assert_eq!(failure.kind, FailureKind::Network, "{}", failure.message);
    assert_eq!((dials(&dialler), asked.load(Ordering::SeqCst)), (2, 3));
}

#[tokio::test]
async fn a_kept_connection_that_breaks_within_the_answer_is_not_retried() {
    for beginning in [b"H".as_slice(), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhe"] {
        let asked = Arc::new(AtomicUsize::new(0));
        let address = answering_once(beginning, asked.clone()).await;
        let (sender, dialler) = counted_sender();
        answered(post(&sender, address, AMPLE_MS).await);
        let failure = failed(post(&sender, address, AMPLE_MS).await);
        assert_eq!(failure.kind, FailureKind::Network, "{}", failure.message);
        assert_eq!((dials(&dialler), asked.load(Ordering::SeqCst)), (1, 2));
    }
}

/// Else one receiver could plant the answer to a later request, perhaps another webhook's.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_given_to_nobody() {
    let planted = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 418 Planted\r\ncontent-length: 0\r\n\r\n";
    let address = receiver(|_, stream| answer_all(stream, planted)).await;
    let (sender, dialler) = counted_sender();
    for expected in 1..=3 {
        assert_eq!(answered(post(&sender, address, AMPLE_MS).await).status, 200);
        assert_eq!(dials(&dialler), expected);
    }
}

/// Some receivers answer 408 to a connection that was idle for too long, and close it. That is no
/// answer to the next request, and no reason for it to fail.
#[tokio::test]
async fn a_parting_word_on_an_idle_connection_is_not_taken_for_an_answer() {
    let (closed, mut closes) = mpsc::unbounded_channel();
    let idle_for_long = Arc::new(Notify::new());
    let cue = Arc::clone(&idle_for_long);
    let address = receiver(move |number, mut stream| {
        let (closed, cue) = (closed.clone(), Arc::clone(&cue));
        async move {
            if number > 0 {
                return answer_all(stream, OK).await;
            }
            read_request(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            cue.notified().await;
            stream.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    })
    .await;
    let (sender, dialler) = counted_sender();
    answered(post(&sender, address, AMPLE_MS).await);
    idle_for_long.notify_one();
    closes.recv().await.unwrap();
    // One round trip elsewhere, so that the runtime has heard of what happened here.
    let elsewhere = receiver(|_, stream| answer_all(stream, OK)).await;
    answered(post(&sender, elsewhere, AMPLE_MS).await);
    assert_eq!(answered(post(&sender, address, AMPLE_MS).await).status, 200);
    assert_eq!(dials(&dialler), 3);
}

#[tokio::test]
async fn a_dropped_send_closes_its_connection() {
    let (reports, mut report) = mpsc::unbounded_channel();
    let address = receiver(move |number, mut stream| {
        let reports = reports.clone();
        async move {
            if number > 0 {
                return answer_all(stream, OK).await;
            }
            read_request(&mut stream).await;
            reports.send("has the request").unwrap();
            stream.read_to_end(&mut Vec::new()).await.ok();
            reports.send("sees the connection closed").unwrap();
        }
    })
    .await;
    let (sender, dialler) = counted_sender();
    tokio::select! {
        _ = post(&sender, address, AMPLE_MS) => panic!("nobody answers"),
        said = report.recv() => assert_eq!(said, Some("has the request")),
    }
    assert_eq!(report.recv().await, Some("sees the connection closed"));
    assert!(!post(&sender, address, AMPLE_MS).await.timing.reused);
    assert_eq!(dials(&dialler), 2);
}

#[tokio::test]
async fn a_receiver_that_answers_before_it_has_read_everything_is_not_used_again() {
    let address = receiver(|_, mut stream| async move {
        stream.read_u8().await.unwrap();
        stream.write_all(OK).await.unwrap();
        // Reads nothing more, but stays.
        std::future::pending().await
    })
    .await;
    let (sender, dialler) = counted_sender();
    for expected in 1..=2 {
        let mut request = request_to(&format!("http://{address}/"), AMPLE_MS);
        request.body = vec![b'a'; 32 << 20].into();
        assert_eq!(answered(sender.send(request).await).status, 200);
        assert_eq!(dials(&dialler), expected);
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let address = receiver(|_, stream| answer_all(stream, OK)).await;
    let parts = SenderParts {
        resolver: FixedNames::one("receiver.example", &["127.0.0.99", "127.0.0.1"]),
        ..SenderParts::system(loopback_http())
    };
    let sender = HttpSender::new(parts).unwrap();
    let url = format!("http://receiver.example:{}/", address.port());
    answered(sender.send(request_to(&url, AMPLE_MS)).await);
}

#[tokio::test]
async fn no_more_connections_are_kept_than_allowed() {
    let address = receiver(|_, stream| answer_all(stream, OK)).await;
    let dialler = Arc::new(CountingDialler::default());
    let parts = SenderParts {
        dialler: dialler.clone(),
        pool: PoolLimits { idle_per_origin_max: 2, ..PoolLimits::default() },
        ..SenderParts::system(loopback_http())
    };
    let sender = HttpSender::new(parts).unwrap();
    for expected_dials in [3, 4] {
        let (first, second, third) = tokio::join!(
            post(&sender, address, AMPLE_MS),
            post(&sender, address, AMPLE_MS),
            post(&sender, address, AMPLE_MS),
        );
        for exchange in [first, second, third] {
            answered(exchange);
        }
        assert_eq!(dials(&dialler), expected_dials);
    }
}
