//! Runs.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    command::{
        ConsoleLineBody, MessageBody, RunAnswerBody, RunBody, RunEffectBody, RunErrorBody, RunInputBody, RunSummary,
    },
    parameters::RUN_STATUSES,
};
use tidings_domain::{
    command::{Run, RunAnswer, RunEnd, ScriptError},
    ids::{ProjectId, RunId},
};
use tidings_engine::{Call, RunError};
use tidings_ports::store::RunFilter;

use super::plans::iterations_used_up;
use crate::{
    answer::{json, list as list_body},
    auth::Caller,
    error::ApiError,
    request::Query,
    state::Api,
};

/// What is said about a run that used up its time.
pub(crate) const TIMED_OUT: &str = "the command used up its time";
/// What is said about a run whose process ended; the reason is the operator's.
pub(crate) const CRASHED: &str = "the command's process ended before it did";

/// What is said about a run that never began.
pub(crate) const SUPERSEDED: &str = "a later call of the command took its place; nothing was done";

pub(super) fn script_error(error: &ScriptError) -> RunErrorBody {
    RunErrorBody {
        message: error.message.clone(),
        command: error.script.clone(),
        line: error.line,
        column: error.column,
    }
}

fn error(end: &RunEnd) -> Option<RunErrorBody> {
    let only =
        |message: &str| Some(RunErrorBody { message: message.to_owned(), command: None, line: None, column: None });
    match end {
        RunEnd::Succeeded => None,
        RunEnd::Failed(error) => Some(script_error(error)),
        RunEnd::TimedOut => only(TIMED_OUT),
        RunEnd::Crashed { .. } => only(CRASHED),
        RunEnd::Superseded => only(SUPERSEDED),
    }
}

fn summary(run: &Run) -> RunSummary {
    RunSummary {
        id: run.id,
        command: run.command.to_string(),
        user_id: run.user_id.clone(),
        parent_id: run.parent,
        delivery_id: run.delivery_id,
        status: run.end.status().to_owned(),
        error: error(&run.end),
        duration_ms: run.duration_us / 1_000,
        memory_bytes: run.memory_bytes,
        began_at: run.at,
    }
}

fn body(run: Run) -> RunBody {
    let summary = summary(&run);
    let input = RunInputBody {
        content: run.input.content,
        options: run.input.options,
        params: run.input.params,
        completed_commands_count: run.input.completed,
    };
    let answer = run.answer.map(|answer| match answer {
        RunAnswer::Message { text } => RunAnswerBody { content: text, mime_type: None },
        RunAnswer::Page { content, mime_type } => RunAnswerBody { content, mime_type: Some(mime_type) },
    });
    let message =
        |message: tidings_domain::command::Message| MessageBody { text: message.text, options: message.options };
    let messages = run.messages.into_iter().map(message).collect();
    let console = run.console.into_iter().map(ConsoleLineBody::from).collect();
    let effects = run.effects.into_iter().map(RunEffectBody::from).collect();
    RunBody { summary, input, answer, messages, console, effects }
}

/// Runs a command for whoever may look at everything about it.
pub(super) async fn answer(api: &Api, project_id: ProjectId, call: Call) -> Result<Response, ApiError> {
    Ok(json(
        StatusCode::OK,
        &body(api.engine().run_command(project_id, call).await.map_err(|error| refusal(api, error))?),
    ))
}

/// Why nothing was run.
pub(crate) fn refusal(api: &Api, error: RunError) -> ApiError {
    match error {
        RunError::NoProject => ApiError::not_found("project"),
        RunError::NoCommand(_) => ApiError::not_found("command"),
        RunError::UsedUp(exceeded) => iterations_used_up(api, exceeded),
        RunError::Busy(reason) => ApiError::no_time(&reason, "nothing has time to run the command; nothing was done"),
        RunError::Store(error) => error.into(),
    }
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    let status = query.parsed("status", "succeeded, failed, timed_out, crashed or superseded", |text| {
        RUN_STATUSES.contains(&text).then(|| text.to_owned())
    })?;
    let filter = RunFilter { command: text("command"), status };
    let page = api.store().list_runs(caller.project(&api), filter, query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|run| summary(&run)))))
}

async fn find(api: &Api, project_id: ProjectId, id: &str) -> Result<Run, ApiError> {
    let missing = || ApiError::not_found("run");
    let id: RunId = id.parse().map_err(|_| missing())?;
    api.store().find_run(project_id, id).await?.ok_or_else(missing)
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &body(find(&api, caller.project(&api), &id).await?)))
}

pub(crate) async fn rerun(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let project_id = caller.project(&api);
    let run = find(&api, project_id, &id).await?;
    let (parent, mut input) = (run.parent, run.input);
    // It is somebody's wish, and follows nothing.
    input.in_a_row = 0;
    answer(&api, project_id, Call { parent, ..Call::new(run.command, run.user_id, input) }).await
}
