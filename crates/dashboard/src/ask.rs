//! Asking the API on a visitor's behalf.

use axum::response::{IntoResponse, Redirect, Response};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use tidings_api::{Answer, Ask, On};
use tidings_contract::problem::{ErrorSummary, FieldError, Problem};
use tidings_domain::tenancy::Scope;

use crate::{
    form::Form,
    parts::{LOOKS_ONLY, RUNS_NO_COMMAND},
    shell,
    visit::Visit,
};

/// What ends a page before its end: the page that is shown in its place.
pub(crate) struct Stop(Box<Response>);

/// What a handler gives: a page, or what is shown in its place.
pub(crate) type Shown = Result<Response, Stop>;

impl Stop {
    pub(crate) fn with(response: impl IntoResponse) -> Self {
        Self(Box::new(response.into_response()))
    }

    /// Another page.
    pub(crate) fn to(place: &str) -> Self {
        Self::with(Redirect::to(place))
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// Everything that has a meaning in a path or a query.
const PART: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A text as one part of a path, or as a value of a query.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A path with a query of those parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut whole = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        whole.push(if whole.contains('?') { '&' } else { '?' });
        whole.push_str(name);
        whole.push('=');
        whole.push_str(&part(value));
    }
    whole
}

/// A visitor who asks for another organization than the page's.
pub(crate) struct Asker<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) on: On,
}

impl Asker<'_> {
    /// Looks at something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Box<Problem>> {
        read(&self.call(Ask::new(Method::GET, path)).await)
    }

    /// The same with the entity tag of what is shown, for the form that changes it.
    pub(crate) async fn get_tagged<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String), Box<Problem>> {
        let answer = self.call(Ask::new(Method::GET, path)).await;
        Ok((read(&answer)?, answer.etag.unwrap_or_default()))
    }

    /// Does something that takes a JSON document and answers one.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Box<Problem>> {
        let body = serde_json::to_vec(body).expect("requests are JSON");
        read(&self.call(Ask::new(method, path).with_body(body)).await)
    }

    /// Asks anything.
    pub(crate) async fn call(&self, ask: Ask) -> Answer {
        self.visit.dashboard.parts().local.call(&self.on, ask).await
    }
}

impl Visit {
    /// Looks at something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Box<Problem>> {
        self.read(&self.call(Ask::new(Method::GET, path)).await)
    }

    /// Looks at what the page is about: without it there is no page.
    pub(crate) async fn need<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        self.get(path).await.map_err(|problem| self.stop(&problem))
    }

    /// The same with the entity tag of what is shown, for the form that changes it.
    pub(crate) async fn need_tagged<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String), Stop> {
        self.get_tagged(path).await.map_err(|problem| self.stop(&problem))
    }

    /// The same, where the page can do without it.
    pub(crate) async fn get_tagged<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String), Box<Problem>> {
        let answer = self.call(Ask::new(Method::GET, path)).await;
        Ok((self.read(&answer)?, answer.etag.unwrap_or_default()))
    }

    /// Does something that answers a document.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Box<Problem>> {
        self.read(&self.call(ask).await)
    }

    /// Does something that takes a JSON document and answers one.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Box<Problem>> {
        let body = serde_json::to_vec(body).expect("requests are JSON");
        self.read(&self.call(Ask::new(method, path).with_body(body)).await)
    }

    /// Changes something as its form found it: another state has another entity tag, and stays as it is.
    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        etag: Option<&str>,
        body: &impl Serialize,
    ) -> Result<(), Box<Problem>> {
        let answer = self.call(conditional(method, path, etag, body)).await;
        refusal(&answer).map_or(Ok(()), |problem| Err(self.in_its_words(Box::new(problem))))
    }

    /// Makes one drawing of a form recognisable, so that sending it twice does the thing once. A form that comes
    /// back with reasons keeps its own.
    pub(crate) fn fresh_key(&self, typed: &Form) -> String {
        let kept = typed.given("idempotency_key").map(str::to_owned);
        kept.unwrap_or_else(|| self.dashboard.parts().local.api().fresh_key())
    }

    /// Does something that takes no document; whatever it answers does not matter.
    pub(crate) async fn act(&self, method: Method, path: &str) -> Result<(), Box<Problem>> {
        let answer = self.call(Ask::new(method, path)).await;
        refusal(&answer).map_or(Ok(()), |problem| Err(self.in_its_words(Box::new(problem))))
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Box<Problem>> {
        read(answer).map_err(|problem| self.in_its_words(problem))
    }

    /// Whoever has a link to a portal has no role. A link that changes webhooks is refused one thing of theirs: to have
    /// them run commands, which it does not reach.
    fn in_its_words(&self, mut problem: Box<Problem>) -> Box<Problem> {
        if self.portal.is_some() && problem.code == "insufficient_scope" {
            let words = if self.may(Scope::WebhooksManage) { RUNS_NO_COMMAND } else { LOOKS_ONLY };
            words.clone_into(&mut problem.detail);
        }
        problem
    }

    /// Asks anything.
    pub(crate) async fn call(&self, ask: Ask) -> Answer {
        self.dashboard.parts().local.call(&self.on, ask).await
    }

    /// The page that says what went wrong, in place of the one that was asked for.
    pub(crate) fn stop(&self, problem: &Problem) -> Stop {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Stop::with((status, shell::problem_page(self, problem)))
    }
}

