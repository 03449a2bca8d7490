//! Commands and the URLs that run them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::Value;
use tidings_contract::{
    codes::ErrorCode,
    command::{CommandBody, CommandRequest, HookUrlBody, HookUrlRequest, RunRequest, ScheduleBody, UpdateCommand},
    problem::FieldError,
};
use tidings_domain::{
    command::{
        CODE_BYTES_MAX, COMMANDS_MAX, CONTENT_BYTES_MAX, Command, CommandName, InvalidSchedule, RunInput, Schedule,
        Script, TIMEOUT_MS, TIMEOUT_MS_MAX, TIMEOUT_MS_MIN, hook_url::HookUrl, is_user_id,
    },
    ids::ProjectId,
    time::Timestamp,
};
use tidings_engine::{Call, HookUrlError};
use tidings_ports::{
    scripts::CheckError,
    store::{CommandChange, CommandChanged, Created},
};

use super::{runs, sources::Base};
use crate::{
    answer::{empty, json, json_bytes, list as list_body},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, IfMatch, Query, parse, parse_or_default, revision_tag, tagged},
    state::Api,
};

fn body(command: &Command) -> CommandBody {
    CommandBody {
        id: command.id,
        name: command.name.to_string(),
        code: command.code.clone(),
        timeout_ms: command.timeout_ms,
        concurrency: command.concurrency,
        schedule: command.schedule.as_ref().map(Into::into),
        next_run_at: command.next_run_at,
        revision: command.revision,
        created_at: command.id.timestamp(),
        updated_at: command.updated_at,
    }
}

fn missing() -> ApiError {
    ApiError::not_found("command")
}

fn check_timeout(timeout_ms: Option<u32>) -> Result<u32, FieldError> {
    let timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
    match (TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
        true => Ok(timeout_ms),
        false => {
            let message = format!("must be a number of milliseconds from {TIMEOUT_MS_MIN} to {TIMEOUT_MS_MAX}");
            Err(field_error("timeout_ms", "invalid", message))
        }
    }
}

fn check_size(code: &str) -> Result<(), FieldError> {
    match code.len() <= CODE_BYTES_MAX {
        true => Ok(()),
        false => Err(field_error("code", "too_long", format!("must have at most {CODE_BYTES_MAX} bytes"))),
    }
}

/// When a command is to run by itself.
fn check_schedule(asked: Option<ScheduleBody>, now: Timestamp) -> Result<Option<Schedule>, FieldError> {
    let Some(ScheduleBody { every_s, cron, timezone }) = asked else { return Ok(None) };
    let schedule = match (every_s, cron, timezone) {
        (Some(every_s), None, None) => Schedule::Every { every_s },
        (None, Some(cron), timezone) => Schedule::Cron { cron, timezone },
        _ => {
            let message = "give either `every_s`, or `cron` with or without a `timezone`";
            return Err(field_error("schedule", "invalid", message));
        }
    };
    let wrong = |wrong: InvalidSchedule| field_error(&format!("schedule.{}", wrong.member), "invalid", wrong.reason);
    schedule.check(now).map_err(wrong)?;
    Ok(Some(schedule))
}

/// Reads the code where commands run; what it says about it is said to whoever saves it.
async fn check_code(api: &Api, name: &CommandName, code: &str) -> Result<(), ApiError> {
    check_script(api, "code", Script { name: name.to_string(), code: code.to_owned() }).await
}

/// `field`: where it stands in what was sent.
pub(super) async fn check_script(api: &Api, field: &str, script: Script) -> Result<(), ApiError> {
    match api.engine().check_script(script).await {
        Ok(()) => Ok(()),
        Err(CheckError::Syntax(error)) => {
            let place = match (error.line, error.column) {
                (Some(line), Some(column)) => format!(" (line {line}, column {column})"),
                _ => String::new(),
            };
            let refused = ApiError::field(field, "invalid", format!("{}{place}", error.message));
            let with = |refused: ApiError, member, value: Option<u32>| match value {
                Some(value) => refused.with(member, value),
                None => refused,
            };
            Err(with(with(refused, "line", error.line), "column", error.column))
        }
        Err(CheckError::Unavailable(reason)) => {
            Err(ApiError::no_time(&reason, "the code cannot be checked at the moment; nothing was changed"))
        }
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: CommandRequest = parse(&bytes)?;
    let project_id = caller.project(&api);
    let owner = project_id.sequence();
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let name = CommandName::try_from(request.name).map_err(|error| field_error("name", "invalid", error.to_string()));
    let (timeout_ms, size) = (check_timeout(request.timeout_ms), check_size(&request.code));
    let schedule = check_schedule(request.schedule, api.engine().now());
    let (name, timeout_ms, schedule) = match (name, timeout_ms, size, schedule) {
        (Ok(name), Ok(timeout_ms), Ok(()), Ok(schedule)) => (name, timeout_ms, schedule),
        (name, timeout_ms, size, schedule) => {
            let wrong = [name.err(), timeout_ms.err(), size.err(), schedule.err()];
            return Err(ApiError::fields(wrong.into_iter().flatten().collect()));
        }
    };
    check_code(&api, &name, &request.code).await?;
    let id = api.engine().ids().command();
    let updated_at = id.timestamp();
    let command = Command {
        id,
        project_id,
        name,
        code: request.code,
        timeout_ms,
        concurrency: request.concurrency.unwrap_or_default(),
        next_run_at: schedule.as_ref().and_then(|schedule| schedule.next(updated_at, updated_at)),
        schedule,
        revision: 1,
        updated_at,
    };
    let answer = json_bytes(&body(&command));
    let idempotency = repeatable.record(&api, owner, &bytes, &answer);
    caller.audit().makes(&command.name);
    let created = caller.store(&api).create_command(command, idempotency).await?;
    if created == Created::CatalogueFull {
        return Err(too_many());
    }
    api.engine().schedules_changed();
    // The first one brings the event type of messages.
    if let Some(project) = api.engine().project(project_id).await? {
        api.engine().catalogue_changed(Some(project.organization_id));
    }
    repeatable.answer(&api, owner, created, answer, "command")
}

fn too_many() -> ApiError {
    let detail = format!("the project has {COMMANDS_MAX} commands already: delete one that nobody needs any more");
    ApiError::new(ErrorCode::LimitExceeded, detail)
        .with("limit", "commands")
        .with("current", COMMANDS_MAX)
        .with("max", COMMANDS_MAX)
        .with("upgrade_url", Value::Null)
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let page = api.store().list_commands(caller.project(&api), query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|command| body(&command)))))
}

