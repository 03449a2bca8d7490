//! The answer's body: bounded, kept as it came.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use hyper::body::{Body as _, Incoming};

/// How much more than what is kept is read, so that the connection can be used again.
const DRAIN_BYTES_MAX: usize = 64 * 1024;

/// What was kept of a body.
pub(crate) struct Kept {
    pub(crate) body: Bytes,
    /// The rest, if the body went on beyond what is kept of it.
    pub(crate) rest: Option<Rest>,
}

/// The unread end of a body that was too long.
pub(crate) struct Rest {
    body: Incoming,
    bytes_read: usize,
}

/// Reads a body until its end or just beyond the cap.
pub(crate) async fn read(mut body: Incoming, bytes_max: usize) -> hyper::Result<Kept> {
    let mut kept = Accumulator { bytes: BytesMut::new(), bytes_max };
    while let Some(data) = next_data(&mut body).await? {
        let excess = kept.push(data);
        if excess > 0 {
            let rest = Rest { body, bytes_read: excess };
            return Ok(Kept { body: kept.finish(), rest: Some(rest) });
        }
    }
    Ok(Kept { body: kept.finish(), rest: None })
}

/// Copies the values of the headers into one buffer of their own size. As they come, they are
/// slices of the connection's read buffer, which could neither be used again nor be freed for as
/// long as somebody keeps the answer.
pub(crate) fn detach(mut headers: HeaderMap) -> HeaderMap {
    let length = headers.values().map(HeaderValue::len).sum();
    let mut joined = BytesMut::with_capacity(length);
    for value in headers.values() {
        joined.extend_from_slice(value.as_bytes());
    }
    let mut joined = joined.freeze();
    for value in headers.values_mut() {
        let copied = joined.split_to(value.len());
        // The bytes come from a header value, so they make one.
        if let Ok(copied) = HeaderValue::from_maybe_shared(copied) {
            *value = copied;
        }
    }
    headers
}

/// Reads on to the end of a body that was too long. Says whether it came to its end within
/// bounds; else the connection is of no more use.
pub(crate) async fn drain(mut rest: Rest) -> bool {
    loop {
        let announced = usize::try_from(rest.body.size_hint().lower()).unwrap_or(usize::MAX);
        if rest.bytes_read.saturating_add(announced) > DRAIN_BYTES_MAX {
            return false;
        }
        match next_data(&mut rest.body).await {
            Ok(Some(data)) => rest.bytes_read += data.len(),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// The next piece of data; trailers are of no interest.
async fn next_data(body: &mut Incoming) -> hyper::Result<Option<Bytes>> {
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        match frame {
            None => return Ok(None),
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Collects data up to the cap. Always copies: hyper's slices would keep a whole read buffer
/// alive for as long as somebody holds on to a short answer.
struct Accumulator {
    bytes: BytesMut,
    bytes_max: usize,
}

impl Accumulator {
    /// Takes what fits and returns how many bytes did not.
    fn push(&mut self, data: Bytes) -> usize {
        let fits = data.len().min(self.bytes_max - self.bytes.len());
        self.bytes.extend_from_slice(&data[..fits]);
        data.len() - fits
    }

    fn finish(self) -> Bytes {
        self.bytes.freeze()
    }
}
