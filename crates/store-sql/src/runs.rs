//! Runs: what is kept of them, what they change, and what is still to be done after them.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tidings_domain::{
    command::{PROJECT_TASKS_MAX, Run, RunInput, RunTask, TaskWork},
    ids::{CommandId, DeliveryId, ProjectId, RunId},
    page::{Page, PageRequest},
    source::RecordChange,
    time::Timestamp,
};
use tidings_ports::store::{FinishedRun, PropertyChange, RecordChanged, RunFilter, RunFinished, TaskChange};

use crate::{
    catalog::{COUNT_MAX, before, command, limit, read_page},
    database::{Connection, Error, Optional as _, Param, Result, Row, params},
    nodes::turns,
    quotas, records,
    run_upkeep::{check_properties, note_properties, place_of},
    session::Session,
    sql,
};

/// The column of a list's rows that says where they stand.
const PLACE: usize = 19;

pub(crate) fn to_text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::unwritable)
}

/// A document in a column; `NULL` is the default.
fn from_column<T: DeserializeOwned + Default>(row: &Row<'_>, column: usize) -> Result<T> {
    match row.get::<Option<String>>(column)? {
        None => Ok(T::default()),
        Some(text) => from_text(&text, column),
    }
}

fn from_text<T: DeserializeOwned>(text: &str, column: usize) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::unreadable(column, error))
}

pub(crate) fn find_property(
    connection: &Connection<'_>,
    project_id: ProjectId,
    owner: &str,
    name: &str,
) -> Result<Option<Value>> {
    let place = params![project_id.sequence(), owner, name];
    let found = |row: &Row<'_>| from_text(&row.get::<String>(0)?, 0);
    connection.statement(sql::FIND_PROPERTY).query_row(place, found).optional()
}

/// Everything that can be refused is looked at before anything is written.
pub(crate) fn finish(session: &mut Session<'_>, finished: &FinishedRun) -> Result<RunFinished> {
    let run = &finished.run;
    let project = run.project_id.sequence();
    let delivery = run.delivery_id.map(DeliveryId::sequence);
    if session.connection.statement(sql::HAS_RUN).exists([run.id.sequence()])?
        || session.connection.statement(sql::HAS_RUN_OF_DELIVERY).exists([delivery])?
    {
        return Ok(RunFinished::Already);
    }
    if !session.connection.statement(sql::PROJECT_LIVES).exists([project])? {
        return Ok(RunFinished::NoProject);
    }
    if let Some(turn) = finished.turn
        && !turns::holds(session.connection, turn)?
    {
        return Ok(RunFinished::TurnOver);
    }
    // What follows a task may always take its place.
    let is_task = session.connection.statement(sql::HAS_RUN_TASK).exists([run.id.sequence()])?;
    let new = finished.tasks.iter().filter(|change| matches!(change, TaskChange::Add(_))).count();
    if has_too_many_tasks(session, project, new, u32::from(is_task))? {
        return Ok(RunFinished::TooMany);
    }
    let more = match check_properties(session, project, &finished.properties)? {
        Ok(more) => more,
        Err(reason) => return Ok(RunFinished::TooManyProperties(reason)),
    };
    let mut ready = Vec::with_capacity(finished.records.len());
    for record in &finished.records {
        let (kind, key, set) = (record.kind.clone(), record.key.clone(), record.set.clone());
        let change = RecordChange { kind, key, set, increment: Vec::new() };
        match records::changed(session, run.project_id, &change)? {
            Ok(record) => ready.push(record),
            Err(RecordChanged::NoProject) => return Ok(RunFinished::NoProject),
            Err(_) => return Ok(RunFinished::TooLarge(format!("{}/{}", record.kind, record.key))),
        }
    }
    let cause = run.id.to_string();
    for record in ready {
        record.write(session, &cause, None, run.at)?;
    }
    finished.properties.iter().try_for_each(|change| put_property(session, project, change))?;
    note_properties(session, project, more)?;
    forget_task(session, run.id)?;
    finished.tasks.iter().try_for_each(|change| change_task(session, project, change))?;
    add_run(session, run)?;
    if finished.iteration {
        quotas::count(session, project, run.at)?;
    }
    Ok(RunFinished::Stored)
}

