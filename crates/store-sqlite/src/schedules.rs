//! Commands that run by themselves.

use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, Concurrency, RunInput, RunTask, TaskWork},
    time::Timestamp,
};
use tidings_ports::store::{Scheduled, StartScheduled};

use crate::{
    catalog::command,
    runs::{add_task, has_too_many_tasks},
    sql,
    writer::Session,
};

/// Runs of one command that a schedule has asked for and that are not done: one under way, and one that waits.
const WAITING_MAX: u32 = 2;

pub(crate) fn start(session: &mut Session<'_>, start: StartScheduled) -> rusqlite::Result<Scheduled> {
    let first =
        session.connection.prepare_cached(sql::NEXT_SCHEDULED_COMMAND)?.query_row([], command::read).optional()?;
    let Some((command, due_at)) =
        first.and_then(|command| Some((command.next_run_at?, command))).map(|(at, it)| (it, at))
    else {
        return Ok(Scheduled::Never);
    };
    if due_at > start.wall {
        return Ok(Scheduled::NoneBefore(due_at));
    }
    let lives = session.connection.prepare_cached(sql::PROJECT_LIVES)?.exists([command.project_id.sequence()])?;
    let schedule = command.schedule.as_ref().filter(|_| lives);
    let next = schedule.and_then(|schedule| schedule.next(due_at, start.wall));
    let row = params![command.id.sequence(), next.map(Timestamp::as_millis)];
    session.connection.prepare_cached(sql::NOTE_NEXT_RUN)?.execute(row)?;
    if schedule.is_some() && !waits_already(session, &command)? {
        add_task(session, &task(&command, due_at, start), Some(command.id))?;
    }
    Ok(Scheduled::One)
}

fn waits_already(session: &Session<'_>, command: &Command) -> rusqlite::Result<bool> {
    let project = command.project_id.sequence();
    if has_too_many_tasks(session, project, 1, 0)? {
        return Ok(true);
    }
    let mut count = session.connection.prepare_cached(sql::COUNT_SCHEDULED_TASKS)?;
    let there: u32 = count.query_row([command.id.sequence()], |row| row.get(0))?;
    Ok(command.concurrency != Concurrency::Parallel && there >= WAITING_MAX)
}

fn task(command: &Command, due_at: Timestamp, start: StartScheduled) -> RunTask {
    let input = RunInput {
        content: String::new(),
        options: json!({"schedule": {"due_at": due_at.rfc3339_millis()}}),
        params: Value::Null,
        ..RunInput::default()
    };
    RunTask {
        id: start.id,
        project_id: command.project_id,
        user_id: None,
        parent: None,
        due_at: start.now,
        label: None,
        is_put_off: false,
        work: TaskWork::Run { command: command.name.clone(), input },
    }
}
