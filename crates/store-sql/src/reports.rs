//! What Tidings has to report, kept from the transaction of its cause until it has become an event.

use tidings_domain::time::Timestamp;
use tidings_ports::store::Report;

use crate::{
    database::{Connection, Result, params},
    session::Session,
    sql,
};

/// Reports that wait at most.
const REPORTS_MAX: i64 = 10_000;

/// Writes a report with the change it reports.
pub(crate) fn report(session: &Session<'_>, event_type: &str, data: &serde_json::Value, at: Timestamp) -> Result<()> {
    add(session, event_type, &data.to_string(), at)
}

/// Writes a report that is already JSON.
pub(crate) fn add(session: &Session<'_>, event_type: &str, data: &str, at: Timestamp) -> Result<()> {
    let add = session.connection.statement(sql::ADD_REPORT);
    let number: i64 = add.query_row(params![event_type, data, at.as_millis()], |row| row.get(0))?;
    // Reports that cannot become events for long do not fill the disk.
    let dropped = session.connection.statement(sql::FORGET_REPORTS_BEFORE).execute([number - REPORTS_MAX])?;
    if dropped > 0 {
        tracing::warn!(reports.dropped = dropped, "too many reports wait to become events; the oldest are dropped");
    }
    Ok(())
}

/// The oldest reports that have not become events.
pub(crate) fn list(connection: &Connection<'_>, limit: u32) -> Result<Vec<Report>> {
    let list = connection.statement(sql::LIST_REPORTS);
    list.query_map([limit], |row| {
        Ok(Report {
            number: row.get(0)?,
            event_type: row.get(1)?,
            data: row.get(2)?,
            created_at: Timestamp::from_millis(row.get(3)?),
        })
    })
}

/// These have become events.
pub(crate) fn forget(session: &Session<'_>, numbers: &[i64]) -> Result<()> {
    let forget = session.connection.statement(sql::FORGET_REPORT);
    for number in numbers {
        forget.execute([number])?;
    }
    Ok(())
}
