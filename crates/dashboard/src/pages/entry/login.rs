//! `/login` and `/logout`.

use axum::{
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, header};
use maud::html;
use serde::Deserialize;
use tidings_api::accounts::AccountError;
use tidings_contract::problem::Problem;

use super::{From, again, entered, problem_of};
use crate::{
    Dashboard,
    ask::{Shown, with_query},
    form::Form,
    pages::home::own_path,
    parts::{Fields, hidden, summary},
    session,
    shell::{alone, brand},
    visit::Visit,
};

#[derive(Deserialize)]
pub(crate) struct View {
    #[serde(default)]
    pub(super) next: String,
}

/// `GET /login?next=…`
pub(crate) async fn login_form(
    State(dashboard): State<Dashboard>,
    Query(view): Query<View>,
    headers: HeaderMap,
) -> Response {
    if let Ok(Some(_)) = session::find(&dashboard, &headers).await {
        return Redirect::to(own_path(&view.next)).into_response();
    }
    if dashboard.accounts().is_empty().await.unwrap_or(false) {
        return Redirect::to("/start").into_response();
    }
    let values = [("next".to_owned(), view.next)].into_iter().collect();
    draw(&dashboard, &values, None)
}

/// `POST /login`
pub(crate) async fn login(State(dashboard): State<Dashboard>, From(visitor): From, form: Form) -> Response {
    match dashboard.accounts().sign_in(form.text("email"), form.raw("password"), &visitor).await {
        Ok(sign_in) => entered(&dashboard, &sign_in, own_path(form.text("next"))),
        Err(error) => refuse(&dashboard, &error, &form),
    }
}

fn refuse(dashboard: &Dashboard, error: &AccountError, form: &Form) -> Response {
    again(error, draw(dashboard, form, Some(&problem_of(error))))
}

/// `POST /logout`
pub(crate) async fn logout(State(dashboard): State<Dashboard>, From(visitor): From, visit: Visit) -> Shown {
    let ended = dashboard.accounts().sign_out(&visit.session, &visitor).await;
    if let Err(error) = ended {
        tracing::error!(error = %error, "a session could not be ended");
    }
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = session::set_cookie(&dashboard, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn draw(dashboard: &Dashboard, values: &Form, problem: Option<&Problem>) -> Response {
    let fields = Fields { values, problem };
    let body = html! {
        div .start.narrow {
            main #main {
                (brand())
                h1 { "Sign in" }
                (summary(problem))
                form method="post" action="/login" {
                    (hidden("next", values.raw("next")))
                    div .stack.tight {
                        (fields.entry("email", "email", "Email", "", "username"))
                        (fields.entry("password", "password", "Password", "", "current-password"))
                    }
                    button .button.primary.wide { "Sign in" }
                }
                @if dashboard.accounts().has_provider() {
                    p { a .button.wide href=(with_query("/oidc/login", &[("next", values.raw("next"))])) { "Sign in with your organization" } }
                }
                p .hint { "Forgotten? Whoever runs this instance can make a new link on its command line." }
            }
        }
    };
    alone("Sign in", &body)
}
