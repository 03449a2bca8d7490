//! A visitor without a browser: what a program can send that a browser would not.

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use tidings_testkit::{Answer, HttpClient, Server};

/// Somebody who sends what they like.
pub(crate) struct Raw {
    client: HttpClient,
    host: String,
    /// The header `Cookie`, if there is one.
    pub(crate) cookie: Option<String>,
}

impl Raw {
    /// Somebody whom the server does not know.
    pub(crate) fn stranger(server: &Server) -> Self {
        Self { client: server.client(), host: server.address().to_string(), cookie: None }
    }

    /// Where the server's own forms come from.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Looks at a page; leads are not followed.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// Sends a form as a page of our own does.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let origin = self.origin();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.send(Method::POST, path, &headers, &encoded(form)).await
    }

    /// Sends anything.
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).expect("tests give valid requests");
        self.client.exchange(request).await.unwrap_or_else(|broken| panic!("{path} has no answer: {broken}"))
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn keep_cookies(&mut self, answer: &Answer) {
        let values = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = values.filter_map(|value| value.split(';').next());
        let all: Vec<_> = self.cookie.take().into_iter().chain(pairs.map(str::to_owned)).collect();
        self.cookie = (!all.is_empty()).then(|| all.join("; "));
    }

    /// The token that the forms of a page carry.
    pub(crate) async fn csrf(&self, page: &str) -> String {
        let answer = self.get(page).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        hidden(&text, "csrf").unwrap_or_else(|| panic!("{page} has no form of ours: {}", answer.status))
    }
}

/// The value of a hidden field, as a page holds it.
pub(crate) fn hidden(page: &str, name: &str) -> Option<String> {
    let from = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
    Some(from.split_once('"')?.0.to_owned())
}

/// A form as it is sent.
pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let word = |text: &str| {
        text.bytes().fold(String::new(), |all, byte| match plain(byte) {
            true => all + char::from(byte).encode_utf8(&mut [0; 4]),
            false => format!("{all}%{byte:02X}"),
        })
    };
    form.iter().map(|(name, value)| format!("{}={}", word(name), word(value))).collect::<Vec<_>>().join("&")
}
