//! Small regular work, and counts for the operator.

use rusqlite::{Connection, OptionalExtension as _, params};
use tidings_domain::time::Timestamp;
use tidings_ports::store::InstanceCounts;

use crate::{sql, writer::Session};

pub(crate) fn expire_idempotency(session: &Session<'_>, before: Timestamp, limit: u32) -> rusqlite::Result<u32> {
    let removed =
        session.connection.prepare_cached(sql::EXPIRE_IDEMPOTENCY)?.execute(params![before.as_millis(), limit])?;
    Ok(u32::try_from(removed).unwrap_or(limit))
}

pub(crate) fn counts(connection: &Connection, now: Timestamp) -> rusqlite::Result<InstanceCounts> {
    connection.prepare_cached(sql::COUNT_PENDING)?.query_row([now.as_millis()], |row| {
        Ok(InstanceCounts {
            pending_deliveries: u64::from(row.get::<_, u32>(0)?),
            oldest_due_at: row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis),
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
