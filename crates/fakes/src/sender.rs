//! A sender that answers as it is told and remembers what it was given.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tidings_domain::{
    target::{Refusal, TargetUrl},
    time::Timestamp,
};
use tidings_ports::{
    Clock, Sender,
    sender::{Answer, Exchange, FailureKind, OutgoingRequest, SendFailure, Timing},
};

/// What the receiver does.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and header.
    StatusWithHeader(u16, &'static str, String),
    /// Answers with this status so many milliseconds later, by the test's clock.
    StatusAfter(u64, u16),
    /// Gives no answer, for this reason.
    Failure(FailureKind),
}

/// A request as it would have gone out.
#[derive(Debug, Clone)]
pub struct SentRequest {
    /// When, by the test's clock.
    pub at: Timestamp,
    /// Where to.
    pub url: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Its deadline.
    pub timeout_ms: u32,
}

/// What a server of a test's own answers.
#[derive(Debug, Clone)]
pub struct Served {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

type Server = Arc<dyn Fn(&SentRequest) -> Served + Send + Sync>;

#[derive(Default)]
struct State {
    sent: Vec<SentRequest>,
    servers: Vec<(String, Server)>,
    scripts: HashMap<String, VecDeque<Reply>>,
    defaults: HashMap<String, Reply>,
}

/// Sends nothing.
pub struct ScriptedSender {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl ScriptedSender {
    /// Answers 200 to everything until told otherwise.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the next requests to this address one after another like this.
    pub fn script(&self, url: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state().scripts.entry(url.to_owned()).or_default().extend(replies);
    }

    /// Answers all further requests to this address like this.
    pub fn always(&self, url: &str, reply: Reply) {
        self.state().defaults.insert(url.to_owned(), reply);
    }

    /// Answers all requests to addresses that begin like this as the server says.
    pub fn serve(&self, beginning: &str, server: impl Fn(&SentRequest) -> Served + Send + Sync + 'static) {
        self.state().servers.push((beginning.to_owned(), Arc::new(server)));
    }

    /// What was sent so far, in order.
    pub fn sent(&self) -> Vec<SentRequest> {
        self.state().sent.clone()
    }

    /// What was sent to this address, in order.
    pub fn sent_to(&self, url: &str) -> Vec<SentRequest> {
        self.sent().into_iter().filter(|request| request.url == url).collect()
    }
}

impl Served {
    fn exchange(self, bytes_max: usize) -> Exchange {
        let header = |(name, value): (&'static str, String)| {
            let value = HeaderValue::from_str(&value).expect("tests use legal header values");
            (HeaderName::from_static(name), value)
        };
        let answer = Answer {
            status: StatusCode::from_u16(self.status).expect("tests use real status codes"),
            headers: self.headers.into_iter().map(header).collect(),
            truncated: self.body.len() > bytes_max,
            body: Bytes::from(self.body),
        };
        let body = answer.body.slice(..answer.body.len().min(bytes_max));
        Exchange { result: Ok(Answer { body, ..answer }), timing: Timing { total_us: 1_000, ..Timing::default() } }
    }
}

#[async_trait]
impl Sender for ScriptedSender {
    async fn send(&self, request: OutgoingRequest) -> Exchange {
        let url = request.url.as_str().to_owned();
        let sent = SentRequest {
            at: self.clock.now(),
            url: url.clone(),
            headers: request.headers,
            body: request.body,
            timeout_ms: request.timeout_ms,
        };
        let server = self.state().servers.iter().find(|(it, _)| url.starts_with(it)).map(|(_, it)| Arc::clone(it));
        if let Some(server) = server {
            let served = server(&sent);
            self.state().sent.push(sent);
            return served.exchange(request.answer_bytes_max);
        }
        let reply = {
            let mut state = self.state();
            state.sent.push(sent);
            let scripted = state.scripts.get_mut(&url).and_then(VecDeque::pop_front);
            scripted.or_else(|| state.defaults.get(&url).cloned()).unwrap_or(Reply::Status(200))
        };
        let answer = |status: u16, headers: HeaderMap| {
            Ok(Answer {
                status: StatusCode::from_u16(status).expect("tests use real status codes"),
                headers,
                body: Bytes::from_static(b"answer"),
                truncated: false,
            })
        };
        let result = match reply {
            Reply::Status(status) => answer(status, HeaderMap::new()),
            Reply::StatusAfter(ms, status) => {
                self.clock.sleep_until(self.clock.now().plus_millis(ms)).await;
                answer(status, HeaderMap::new())
            }
            Reply::StatusWithHeader(status, name, value) => {
                let value = HeaderValue::from_str(&value).expect("tests use legal header values");
                answer(status, HeaderMap::from_iter([(HeaderName::from_static(name), value)]))
            }
            Reply::Failure(kind) => Err(SendFailure { kind, message: format!("scripted {kind:?}") }),
        };
        Exchange { result, timing: Timing { total_us: 1_000, ..Timing::default() } }
    }

    async fn check(&self, _url: &TargetUrl) -> Result<(), Refusal> {
        Ok(())
    }
}
