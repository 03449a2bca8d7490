//! What the kinds of sources have in common: message authentication codes, compared in constant time.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::incoming::{Incoming, Rejection};
use crate::secret::hex;

/// Signatures of one header that are looked at; providers send two or three.
const SIGNATURES_MAX: usize = 16;

/// HMAC-SHA256 over the parts one after the other.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    authenticate(hmac::HMAC_SHA256, key, parts)
}

pub(super) fn authenticate(algorithm: hmac::Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// Whether any of the texts is the code in hexadecimal, of whichever case.
pub(super) fn any_is_hex<'a>(given: impl Iterator<Item = &'a str>, code: &[u8]) -> Result<(), Rejection> {
    let expected = hex(code);
    any_is(given.map(str::to_ascii_lowercase), &expected)
}

/// Whether any of the texts is the code in base 64.
pub(super) fn any_is_base64<'a>(given: impl Iterator<Item = &'a str>, code: &[u8]) -> Result<(), Rejection> {
    any_is(given, &STANDARD.encode(code))
}

/// Whether any of the texts is the expected one. How long that takes tells only their lengths.
pub(super) fn any_is(given: impl Iterator<Item = impl AsRef<str>>, expected: &str) -> Result<(), Rejection> {
    let mut found = false;
    for text in given.take(SIGNATURES_MAX) {
        found |= verify_slices_are_equal(text.as_ref().as_bytes(), expected.as_bytes()).is_ok();
    }
    if found { Ok(()) } else { Err(Rejection::Mismatch) }
}

/// The value of a header that holds Unix seconds.
pub(super) fn seconds(header: &str, text: &str) -> Result<i64, Rejection> {
    let form = "UNIX_SECONDS";
    text.parse().map_err(|_| Rejection::Form { header: header.to_owned(), form })
}

/// A text member of the body.
pub(super) fn body_text(incoming: &Incoming<'_>, pointer: &str) -> Option<String> {
    incoming.data().pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned)
}
