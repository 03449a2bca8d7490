//! Jobs: long work in small steps, each step and the note of its place in one transaction.

mod port;
mod recovery;
pub(crate) mod replay;

pub(crate) use recovery::{count as count_recoverable, step as step_recovery};
pub(crate) use replay::{count_events, count_without_delivery, events_after, replay_event, step as step_replay};

use serde_json::json;
use tidings_domain::{
    ids::{JobId, ProjectId, WebhookId},
    job::{JobRequest, JobState},
    operational,
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency, JobCreated, JobRecord, NewJob};

use crate::{
    catalog::{COUNT_MAX, before, create_once, limit, read_page},
    database::{Connection, Error, Optional as _, Result, Row, params},
    history::first_sequence_at,
    reports::report,
    session::Session,
    sql,
};

/// What a job of a deleted webhook ends with.
const WEBHOOK_DELETED: &str = "the webhook was deleted";

pub(crate) fn create(
    session: &mut Session<'_>,
    new: &NewJob,
    running_max: u32,
    idempotency: Option<&Idempotency>,
) -> Result<JobCreated> {
    let mut too_many = false;
    let created = create_once(session, idempotency, new.id.timestamp(), |session| {
        let project = new.project_id.sequence();
        let running: u32 =
            session.connection.statement(sql::COUNT_RUNNING_JOBS).query_row([project], |row| row.get(0))?;
        if running >= running_max {
            too_many = true;
            // Whatever is not stored leaves no idempotency key behind.
            return Ok(Created::AlreadyExists);
        }
        insert(session, new)?;
        Ok(Created::Stored)
    })?;
    Ok(if too_many { JobCreated::TooMany } else { JobCreated::Created(created) })
}

fn insert(session: &Session<'_>, new: &NewJob) -> Result<()> {
    let request = serde_json::to_string(&new.request).map_err(Error::unwritable)?;
    session.connection.statement(sql::CREATE_JOB).execute(params![
        new.id.sequence(),
        new.id.tail(),
        new.project_id.sequence(),
        new.webhook_id.sequence(),
        request,
        new.total,
        first_sequence_at(new.request.since) - 1,
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<JobRecord> {
    let request: String = row.get(7)?;
    let code: u8 = row.get(6)?;
    Ok(JobRecord {
        id: JobId::from_parts(row.get(0)?, row.get(1)?),
        project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
        webhook_id: WebhookId::from_parts(row.get(4)?, row.get(5)?),
        state: *JobState::ALL.get(usize::from(code)).ok_or(Error::unreadable(6, format!("{code} is none of them")))?,
        request: serde_json::from_str::<JobRequest>(&request).map_err(|error| Error::unreadable(7, error))?,
        done: row.get(8)?,
        total: row.get(9)?,
        queued: row.get(10)?,
        place: row.get(11)?,
        error: row.get(12)?,
        finished_at: row.get::<Option<i64>>(13)?.map(Timestamp::from_millis),
        webhook_is_active: row.get(14)?,
        webhook_is_deleted: row.get(15)?,
    })
}

/// Finds a job, of this project or of any.
pub(crate) fn find(connection: &Connection<'_>, project_id: Option<ProjectId>, id: JobId) -> Result<Option<JobRecord>> {
    let project = project_id.map(ProjectId::sequence);
    connection.statement(sql::FIND_JOB).query_row(params![id.sequence(), id.tail(), project], read).optional()
}

pub(crate) fn list(connection: &Connection<'_>, project_id: ProjectId, page: PageRequest) -> Result<Page<JobRecord>> {
    let project = project_id.sequence();
    read_page(
        connection,
        (sql::LIST_JOBS, params![project, before(page), limit(page)]),
        (sql::COUNT_JOBS, params![project, COUNT_MAX]),
        page,
        read,
        |job| job.id.sequence(),
    )
}

pub(crate) fn running(connection: &Connection<'_>, after: i64, limit: u32) -> Result<Vec<JobRecord>> {
    connection.statement(sql::RUNNING_JOBS).query_map(params![after, limit], read)
}

pub(crate) fn count_due(connection: &Connection<'_>, webhook_id: WebhookId, now: Timestamp, limit: u32) -> Result<u32> {
    connection
        .statement(sql::COUNT_DUE)
        .query_row(params![webhook_id.sequence(), now.as_millis(), limit], |row| row.get(0))
}

/// Ends a job and reports it; false if it is not running.
pub(crate) fn end(
    session: &Session<'_>,
    id: JobId,
    state: JobState,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let code = JobState::ALL.iter().position(|known| *known == state).map(|code| code as i64);
    let ended =
        session.connection.statement(sql::END_JOB).execute(params![id.sequence(), code, error, now.as_millis()])?;
    let Some(job) = find(session.connection, None, id)?.filter(|_| ended == 1) else { return Ok(false) };
    let data = json!({
        "job_id": job.id.to_string(),
        "project_id": job.project_id.to_string(),
        "webhook_id": job.webhook_id.to_string(),
        "kind": job.request.kind(),
        "state": state.as_str(),
        "done": job.done,
        "total": job.total,
        "queued": job.queued,
        "skipped": job.skipped(),
        "error": error,
        "finished_at": now.rfc3339_millis(),
    });
    report(session, operational::JOB_FINISHED, &data, now)?;
    Ok(true)
}

/// The job, if it can still go on; the job of a deleted webhook ends here.
fn going_on(session: &Session<'_>, id: JobId, now: Timestamp) -> Result<Option<JobRecord>> {
    let Some(job) = find(session.connection, None, id)?.filter(|job| job.state == JobState::Running) else {
        return Ok(None);
    };
    if job.webhook_is_deleted {
        end(session, id, JobState::Failed, Some(WEBHOOK_DELETED), now)?;
        return Ok(None);
    }
    Ok(Some(job))
}

/// Notes how far the job has come.
fn advance(session: &Session<'_>, id: JobId, place: i64, done: u32, queued: u32) -> Result<()> {
    session.connection.statement(sql::STEP_JOB).execute(params![id.sequence(), place, done, queued])?;
    Ok(())
}
