//! One connection of a receiver: requests in, reactions out.

use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Shared, arrival::Incoming, behaviour::Reaction};

/// Bytes of a request's head; the server sends far less.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Serves request after request until the sender leaves or the receiver misbehaves.
pub(super) async fn serve(mut stream: TcpStream, state: Arc<Shared>) {
    // Answers must not wait for more to send; a receiver that is only slower is still one.
    let _ = stream.set_nodelay(true);
    let mut buffer = BytesMut::new();
    while let Some(incoming) = read_request(&mut stream, &mut buffer).await {
        let (attempt, delivery_id) = (incoming.attempt(), incoming.delivery_id().to_owned());
        let (place, in_flight, behaviour) = state.arrived(incoming);
        let status = match behaviour.reaction(attempt, &delivery_id, in_flight) {
            Reaction::Answer { wait, status, headers, body } => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                // Before the answer is out: the sender may follow it up at once.
                state.left(place);
                let sent = stream.write_all(&answer(status, headers, body)).await;
                sent.is_ok().then_some(status)
            }
            Reaction::Silence => {
                wait_for_end(&mut stream).await;
                state.left(place);
                None
            }
            Reaction::Misbehave(hostile) => {
                // What becomes of it is for the server to say.
                let _ = hostile.misbehave(&mut stream).await;
                state.left(place);
                None
            }
        };
        state.ended(place, status);
        if status.is_none() {
            return;
        }
    }
}

/// Waits until the sender closes the connection.
pub(super) async fn wait_for_end(stream: &mut TcpStream) {
    let mut nothing = [0; 64];
    while let Ok(1..) = stream.read(&mut nothing).await {}
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{body}").into_bytes()
}

/// The next request; `None` if the sender left before it was whole. The sender is our own
/// server, so a request that is no HTTP is a finding and panics.
async fn read_request(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<Incoming> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert!(buffer.len() < HEAD_BYTES_MAX, "the server sends an endless head");
        read_more(stream, buffer).await?;
    };
    let head = buffer.split_to(end);
    buffer.advance(4);
    let (method, target, headers) = parse_head(&head);
    let length = headers.get("content-length").map_or("0", |value| value.to_str().expect("a length is text"));
    let length: usize = length.parse().expect("a length is a number");
    while buffer.len() < length {
        read_more(stream, buffer).await?;
    }
    let body: Bytes = buffer.split_to(length).freeze();
    Some(Incoming { method, target, headers, body })
}

async fn read_more(stream: &mut TcpStream, buffer: &mut BytesMut) -> Option<()> {
    match stream.read_buf(buffer).await {
        Ok(1..) => Some(()),
        Ok(0) | Err(_) => None,
    }
}

fn parse_head(head: &[u8]) -> (String, String, HeaderMap) {
    let text = std::str::from_utf8(head).expect("the server sends heads in ASCII");
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        panic!("the server sends a malformed request line: {text}");
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) =
            line.split_once(": ").unwrap_or_else(|| panic!("the server sends a malformed header: {line}"));
        let name: HeaderName = name.parse().expect("the server sends header names");
        headers.append(name, HeaderValue::from_str(value).expect("the server sends header values"));
    }
    (method.to_owned(), target.to_owned(), headers)
}
