//! How often a project's hook URLs may be called.

use axum::{extract::State, response::Response};
use http::StatusCode;
use tidings_contract::command::{CommandSettingsBody, CommandSettingsRequest};
use tidings_domain::command::CommandSettings;
use tidings_ports::store::Saved;

use crate::{
    answer::json,
    audit::Audit,
    auth::Caller,
    error::{ApiError, field_error},
    request::{Body, IfMatch, content_tag, parse, tagged},
    state::Api,
};

fn body(settings: &CommandSettings) -> CommandSettingsBody {
    CommandSettingsBody {
        rate_limit: settings.rate_limit,
        address_rate_limit: settings.address_rate_limit,
        allow: settings.allow.iter().map(ToString::to_string).collect(),
    }
}

/// What a precondition speaks of.
const WHAT: &str = "limits of the project's hook URLs";

fn shown(settings: &CommandSettings) -> Response {
    let body = body(settings);
    tagged(json(StatusCode::OK, &body), &content_tag(&body))
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller) -> Result<Response, ApiError> {
    Ok(shown(&api.store().find_command_settings(caller.project(&api)).await?))
}

/// What is left out is as it is by default.
fn settings(request: CommandSettingsRequest) -> Result<CommandSettings, ApiError> {
    let (mut errors, mut settings) = (Vec::new(), CommandSettings::default());
    for (place, text) in request.allow.iter().enumerate() {
        match text.parse() {
            Ok(block) => settings.allow.push(block),
            Err(error) => errors.push(field_error(&format!("allow[{place}]"), "invalid", format!("{error}"))),
        }
    }
    settings.rate_limit = request.rate_limit.unwrap_or(settings.rate_limit);
    settings.address_rate_limit = request.address_rate_limit.unwrap_or(settings.address_rate_limit);
    errors.extend(settings.check().into_iter().map(|(field, message)| field_error(field, "invalid", message)));
    if errors.is_empty() { Ok(settings) } else { Err(ApiError::fields(errors)) }
}

pub(crate) async fn put(
    State(api): State<Api>,
    caller: Caller,
    audit: Audit,
    wanted: IfMatch,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let settings = settings(parse(&bytes)?)?;
    let project_id = caller.project(&api);
    let former = api.store().find_command_settings(project_id).await?;
    let before = body(&former);
    wanted.check(WHAT, &content_tag(&before), None)?;
    audit.before(&before);
    audit.makes(project_id);
    let answer = shown(&settings);
    let expected = wanted.is_given().then_some(former);
    match caller.store(&api).put_command_settings(project_id, settings, expected).await? {
        Saved::Stored => Ok(answer),
        Saved::Stale => Err(wanted.overtaken(WHAT)),
        Saved::Missing => Err(ApiError::not_found("project")),
    }
}
