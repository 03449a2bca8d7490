//! The request byte for byte.

use http::{HeaderMap, HeaderValue, header};
use tidings_ports::Sender;
use tidings_ports::sender::OutgoingRequest;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::support::{AMPLE_MS, answered, loopback_sender, read_request, receiver, request_to};

/// Sends what `prepare` makes of a request to this path and returns what the receiver read.
async fn sent(path: &str, credentials: &str, prepare: impl FnOnce(&mut OutgoingRequest)) -> String {
    let (reports, mut report) = mpsc::unbounded_channel();
    let address = receiver(move |_, mut stream| {
        let reports = reports.clone();
        async move {
            reports.send(read_request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let mut request = request_to(&format!("http://{credentials}{address}{path}"), AMPLE_MS);
    prepare(&mut request);
    answered(loopback_sender().send(request).await);
    report.recv().await.unwrap().replace(&address.to_string(), "RECEIVER")
}

#[tokio::test]
async fn what_is_asked_for_has_no_body() {
    let wire = sent("/v1/events?limit=100", "", |request| {
        *request = OutgoingRequest::get(request.url.clone(), HeaderMap::new(), AMPLE_MS, 10);
    })
    .await;
    assert_eq!(wire, "GET /v1/events?limit=100 HTTP/1.1\r\nhost: RECEIVER\r\n\r\n");
}

#[tokio::test]
async fn a_request_holds_what_it_was_given_and_no_more() {
    let wire = sent("/a/b%20c?d=e&f", "", |request| {
        request.headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
        request.body = "{\"a\": 1}\n".into();
    })
    .await;
    assert_eq!(
        wire,
        "POST /a/b%20c?d=e&f HTTP/1.1\r\nwebhook-id: msg_1\r\nhost: RECEIVER\r\ncontent-length: 9\r\n\r\n{\"a\": 1}\n"
    );
}

#[tokio::test]
async fn an_empty_body_has_a_length_too() {
    let wire = sent("/", "", |request| request.body = "".into()).await;
    assert_eq!(wire, "POST / HTTP/1.1\r\ncontent-length: 0\r\nhost: RECEIVER\r\n\r\n");
}

#[tokio::test]
async fn credentials_become_a_header() {
    let wire = sent("/", "us%65r:p%40ss@", |_| {}).await;
    assert!(wire.contains("authorization: Basic dXNlcjpwQHNz\r\n"), "{wire}");
    assert!(wire.starts_with("POST / HTTP/1.1\r\n") && !wire.contains('@'), "{wire}");
}

#[tokio::test]
async fn an_explicit_authorization_wins() {
    let wire = sent("/", "user:pass@", |request| {
        request.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    })
    .await;
    assert!(wire.contains("authorization: Bearer x\r\n") && !wire.contains("Basic"), "{wire}");
}

#[tokio::test]
async fn headers_that_frame_the_message_are_the_senders_own() {
    let wire = sent("/", "", |request| {
        let forged = [
            (header::CONTENT_LENGTH, "3"),
            (header::TRANSFER_ENCODING, "chunked"),
            (header::CONNECTION, "close"),
            (header::HOST, "elsewhere.example"),
        ];
        for (name, value) in forged {
            request.headers.insert(name, HeaderValue::from_static(value));
        }
        request.body = "hello".into();
    })
    .await;
    assert_eq!(wire, "POST / HTTP/1.1\r\nhost: RECEIVER\r\ncontent-length: 5\r\n\r\nhello");
}
