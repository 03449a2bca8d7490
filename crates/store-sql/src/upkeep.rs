//! Small regular work, and counts for the operator.

use tidings_domain::{statistics::hour_of, time::Timestamp};
use tidings_ports::store::{InstanceCounts, Ledger};

use crate::{
    database::{Connection, Optional as _, Result, params},
    history::first_sequence_at,
    session::Session,
    sql,
};

pub(crate) fn expire_idempotency(session: &Session<'_>, before: Timestamp, limit: u32) -> Result<u32> {
    let removed = session.connection.statement(sql::EXPIRE_IDEMPOTENCY).execute(params![before.as_millis(), limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn expire_hours(session: &Session<'_>, before: Timestamp, limit: u32) -> Result<u32> {
    let removed = session.connection.statement(sql::EXPIRE_HOURS).execute(params![hour_of(before), limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn expire_audit(session: &Session<'_>, before: Timestamp, limit: u32) -> Result<u32> {
    let first = first_sequence_at(before);
    let removed = session.connection.statement(sql::EXPIRE_AUDIT).execute(params![first, limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn counts(connection: &Connection<'_>, now: Timestamp) -> Result<InstanceCounts> {
    let pending: i64 = connection.statement(sql::COUNT_PENDING).query_row((), |row| row.get(0))?;
    let oldest: Option<i64> = connection.statement(sql::OLDEST_DUE).query_row([now.as_millis()], |row| row.get(0))?;
    Ok(InstanceCounts { pending_deliveries: pending.unsigned_abs(), oldest_due_at: oldest.map(Timestamp::from_millis) })
}

/// One statement, so that all its counts are of one moment.
pub(crate) fn audit_ledger(connection: &Connection<'_>) -> Result<Ledger> {
    connection.statement(sql::AUDIT_LEDGER).query_row((), |row| {
        let count = |column: usize| row.get::<i64>(column).map(i64::cast_unsigned);
        Ok(Ledger {
            born: count(0)?,
            delivered: count(1)?,
            failed: count(2)?,
            dropped: count(3)?,
            cancelled: count(4)?,
            unfinished: count(5)?,
        })
    })
}

pub(crate) fn last_sequence(connection: &Connection<'_>) -> Result<i64> {
    connection.statement(sql::LAST_SEQUENCE).query_row((), |row| row.get(0))
}

pub(crate) fn find_remembered(connection: &Connection<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    connection.statement(sql::FIND_REMEMBERED).query_row([name], |row| row.get(0)).optional()
}

pub(crate) fn remember_once(session: &Session<'_>, name: &str, value: &[u8]) -> Result<Vec<u8>> {
    session.connection.statement(sql::REMEMBER_ONCE).execute(params![name, value])?;
    session.connection.statement(sql::FIND_REMEMBERED).query_row([name], |row| row.get(0))
}

/// Returns whether there was anything.
pub(crate) fn forget_remembered(session: &Session<'_>, name: &str) -> Result<bool> {
    Ok(session.connection.statement(sql::FORGET_REMEMBERED).execute(params![name])? > 0)
}
