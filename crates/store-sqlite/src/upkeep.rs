//! Small regular work, and counts for the operator.

use rusqlite::{Connection, OptionalExtension as _, params};
use tidings_domain::{statistics::hour_of, time::Timestamp};
use tidings_ports::store::{InstanceCounts, Ledger};

use crate::{history::first_sequence_at, sql, writer::Session};

pub(crate) fn expire_idempotency(session: &Session<'_>, before: Timestamp, limit: u32) -> rusqlite::Result<u32> {
    let removed =
        session.connection.prepare_cached(sql::EXPIRE_IDEMPOTENCY)?.execute(params![before.as_millis(), limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn expire_hours(session: &Session<'_>, before: Timestamp, limit: u32) -> rusqlite::Result<u32> {
    let removed = session.connection.prepare_cached(sql::EXPIRE_HOURS)?.execute(params![hour_of(before), limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn expire_audit(session: &Session<'_>, before: Timestamp, limit: u32) -> rusqlite::Result<u32> {
    let first = first_sequence_at(before);
    let removed = session.connection.prepare_cached(sql::EXPIRE_AUDIT)?.execute(params![first, limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn counts(connection: &Connection, now: Timestamp) -> rusqlite::Result<InstanceCounts> {
    let pending: i64 = connection.prepare_cached(sql::COUNT_PENDING)?.query_row([], |row| row.get(0))?;
    let oldest: Option<i64> =
        connection.prepare_cached(sql::OLDEST_DUE)?.query_row([now.as_millis()], |row| row.get(0))?;
    Ok(InstanceCounts { pending_deliveries: pending.unsigned_abs(), oldest_due_at: oldest.map(Timestamp::from_millis) })
}

/// One statement, so that all its counts are of one moment.
pub(crate) fn audit_ledger(connection: &Connection) -> rusqlite::Result<Ledger> {
    connection.prepare_cached(sql::AUDIT_LEDGER)?.query_row([], |row| {
        let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
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

pub(crate) fn last_sequence(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached(sql::LAST_SEQUENCE)?.query_row([], |row| row.get(0))
}

pub(crate) fn find_remembered(connection: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.prepare_cached(sql::FIND_REMEMBERED)?.query_row([name], |row| row.get(0)).optional()
}

pub(crate) fn remember_once(session: &Session<'_>, name: &str, value: &[u8]) -> rusqlite::Result<Vec<u8>> {
    session.connection.prepare_cached(sql::REMEMBER_ONCE)?.execute(params![name, value])?;
    session.connection.prepare_cached(sql::FIND_REMEMBERED)?.query_row([name], |row| row.get(0))
}
