//! A request that came in, and why it is not taken.

use std::cell::OnceCell;

use serde_json::Value;

/// A request as it came over the wire: nothing of it is changed before its signature was checked.
#[derive(Debug)]
pub struct Incoming<'a> {
    headers: &'a [(String, String)],
    query: &'a str,
    /// The body's bytes.
    pub body: &'a [u8],
    /// Read once, and only if somebody asks.
    data: OnceCell<Value>,
}

/// Why a request is not from whom it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(String),
    /// A header has another form.
    #[error("the header {header} is not of the form {form}")]
    Form {
        /// Which header.
        header: String,
        /// What it should look like.
        form: &'static str,
    },
    /// No secret of the source makes this signature.
    #[error("the signature does not match: another secret, or a body that was changed on its way")]
    Mismatch,
    /// The timestamp is too far from now.
    #[error("the timestamp is {off_s} s {direction}, and the tolerance is {tolerance_s} s")]
    Time {
        /// How far.
        off_s: u64,
        /// `old` or `ahead`.
        direction: &'static str,
        /// How far it may be.
        tolerance_s: u32,
    },
}

impl<'a> Incoming<'a> {
    /// Header names are in lower case; `query` is what stands after the question mark.
    pub fn new(headers: &'a [(String, String)], query: &'a str, body: &'a [u8]) -> Self {
        Self { headers, query, body, data: OnceCell::new() }
    }

    /// The headers, in order of arrival.
    pub fn headers(&self) -> &'a [(String, String)] {
        self.headers
    }

    /// The first header of this name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same, where it has to be there.
    pub fn need(&self, name: &str) -> Result<&'a str, Rejection> {
        self.header(name).ok_or_else(|| Rejection::MissingHeader(name.to_owned()))
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(known, _)| known == name).map(|(_, v)| v.into_owned())
    }

    /// The body as JSON, or a form as an object of texts; `Null` if it is neither.
    pub fn data(&self) -> &Value {
        self.data.get_or_init(|| self.read())
    }

    fn read(&self) -> Value {
        let form = "application/x-www-form-urlencoded";
        if self.header("content-type").is_some_and(|it| it.trim_start().to_ascii_lowercase().starts_with(form)) {
            let pairs = url::form_urlencoded::parse(self.body);
            return pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
        }
        match crate::json::is_too_deep(self.body) {
            true => Value::Null,
            false => serde_json::from_slice(self.body).unwrap_or(Value::Null),
        }
    }
}
