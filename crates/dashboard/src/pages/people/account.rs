//! `/settings/account`: one's own password and sessions.

use axum::extract::{Path, State};
use maud::{Markup, html};
use tidings_api::accounts::{AccountError, SessionView};
use tidings_contract::problem::Problem;
use tidings_domain::account::Membership;

use crate::{
    Dashboard,
    ask::{Shown, Stop},
    form::Form,
    pages::{
        entry::{From, again, problem_of},
        settings::{Tab, tabs},
    },
    parts::{Fields, ago, summary, table_head, until},
    session,
    shell::{Head, Nav, csrf},
    visit::Visit,
};

const HERE: &str = "/settings/account";

/// `GET /settings/account`
pub(crate) async fn account(visit: Visit) -> Shown {
    draw(&visit, None).await
}

async fn draw(visit: &Visit, problem: Option<&Problem>) -> Shown {
    let sessions = visit.dashboard.accounts().sessions(&visit.session).await;
    let sessions = sessions.map_err(|error| Stop::with(session::unavailable(&visit.dashboard, &error)))?;
    let body = html! {
        (tabs(visit, Tab::Account))
        (summary(problem))
        (places(visit))
        (password_form(visit, problem))
        (session_list(visit, &sessions))
    };
    let lead = html! { bdi { (visit.session.account.name) } ", " bdi .mono { (visit.session.account.email) } };
    visit.page(&Head { title: "Your account", nav: Some(Nav::Settings), lead: Some(lead), ..Head::default() }, body)
}

fn places(visit: &Visit) -> Markup {
    let places = &visit.session.memberships;
    html! {
        section .panel {
            header .panel-head { h2 { "Where you are a member" } }
            @if visit.is_operator() {
                p .panel-body { "You act as the operator: everything, in every organization." }
            } @else if places.is_empty() {
                p .panel-body.faint { "Nowhere any more." }
            }
            @if !places.is_empty() {
                ul .plain-list { @for place in places { li { (place_line(place)) } } }
            }
        }
    }
}

fn place_line(place: &Membership) -> Markup {
    html! { bdi .strong { (place.organization_name) } " " span .faint { (place.role.as_str()) } }
}

fn password_form(visit: &Visit, problem: Option<&Problem>) -> Markup {
    let values = Form::default();
    let fields = Fields { values: &values, problem };
    html! {
        @if visit.session.has_password {
            form .panel method="post" action="/settings/account/password" {
                // For whoever keeps passwords: whose this is.
                input type="email" autocomplete="username" value=(visit.session.account.email) hidden readonly aria-label="Email";
                (csrf(visit))
                section .form-section {
                    header { h2 { "Password" } p { "Another one signs you out everywhere else." } }
                    div {
                        div .pair {
                            (fields.entry("password", "password", "Present password", "", "current-password"))
                            (fields.entry("password", "new_password", "New password", "10 characters or more. Length counts, symbols do not.", "new-password"))
                        }
                    }
                }
                div .form-foot { button .button.primary { "Change password" } }
            }
        } @else {
            section .panel {
                header .panel-head { h2 { "Password" } }
                p .panel-body.quiet { "This account has none: it is entered through your identity provider." }
            }
        }
    }
}

fn session_list(visit: &Visit, sessions: &[SessionView]) -> Markup {
    html! {
        section .panel {
            header .panel-head {
                h2 { "Where you are signed in" }
                p { "a session ends after 30 days, or 7 days unused" }
                @if sessions.len() > 1 {
                    form .push method="post" action="/settings/account/end-others" {
                        (csrf(visit))
                        button .button.small { "End all others" }
                    }
                }
            }
            table .list role="table" aria-label="Sessions" {
                (table_head(&[("Browser", ""), ("Address", ""), ("Last used", ""), ("Ends", ""), ("", "")]))
                tbody role="rowgroup" { @for one in sessions { (session_row(visit, one)) } }
            }
        }
    }
}

fn session_row(visit: &Visit, one: &SessionView) -> Markup {
    html! {
        tr role="row" {
            td role="cell" .on-1 {
                bdi { (browser_of(&one.user_agent)) }
                span .sub { "signed in " (ago(visit, one.began_at)) @if one.is_own { ", this one" } }
            }
            td role="cell" .half { bdi .mono { (one.address) } }
            td role="cell" .half-2.quiet { (ago(visit, one.seen_at)) }
            td role="cell" .away.quiet { (until(visit, one.expires_at)) }
            td role="cell" .on-2.right {
                @if !one.is_own {
                    form method="post" action={ "/settings/account/sessions/" (one.id) "/end" } {
                        (csrf(visit))
                        button .button.small aria-label={ "End the session from " (one.address) } { "End" }
                    }
                }
            }
        }
    }
}

/// A browser and its system, out of what it calls itself; the whole where it is neither.
fn browser_of(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 5] =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|known| known.1);
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if user_agent.is_empty() => "A program that says no name".to_owned(),
        (None, _) => user_agent.to_owned(),
    }
}

/// `POST /settings/account/password`
pub(crate) async fn password(
    State(dashboard): State<Dashboard>,
    From(visitor): From,
    visit: Visit,
    form: Form,
) -> Shown {
    let (present, new) = (form.raw("password"), form.raw("new_password"));
    match dashboard.accounts().change_password(&visit.session, present, new, &visitor).await {
        Ok(()) => visit.go(HERE, "password-changed"),
        Err(error) => refuse(&visit, &error).await,
    }
}

async fn refuse(visit: &Visit, error: &AccountError) -> Shown {
    let page = draw(visit, Some(&problem_of(error))).await?;
    Ok(again(error, page))
}

/// `POST /settings/account/sessions/{id}/end`
pub(crate) async fn end_session(
    State(dashboard): State<Dashboard>,
    From(visitor): From,
    visit: Visit,
    Path(id): Path<String>,
) -> Shown {
    // One that is gone is ended.
    if let Ok(id) = id.parse() {
        let ended = dashboard.accounts().end_session(&visit.session, id, &visitor).await;
        ended.map_err(|error| Stop::with(session::unavailable(&dashboard, &error)))?;
    }
    visit.go(HERE, "session-ended")
}

/// `POST /settings/account/end-others`
pub(crate) async fn end_others(State(dashboard): State<Dashboard>, From(visitor): From, visit: Visit) -> Shown {
    let ended = dashboard.accounts().end_other_sessions(&visit.session, &visitor).await;
    ended.map_err(|error| Stop::with(session::unavailable(&dashboard, &error)))?;
    visit.go(HERE, "sessions-ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_their_names() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0";
        for (given, name) in [
            (firefox, "Firefox on Linux"),
            (phone, "Safari on iPhone"),
            (edge, "Edge on Windows"),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "A program that says no name"),
        ] {
            assert_eq!(browser_of(given), name);
        }
    }
}
