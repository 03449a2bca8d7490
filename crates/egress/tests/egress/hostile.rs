//! Receivers that do everything but answer properly (B8). Each exchange ends by its deadline.

use std::time::{Duration, Instant};

use tidings_egress::HttpSender;
use tidings_ports::sender::{ANSWER_BODY_BYTES_MAX, Answer, FailureKind, SendFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{
    AMPLE_MS, SHORT_MS, answered, counted_sender, failed, loopback_sender, post, read_request, receiver,
    receiver_repeating, receiver_writing,
};

async fn answer_to(bytes: impl Into<Vec<u8>>) -> Answer {
    answered(post(&loopback_sender(), receiver_writing(bytes).await, AMPLE_MS).await)
}

async fn failure_of(bytes: impl Into<Vec<u8>>) -> SendFailure {
    failed(post(&loopback_sender(), receiver_writing(bytes).await, AMPLE_MS).await)
}

fn assert_network(failure: &SendFailure, words: &str) {
    assert_eq!(failure.kind, FailureKind::Network, "{}", failure.message);
    assert!(failure.message.contains(words), "{}", failure.message);
}

/// Sends with a short deadline and asserts that it was kept.
async fn timeout_of(sender: &HttpSender, address: std::net::SocketAddr) -> SendFailure {
    let started = Instant::now();
    let failure = failed(post(sender, address, SHORT_MS).await);
    let late = started.elapsed().saturating_sub(Duration::from_millis(SHORT_MS.into()));
    assert!(late < Duration::from_secs(1), "{late:?} too late: {}", failure.message);
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.message);
    failure
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = failed(post(&loopback_sender(), address, AMPLE_MS).await);
    assert_network(&failure, "refused the connection; nothing listens there");
}

#[tokio::test]
async fn resets() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let failure = failed(post(&loopback_sender(), address, AMPLE_MS).await);
    assert_network(&failure, "reset the connection before the head");
}

#[tokio::test]
async fn closes_without_a_byte_on_a_fresh_connection_and_is_not_asked_again() {
    let address = receiver_writing("").await;
    let (sender, dials) = counted_sender();
    let failure = failed(post(&sender, address, AMPLE_MS).await);
    assert_network(&failure, "closed the connection before the head");
    assert_eq!(dials.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn speaks_something_else() {
    assert_network(&failure_of("SSH-2.0-OpenSSH_9.6\r\n").await, "not HTTP/1.1");
    assert_network(&failure_of("HTTP/1.1 twohundred OK\r\n\r\n").await, "not HTTP/1.1");
    assert_network(&failure_of("HTTP/1.1 200 OK\r\nbad header\r\n\r\n").await, "not HTTP/1.1");
    assert_network(&failure_of([0xff; 300]).await, "not HTTP/1.1");
}

#[tokio::test]
async fn contradicts_itself_about_the_body() {
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!";
    assert_network(&failure_of(two_lengths).await, "not HTTP/1.1");
    let too_big = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n";
    assert_network(&failure_of(too_big).await, "not HTTP/1.1");
    let bad_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n";
    assert_network(&failure_of(bad_chunk).await, "in the middle of the answer's body");
}

#[tokio::test]
async fn closes_in_the_middle() {
    assert_network(&failure_of("HTTP/1.1 200 OK\r\nx: y").await, "closed the connection before");
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello";
    assert_network(&failure_of(short).await, "in the middle of the answer's body");
}

#[tokio::test]
async fn never_ends_the_head() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: y\r\n").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let failure = timeout_of(&loopback_sender(), address).await;
    assert_eq!(failure.message, "no answer within 150 ms: connected, waiting for the response head");
}

#[tokio::test]
async fn accepts_and_stays_silent() {
    let address = receiver(|_, mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    timeout_of(&loopback_sender(), address).await;
}

#[tokio::test]
async fn does_not_even_accept() {
    // When the queue of a listener is full, the system drops the first packets of newcomers.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let sender = loopback_sender();
    for _ in 0..8 {
        let failure = timeout_of(&sender, address).await;
        if failure.message == "no answer within 150 ms: connecting" {
            return;
        }
    }
    panic!("the queue never filled");
}

#[tokio::test]
async fn sends_endless_headers() {
    let address = receiver_repeating("HTTP/1.1 200 OK\r\n", b"x-noise: noise\r\n".to_vec()).await;
    let failure = failed(post(&loopback_sender(), address, AMPLE_MS).await);
    assert_network(&failure, "longer than 64 KiB or has more than 100 fields");
}

#[tokio::test]
async fn sends_one_endless_header() {
    let address = receiver_repeating("HTTP/1.1 200 OK\r\nx: ", vec![b'a'; 1024]).await;
    let failure = failed(post(&loopback_sender(), address, AMPLE_MS).await);
    assert_network(&failure, "longer than 64 KiB or has more than 100 fields");
}

#[tokio::test]
async fn says_continue_for_ever() {
    let address = receiver_repeating("", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).await;
    timeout_of(&loopback_sender(), address).await;
}

#[tokio::test]
async fn drips_the_head() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.unwrap();
        drip(stream).await;
    })
    .await;
    timeout_of(&loopback_sender(), address).await;
}