/// A change to what has this entity tag.
pub(crate) fn conditional(method: Method, path: &str, etag: Option<&str>, body: &impl Serialize) -> Ask {
    let body = serde_json::to_vec(body).expect("requests are JSON");
    Ask { if_match: etag.map(str::to_owned), ..Ask::new(method, path).with_body(body) }
}

/// The refusal that an answer is, in words for people: they have roles, where programs have keys with scopes.
pub(crate) fn refusal(answer: &Answer) -> Option<Problem> {
    let mut problem = answer.problem()?;
    if problem.code == "insufficient_scope" {
        problem.detail = role_words(&problem.detail).to_owned();
    }
    Some(problem)
}

fn role_words(detail: &str) -> &'static str {
    if detail.contains("the scope admin") {
        "Your role does not allow this; an admin may."
    } else {
        "Your role does not allow this; a developer or an admin may."
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Box<Problem>> {
    match refusal(answer) {
        Some(problem) => Err(Box::new(problem)),
        None => serde_json::from_slice(&answer.body).map_err(|error| {
            // Not what was asked for: a defect of ours, and no reason to end a connection.
            tracing::error!(error = %error, "a page does not understand the API's answer");
            let mut problem = refused(Vec::new());
            problem.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            problem.title = "This page cannot be shown".to_owned();
            problem.detail = "The server does not understand its own answer; the log says more.".to_owned();
            Box::new(problem)
        }),
    }
}

/// A refusal by a page itself: what was typed cannot even be asked of the API.
pub(crate) fn refused(errors: Vec<FieldError>) -> Problem {
    let detail = "Some fields cannot be read as they are".to_owned();
    Problem {
        kind: "/docs/errors#validation_failed".to_owned(),
        title: "Some fields are wrong".to_owned(),
        status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
        detail: detail.clone(),
        instance: String::new(),
        code: "validation_failed".to_owned(),
        errors: errors.clone(),
        extra: serde_json::Map::new(),
        request_id: String::new(),
        error: ErrorSummary { code: "validation_failed".to_owned(), message: detail, details: errors },
    }
}

/// A field that cannot be read.
pub(crate) fn wrong(field: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), code: "invalid".to_owned(), message: message.into() }
}

/// The same from fields and reasons.
pub(crate) fn unread(reasons: Vec<(&str, String)>) -> Problem {
    refused(reasons.into_iter().map(|(field, message)| wrong(field, message)).collect())
}

/// Tells one state of a thing from every other: a form carries it, so that it never overwrites what somebody
/// else saved meanwhile where the thing has no entity tag.
pub(crate) fn mark(state: &impl Serialize) -> String {
    let whole = serde_json::to_vec(state).expect("answers are JSON");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_state_has_another_mark() {
        assert_eq!(mark(&(1, "a")), mark(&(1, "a")));
        assert_ne!(mark(&(1, "a")), mark(&(2, "a")));
    }
}
