//! Jobs, and the replay of an event.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tidings_contract::{
    codes::ErrorCode,
    job::{
        JobAnswer, JobBody, JobCounted, JobStarted, RecoverRequest, ReplayEventRequest, ReplayRequest,
        ReplayedEventBody, ReplayedTo,
    },
    problem::FieldError,
};
use tidings_domain::{
    delivery::DeliveryState,
    event::{SCOPE_CHARACTERS_MAX, is_scope},
    ids::{JobId, WebhookId},
    job::{JOB_SELECTIONS_MAX, JobRequest, JobWork},
    matching::Mismatch,
    time::Timestamp,
};
use tidings_engine::{JobError, PROJECT_JOBS_MAX, RECOVERED_STATES};
use tidings_ports::store::JobRecord;

use crate::{
    answer::{json, json_bytes, list as list_body},
    auth::Caller,
    error::{ApiError, field_error},
    idempotency::Repeatable,
    request::{Body, Query, parse, parse_or_default},
    state::Api,
};

fn refusal(error: JobError) -> ApiError {
    match error {
        JobError::NoWebhook => ApiError::not_found("webhook"),
        JobError::NoEvent => ApiError::not_found("event"),
        JobError::WebhookDisabled => {
            ApiError::new(ErrorCode::WebhookDisabled, "the webhook is disabled; enable it first")
        }
        JobError::TooMany => ApiError::rate_limited(&format!(
            "{PROJECT_JOBS_MAX} jobs of this project are running; wait for one to end, or cancel one"
        )),
        JobError::Expunged => ApiError::new(ErrorCode::PayloadExpunged, "the event's payload was deleted"),
        JobError::NotSelected(mismatch) => {
            let by = match mismatch {
                Mismatch::EventType => "its type",
                Mismatch::Scope => "its scopes",
                Mismatch::Filter => "its filter",
                Mismatch::Disabled => "its state",
            };
            ApiError::field("webhook_id", "invalid", format!("the webhook does not select this event by {by}"))
        }
        JobError::Store(error) => error.into(),
    }
}

fn body(job: &JobRecord) -> JobBody {
    JobBody {
        id: job.id,
        kind: job.request.kind().to_owned(),
        state: job.state.as_str().to_owned(),
        webhook_id: job.webhook_id,
        done: job.done,
        total: job.total,
        queued: job.queued,
        skipped: job.skipped(),
        created_at: job.id.timestamp(),
        finished_at: job.finished_at,
        error: job.error.clone(),
    }
}

/// The range and selection that recoveries and replays share.
fn checked(
    since: Timestamp,
    until: Option<Timestamp>,
    now: Timestamp,
    lists: [(&str, usize); 2],
    errors: &mut Vec<FieldError>,
) -> Timestamp {
    // What is accepted from now on is not the job's.
    let until = until.unwrap_or(now).min(now);
    if since > until {
        errors.push(field_error("since", "invalid", "must lie before `until`, and in the past"));
    }
    for (field, count) in lists {
        if count > JOB_SELECTIONS_MAX {
            errors.push(field_error(field, "too_long", format!("must have at most {JOB_SELECTIONS_MAX} entries")));
        }
    }
    until
}

fn recovery(request: RecoverRequest, now: Timestamp) -> Result<JobRequest, ApiError> {
    let mut errors = Vec::new();
    let lists = [("event_types", request.event_types.len()), ("statuses", 0)];
    let until = checked(request.since, request.until, now, lists, &mut errors);
    let states = match &request.statuses {
        None => Some(RECOVERED_STATES.to_vec()),
        Some(words) => words
            .iter()
            .map(|word| DeliveryState::parse(word).filter(|state| state.is_final()))
            .collect::<Option<Vec<_>>>()
            .filter(|states| (1..=DeliveryState::ALL.len()).contains(&states.len())),
    };
    if states.is_none() {
        let message = "must be one or more of delivered, failed, dropped, cancelled";
        errors.push(field_error("statuses", "invalid", message));
    }
    match states {
        Some(states) if errors.is_empty() => Ok(JobRequest {
            since: request.since,
            until,
            event_types: request.event_types,
            work: JobWork::Recover { states },
        }),
        _ => Err(ApiError::fields(errors)),
    }
}

