//! Bots.Business: URLs that it made for bots, once these were imported. They run commands like the URLs that are made
//! here (`crates/api/src/hooks`). Their token covers user and command; where they lead is checked here.

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::any,
};
use tidings_contract::codes::ErrorCode;
use tidings_domain::command::{OLD_URL_SECRETS, hook_url::HookUrl, redirect_target};
use tidings_engine::CalledOldUrl;

use crate::{
    error::ApiError,
    hooks::{self, Calling},
    state::Api,
};

/// What takes the place of the system's own address.
pub(crate) const BASE_PATH: &str = "/compat/bots-business";

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/bots/{bot}/new-webhook", any(call))
}

async fn call(
    State(api): State<Api>,
    bot: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    if !hooks::runs_on(request.method()) {
        return Ok(hooks::other_methods());
    }
    let Ok(Path(bot)) = bot else { return Err(hooks::refused()) };
    let query = request.uri().query().unwrap_or_default();
    let called = api.engine().read_old_url(&bot, query).await.map_err(hooks::not_good)?;
    let CalledOldUrl { project_id, mut url, params, redirect_hosts } = called;
    let known_by = HookUrl { content: None, redirect_to: None, ..url.clone() };
    // Anybody who has a URL can change where it leads, so that is looked at before anything is run.
    if let Some(address) = url.redirect_to.take() {
        url.redirect_to = Some(redirect_target(&redirect_hosts, &address).ok_or_else(leads_elsewhere)?);
    }
    hooks::carry_out(&api, request, Calling { project_id, url, known_by, params, secrets: &OLD_URL_SECRETS }).await
}

fn leads_elsewhere() -> ApiError {
    let detail = "redirect_to is no address on one of the bot's redirect hosts, and nothing was run; whoever imported the \
                  bot can add the host";
    ApiError::new(ErrorCode::UrlNotAllowed, detail).with("reason", "redirect_host")
}
