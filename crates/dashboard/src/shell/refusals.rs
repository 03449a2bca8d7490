//! Pages in the place of what cannot be shown or was refused.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::html;
use tidings_contract::problem::Problem;

use super::{Head, alone, brand, page};
use crate::{Dashboard, visit::Visit};

/// A page with another status than 200: a form that was refused, say.
pub(crate) fn with_status(status: u16, page: Response) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), page).into_response()
}

/// A page that says one thing.
pub(crate) fn alone_page(_: &Dashboard, status: StatusCode, title: &str, text: &str) -> Response {
    let body = html! {
        div .start.narrow {
            main #main {
                (brand())
                h1 { (title) }
                p .quiet { (text) }
                p { a .button href="/" { "Go to the dashboard" } }
            }
        }
    };
    (status, alone(title, &body)).into_response()
}

/// The page in place of one that cannot be shown.
pub(crate) fn wrong_page(visit: &Visit, title: &str, text: &str) -> Response {
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                p data-reason { (text) }
                p {
                    a .button href=(visit.link("")) {
                        @if visit.portal.is_some() { "Go to the webhooks" } @else { "Go to the overview" }
                    }
                }
            }
        }
    };
    page(visit, &Head { title, ..Head::default() }, &body)
}

/// A refusal of the API as a page.
pub(crate) fn problem_page(visit: &Visit, problem: &Problem) -> Response {
    let (title, text) = match problem.code.as_str() {
        "not_found" => {
            ("Not found", "There is nothing here: it was deleted, or it is not yours to look at.".to_owned())
        }
        "insufficient_scope" if visit.portal.is_some() => ("This link does not allow it", problem.detail.clone()),
        "insufficient_scope" => ("Your role does not allow this", problem.detail.clone()),
        _ => (problem.title.as_str(), problem.detail.clone()),
    };
    let body = html! {
        section .panel {
            div .panel-body.stack.tight {
                p data-reason { (text) }
                p .hint { "Request " span .mono { (problem.request_id) } }
                // What a form asked for cannot be asked for by a link.
                @if visit.back == visit.here { p { a .button href=(visit.here) { "Try again" } } }
                @else if !visit.back.is_empty() { p { a .button href=(visit.back) { "Go back" } } }
            }
        }
    };
    page(visit, &Head { title, ..Head::default() }, &body)
}