async fn find(api: &Api, project_id: ProjectId, name: String) -> Result<Command, ApiError> {
    let name: CommandName = name.try_into().map_err(|_| missing())?;
    let mut found = api.store().find_commands(project_id, vec![name]).await?;
    found.pop().ok_or_else(missing)
}

pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    Ok(shown(&find(&api, caller.project(&api), name).await?))
}

fn shown(command: &Command) -> Response {
    tagged(json(StatusCode::OK, &body(command)), &revision_tag(command.revision))
}

pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    wanted: IfMatch,
    Path(name): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: UpdateCommand = parse(&bytes)?;
    let project_id = caller.project(&api);
    let before = find(&api, project_id, name).await?;
    wanted.check("command", &revision_tag(before.revision), Some(before.updated_at))?;
    let expected_revision = wanted.is_given().then_some(before.revision);
    let name = before.name;
    let now = api.engine().now();
    let (timeout_ms, size) = (check_timeout(request.timeout_ms), check_size(&request.code));
    let (timeout_ms, schedule) = match (timeout_ms, size, check_schedule(request.schedule, now)) {
        (Ok(timeout_ms), Ok(()), Ok(schedule)) => (timeout_ms, schedule),
        (timeout_ms, size, schedule) => {
            let wrong = [timeout_ms.err(), size.err(), schedule.err()];
            return Err(ApiError::fields(wrong.into_iter().flatten().collect()));
        }
    };
    check_code(&api, &name, &request.code).await?;
    // What stays as it is goes on from where it was.
    let goes_on = before.schedule == schedule;
    let next_run_at = match goes_on {
        true => before.next_run_at,
        false => schedule.as_ref().and_then(|schedule| schedule.next(now, now)),
    };
    let concurrency = request.concurrency.unwrap_or_default();
    let change = CommandChange {
        project_id,
        name,
        code: request.code,
        timeout_ms,
        concurrency,
        schedule,
        next_run_at,
        expected_revision,
        now,
    };
    let changed = caller.store(&api).update_command(change).await?;
    api.engine().schedules_changed();
    match changed {
        CommandChanged::Changed(command) => Ok(shown(&command)),
        CommandChanged::Missing => Err(missing()),
        CommandChanged::Stale => Err(wanted.overtaken("command")),
    }
}

pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let name: CommandName = name.try_into().map_err(|_| missing())?;
    let deleted = caller.store(&api).delete_command(caller.project(&api), name, api.engine().now()).await?;
    if deleted { Ok(empty()) } else { Err(missing()) }
}

pub(crate) async fn run(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: RunRequest = parse_or_default(&bytes)?;
    let command: CommandName = name.try_into().map_err(|_| missing())?;
    if request.user_id.as_deref().is_some_and(|id| !is_user_id(id)) {
        let message = "must have 1 to 128 characters, none of them a control character";
        return Err(ApiError::field("user_id", "invalid", message));
    }
    let content = request.content.unwrap_or_default();
    if content.len() > CONTENT_BYTES_MAX {
        return Err(ApiError::field("content", "too_long", format!("must have at most {CONTENT_BYTES_MAX} bytes")));
    }
    let options = request.options.map_or(Value::Null, Value::Object);
    let params = request.params.unwrap_or_default();
    let input = RunInput { content, options, params, ..RunInput::default() };
    runs::answer(&api, caller.project(&api), Call::new(command, request.user_id, input)).await
}

pub(crate) async fn hook_url(
    State(api): State<Api>,
    caller: Caller,
    base: Base,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: HookUrlRequest = parse(&bytes)?;
    let HookUrlRequest { command, content, user_id, redirect_to, expires_at } = request;
    let command = CommandName::try_from(command)
        .map_err(|error| ApiError::fields(vec![field_error("command", "invalid", error.to_string())]))?;
    let url = HookUrl { command, user_id, content, redirect_to, expires_at };
    let base = match &api.parts().public_url {
        Some(_) => None,
        None => Some(base.as_str()),
    };
    match api.engine().hook_url(caller.project(&api), &url, base).await {
        Ok(url) => Ok(json(StatusCode::OK, &HookUrlBody { url })),
        Err(HookUrlError::Store(error)) => Err(error.into()),
        Err(HookUrlError::Wrong(wrong)) => {
            let errors = wrong.into_iter().map(|(field, message)| field_error(field, "invalid", message));
            Err(ApiError::fields(errors.collect()))
        }
    }
}
