//! Somebody at the dashboard without a browser: a cookie, and forms that come from its pages.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, header, request::Builder};
use http_body_util::Full;
use serde_json::json;

use crate::{
    exchange::{Answer, HttpClient},
    platform::operator,
    server::Server,
};

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody at the dashboard.
#[derive(Debug)]
pub struct Person {
    client: HttpClient,
    /// Names and values.
    cookies: BTreeMap<String, String>,
    /// What a proxy says of where they are.
    forwarded_for: Option<String>,
}

/// What the session's cookie is called where the server is not reached by https.
const SESSION: &str = "tidings_session";

impl Person {
    /// Somebody who is not signed in.
    pub fn stranger(server: &Server) -> Self {
        Self { client: server.client(), cookies: BTreeMap::new(), forwarded_for: None }
    }

    /// The same person behind a proxy that says this in `X-Forwarded-For`.
    #[must_use]
    pub fn through_proxy(self, forwarded_for: &str) -> Self {
        Self { forwarded_for: Some(forwarded_for.to_owned()), ..self }
    }

    /// An operator with this address, made by a link of the operator key.
    ///
    /// # Panics
    ///
    /// The link is refused.
    pub async fn operator(server: &Server, email: &str) -> Self {
        let link = operator(server).post("/start-links", &json!({})).await.expect(201);
        let link = link["start_url"].as_str().expect("a link");
        let token = link.split_once('#').expect("the link has a token").1;
        let mut person = Self::stranger(server);
        let made = person.post("/start", &[("token", token), ("email", email), ("password", PASSWORD)]).await;
        assert_eq!(made.status, 303, "{made}");
        person
    }

    /// A member of an organization, invited by the operator key.
    ///
    /// # Panics
    ///
    /// The invite is refused.
    pub async fn member(server: &Server, organization_id: &str, email: &str, role: &str) -> Self {
        let acting = operator(server).with_header("x-organization-id", organization_id);
        let invite = acting.post("/members", &json!({"email": email, "role": role})).await.expect(201);
        let mut person = Self::stranger(server);
        let joined = person.accept(invite["invite_url"].as_str().expect("a link"), email).await;
        assert_eq!(joined.status, 303, "{joined}");
        person
    }

    /// Accepts an invite, as a new account or with the password of an old one.
    pub async fn accept(&mut self, invite_url: &str, name: &str) -> Answer {
        let path = invite_url.find("/invite/").map(|at| &invite_url[at..]).expect("a link of an invite");
        self.post(path, &[("name", name), ("password", PASSWORD)]).await
    }

    /// Signs in, with whatever cookie is left of an earlier session.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/login", &[("email", email), ("password", password)]).await
    }

    /// The cookie of the session, if there is one.
    pub fn cookie(&self) -> Option<&str> {
        self.cookies.get(SESSION).map(String::as_str)
    }

    /// Keeps, and forgets, the cookies that an answer says.
    pub fn keep(&mut self, answer: &Answer) {
        let all = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        for (name, value) in all.filter_map(|cookie| cookie.split(';').next()?.split_once('=')) {
            match value {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
    }

    /// Goes where somebody else sent the browser back to, and keeps what comes of it.
    pub async fn come_back(&mut self, address: &str) -> Answer {
        let path = address.find("://").and_then(|at| address[at + 3..].find('/').map(|slash| at + 3 + slash));
        let answer = self.get(&address[path.expect("an address with a path")..]).await;
        self.keep(&answer);
        answer
    }

    /// The same person in another window: with the same cookie.
    pub fn in_another_window(&self, server: &Server) -> Self {
        Self { client: server.client(), cookies: self.cookies.clone(), forwarded_for: self.forwarded_for.clone() }
    }

    /// Looks at a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    /// The same, saying what may come of it.
    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let mut request = self.request(Method::GET, path);
        if !accept.is_empty() {
            request = request.header(header::ACCEPT, accept);
        }
        self.exchange(request, "").await
    }

    /// Sends a form as a page of this session would, and keeps the cookie that comes of it.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = match self.cookie() {
            Some(_) => self.csrf().await,
            None => String::new(),
        };
        let fields = fields.iter().copied().chain([("csrf", csrf.as_str())]);
        let body: Vec<_> = fields.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let answer = self.send(Method::POST, path, &body.join("&")).await;
        self.keep(&answer);
        answer
    }

    /// What forms of this session carry; nothing, if it has ended.
    pub async fn csrf(&self) -> String {
        const MARK: &str = "name=\"csrf\" value=\"";
        let page = self.get("/settings/account").await;
        let text = String::from_utf8_lossy(&page.body).into_owned();
        let value = text.split_once(MARK).and_then(|(_, rest)| rest.split_once('"'));
        value.map(|(value, _)| value.to_owned()).unwrap_or_default()
    }

    async fn send(&self, method: Method, path: &str, form: &str) -> Answer {
        self.exchange(self.request(method, path), form).await
    }

    fn request(&self, method: Method, path: &str) -> Builder {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "tidings.test");
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        if let Some(said) = &self.forwarded_for {
            request = request.header("x-forwarded-for", said);
        }
        request.header("sec-fetch-site", "same-origin").header(header::USER_AGENT, "a test")
    }

    async fn exchange(&self, mut request: Builder, form: &str) -> Answer {
        if !form.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::from(form.to_owned()))).expect("tests give valid requests");
        self.client.exchange(request).await.expect("an answer")
    }
}

/// A text as forms write it.
pub(crate) fn encoded(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => written.push(char::from(byte)),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    written
}
