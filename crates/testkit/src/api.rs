//! The server's API as one caller sees it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidings_contract::{BASE_PATH, list::ListBody};

use crate::exchange::{Answer, Broken, HttpClient};

/// A caller: a client, and the headers it sends each time.
#[derive(Debug, Clone)]
pub struct Api {
    client: Arc<HttpClient>,
    headers: HeaderMap,
    base: &'static str,
}

impl Api {
    /// A caller without any key.
    pub fn anonymous(client: HttpClient) -> Self {
        Self { client: Arc::new(client), headers: HeaderMap::new(), base: BASE_PATH }
    }

    /// Somebody else without any header, over the same connections.
    pub(crate) fn stranger(&self) -> Self {
        Self { client: Arc::clone(&self.client), headers: HeaderMap::new(), base: BASE_PATH }
    }

    /// The same caller with another header; an earlier one of that name goes.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("tests give valid header values");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same caller of another API than the native one.
    #[must_use]
    pub fn with_base(mut self, base: &'static str) -> Self {
        self.base = base;
        self
    }

    /// The same caller with this key.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        self.with_header("x-api-key", key)
    }

    /// The same caller without any key.
    #[must_use]
    pub fn without_key(mut self) -> Self {
        self.headers.remove("x-api-key");
        self
    }

    /// The client below.
    pub fn client(&self) -> &HttpClient {
        &self.client
    }

    /// Sends a body to a path below the API's base.
    pub async fn try_send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, Broken> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        let headers = request.headers_mut().expect("tests give valid paths");
        headers.clone_from(&self.headers);
        headers.insert(header::HOST, HeaderValue::from_static("tidings.test"));
        if !body.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request.body(Full::new(body)).expect("tests give valid requests");
        self.client.exchange(request).await
    }

    /// The same, where an answer is certain.
    ///
    /// # Panics
    ///
    /// There is no answer.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let shown = format!("{method} {path}");
        let sent = self.try_send(method, path, body.into()).await;
        sent.unwrap_or_else(|broken| panic!("{shown} has no answer: {broken}"))
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// `POST`
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body.to_string()).await
    }

    /// `PUT`
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body.to_string()).await
    }

    /// `PATCH`
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, body.to_string()).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Bytes::new()).await
    }

    /// All rows of a list, page after page.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Vec<T> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let page = match &cursor {
                None => format!("{path}?limit=100"),
                Some(cursor) => format!("{path}?limit=100&cursor={cursor}"),
            };
            let answer = self.get(&page).await;
            assert_eq!(answer.status, 200, "{page}: {answer}");
            let page: ListBody<T> = answer.read();
            rows.extend(page.data);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return rows,
            }
        }
    }
}