#[tokio::test]
async fn drips_the_body() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n").await.unwrap();
        drip(stream).await;
    })
    .await;
    let failure = timeout_of(&loopback_sender(), address).await;
    assert_eq!(failure.message, "no complete answer within 150 ms: response head received, reading the body");
}

/// Dripping is what this receiver does to the client; the test waits for the client alone.
async fn drip(mut stream: tokio::net::TcpStream) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        ticks.tick().await;
        if stream.write_all(b"a").await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn announces_a_huge_body_and_sends_little() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551610\r\n\r\nhello";
        stream.write_all(head).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    timeout_of(&loopback_sender(), address).await;
}

#[tokio::test]
async fn sends_an_endless_body_and_is_cut_off() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n"] {
        let address = receiver_repeating(head, vec![b'a'; 4096]).await;
        let answer = answered(post(&loopback_sender(), address, AMPLE_MS).await);
        assert_eq!(answer.status, 200);
        assert!(answer.truncated);
        assert_eq!(answer.body.len(), ANSWER_BODY_BYTES_MAX);
    }
}

#[tokio::test]
async fn sends_endless_tiny_chunks_and_is_cut_off() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let address = receiver_repeating(head, b"1\r\na\r\n".repeat(500)).await;
    let answer = answered(post(&loopback_sender(), address, AMPLE_MS).await);
    assert_eq!((answer.truncated, answer.body.len()), (true, ANSWER_BODY_BYTES_MAX));
}

#[tokio::test]
async fn sends_a_compressed_bomb_which_stays_as_it_is() {
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xc1];
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 12\r\n\r\n".to_vec();
    bytes.extend(bomb);
    let answer = answer_to(bytes).await;
    assert_eq!(answer.body, bomb.as_slice());
    assert_eq!(answer.headers["content-encoding"], "gzip");
}

#[tokio::test]
async fn sends_headers_that_are_not_text() {
    let answer = answer_to(b"HTTP/1.1 200 OK\r\nx-odd: \xff\xfe\r\ncontent-length: 0\r\n\r\n".as_slice()).await;
    assert_eq!(answer.headers["x-odd"].as_bytes(), b"\xff\xfe");
}

#[tokio::test]
async fn redirects_and_is_not_followed() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = target.local_addr().unwrap();
    let (sender, dials) = counted_sender();
    let address = receiver_writing(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n"
    ))
    .await;
    assert_eq!(answered(post(&sender, address, AMPLE_MS).await).status, 307);
    assert_eq!(dials.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn answers_in_older_or_unusual_ways_that_are_fine() {
    let empty = answer_to("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!((empty.status.as_u16(), empty.body.len()), (204, 0));
    let old = answer_to("HTTP/1.0 200 OK\r\n\r\nold").await;
    assert_eq!(old.body, "old");
    let early =
        answer_to("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok")
            .await;
    assert_eq!((early.status.as_u16(), &early.body[..]), (201, b"ok".as_slice()));
    let chunked =
        answer_to("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 1\r\n\r\n")
            .await;
    assert_eq!((chunked.truncated, &chunked.body[..]), (false, b"hello".as_slice()));
    let switched =
        answer_to("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nnoise").await;
    assert_eq!(switched.status, 101);
}