fn replay(request: ReplayRequest, now: Timestamp) -> Result<JobRequest, ApiError> {
    let mut errors = Vec::new();
    let lists = [("event_types", request.event_types.len()), ("scopes", request.scopes.len())];
    let until = checked(request.since, request.until, now, lists, &mut errors);
    if !request.scopes.iter().all(|scope| is_scope(scope)) {
        let message = format!("must be scopes of 1 to {SCOPE_CHARACTERS_MAX} characters without control characters");
        errors.push(field_error("scopes", "invalid", message));
    }
    if !errors.is_empty() {
        return Err(ApiError::fields(errors));
    }
    let work = JobWork::Replay { scopes: request.scopes, all: request.all };
    Ok(JobRequest { since: request.since, until, event_types: request.event_types, work })
}

pub(crate) async fn recover_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: RecoverRequest = parse(&bytes)?;
    let dry_run = request.dry_run;
    let job = recovery(request, api.engine().now())?;
    start(&api, &caller, &id, (&repeatable, &bytes), job, dry_run).await
}

pub(crate) async fn replay_webhook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: ReplayRequest = parse(&bytes)?;
    let dry_run = request.dry_run;
    let job = replay(request, api.engine().now())?;
    start(&api, &caller, &id, (&repeatable, &bytes), job, dry_run).await
}

async fn start(
    api: &Api,
    caller: &Caller,
    webhook_id: &str,
    (repeatable, bytes): (&Repeatable, &[u8]),
    request: JobRequest,
    dry_run: bool,
) -> Result<Response, ApiError> {
    let project = caller.project(api);
    let webhook_id: WebhookId = webhook_id.parse().map_err(|_| ApiError::not_found("webhook"))?;
    if dry_run {
        let counted = api.engine().count_job(project, webhook_id, &request).await.map_err(refusal)?;
        let counted = JobCounted { count: counted.count, at_least: counted.at_least };
        return Ok(json(StatusCode::ACCEPTED, &JobAnswer::Counted(counted)));
    }
    let owner = project.sequence();
    if let Some(first) = repeatable.first_answer(api, owner, bytes).await? {
        return Ok(first);
    }
    let id = api.engine().ids().job();
    let answer = json_bytes(&JobAnswer::Started(JobStarted { job_id: id }));
    let idempotency = repeatable.record_as(StatusCode::ACCEPTED, api, owner, bytes, &answer);
    let created = api.engine().create_job(id, project, webhook_id, request, idempotency).await.map_err(refusal)?;
    repeatable.answer_as(api, owner, created, answer, "job", StatusCode::ACCEPTED)
}

pub(crate) async fn replay_event(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    repeatable: Repeatable,
    Body(bytes): Body,
) -> Result<Response, ApiError> {
    let request: ReplayEventRequest = parse_or_default(&bytes)?;
    let project = caller.project(&api);
    let owner = project.sequence();
    if let Some(first) = repeatable.first_answer(&api, owner, &bytes).await? {
        return Ok(first);
    }
    let answer = |deliveries: &[tidings_ports::store::NewDelivery]| {
        let to =
            |new: &tidings_ports::store::NewDelivery| ReplayedTo { delivery_id: new.id, webhook_id: new.webhook_id };
        json_bytes(&ReplayedEventBody { id: id.clone(), deliveries: deliveries.iter().map(to).collect() })
    };
    let idempotency = |deliveries: &[tidings_ports::store::NewDelivery]| {
        repeatable.record_as(StatusCode::ACCEPTED, &api, owner, &bytes, &answer(deliveries))
    };
    let replayed = api.engine().replay_event(project, &id, request.webhook_id, idempotency).await;
    let (created, deliveries) = replayed.map_err(refusal)?;
    repeatable.answer_as(&api, owner, created, answer(&deliveries), "replay", StatusCode::ACCEPTED)
}

pub(crate) async fn list(State(api): State<Api>, caller: Caller, query: Query) -> Result<Response, ApiError> {
    let page = api.store().list_jobs(caller.project(&api), query.page()?).await?;
    Ok(json(StatusCode::OK, &list_body(page.map(|job| body(&job)))))
}

fn job_id(id: &str) -> Result<JobId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("job"))
}

pub(crate) async fn get(State(api): State<Api>, caller: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let found = api.store().find_job(caller.project(&api), job_id(&id)?).await?;
    Ok(json(StatusCode::OK, &body(&found.ok_or_else(|| ApiError::not_found("job"))?)))
}

pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let cancelled = api.engine().cancel_job(caller.project(&api), job_id(&id)?).await?;
    Ok(json(StatusCode::OK, &body(&cancelled.ok_or_else(|| ApiError::not_found("job"))?)))
}
