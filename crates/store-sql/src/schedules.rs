//! Commands that run by themselves.

use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, Concurrency, RunInput, RunTask, TaskWork},
    time::Timestamp,
};
use tidings_ports::store::{Scheduled, StartScheduled};

use crate::{
    catalog::command,
    database::{Optional as _, Result, Row, params},
    runs::{add_task, has_too_many_tasks},
    session::Session,
    sql,
};

/// Runs that a schedule has asked for and that are not done, of a command that does not run beside itself: one under
/// way, and one that waits.
const WAITING_MAX: u32 = 2;
/// … and of one that does: a schedule that is faster than its command does not fill the project's line.
const PARALLEL_MAX: u32 = 16;

pub(crate) fn start(session: &mut Session<'_>, start: StartScheduled) -> Result<Scheduled> {
    let first = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get(11)?, command::read(row)));
    let found = session.connection.statement(sql::NEXT_SCHEDULED_COMMAND).query_row((), first).optional()?;
    let Some((seq, due_at, command)) = found else { return Ok(Scheduled::Never) };
    let due_at = Timestamp::from_millis(due_at);
    if due_at > start.wall {
        return Ok(Scheduled::NoneBefore(due_at));
    }
    let next = match command {
        Ok(command) => ask_for(session, &command, due_at, start)?,
        // One that cannot be read must not hold up all others.
        Err(error) => {
            tracing::error!(command.sequence = seq, %error, "a command cannot be read, and is not scheduled any more");
            None
        }
    };
    session.connection.statement(sql::NOTE_NEXT_RUN).execute(params![seq, next.map(Timestamp::as_millis)])?;
    Ok(Scheduled::One)
}

/// Notes the run, unless there are enough of it already. Returns when the command is due again.
fn ask_for(
    session: &Session<'_>,
    command: &Command,
    due_at: Timestamp,
    start: StartScheduled,
) -> Result<Option<Timestamp>> {
    let lives = session.connection.statement(sql::PROJECT_LIVES).exists([command.project_id.sequence()])?;
    let Some(schedule) = command.schedule.as_ref().filter(|_| lives) else { return Ok(None) };
    if !waits_already(session, command)? {
        add_task(session, &task(command, due_at, start), Some(command.id))?;
    }
    Ok(schedule.next(due_at, start.wall))
}

fn waits_already(session: &Session<'_>, command: &Command) -> Result<bool> {
    let max = if command.concurrency == Concurrency::Parallel { PARALLEL_MAX } else { WAITING_MAX };
    let count = session.connection.statement(sql::COUNT_SCHEDULED_TASKS);
    let there: u32 = count.query_row([command.id.sequence()], |row| row.get(0))?;
    Ok(there >= max || has_too_many_tasks(session, command.project_id.sequence(), 1, 0)?)
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
