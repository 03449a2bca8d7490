//! The request as it goes over the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tidings_domain::target::TargetUrl;

/// Puts a request together: the origin form of the target, `Host`, and what the address's
/// credentials say. Hyper adds the length of a body that is not empty.
///
/// Headers that frame the message are this function's own: a caller's could contradict the body
/// and let one request look like two to the receiver.
pub(crate) fn build(
    method: Method,
    url: &TargetUrl,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, http::Error> {
    for framing in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        headers.remove(framing);
    }
    if body.is_empty() && (method == Method::POST || method == Method::PUT) {
        // Hyper leaves it out then, and some receivers answer 411 (RFC 9110 section 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    headers.insert(HOST, HeaderValue::from_str(url.authority())?);
    if let Some((user, password)) = url.credentials()
        && !headers.contains_key(AUTHORIZATION)
    {
        headers.insert(AUTHORIZATION, basic(user, password)?);
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = Uri::try_from(url.path_and_query())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// RFC 7617, with UTF-8.
fn basic(user: &str, password: &str) -> Result<HeaderValue, http::Error> {
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}"))?;
    value.set_sensitive(true);
    Ok(value)
}
