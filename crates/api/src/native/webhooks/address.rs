//! May this address be called? Asked when it is given; the dial asks again.

use serde_json::Value;
use tidings_contract::{codes::ErrorCode, problem::FieldError};
use tidings_domain::{
    command::target_command,
    ids::ProjectId,
    target::{Refusal, TargetUrl},
};

use super::settings::Draft;
use crate::{
    auth::Caller,
    error::{ApiError, field_error},
    native::sources::check_command,
    state::Api,
};

/// A refused address as a field error.
pub(super) fn url_error(refusal: &Refusal) -> FieldError {
    field_error("url", ErrorCode::UrlNotAllowed.as_str(), refusal.to_string())
}

/// Whoever saves a webhook whose address means a command has it run by events and tests.
pub(super) fn check_may_run(caller: &Caller, draft: &Draft) -> Result<(), ApiError> {
    match target_command(&draft.settings.url) {
        Some(_) => caller.check_runs_commands("a webhook whose url is a command"),
        None => Ok(()),
    }
}

/// Asks what the name resolves to now; or, if it means a command, whether there is one.
pub(super) async fn check_resolved(api: &Api, project_id: ProjectId, draft: &Draft) -> Result<(), ApiError> {
    if let Some(Ok(command)) = target_command(&draft.settings.url) {
        return check_command(api, project_id, "url", &command).await;
    }
    let address = draft.secrets.url_with_credentials.as_deref().unwrap_or(&draft.settings.url);
    let refused = |refusal: Refusal| {
        let reason = Value::from(refusal.reason.as_str());
        ApiError::fields(vec![url_error(&refusal)]).with("reason", reason)
    };
    let url = TargetUrl::parse(address).map_err(refused)?;
    api.parts().sender.check(&url).await.map_err(refused)
}
