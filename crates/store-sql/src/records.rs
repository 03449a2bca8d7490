//! Records and their versions.

use bytes::Bytes;
use serde_json::{Map, Value};
use tidings_domain::{
    ids::{DeliveryId, ProjectId},
    source::RecordChange,
    time::Timestamp,
};
use tidings_ports::store::{PutRecord, RECORD_BYTES_MAX, RecordChanged, RecordPut, RecordVersion, RecordView};

use crate::{
    catalog::COUNT_MAX,
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

/// Whose record, of which kind, with which key.
struct Place<'a> {
    project: i64,
    kind: &'a str,
    key: &'a str,
}

/// What is written: the data, and who did it for which action.
struct Written<'a> {
    data: Option<&'a [u8]>,
    cause: &'a str,
    delivery: Option<i64>,
    now: Timestamp,
}

pub(crate) fn change(
    session: &Session<'_>,
    project_id: ProjectId,
    change: &RecordChange,
    delivery: DeliveryId,
    cause: &str,
    now: Timestamp,
) -> Result<RecordChanged> {
    let delivery = delivery.sequence();
    let earlier: Option<u32> =
        session.connection.statement(sql::FIND_RECORD_CHANGE).query_row([delivery], |row| row.get(0)).optional()?;
    if let Some(version) = earlier {
        return Ok(RecordChanged::Version(version));
    }
    if !session.connection.statement(sql::PROJECT_LIVES).exists([project_id.sequence()])? {
        return Ok(RecordChanged::NoProject);
    }
    match changed(session, project_id, change)? {
        Ok(ready) => ready.write(session, cause, Some(delivery), now).map(RecordChanged::Version),
        Err(refused) => Ok(refused),
    }
}

/// A record that is about to be changed.
pub(crate) struct Ready {
    project: i64,
    kind: String,
    key: String,
    before: Option<RecordView>,
    data: Vec<u8>,
}

/// What a change makes of a record, or why it cannot be made; nothing is written.
pub(crate) fn changed(
    session: &Session<'_>,
    project_id: ProjectId,
    change: &RecordChange,
) -> Result<Result<Ready, RecordChanged>> {
    let project = project_id.sequence();
    let before = find_at(session.connection, &Place { project, kind: &change.kind, key: &change.key })?;
    let data = before.as_ref().and_then(|record| record.data.as_deref());
    let mut data: Map<String, Value> = data.and_then(|data| serde_json::from_slice(data).ok()).unwrap_or_default();
    if let Err(reason) = change.apply(&mut data) {
        return Ok(Err(RecordChanged::NoNumber(reason)));
    }
    let data = serde_json::to_vec(&data).expect("maps always become JSON");
    if data.len() > RECORD_BYTES_MAX {
        return Ok(Err(RecordChanged::TooLarge));
    }
    let (kind, key) = (change.kind.clone(), change.key.clone());
    Ok(Ok(Ready { project, kind, key, before, data }))
}

impl Ready {
    /// Writes it. Returns the version.
    pub(crate) fn write(
        &self,
        session: &Session<'_>,
        cause: &str,
        delivery: Option<i64>,
        now: Timestamp,
    ) -> Result<u32> {
        let place = Place { project: self.project, kind: &self.kind, key: &self.key };
        let written = Written { data: Some(&self.data), cause, delivery, now };
        write(session, &place, self.before.as_ref(), &written)
    }
}

/// Writes the next version of a record.
fn write(session: &Session<'_>, place: &Place<'_>, before: Option<&RecordView>, written: &Written<'_>) -> Result<u32> {
    let version = before.map_or(0, |record| record.version) + 1;
    let data = written.data.map(String::from_utf8_lossy);
    let at = written.now.as_millis();
    let Place { project, kind, key } = place;
    session.connection.statement(sql::PUT_RECORD).execute(params![project, kind, key, data, version, at])?;
    session.connection.statement(sql::NOTE_RECORD_CHANGE).execute(params![
        project,
        kind,
        key,
        version,
        data,
        written.cause,
        at,
        written.delivery
    ])?;
    Ok(version)
}

pub(crate) fn put(session: &Session<'_>, put: &PutRecord, now: Timestamp) -> Result<RecordPut> {
    let place = Place { project: put.project_id.sequence(), kind: &put.kind, key: &put.key };
    let before = find_at(session.connection, &place)?;
    let known = before.as_ref().filter(|record| record.data.is_some()).map_or(0, |record| record.version);
    if put.expected_version.is_some_and(|expected| expected != known) {
        return Ok(RecordPut::Stale(known));
    }
    if put.data.is_none() && known == 0 {
        return Ok(RecordPut::NotFound);
    }
    let data = put.data.as_ref().map(|data| serde_json::to_vec(data).expect("maps always become JSON"));
    let written = Written { data: data.as_deref(), cause: &put.cause, delivery: None, now };
    let version = write(session, &place, before.as_ref(), &written)?;
    let (kind, key) = (put.kind.clone(), put.key.clone());
    Ok(RecordPut::Stored(RecordView { kind, key, data: data.map(Bytes::from), version, updated_at: now }))
}

fn read(row: &Row<'_>) -> Result<RecordView> {
    Ok(RecordView {
        kind: row.get(0)?,
        key: row.get(1)?,
        data: row.get::<Option<String>>(2)?.map(Bytes::from),
        version: row.get(3)?,
        updated_at: Timestamp::from_millis(row.get(4)?),
    })
}

fn find_at(connection: &Connection<'_>, place: &Place<'_>) -> Result<Option<RecordView>> {
    let Place { project, kind, key } = place;
    connection.statement(sql::FIND_RECORD).query_row(params![project, kind, key], read).optional()
}

pub(crate) fn find(
    connection: &Connection<'_>,
    project_id: ProjectId,
    kind: &str,
    key: &str,
) -> Result<Option<RecordView>> {
    let found = find_at(connection, &Place { project: project_id.sequence(), kind, key })?;
    Ok(found.filter(|record| record.data.is_some()))
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    kind: &str,
    after: &str,
    limit: u32,
) -> Result<(Vec<RecordView>, u64)> {
    let project = project_id.sequence();
    let records = connection.statement(sql::LIST_RECORDS).query_map(params![project, kind, after, limit], read)?;
    let count: u32 =
        connection.statement(sql::COUNT_RECORDS).query_row(params![project, kind, COUNT_MAX], |row| row.get(0))?;
    Ok((records, u64::from(count)))
}

pub(crate) fn history(
    connection: &Connection<'_>,
    project_id: ProjectId,
    (kind, key): (&str, &str),
    below: u32,
    limit: u32,
) -> Result<Vec<RecordVersion>> {
    let read = |row: &Row<'_>| {
        Ok(RecordVersion {
            version: row.get(0)?,
            data: row.get::<Option<String>>(1)?.map(Bytes::from),
            cause: row.get(2)?,
            at: Timestamp::from_millis(row.get(3)?),
        })
    };
    let list = connection.statement(sql::LIST_RECORD_CHANGES);
    list.query_map(params![project_id.sequence(), kind, key, below, limit], read)
}
