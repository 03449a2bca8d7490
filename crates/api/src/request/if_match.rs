//! `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1): a change that is made only to what its maker has seen.
//!
//! What is looked at here only says no early. The store compares once more, in the transaction of the change.

use aws_lc_rs::digest;
use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, header};
use serde::Serialize;
use tidings_contract::codes::ErrorCode;
use tidings_domain::time::Timestamp;

use crate::{answer::json_bytes, error::ApiError, state::Api};

/// What a change wants to find; nothing: whatever there is.
pub(crate) struct IfMatch(Option<String>);

impl FromRequestParts<Api> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(header::IF_MATCH).iter().peekable();
        if given.peek().is_none() {
            return Ok(Self(None));
        }
        let texts: Result<Vec<_>, _> = given.map(HeaderValue::to_str).collect();
        let malformed = |_| ApiError::new(ErrorCode::MalformedRequest, "If-Match is not text: send an ETag as it came");
        Ok(Self(Some(texts.map_err(malformed)?.join(","))))
    }
}

impl IfMatch {
    /// Whether the change asks for anything in particular.
    pub(crate) fn is_given(&self) -> bool {
        self.0.as_ref().is_some_and(|wanted| wanted.trim() != "*")
    }

    /// Refuses a change of what is not there, where the change wants to find something: any tag does, and so does `*`.
    pub(crate) fn check_missing(&self, what: &str) -> Result<(), ApiError> {
        let Some(wanted) = &self.0 else { return Ok(()) };
        let wanted: String = wanted.chars().take(100).collect();
        let detail = format!(
            "there is no {what}, so none that If-Match: {wanted} could mean; nothing was changed. To make one, send it \
             without If-Match"
        );
        Err(ApiError::new(ErrorCode::PreconditionFailed, detail))
    }

    /// Refuses the change unless what is there has a tag that it names.
    pub(crate) fn check(&self, what: &str, tag: &str, updated_at: Option<Timestamp>) -> Result<(), ApiError> {
        match &self.0 {
            // A weak tag names nothing to be changed.
            Some(wanted) if self.is_given() && !wanted.split(',').any(|named| named.trim() == tag) => {
                let when = updated_at.map(|at| format!(", last at {at}")).unwrap_or_default();
                let wanted: String = wanted.chars().take(100).collect();
                let detail = format!(
                    "the {what} was changed by somebody else since it had {wanted}{when}; nothing was changed now. Read \
                     it again, look at what is different, and send the change with If-Match: {tag}"
                );
                let error = ApiError::new(ErrorCode::PreconditionFailed, detail).with("etag", tag);
                Err(match updated_at {
                    Some(at) => error.with("updated_at", at.rfc3339_millis()),
                    None => error,
                })
            }
            _ => Ok(()),
        }
    }

    /// What a change is told that was overtaken between being checked and being made.
    pub(crate) fn overtaken(&self, what: &str) -> ApiError {
        let code = if self.is_given() { ErrorCode::PreconditionFailed } else { ErrorCode::ChangedMeanwhile };
        let detail = format!(
            "the {what} was changed by somebody else at the same moment; nothing was changed now. Read it again, look \
             at what is different, and repeat the change"
        );
        ApiError::new(code, detail)
    }
}

/// The tag of a revision.
pub(crate) fn revision_tag(revision: u32) -> String {
    format!("\"{revision}\"")
}

/// Bytes of a tag that is made of what is shown.
const TAG_BYTES: usize = 16;

/// The tag of something that has no revision: made of all that is shown of it.
pub(crate) fn content_tag(shown: &impl Serialize) -> String {
    let hash = digest::digest(&digest::SHA256, &json_bytes(shown));
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..TAG_BYTES]))
}

/// An answer with the tag of what it shows.
pub(crate) fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_made_to_what_was_seen_alone() {
        let check = |wanted: Option<&str>| {
            let wanted = IfMatch(wanted.map(str::to_owned));
            wanted.check("webhook", "\"3\"", Some(Timestamp::from_millis(0))).is_ok()
        };
        for good in [None, Some("*"), Some("\"3\""), Some("\"1\", \"3\""), Some(" \"3\" ")] {
            assert!(check(good), "{good:?}");
        }
        for bad in ["\"2\"", "3", "W/\"3\"", "", "\"33\"", "\"1\",\"2\""] {
            assert!(!check(Some(bad)), "{bad:?}");
        }
    }
}
