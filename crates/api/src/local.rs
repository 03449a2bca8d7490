//! Calls of the API from within the process: the dashboard's way in.
//!
//! A call takes the same routes as one over a connection, so what it asks for is checked, audited,
//! isolated and answered the same way. Only who asks is known already.

use std::net::IpAddr;

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use tidings_contract::problem::Problem;
use tidings_domain::ids::{OrganizationId, ProjectId};

use crate::{
    auth::{Acting, ORGANIZATION, PROJECT},
    native,
    server::{Cut, respond},
    state::Api,
};

/// The API, for whoever is in the same process.
#[derive(Clone)]
pub struct Local {
    api: Api,
    router: Router,
}

/// For whom, and from where, a call is made.
#[derive(Debug, Clone, Copy)]
pub struct On {
    /// Who asks.
    pub acting: Acting,
    /// In which organization; `None`: the one the asker belongs to.
    pub organization: Option<OrganizationId>,
    /// In which project; `None`: the organization's default project.
    pub project: Option<ProjectId>,
    /// Where the request that led to this came from, for the audit log.
    pub address: IpAddr,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// `GET`, `POST`, …
    pub method: Method,
    /// Below [`tidings_contract::BASE_PATH`], with the query.
    pub path: String,
    /// A JSON document.
    pub body: Option<Bytes>,
    /// Makes a repetition of a creation answer as the first time.
    pub idempotency_key: Option<String>,
    /// Refuse the change unless what is changed still has this entity tag.
    pub if_match: Option<String>,
    /// Of a stream: go on after this place.
    pub last_event_id: Option<String>,
    /// Of a stream: ends the connection that it goes out on.
    pub cut: Option<Cut>,
}

impl Ask {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
            idempotency_key: None,
            if_match: None,
            last_event_id: None,
            cut: None,
        }
    }

    /// The same with a body.
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The entity tag of what is shown, if it has one.
    pub etag: Option<String>,
    /// The body; empty if there is none.
    pub body: Bytes,
}

impl Answer {
    /// The refusal that it is; `None` if it is a success.
    pub fn problem(&self) -> Option<Problem> {
        // Every refusal of the API has a problem body.
        (!self.status.is_success()).then(|| serde_json::from_slice(&self.body).expect("a problem body"))
    }
}

impl Local {
    /// Calls `api`.
    pub fn new(api: Api) -> Self {
        let router = native::routes(api.clone());
        Self { api, router }
    }

    /// The services of the API that are no operations.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Asks, and waits for the whole answer.
    pub async fn call(&self, on: &On, ask: Ask) -> Answer {
        let (head, body) = self.open(on, ask).await.into_parts();
        // Answers are whole texts already, but for streams, which are opened.
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let etag = head.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Answer { status: head.status, etag, body }
    }

    /// Asks, and answers as soon as the head is there: for streams.
    pub async fn open(&self, on: &On, ask: Ask) -> Response {
        let mut request = Request::new(ask.body.clone().map(Body::from).unwrap_or_default());
        *request.method_mut() = ask.method;
        match format!("{}{}", tidings_contract::BASE_PATH, ask.path).parse() {
            Ok(uri) => *request.uri_mut() = uri,
            // What was typed into an address of the dashboard need not be one.
            Err(_) => *request.uri_mut() = Uri::from_static("/"),
        }
        let headers = request.headers_mut();
        if let Some(body) = &ask.body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let named = [
            (ORGANIZATION, on.organization.map(|id| id.to_string())),
            (PROJECT, on.project.map(|id| id.to_string())),
            ("idempotency-key", ask.idempotency_key),
            ("if-match", ask.if_match),
            ("last-event-id", ask.last_event_id),
        ];
        for (name, value) in named {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        request.extensions_mut().insert(on.acting);
        if let Some(cut) = ask.cut {
            request.extensions_mut().insert(cut);
        }
        let request_id = self.api.engine().ids().request_id();
        respond(&self.api, self.router.clone(), request, on.address, &request_id).await
    }
}
