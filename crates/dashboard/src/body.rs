//! Bodies that were sent or came back: as a block of a page, and as a file.

use std::borrow::Cow;

use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};
use maud::Markup;

use crate::parts::{hex_block, json, text_block};

/// The bytes of a body: the API gives its text, and in base 64 what is none.
pub(crate) fn bytes_of<'a>(text: &'a str, base64: Option<&str>) -> Cow<'a, [u8]> {
    match base64 {
        Some(base64) => Cow::Owned(STANDARD.decode(base64).unwrap_or_default()),
        None => Cow::Borrowed(text.as_bytes()),
    }
}

/// A body as a page shows it; `as_sent`: JSON is not indented.
pub(crate) fn block(title: &str, bytes: &[u8], as_sent: bool) -> Markup {
    match (std::str::from_utf8(bytes), as_sent) {
        (Err(_), _) => hex_block(title, bytes),
        (Ok(text), true) => text_block(title, text),
        (Ok(text), false) => json(title, text),
    }
}

/// The same of one that is kept as far as this: it may end in the midst of a character, and is a text all the same.
pub(crate) fn cut_block(title: &str, bytes: &[u8], as_sent: bool) -> Markup {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => block(title, &bytes[..error.valid_up_to()], as_sent),
        _ => block(title, bytes, as_sent),
    }
}

/// A body as a file: whatever it is, a browser only keeps it.
pub(crate) fn file(name: &str, bytes: Vec<u8>) -> Response {
    let end = if std::str::from_utf8(&bytes).is_ok() { "txt" } else { "bin" };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{end}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_as_what_it_is() {
        assert_eq!(*bytes_of("\u{fffd}", Some("/wA=")), [0xff, 0]);
        assert!(block("Body", &[0xff, 0], false).0.contains("ff 00"));
        assert!(block("Body", b"{\"a\":1}", false).0.contains("class=\"k\""));
        assert!(block("Body", b"{\"a\":1}", true).0.contains("<bdi>{&quot;a&quot;:1}</bdi>"));
    }

    #[test]
    fn what_is_cut_within_a_character_is_a_text_up_to_there() {
        let cut = &"bücher".as_bytes()[..2];
        assert!(cut_block("Body", cut, true).0.contains("<bdi>b</bdi>"));
        assert!(block("Body", cut, true).0.contains("62 c3"), "a whole body of such bytes is none");
        assert!(cut_block("Body", &[0xff, 0], true).0.contains("ff 00"));
    }

    #[test]
    fn a_file_is_kept_and_never_shown() {
        for (bytes, name) in [(&b"text"[..], "x.txt"), (&[0xff][..], "x.bin")] {
            let response = file("x", bytes.to_vec());
            let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!(header(header::CONTENT_TYPE), Some("application/octet-stream"));
            let attached = format!("attachment; filename=\"{name}\"");
            assert_eq!(header(header::CONTENT_DISPOSITION), Some(attached.as_str()));
        }
    }
}
