//! APIs of other systems, each below a base path of its own, in that system's shapes.
//!
//! A compatible API is a view: keys, projects, isolation, limits, the guard and what is stored are
//! the native API's. Deliberately absent: operations that the system itself does not have or
//! promise.

mod bots_business;
mod botsubscription;
mod ids;
mod subscribeflow;
mod verbs;

use axum::{Router, response::Response};
use bytes::Bytes;
use http::StatusCode;
use tidings_contract::{operations::Access, problem::Problem};

use crate::state::Api;

pub(crate) use bots_business::BASE_PATH as BOTS_BUSINESS;

/// All routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .nest(subscribeflow::BASE_PATH, subscribeflow::routes())
        .nest(botsubscription::BASE_PATH, botsubscription::routes())
        .nest(bots_business::BASE_PATH, bots_business::routes())
}

/// Whether a path is below one of them.
pub(crate) fn has(path: &str) -> bool {
    [subscribeflow::BASE_PATH, botsubscription::BASE_PATH].iter().any(|base| path.starts_with(base))
}

/// The operation at this place; `None`: no compatible API has it.
pub(crate) fn find(method: &str, matched_path: &str) -> Option<&'static Operation> {
    let tables = [
        (subscribeflow::BASE_PATH, subscribeflow::OPERATIONS),
        (botsubscription::BASE_PATH, botsubscription::OPERATIONS),
    ];
    let (operations, path) =
        tables.into_iter().find_map(|(base, operations)| Some((operations, matched_path.strip_prefix(base)?)))?;
    // HEAD is GET without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    operations.iter().find(|operation| operation.method == method && operation.path == path)
}

/// One operation.
pub(crate) struct Operation {
    method: &'static str,
    /// Below the API's base.
    path: &'static str,
    /// Who may use it.
    pub(crate) access: Access,
    /// The names of its query parameters.
    pub(crate) query: &'static [&'static str],
}

impl Operation {
    /// The name under which the audit log has it, the native API's for the same act; `None`: it
    /// changes nothing. What has no name of its own is written down all the same.
    pub(crate) fn action(&self) -> Option<&'static str> {
        let is_key = self.path.contains("/api-keys/");
        let shows_secret = self.path.ends_with("/integrations/webhooks/{id}");
        let last = self.path.rsplit('/').next().unwrap_or_default();
        Some(match (self.method, last) {
            ("GET", _) if shows_secret => "webhook.reveal_secret",
            ("GET", _) => return None,
            ("POST", "webhooks") => "webhook.create",
            ("POST", "test") => "webhook.test",
            ("POST", "rotate" | "regenerate-secret") => "webhook.rotate_secret",
            ("POST", "retry") => "delivery.retry",
            ("POST", "api-keys") => "api_key.create",
            ("DELETE", _) if is_key => "api_key.revoke",
            ("DELETE", "{id}") => "webhook.delete",
            ("PUT", "{id}") => "webhook.update",
            _ => "compat.call",
        })
    }
}

const fn operation(
    method: &'static str,
    path: &'static str,
    access: Access,
    query: &'static [&'static str],
) -> Operation {
    Operation { method, path, access, query }
}

/// What is known about a request once it is answered.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) request_id: &'a str,
}

impl Asked<'_> {
    fn is_below(&self, base: &str) -> bool {
        self.path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A refusal in the words of the system whose API was asked: status, content type and body.
/// `None`: it was the native API.
pub(crate) fn refusal(problem: &Problem, asked: &Asked<'_>) -> Option<(StatusCode, &'static str, Bytes)> {
    if asked.is_below(subscribeflow::BASE_PATH) {
        return Some(subscribeflow::refusal(problem));
    }
    asked.is_below(botsubscription::BASE_PATH).then(|| botsubscription::refusal(problem, asked))
}

/// Puts an answer into its envelope where the system has one.
pub(crate) fn complete(response: &mut Response, asked: &Asked<'_>) {
    if asked.is_below(botsubscription::BASE_PATH) {
        botsubscription::complete(response, asked);
    }
}
