//! Deleting an event's payload, and nothing else of it.

use tidings_domain::{
    command::RunInput,
    ids::{EventKey, ProjectId, sequence_after},
    time::Timestamp,
};
use tidings_ports::store::Expunged;

use crate::{
    database::{Connection, Error, Optional as _, Result, params},
    queue::cancel_one,
    session::Session,
    sql,
};

fn find(connection: &Connection<'_>, project_id: ProjectId, event: EventKey) -> Result<Option<(i64, Option<i64>)>> {
    connection
        .statement(sql::FIND_EXPUNGED)
        .query_row(params![event.sequence(), event.tail(), project_id.sequence()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// When the payload was deleted; `None`: it was not.
pub(crate) fn expunged_at(
    connection: &Connection<'_>,
    project_id: ProjectId,
    event: EventKey,
) -> Result<Option<Timestamp>> {
    Ok(find(connection, project_id, event)?.and_then(|(_, at)| at).map(Timestamp::from_millis))
}

pub(crate) fn expunge(
    session: &Session<'_>,
    project_id: ProjectId,
    event: EventKey,
    now: Timestamp,
) -> Result<Expunged> {
    let Some((fanout, _)) = find(session.connection, project_id, event)? else { return Ok(Expunged::NotFound) };
    let seq = event.sequence();
    let last = sequence_after(seq, fanout);
    let unfinished: Vec<(i64, i64, Option<i64>)> = session
        .connection
        .statement(sql::UNFINISHED_OF_EVENT)
        .query_map([seq, last], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    // Somebody holds the payload to send it, and would send it again after a failure.
    if unfinished.iter().any(|(_, _, due_at)| due_at.is_none()) {
        return Ok(Expunged::InFlight);
    }
    for (delivery, webhook, _) in unfinished {
        cancel_one(session, webhook, delivery, now)?;
    }
    for forget in [sql::FORGET_SENT_OF_DELIVERIES, sql::FORGET_SENT_OF_ATTEMPTS] {
        session.connection.statement(forget).execute([seq, last])?;
    }
    forget_given_to_runs(session, seq, last)?;
    session.connection.statement(sql::EXPUNGE_EVENT).execute(params![seq, now.as_millis()])?;
    Ok(Expunged::Done)
}

/// Runs for its deliveries were handed the payload, and told of it what they liked.
fn forget_given_to_runs(session: &Session<'_>, event: i64, last: i64) -> Result<()> {
    let runs: Vec<(i64, String)> =
        session.connection.statement(sql::RUNS_GIVEN).query_map([event, last], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (run, input) in runs {
        let input: RunInput = serde_json::from_str(&input).map_err(|error| Error::unreadable(1, error))?;
        let input = RunInput { content: String::new(), ..input };
        let input = serde_json::to_string(&input).map_err(Error::unwritable)?;
        session.connection.statement(sql::FORGET_GIVEN_TO_RUN).execute(params![run, input])?;
    }
    Ok(())
}
