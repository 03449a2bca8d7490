//! Answers up to the cap and beyond it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use tidings_domain::target::TargetUrl;
use tidings_ports::Sender;
use tidings_ports::sender::{ANSWER_BODY_BYTES_MAX, OutgoingRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{AMPLE_MS, SHORT_MS, answer_all, answered, loopback_sender, post, read_request, receiver};

#[tokio::test]
async fn a_body_up_to_the_cap_is_whole_and_beyond_it_cut() {
    // (body, truncated, whether the connection is used again)
    let cases = [
        (ANSWER_BODY_BYTES_MAX - 1, false, true),
        (ANSWER_BODY_BYTES_MAX, false, true),
        (ANSWER_BODY_BYTES_MAX + 1, true, true),
        (ANSWER_BODY_BYTES_MAX + 60_000, true, true),
        (ANSWER_BODY_BYTES_MAX + 100_000, true, false),
    ];
    for (length, truncated, reused) in cases {
        for chunked in [false, true] {
            let answer = body_answer(length, chunked);
            let address = receiver(move |_, stream| {
                let answer = answer.clone();
                async move { answer_all(stream, &answer).await }
            })
            .await;
            let sender = loopback_sender();
            let answer = answered(post(&sender, address, AMPLE_MS).await);
            assert_eq!(answer.truncated, truncated, "{length}");
            assert_eq!(answer.body.len(), length.min(ANSWER_BODY_BYTES_MAX), "{length}");
            let next = post(&sender, address, AMPLE_MS).await;
            assert_eq!(next.timing.reused, reused, "{length} {chunked}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_more_of_an_answer_gets_more_and_no_more_than_that() {
    let length = 3 * ANSWER_BODY_BYTES_MAX;
    for (bytes_max, truncated) in [(length - 1, true), (length, false)] {
        let answer = body_answer(length, true);
        let address = receiver(move |_, stream| {
            let answer = answer.clone();
            async move { answer_all(stream, &answer).await }
        })
        .await;
        let url = Arc::new(TargetUrl::parse(&format!("http://{address}/list")).unwrap());
        let request = OutgoingRequest::get(url, HeaderMap::new(), AMPLE_MS, bytes_max);
        let answer = answered(loopback_sender().send(request).await);
        assert_eq!((answer.body.len(), answer.truncated), (bytes_max.min(length), truncated));
    }
}

fn body_answer(length: usize, chunked: bool) -> Bytes {
    let body = "a".repeat(length);
    if chunked {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n").into()
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into()
    }
}

#[tokio::test]
async fn an_overlong_body_that_stalls_is_an_answer_all_the_same() {
    let address = receiver(|_, mut stream| async move {
        read_request(&mut stream).await;
        let announced = body_answer(ANSWER_BODY_BYTES_MAX + 10, false);
        stream.write_all(&announced[..announced.len() - 5]).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let sender = loopback_sender();
    let started = Instant::now();
    let answer = answered(post(&sender, address, SHORT_MS).await);
    assert!(answer.truncated);
    assert!(started.elapsed().as_millis() < u128::from(SHORT_MS) + 1000);
}
