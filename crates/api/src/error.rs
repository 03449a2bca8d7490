//! Errors on their way to the client.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use tidings_contract::{
    codes::ErrorCode,
    problem::{ErrorSummary, FieldError, PROBLEM_CONTENT_TYPE, Problem},
};
use tidings_ports::store::StoreError;

/// What a handler answers in place of a result.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    extra: Map<String, Value>,
    header: Option<(HeaderName, HeaderValue)>,
    in_log: bool,
}

/// Seconds after which a client may try again when the store does not answer.
const UNAVAILABLE_RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");
/// … and when somebody has to make room on the disk first.
const FULL_RETRY_AFTER: HeaderValue = HeaderValue::from_static("30");

/// Characters of a text in the short form of an error: a thousand of them make one answer.
const SUMMARY_CHARACTERS_MAX: usize = 400;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        let (errors, extra) = (Vec::new(), Map::new());
        Self(Box::new(Parts { code, detail: detail.into(), errors, extra, header: None, in_log: false }))
    }

    /// Fields that are wrong; all of them at once.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            many => {
                let names: Vec<_> = many.iter().map(|error| error.field.as_str()).collect();
                format!("{} fields are wrong: {}", many.len(), names.join(", "))
            }
        };
        // A single field may have a code that clients look for.
        let code = match errors.as_slice() {
            [one] if one.code == ErrorCode::UrlNotAllowed.as_str() => ErrorCode::UrlNotAllowed,
            [one] if one.code == ErrorCode::UnknownEventType.as_str() => ErrorCode::UnknownEventType,
            _ => ErrorCode::ValidationFailed,
        };
        let mut error = Self::new(code, detail);
        error.0.errors = errors;
        error
    }

    /// Places in a payload that its schema does not allow.
    pub(crate) fn schema_violation(errors: Vec<FieldError>) -> Self {
        let mut error = Self::fields(errors);
        error.0.code = ErrorCode::SchemaViolation;
        error
    }

    /// One field that is wrong.
    pub(crate) fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![field_error(field, code, message)])
    }

    /// Missing and foreign things are told apart by nobody.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}, or it belongs to somebody else"))
    }

    /// The short form, for an item among others; texts of the request are quoted in part only.
    pub(crate) fn summary(self) -> ErrorSummary {
        let Parts { code, detail, errors, .. } = *self.0;
        let shortened = |text: String| match text.char_indices().nth(SUMMARY_CHARACTERS_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        let field = |error: FieldError| FieldError {
            field: shortened(error.field),
            code: error.code,
            message: shortened(error.message),
        };
        ErrorSummary {
            code: code.as_str().to_owned(),
            message: shortened(detail),
            details: errors.into_iter().map(field).collect(),
        }
    }

    /// What it is.
    pub(crate) fn code(&self) -> ErrorCode {
        self.0.code
    }

    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(member.to_owned(), value.into());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    /// The answer's body, once path and request id are known.
    pub(crate) fn problem(&self, instance: &str, request_id: &str) -> Problem {
        let parts = &self.0;
        let code = parts.code.as_str().to_owned();
        Problem {
            kind: format!("/docs/errors#{code}"),
            title: parts.code.title().to_owned(),
            status: parts.code.status(),
            detail: parts.detail.clone(),
            instance: instance.to_owned(),
            code: code.clone(),
            errors: parts.errors.clone(),
            extra: parts.extra.clone(),
            request_id: request_id.to_owned(),
            error: ErrorSummary { code, message: parts.detail.clone(), details: parts.errors.clone() },
        }
    }
}

/// Describes a field that is wrong.
pub(crate) fn field_error(field: &str, code: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), code: code.to_owned(), message: message.into() }
}

impl IntoResponse for ApiError {
    /// Status and headers; the server adds the body, because only it knows the request's id.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).expect("the table holds HTTP statuses");
        let mut response = status.into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        if let Some((name, value)) = &self.0.header {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    /// Trouble of a database is never a 401, 403 or 404. Its words stay in the log.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(reason) => {
                tracing::error!(reason, "the disk is full");
                Self::new(ErrorCode::StorageFull, "the disk is full; nothing of this request was kept")
                    .with_header(header::RETRY_AFTER, FULL_RETRY_AFTER)
            }
            StoreError::Unavailable(reason) => {
                tracing::error!(reason, "the store did not answer");
                Self::unavailable("the database does not answer; nothing of this request was kept")
            }
            StoreError::Corrupt(reason) => {
                tracing::error!(reason, "the database is damaged");
                Self::unavailable("the database is damaged where this request needs it; nothing of it was kept")
            }
            StoreError::Uncertain(reason) => {
                tracing::error!(reason, "the store did not say what it has done");
                Self::unavailable(
                    "the database went away, or took too long, while this was being done: look whether it was, or repeat \
                     the request with the same Idempotency-Key",
                )
            }
            StoreError::Refused(reason) => {
                tracing::error!(reason, "the store refused a write");
                Self::new(ErrorCode::Internal, "the database refused the request; nothing of it was kept")
            }
            StoreError::Closed => Self::unavailable("the server is stopping; nothing of this request was kept"),
        }
    }
}

impl ApiError {
    /// 429, to be tried again soon.
    pub(crate) fn rate_limited(detail: &str) -> Self {
        Self::new(ErrorCode::RateLimited, detail).with_header(header::RETRY_AFTER, UNAVAILABLE_RETRY_AFTER)
    }

    /// Whether the log has it already, so that callers do not fill it with a second line.
    pub(crate) fn is_in_log(&self) -> bool {
        self.0.in_log
    }

    /// 503 because nobody has time for scripts, to be tried again soon. It is written to the log here, and nowhere else.
    pub(crate) fn no_time(reason: &str, detail: &str) -> Self {
        tracing::warn!(reason, "a script was not run");
        let mut error = Self::unavailable(detail);
        error.0.in_log = true;
        error
    }

    /// 503, to be tried again soon.
    pub(crate) fn unavailable(detail: &str) -> Self {
        Self::new(ErrorCode::Unavailable, detail).with_header(header::RETRY_AFTER, UNAVAILABLE_RETRY_AFTER)
    }
}
