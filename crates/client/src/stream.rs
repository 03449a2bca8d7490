//! Server-sent events (WHATWG HTML), as far as the API's streams use them.

use http::{HeaderValue, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tidings_contract::{
    problem::Problem,
    stream::{DeliveryNews, STREAM_DELIVERY, STREAM_RESET},
};

use crate::{
    Client, ClientError,
    connection::Connection,
    exchange::{Call, Failed},
};

/// Bytes of an event at most: far above what one has.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Something that a stream tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// Something has happened to a delivery.
    Delivery(DeliveryNews),
    /// Something was missed: whoever shows lists reads them anew.
    Reset,
}

/// An open stream. Dropping it ends it.
#[derive(Debug)]
pub struct DeliveryStream {
    server: String,
    body: Incoming,
    lines: Lines,
    place: Option<String>,
    /// The connection is the stream's alone.
    _connection: Connection,
}

impl DeliveryStream {
    /// The next event; `None`: the server ended the stream, and may be asked to go on.
    ///
    /// # Errors
    ///
    /// See [`ClientError`]. The stream is at its end then.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>, ClientError> {
        loop {
            while let Some(event) = self.lines.next() {
                if let Some(place) = event.id {
                    self.place = Some(place);
                }
                match event.name.as_str() {
                    STREAM_RESET => return Ok(Some(StreamEvent::Reset)),
                    STREAM_DELIVERY => {
                        let news = serde_json::from_str(&event.data).map_err(|error| self.foreign(&error))?;
                        return Ok(Some(StreamEvent::Delivery(news)));
                    }
                    // Later servers may tell more.
                    _ => {}
                }
            }
            let reason = match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => format!("the stream broke off: {error}"),
                Some(Ok(frame)) => match self.lines.feed(frame.data_ref().map_or(&[][..], |data| data)) {
                    true => continue,
                    false => "the stream has a line without an end".to_owned(),
                },
            };
            return Err(ClientError::Connection { server: self.server.clone(), reason });
        }
    }

    /// Where it stands: what another stream can go on from.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn foreign(&self, error: &serde_json::Error) -> ClientError {
        ClientError::Foreign { server: self.server.clone(), status: 200, reason: error.to_string() }
    }
}

impl Client {
    pub(crate) async fn open_stream(&self, path: &str, place: Option<&str>) -> Result<DeliveryStream, ClientError> {
        let after = self.inner.request_timeout;
        let (response, connection) = match tokio::time::timeout(after, self.begin_stream(path, place)).await {
            Ok(begun) => begun?,
            Err(_) => return Err(ClientError::Timeout { server: self.server(), after }),
        };
        let (head, body) = response.into_parts();
        let server = self.server();
        if head.status.is_success() {
            let (lines, place) = (Lines::default(), place.map(str::to_owned));
            return Ok(DeliveryStream { server, body, lines, place, _connection: connection });
        }
        let body = Limited::new(body, EVENT_BYTES_MAX).collect().await.map(http_body_util::Collected::to_bytes);
        match serde_json::from_slice::<Problem>(&body.unwrap_or_default()) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(error) => Err(ClientError::Foreign { server, status: head.status.as_u16(), reason: error.to_string() }),
        }
    }

    async fn begin_stream(
        &self,
        path: &str,
        place: Option<&str>,
    ) -> Result<(http::Response<Incoming>, Connection), ClientError> {
        let failed = |failed: Failed| failed.error;
        let mut request = self.request(&Call::get(path), None).map_err(failed)?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(place) = place {
            let value = HeaderValue::from_str(place)
                .map_err(|_| ClientError::Setting(format!("HTTP cannot carry the place {place:?}")))?;
            request.headers_mut().insert("last-event-id", value);
        }
        let broken = |reason| ClientError::Connection { server: self.server(), reason };
        let mut connection = self.inner.pool.connect().await.map_err(broken)?;
        let response = connection.send_request(request).await.map_err(|error| broken(error.to_string()))?;
        Ok((response, connection))
    }
}

/// An event as it stands in the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

/// Bytes that become events.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    event: Event,
}

impl Lines {
    /// Takes more in; false if that is more than an event may be.
    fn feed(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        self.bytes.len() + self.event.data.len() <= EVENT_BYTES_MAX
    }

    /// The next whole event. An id alone is one as well.
    fn next(&mut self) -> Option<Event> {
        while let Some(end) = self.bytes.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if event != Event::default() {
                    return Some(event);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => self.event.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut self.event.name),
                "data" => {
                    if !self.event.data.is_empty() {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                }
                // Comments, and how long to wait before asking again.
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "retry: 5\nid: a-1\n\n:\n\n: x\r\nid:a-2\r\nevent: delivery\r\ndata: {\"a\":\ndata: 1}\n\nevent: reset\ndata\n\nid: z";
        let whole = {
            let mut lines = Lines::default();
            assert!(lines.feed(text.as_bytes()));
            std::iter::from_fn(|| lines.next()).collect::<Vec<_>>()
        };
        let event = |id: Option<&str>, name: &str, data: &str| Event {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            data: data.to_owned(),
        };
        let expected =
            [event(Some("a-1"), "", ""), event(Some("a-2"), "delivery", "{\"a\":\n1}"), event(None, "reset", "")];
        assert_eq!(whole, expected);
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for byte in text.bytes() {
            assert!(lines.feed(&[byte]));
            found.extend(std::iter::from_fn(|| lines.next()));
        }
        assert_eq!(found, expected, "a byte at a time");
        assert!(!lines.feed(&vec![b'a'; EVENT_BYTES_MAX + 1]), "a line without an end is no event");
    }
}