/// Whether there would be too many with so many new ones, once so many are done.
pub(crate) fn has_too_many_tasks(session: &Session<'_>, project: i64, new: usize, done: u32) -> Result<bool> {
    if new == 0 {
        return Ok(false);
    }
    let count = session.connection.statement(sql::COUNT_RUN_TASKS);
    let there: u32 = count.query_row([project, i64::from(PROJECT_TASKS_MAX) + 1], |row| row.get(0))?;
    Ok(there.saturating_sub(done) as usize + new > PROJECT_TASKS_MAX as usize)
}

fn put_property(session: &Session<'_>, project: i64, change: &PropertyChange) -> Result<()> {
    if change.value.is_null() {
        let place = params![project, change.owner, change.name];
        return session.connection.statement(sql::DELETE_PROPERTY).execute(place).map(drop);
    }
    let kind = serde_json::to_value(change.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let row = params![project, change.owner, change.name, kind.unwrap_or_default(), to_text(&change.value)?];
    session.connection.statement(sql::PUT_PROPERTY).execute(row).map(drop)
}

fn change_task(session: &Session<'_>, project: i64, change: &TaskChange) -> Result<()> {
    match change {
        TaskChange::Add(task) => add_task(session, task, None),
        TaskChange::Clear { user_id, label } => {
            let which = params![project, user_id, label];
            session.connection.statement(sql::CLEAR_RUN_TASKS).execute(which).map(drop)
        }
    }
}

/// `schedule_of`: the command whose schedule asks for it.
pub(crate) fn add_task(session: &Session<'_>, task: &RunTask, schedule_of: Option<CommandId>) -> Result<()> {
    let row = params![
        task.id.sequence(),
        task.id.tail(),
        task.project_id.sequence(),
        task.user_id,
        task.parent.map(RunId::sequence),
        task.parent.map(RunId::tail),
        task.due_at.as_millis(),
        task.label,
        task.is_put_off,
        matches!(task.work, TaskWork::Http(_)),
        schedule_of.map(CommandId::sequence),
        to_text(&task.work)?,
    ];
    session.connection.statement(sql::ADD_RUN_TASK).execute(row).map(drop)
}

fn forget_task(session: &Session<'_>, id: RunId) -> Result<usize> {
    session.connection.statement(sql::FORGET_RUN_TASK).execute([id.sequence(), id.tail()])
}

/// What follows takes the place of what was there; nothing follows what was called off meanwhile, or whose project was deleted.
pub(crate) fn replace_task(session: &mut Session<'_>, id: RunId, next: Option<&RunTask>) -> Result<()> {
    let was_there = forget_task(session, id)? == 1;
    let Some(next) = next.filter(|_| was_there) else { return Ok(()) };
    match session.connection.statement(sql::PROJECT_LIVES).exists([next.project_id.sequence()])? {
        true => add_task(session, next, None),
        false => Ok(()),
    }
}

fn add_run(session: &Session<'_>, run: &Run) -> Result<()> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let place = place_of(session, run)?;
    session
        .connection
        .statement(sql::ADD_RUN)
        .execute(params![
            run.id.sequence(),
            run.id.tail(),
            run.project_id.sequence(),
            run.command.as_str(),
            run.user_id,
            run.parent.map(RunId::sequence),
            run.parent.map(RunId::tail),
            to_text(&run.input)?,
            run.end.status(),
            to_text(&run.end)?,
            run.answer.as_ref().map(to_text).transpose()?,
            to_text(&run.messages)?,
            to_text(&run.console)?,
            number(run.duration_us),
            number(run.memory_bytes),
            run.at.as_millis(),
            run.delivery_id.map(DeliveryId::sequence),
            run.delivery_id.map(DeliveryId::tail),
            place,
            to_text(&run.effects)?,
        ])
        .map(drop)
}

fn parent(row: &Row<'_>, column: usize) -> Result<Option<RunId>> {
    let parts = row.get::<Option<i64>>(column)?.zip(row.get::<Option<i64>>(column + 1)?);
    Ok(parts.map(|(sequence, tail)| RunId::from_parts(sequence, tail)))
}

fn read(row: &Row<'_>) -> Result<Run> {
    let number = |column: usize| row.get::<i64>(column).map(i64::unsigned_abs);
    Ok(Run {
        id: RunId::from_parts(row.get(0)?, row.get(1)?),
        project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
        command: command::name(row, 4)?,
        user_id: row.get(5)?,
        parent: parent(row, 6)?,
        delivery_id: row.get::<Option<i64>>(16)?.zip(row.get(17)?).map(|(seq, tail)| DeliveryId::from_parts(seq, tail)),
        end: from_text(&row.get::<String>(8)?, 8)?,
        answer: from_column(row, 9)?,
        duration_us: number(10)?,
        memory_bytes: number(11)?,
        at: Timestamp::from_millis(row.get(12)?),
        input: from_column::<RunInput>(row, 13)?,
        messages: from_column(row, 14)?,
        console: from_column(row, 15)?,
        effects: from_column(row, 18)?,
    })
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: RunId) -> Result<Option<Run>> {
    let key = [id.sequence(), id.tail(), project_id.sequence()];
    connection.statement(sql::FIND_RUN).query_row(key, read).optional()
}

pub(crate) fn find_of_delivery(connection: &Connection<'_>, id: DeliveryId) -> Result<Option<Run>> {
    connection.statement(sql::FIND_RUN_OF_DELIVERY).query_row([id.sequence()], read).optional()
}

pub(crate) fn before_event(connection: &Connection<'_>, event: i64) -> Result<u32> {
    let found = connection.statement(sql::RUNS_BEFORE_EVENT).query_row([event], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    filter: &RunFilter,
    page: PageRequest,
) -> Result<Page<Run>> {
    let (project, from, rows) = (project_id.sequence(), before(page), limit(page));
    let (list, count) = match (&filter.command, &filter.status) {
        (None, None) => (sql::LIST_RUNS, sql::COUNT_RUNS),
        (None, Some(_)) => (sql::LIST_RUNS_OF_STATUS, sql::COUNT_RUNS_OF_STATUS),
        (Some(_), None) => (sql::LIST_RUNS_OF_COMMAND, sql::COUNT_RUNS_OF_COMMAND),
        (Some(_), Some(_)) => (sql::LIST_RUNS_OF_COMMAND_AND_STATUS, sql::COUNT_RUNS_OF_COMMAND_AND_STATUS),
    };
    let filters = [&filter.command, &filter.status].into_iter().flatten().map(|text| text as &dyn Param);
    let listed: Vec<&dyn Param> = [&project as &dyn Param, &from, &rows].into_iter().chain(filters.clone()).collect();
    let counted: Vec<&dyn Param> = [&project as &dyn Param, &COUNT_MAX].into_iter().chain(filters).collect();
    let read = |row: &Row<'_>| Ok((read(row)?, row.get::<i64>(PLACE)?));
    let page = read_page(connection, (list, &*listed), (count, &*counted), page, read, |(_, place)| *place)?;
    Ok(page.map(|(run, _)| run))
}

pub(crate) fn next_tasks(
    connection: &Connection<'_>,
    requests: bool,
    without: &[ProjectId],
    limit: u32,
) -> Result<Vec<RunTask>> {
    let without: Vec<_> = without.iter().map(|project_id| project_id.sequence()).collect();
    let without = serde_json::to_string(&without).expect("numbers always become JSON");
    // One that cannot be read must not hold up all others.
    let readable = |row: &Row<'_>| -> Result<Option<_>> {
        let id = RunId::from_parts(row.get(0)?, row.get(1)?);
        let unreadable = |error: Error| tracing::error!(run.id = %id, %error, "a task that cannot be read is left out");
        let text: String = row.get(10)?;
        Ok(from_text(&text, 10).map_err(unreadable).ok())
    };
    let read = |row: &Row<'_>| {
        let Some(work) = readable(row)? else { return Ok(None) };
        Ok(Some(RunTask {
            id: RunId::from_parts(row.get(0)?, row.get(1)?),
            project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
            user_id: row.get(4)?,
            parent: parent(row, 5)?,
            due_at: Timestamp::from_millis(row.get(7)?),
            label: row.get(8)?,
            is_put_off: row.get(9)?,
            work,
        }))
    };
    let found = connection.statement(sql::NEXT_RUN_TASKS).query_map(params![limit, without, requests], read)?;
    Ok(found.into_iter().flatten().collect())
}
