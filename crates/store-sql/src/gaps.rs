//! What is asked of the providers of sources, and what came of it.

use std::collections::HashSet;

use async_trait::async_trait;
use tidings_domain::{
    ids::{ProjectId, SourceId},
    source::Source,
    time::Timestamp,
};
use tidings_ports::store::{FillNote, FillState, Gaps, SourceRecord, SourceToFill, StoreError};

use crate::{
    backend::{Backend, SqlStore, Writes},
    catalog::source,
    database::{Connection, Result, Row, params},
    session::Session,
    sql,
};

#[async_trait]
impl<B: Backend> Gaps for SqlStore<B> {
    async fn list_sources_to_fill(&self, after: i64, limit: u32) -> Result<Vec<SourceToFill>, StoreError> {
        self.read(move |connection| list(connection, after, limit)).await
    }

    async fn find_source_to_fill(&self, id: SourceId) -> Result<Option<SourceRecord>, StoreError> {
        let found = self.read(move |connection| source::of_lane(connection, ProjectId(id.0))).await?;
        Ok(found.filter(|record| record.source.settings.gap_fill.is_some() && !record.source.disabled))
    }

    async fn known_receipts(&self, id: SourceId, provider_ids: Vec<String>) -> Result<HashSet<String>, StoreError> {
        self.read(move |connection| known(connection, id, &provider_ids)).await
    }

    async fn note_fill(&self, note: FillNote) -> Result<(), StoreError> {
        self.backend.write(Writes::Changes, move |session| write_note(session, &note)).await
    }

    async fn ask_fill(&self, project_id: ProjectId, id: SourceId, since: Timestamp) -> Result<bool, StoreError> {
        self.change(move |session| ask(session, project_id, id, since)).await
    }
}

/// Has a source ask, or ask no more, as its settings say. One that never asked misses nothing up to
/// its last receipt, or up to now if it has none.
pub(crate) fn follow(session: &mut Session<'_>, source: &Source) -> Result<()> {
    let id = source.id.sequence();
    session.configuration_changed(id);
    if source.settings.gap_fill.is_none() {
        return session.connection.statement(sql::STOP_GAP_FILL).execute([id]).map(drop);
    }
    let last = session.connection.statement(sql::FIND_LAST_RECEIPT);
    let last: Option<i64> = last.query_row([id], |row| row.get(0))?;
    let mark = last.map_or(source.updated_at, |sequence| SourceId::from_parts(sequence, 0).timestamp());
    session.connection.statement(sql::START_GAP_FILL).execute([id, mark.as_millis()]).map(drop)
}

/// The columns from `first` on; none if the source never asked.
pub(crate) fn read(row: &Row<'_>, first: usize) -> Result<Option<FillState>> {
    let Some(mark) = row.get::<Option<i64>>(first)? else { return Ok(None) };
    Ok(Some(FillState {
        mark: Timestamp::from_millis(mark),
        last_run_at: row.get::<Option<i64>>(first + 1)?.map(Timestamp::from_millis),
        last_error: row.get(first + 2)?,
        taken_in: row.get::<i64>(first + 3)?.unsigned_abs(),
        left_out: row.get::<i64>(first + 4)?.unsigned_abs(),
    }))
}

fn list(connection: &Connection<'_>, after: i64, limit: u32) -> Result<Vec<SourceToFill>> {
    let list = connection.statement(sql::LIST_SOURCES_TO_FILL);
    list.query_map(params![after, limit], |row| {
        Ok(SourceToFill { id: SourceId::from_parts(row.get(0)?, row.get(1)?), revision: row.get(2)? })
    })
}

fn known(connection: &Connection<'_>, id: SourceId, provider_ids: &[String]) -> Result<HashSet<String>> {
    let knows = connection.statement(sql::KNOWS_RECEIPT);
    let mut known = HashSet::new();
    for provider_id in provider_ids {
        if knows.exists(params![id.sequence(), provider_id])? {
            known.insert(provider_id.clone());
        }
    }
    Ok(known)
}

fn write_note(session: &Session<'_>, note: &FillNote) -> Result<()> {
    session.connection.statement(sql::NOTE_FILL).execute(params![
        note.source_id.sequence(),
        note.former_mark.as_millis(),
        note.mark.as_millis(),
        note.at.as_millis(),
        note.error,
        note.left_out,
    ])?;
    Ok(())
}

fn ask(session: &Session<'_>, project_id: ProjectId, id: SourceId, since: Timestamp) -> Result<bool> {
    if source::find(session.connection, project_id, id)?.is_none() {
        return Ok(false);
    }
    Ok(session.connection.statement(sql::ASK_FILL).execute(params![id.sequence(), since.as_millis()])? == 1)
}
