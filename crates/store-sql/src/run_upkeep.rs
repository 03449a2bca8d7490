//! What runs leave behind: its order, its bounds, and its end.

use std::collections::{BTreeMap, BTreeSet};

use tidings_domain::{
    command::{PROJECT_PROPERTIES_MAX, Run, USER_PROPERTIES_MAX},
    time::Timestamp,
};
use tidings_ports::store::PropertyChange;

use crate::{
    database::{Optional as _, Result, Statement, params},
    history::first_sequence_at,
    session::Session,
    sql,
};

/// Where a run stands among all others: by when it began. The id of one that was put off is from before, so its
/// time alone is taken from `at`; no two runs have the same place.
pub(crate) fn place_of(session: &Session<'_>, run: &Run) -> Result<i64> {
    let within = run.id.sequence() - first_sequence_at(run.id.timestamp());
    let mut place = first_sequence_at(run.at) + within;
    let is_taken = session.connection.statement(sql::IS_RUN_PLACE_TAKEN);
    while is_taken.exists([place])? {
        place += 1;
    }
    Ok(place)
}

/// How many properties there are more afterwards, or why there would be too many.
pub(crate) fn check_properties(
    session: &Session<'_>,
    project: i64,
    changes: &[PropertyChange],
) -> Result<Result<i64, String>> {
    // The last change of each is the one that counts.
    let last: BTreeMap<_, _> =
        changes.iter().map(|change| ((&*change.owner, &*change.name), change.value.is_null())).collect();
    let (mut more, mut owners) = (0, BTreeMap::<&str, i64>::new());
    for ((owner, name), goes) in last {
        let is_there = session.connection.statement(sql::FIND_PROPERTY).exists(params![project, owner, name])?;
        let change = i64::from(!goes) - i64::from(is_there);
        more += change;
        *owners.entry(owner).or_default() += change;
    }
    let grows: BTreeSet<_> = owners.iter().filter(|(owner, more)| !owner.is_empty() && **more > 0).collect();
    for (owner, more) in grows {
        let count = session.connection.statement(sql::COUNT_USER_PROPERTIES);
        let there: i64 = count.query_row(params![project, owner, USER_PROPERTIES_MAX + 1], |row| row.get(0))?;
        if there + more > i64::from(USER_PROPERTIES_MAX) {
            return Ok(Err(format!("the user {owner} would have more than {USER_PROPERTIES_MAX} properties")));
        }
    }
    if more > 0 {
        let count = session.connection.statement(sql::COUNT_PROPERTIES);
        let there: i64 = count.query_row([project], |row| row.get(0)).optional()?.unwrap_or_default();
        if there + more > i64::from(PROJECT_PROPERTIES_MAX) {
            return Ok(Err(format!("the project would have more than {PROJECT_PROPERTIES_MAX} properties")));
        }
    }
    Ok(Ok(more))
}

/// Properties are counted where they change, because nobody can count a hundred thousand of them each time.
pub(crate) fn note_properties(session: &Session<'_>, project: i64, more: i64) -> Result<()> {
    match more {
        0 => Ok(()),
        more => session.connection.statement(sql::NOTE_PROPERTIES).execute([project, more]).map(drop),
    }
}

pub(crate) fn expire_runs(session: &Session<'_>, before: Timestamp, limit: u32) -> Result<u32> {
    let first = first_sequence_at(before);
    let removed = session.connection.statement(sql::EXPIRE_RUNS).execute(params![first, limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

/// What is deleted of a project that was deleted, in this order: what would still be done comes first.
const LEFTOVERS: [Statement; 11] = [
    sql::EXPUNGE_RUN_TASKS,
    sql::EXPUNGE_PROPERTIES,
    sql::EXPUNGE_RUNS,
    sql::EXPUNGE_COMMANDS,
    sql::EXPUNGE_DELETED_COMMANDS,
    sql::EXPUNGE_COMMAND_SETTINGS,
    // Counted with what it counts; whatever is written of properties meanwhile belongs to no project any more.
    sql::EXPUNGE_PROPERTY_COUNT,
    sql::EXPUNGE_RECORDS,
    sql::EXPUNGE_RECORD_CHANGES,
    sql::EXPUNGE_PORTAL_SESSIONS,
    sql::EXPUNGE_PORTAL,
];

/// Deletes what is left of one deleted project beside its history, at most `limit` rows; returns whether there may be
/// more, of this project or of another.
pub(crate) fn expunge_deleted(session: &Session<'_>, limit: u32) -> Result<bool> {
    let next = session.connection.statement(sql::NEXT_LEFTOVER);
    let Some(project) = next.query_row((), |row| row.get::<i64>(0)).optional()? else { return Ok(false) };
    let mut left = limit;
    for statement in LEFTOVERS {
        let gone = session.connection.statement(statement).execute(params![project, left])?;
        left = left.saturating_sub(u32::try_from(gone).unwrap_or(left));
        if left == 0 {
            return Ok(true);
        }
    }
    session.connection.statement(sql::FORGET_LEFTOVER).execute([project])?;
    Ok(true)
}
