//! `/start`: the link of the first start makes the operator.

use axum::{extract::State, response::Response};
use http::HeaderMap;
use maud::html;
use tidings_api::accounts::AccountError;
use tidings_contract::problem::Problem;

use super::{From, again, entered, missing, problem_of, steps};
use crate::{
    Dashboard,
    form::Form,
    guard::CSRF_FIELD,
    parts::{Fields, hidden, summary},
    session,
    shell::{alone, brand},
};

/// `GET /start#TOKEN`: what stands behind `#` stays in the browser, whose script puts it into the form.
pub(crate) async fn start_form(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    // Somebody who is signed in may open a link for another account.
    let session = session::find(&dashboard, &headers).await.ok().flatten();
    let csrf = session.map(|session| session.csrf().to_owned()).unwrap_or_default();
    let values = [(CSRF_FIELD.to_owned(), csrf)].into_iter().collect();
    draw(&dashboard, &values, None)
}

/// `POST /start`
pub(crate) async fn start(State(dashboard): State<Dashboard>, From(visitor): From, form: Form) -> Response {
    if form.text("token").is_empty() {
        return again(&AccountError::Fields(Vec::new()), draw(&dashboard, &form, Some(&missing("token"))));
    }
    let accounts = dashboard.accounts();
    let made = accounts.use_start_token(form.text("token"), form.text("email"), form.raw("password"), &visitor).await;
    match made {
        Ok(sign_in) => entered(&dashboard, &sign_in, "/"),
        Err(error) => again(&error, draw(&dashboard, &form, Some(&problem_of(&error)))),
    }
}

fn draw(dashboard: &Dashboard, values: &Form, problem: Option<&Problem>) -> Response {
    let fields = Fields { values, problem };
    let public = dashboard.parts().public_url.as_deref();
    let body = html! {
        div .start {
            main #main {
                (brand())
                h1 { "Make this instance yours" }
                p .quiet { "The link works once. An address and a password, and you are in." }
                (summary(problem))
                form method="post" action="/start" {
                    (hidden(CSRF_FIELD, values.raw(CSRF_FIELD)))
                    fieldset {
                        legend { span .n-step { "1" } "You, the operator" }
                        div .stack.tight {
                            (fields.entry("email", "email", "Email", "", "username"))
                            (fields.entry("password", "password", "Password", "10 characters or more. Length counts, symbols do not.", "new-password"))
                            (fields.entry("text", "token", "Code of the link", "What stands behind # in the link that the server printed. It is filled in if you followed the link.", "off"))
                        }
                    }
                    button .button.primary.wide { "Create and open the dashboard" }
                }
                p .hint { "The link is lost or used? Make a new one on the machine: " span .mono { "tidings start-link" } "." }
            }
            aside .stack {
                section .panel {
                    header .panel-head { h2 { "This instance" } }
                    div .panel-body { dl .facts {
                        dt { "Version" } dd { (dashboard.parts().version) }
                        dt { "Store" } dd { "SQLite, every write synced" }
                        dt { "Public at" } dd { @match public { Some(url) => span .mono { (url) }, None => { "Not set: " span .mono { "--public-url" } } } }
                    } }
                }
                section .panel {
                    header .panel-head { h2 { "Next, in one minute" } }
                    div .panel-body {
                        (steps(&[("A webhook", "to your own test inbox"), ("A test event", "signed, with its answer shown"), ("An event", "by a line of curl, made for you")]))
                    }
                }
            }
        }
    };
    alone("First start", &body)
}
