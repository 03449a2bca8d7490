//! `/invite/{token}`: somebody becomes a member, or an operator.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use tidings_api::accounts::{AccountError, InviteView, Session};
use tidings_contract::problem::Problem;
use tidings_domain::account::Role;

use super::{From, again, entered, problem_of};
use crate::{
    Dashboard,
    ask::{Shown, Stop},
    form::Form,
    guard::CSRF_FIELD,
    parts::{Fields, hidden, summary},
    session,
    shell::{alone, alone_page, brand},
};

/// `GET /invite/{token}`
pub(crate) async fn invite_form(
    State(dashboard): State<Dashboard>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Shown {
    let (invite, session) = look(&dashboard, &token, &headers).await?;
    Ok(draw(&dashboard, &invite, session.as_ref(), &token, &Form::default(), None))
}

/// `POST /invite/{token}`
pub(crate) async fn accept(
    State(dashboard): State<Dashboard>,
    From(visitor): From,
    Path(token): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Shown {
    let (invite, session) = look(&dashboard, &token, &headers).await?;
    let accounts = dashboard.accounts();
    let accepted = match session.as_ref().filter(|session| is_for(&invite, session)) {
        Some(session) => accounts.accept_as(&token, session, &visitor).await,
        None => accounts.accept(&token, form.raw("name"), form.raw("password"), &visitor).await,
    };
    match accepted {
        Ok(sign_in) => Ok(entered(&dashboard, &sign_in, "/")),
        Err(AccountError::LinkGone) => Err(gone(&dashboard)),
        Err(error) => {
            let page = draw(&dashboard, &invite, session.as_ref(), &token, &form, Some(&problem_of(&error)));
            Ok(again(&error, page))
        }
    }
}

/// The invite, and who is signed in meanwhile.
async fn look(dashboard: &Dashboard, token: &str, headers: &HeaderMap) -> Result<(InviteView, Option<Session>), Stop> {
    let found =
        dashboard.accounts().look(token).await.map_err(|error| Stop::with(session::unavailable(dashboard, &error)))?;
    // A link without an address is one of /start.
    let invite = found.filter(|invite| invite.email.is_some()).ok_or_else(|| gone(dashboard))?;
    Ok((invite, session::find(dashboard, headers).await.map_err(Stop::with)?))
}

fn gone(dashboard: &Dashboard) -> Stop {
    let text = "It was used, withdrawn, replaced by another, or is older than 7 days. Ask whoever invited you for a \
                new one. If you have accepted it already, sign in.";
    Stop::with(alone_page(dashboard, StatusCode::NOT_FOUND, "This invite is no longer good", text))
}

fn is_for(invite: &InviteView, session: &Session) -> bool {
    invite.email.as_ref() == Some(&session.account.email)
}

/// What a role lets somebody do, in one sentence.
pub(crate) const fn role_words(role: Option<Role>) -> &'static str {
    match role {
        None => "You act as the operator: everything, in every organization.",
        Some(Role::Owner) => "You may do everything in it, and make other owners.",
        Some(Role::Admin) => "You may do everything in it but make owners.",
        Some(Role::Developer) => {
            "You work with webhooks, events, sources and commands; members and keys are others' business."
        }
        Some(Role::Viewer) => "You look at everything but secrets and keys, and change nothing.",
    }
}

fn draw(
    dashboard: &Dashboard,
    invite: &InviteView,
    session: Option<&Session>,
    token: &str,
    values: &Form,
    problem: Option<&Problem>,
) -> Response {
    let title = match &invite.organization_name {
        Some(name) => format!("Join {name}"),
        None => "Become an operator".to_owned(),
    };
    let email = invite.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let own = session.filter(|session| is_for(invite, session));
    let body = html! {
        div .start.narrow {
            main #main {
                (brand())
                h1 { bdi { (title) } }
                p .quiet {
                    "For " bdi .mono { (email) } ", as " strong { (invite.role.map_or("operator", Role::as_str)) } ". "
                    (role_words(invite.role))
                }
                (summary(problem))
                form method="post" action={ "/invite/" (token) } {
                    @if let Some(session) = session { (hidden(CSRF_FIELD, session.csrf())) }
                    (who(invite, own.is_some(), &email, values, problem))
                    button .button.primary.wide { (if invite.has_account { "Accept" } else { "Create account and accept" }) }
                }
                @if let Some(other) = session.filter(|_| own.is_none()) {
                    p .hint { "You are signed in as " bdi { (other.account.email) } ". Accepting signs you in as " bdi { (email) } "." }
                }
                @if dashboard.accounts().has_provider() && own.is_none() {
                    p { a .button.wide href={ "/oidc/login?next=/invite/" (token) } { "Sign in with your organization" } }
                }
                p .hint { "The link works once, and for 7 days." }
            }
        }
    };
    alone(&title, &body)
}

/// What is asked of whoever accepts.
fn who(invite: &InviteView, is_own: bool, email: &str, values: &Form, problem: Option<&Problem>) -> Markup {
    let fields = Fields { values, problem };
    html! {
        @if is_own {
            p { "You are signed in with this address." }
        } @else {
            div .stack.tight {
                // For the browser's own list of passwords.
                input .sr type="email" name="email" value=(email) autocomplete="username" tabindex="-1" aria-hidden="true" readonly;
                @if invite.has_account {
                    (fields.entry("password", "password", "Your password", "You have an account with this address.", "current-password"))
                } @else {
                    (fields.entry("text", "name", "Your name", "What others see in the list of members.", "name"))
                    (fields.entry("password", "password", "Password", "10 characters or more. Length counts, symbols do not.", "new-password"))
                }
            }
        }
    }
}
