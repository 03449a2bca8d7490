//! One call: request, answer, and the one repetition that is safe.

use std::time::Duration;

use aws_lc_rs::rand;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use serde::{Serialize, de::DeserializeOwned};
use tidings_contract::problem::Problem;

use crate::{Client, ClientError, connection::Connection, headers};

/// Bytes of an answer: far above what a page of 100 deliveries needs, far below what hurts.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The wait before a repetition where the server names none.
const RETRY_WAIT: Duration = Duration::from_millis(250);
/// Random bytes of an idempotency key.
const KEY_BYTES: usize = 16;

/// What a second time would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The same as once: reading, changing to given values.
    Safe,
    /// The same as once, thanks to an idempotency key.
    WithKey,
    /// Something else: the call is repeated only if it did not reach the server.
    Unsafe,
}

/// A request that can be sent more than once.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Behind `/api/v1`, with its query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) content_type: &'static str,
    pub(crate) repeat: Repeat,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        let repeat = match method {
            Method::POST | Method::DELETE => Repeat::Unsafe,
            _ => Repeat::Safe,
        };
        Self { method, path: path.into(), body: None, content_type: "application/json", repeat }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST that creates something.
    pub(crate) fn create(path: impl Into<String>, body: &impl Serialize) -> Result<Self, ClientError> {
        let call = Self::new(Method::POST, path).json(body)?;
        Ok(Self { repeat: Repeat::WithKey, ..call })
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| ClientError::Setting(format!("the request cannot be written as JSON: {error}")))?;
        self.body = Some(bytes.into());
        Ok(self)
    }
}

/// An answer that was read to its end.
struct Answer {
    head: http::response::Parts,
    body: Bytes,
}

/// Why there is no answer, and whether the request may have reached the server.
pub(crate) struct Failed {
    pub(crate) error: ClientError,
    sent: bool,
}

impl Client {
    /// Makes the call and reads the answer's body.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, ClientError> {
        let answer = self.call(call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| self.foreign(answer.head.status, error.to_string()))
    }

    /// Makes a call that is answered without a body.
    pub(crate) async fn execute(&self, call: Call) -> Result<(), ClientError> {
        self.call(call).await.map(drop)
    }

    async fn call(&self, call: Call) -> Result<Answer, ClientError> {
        let key = (call.repeat == Repeat::WithKey).then(|| self.idempotency_key()).transpose()?;
        let first = self.attempt(&call, key.as_ref()).await;
        let wait = match &first {
            Ok(answer) if answer.head.status == StatusCode::SERVICE_UNAVAILABLE && call.repeat != Repeat::Unsafe => {
                retry_after(answer).unwrap_or(RETRY_WAIT)
            }
            Err(Failed { sent, .. }) if !sent || call.repeat != Repeat::Unsafe => RETRY_WAIT,
            _ => return self.judge(first),
        };
        tokio::time::sleep(wait.min(self.inner.retry_wait_max)).await;
        let second = self.attempt(&call, key.as_ref()).await;
        self.judge(second)
    }

    async fn attempt(&self, call: &Call, key: Option<&HeaderValue>) -> Result<Answer, Failed> {
        let after = self.inner.request_timeout;
        match tokio::time::timeout(after, self.exchange(call, key)).await {
            Ok(result) => result,
            Err(_) => Err(Failed { error: ClientError::Timeout { server: self.server(), after }, sent: true }),
        }
    }

    async fn exchange(&self, call: &Call, key: Option<&HeaderValue>) -> Result<Answer, Failed> {
        let mut request = self.request(call, key)?;
        // The server may have closed a kept connection at this very moment: hyper then gives the
        // request back unsent, and a new connection takes it.
        if let Some(mut connection) = self.inner.pool.take_idle() {
            match connection.try_send_request(request).await {
                Ok(response) => return self.read(response, connection).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(self.broken(&error.into_error(), true)),
                },
            }
        }
        let connected = self.inner.pool.connect().await;
        let mut connection = connected.map_err(|reason| Failed {
            error: ClientError::Connection { server: self.server(), reason },
            sent: false,
        })?;
        let response = connection.send_request(request).await.map_err(|error| self.broken(&error, true))?;
        self.read(response, connection).await
    }

    pub(crate) fn request(&self, call: &Call, key: Option<&HeaderValue>) -> Result<Request<Full<Bytes>>, Failed> {
        let path = format!("{}{}{}", self.inner.base, tidings_contract::BASE_PATH, call.path);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(path)
            .header(header::HOST, self.inner.pool.origin().authority())
            .header(header::USER_AGENT, concat!("tidings-client/", env!("CARGO_PKG_VERSION")));
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, call.content_type);
        }
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != headers::IDEMPOTENCY_KEY) {
            request = request.header(*name, value);
        }
        if let Some(key) = key {
            request = request.header(headers::IDEMPOTENCY_KEY, key);
        }
        request.body(Full::new(call.body.clone().unwrap_or_default())).map_err(|error| Failed {
            error: ClientError::Setting(format!("the request cannot be made: {error}")),
            sent: false,
        })
    }

    async fn read(&self, response: Response<hyper::body::Incoming>, connection: Connection) -> Result<Answer, Failed> {
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let reason = format!("the answer broke off: {error}");
                return Err(Failed { error: ClientError::Connection { server: self.server(), reason }, sent: true });
            }
        };
        self.inner.pool.put_back(connection);
        Ok(Answer { head, body })
    }

    /// Success, or the problem that the answer holds.
    fn judge(&self, result: Result<Answer, Failed>) -> Result<Answer, ClientError> {
        let answer = result.map_err(|failed| failed.error)?;
        if answer.head.status.is_success() {
            return Ok(answer);
        }
        match serde_json::from_slice::<Problem>(&answer.body) {
            Ok(problem) => Err(ClientError::Problem(Box::new(problem))),
            Err(error) => Err(self.foreign(answer.head.status, error.to_string())),
        }
    }

    fn idempotency_key(&self) -> Result<HeaderValue, ClientError> {
        if let Some((_, key)) = self.headers.iter().find(|(name, _)| *name == headers::IDEMPOTENCY_KEY) {
            return Ok(key.clone());
        }
        let mut bytes = [0; KEY_BYTES];
        rand::fill(&mut bytes).map_err(|_| ClientError::Setting("the system gives no random numbers".to_owned()))?;
        let key = format!("{:032x}", u128::from_be_bytes(bytes));
        Ok(HeaderValue::try_from(key).expect("hexadecimal digits are a header value"))
    }

    fn broken(&self, error: &hyper::Error, sent: bool) -> Failed {
        Failed { error: ClientError::Connection { server: self.server(), reason: error.to_string() }, sent }
    }

    fn foreign(&self, status: StatusCode, reason: String) -> ClientError {
        ClientError::Foreign { server: self.server(), status: status.as_u16(), reason }
    }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let value = answer.head.headers.get(header::RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
