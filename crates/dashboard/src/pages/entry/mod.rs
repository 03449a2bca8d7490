//! The ways in and out: first start, signing in, signing out.

mod invite;
mod login;
mod provider;
mod start;

pub(crate) use invite::{accept, invite_form};
pub(crate) use login::{login, login_form, logout};
pub(crate) use provider::{provider_callback, provider_login};
pub(crate) use start::{start, start_form};

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse as _, Redirect, Response},
};
use http::{StatusCode, header, request::Parts};
use maud::{Markup, html};
use tidings_api::accounts::{AccountError, SignIn, Visitor};
use tidings_contract::problem::Problem;

use crate::{
    Dashboard,
    ask::{refused, wrong},
    parts::icon,
    session,
};

/// Where somebody comes from who is not signed in yet.
pub(crate) struct From(pub(crate) Visitor);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(session::visitor(parts)))
    }
}

/// Begins a session in the browser, and leads on.
fn entered(dashboard: &Dashboard, sign_in: &SignIn, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    if let Some(cookie) = session::set_cookie(dashboard, &sign_in.token, sign_in.max_age_s) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Why somebody is not let in, as a form takes it.
pub(crate) fn problem_of(error: &AccountError) -> Problem {
    let mut problem = match error {
        AccountError::Fields(errors) => refused(errors.clone()),
        _ => refused(Vec::new()),
    };
    if !matches!(error, AccountError::Fields(_)) {
        problem.detail = error.to_string();
    }
    problem.status = error.status();
    problem
}

/// A page again, with the reason and the status that fits it.
pub(crate) fn again(error: &AccountError, page: Response) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, page).into_response();
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Steps of what comes next, at the right of the first page.
fn steps(steps: &[(&str, &str)]) -> Markup {
    html! {
        ol .steps {
            @for (place, (title, text)) in steps.iter().enumerate() {
                li { span .n-step { (place + 1) } span { b { (title) } (text) } }
            }
        }
        p .hint { (icon("info")) " All of it can be done by API and command line, too: the reference is at " a href="/docs" { "/docs" } "." }
    }
}

/// A field that has to be filled in and was not.
fn missing(field: &str) -> Problem {
    refused(vec![wrong(field, "is missing")])
}
