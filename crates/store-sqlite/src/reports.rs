//! What Tidings has to report, kept from the transaction of its cause until it has become an event.

use rusqlite::{Connection, params};
use tidings_domain::time::Timestamp;
use tidings_ports::store::Report;

use crate::{sql, writer::Session};

/// Reports that wait at most.
const REPORTS_MAX: i64 = 10_000;

/// Writes a report with the change it reports.
pub(crate) fn report(
    session: &Session<'_>,
    event_type: &str,
    data: &serde_json::Value,
    at: Timestamp,
) -> rusqlite::Result<()> {
    add(session, event_type, &data.to_string(), at)
}

/// Writes a report that is already JSON.
pub(crate) fn add(session: &Session<'_>, event_type: &str, data: &str, at: Timestamp) -> rusqlite::Result<()> {
    session.connection.prepare_cached(sql::ADD_REPORT)?.execute(params![event_type, data, at.as_millis()])?;
    // Reports that cannot become events for long do not fill the disk.
    let last = session.connection.last_insert_rowid() - REPORTS_MAX;
    let dropped = session.connection.prepare_cached(sql::FORGET_REPORTS_BEFORE)?.execute([last])?;
    if dropped > 0 {
        tracing::warn!(reports.dropped = dropped, "too many reports wait to become events; the oldest are dropped");
    }
    Ok(())
}

/// The oldest reports that have not become events.
pub(crate) fn list(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Report>> {
    let mut list = connection.prepare_cached(sql::LIST_REPORTS)?;
    let rows = list.query_map([limit], |row| {
        Ok(Report {
            number: row.get(0)?,
            event_type: row.get(1)?,
            data: row.get(2)?,
            created_at: Timestamp::from_millis(row.get(3)?),
        })
    })?;
    rows.collect()
}

/// These have become events.
pub(crate) fn forget(session: &Session<'_>, numbers: &[i64]) -> rusqlite::Result<()> {
    let mut forget = session.connection.prepare_cached(sql::FORGET_REPORT)?;
    for number in numbers {
        forget.execute([number])?;
    }
    Ok(())
}
