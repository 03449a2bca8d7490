//! Sources.

use tidings_domain::{
    ids::{ProjectId, SourceId},
    page::{Page, PageRequest},
    source::{Source, SourceKind},
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency, NewSource, SourceChange, SourceChanged, SourceRecord, TurnedAway};

use super::{COUNT_MAX, before, create_once, limit, project, read_page, webhook};
use crate::{
    database::{Connection, Error, Optional as _, Result, Row, params},
    gaps,
    session::Session,
    sql,
};

pub(crate) fn create(session: &mut Session<'_>, new: &NewSource, idempotency: Option<&Idempotency>) -> Result<Created> {
    let source = &new.source;
    create_once(session, idempotency, source.id.timestamp(), |session| insert(session, new))
}

/// Adds a source; its project may be of the same transaction.
pub(super) fn insert(session: &mut Session<'_>, new: &NewSource) -> Result<Created> {
    let source = &new.source;
    if name_is_taken(session, source)? {
        return Ok(Created::AlreadyExists);
    }
    let (seq, tail, owner) = (source.id.sequence(), source.id.tail(), source.project_id.sequence());
    let made = session.connection.statement(sql::CREATE_SOURCE).execute(params![
        seq,
        tail,
        owner,
        source.name,
        source.kind.as_str(),
        new.token_hash,
        source.disabled,
        settings_text(source)?,
        new.sealed,
        source.updated_at.as_millis(),
    ])?;
    if made == 0 {
        return Ok(Created::ParentMissing);
    }
    session.connection.statement(sql::CREATE_SOURCE_PROJECT).execute([seq, tail, owner])?;
    for lane in &new.lanes {
        webhook::insert(session, lane)?;
    }
    note_actions(session, source, 1)?;
    gaps::follow(session, source)?;
    Ok(Created::Stored)
}

/// What is done about receipts from this revision on.
fn note_actions(session: &Session<'_>, source: &Source, revision: u32) -> Result<()> {
    let actions = serde_json::to_string(&source.settings.actions).map_err(Error::unwritable)?;
    let add = session.connection.statement(sql::ADD_SOURCE_ACTIONS);
    add.execute(params![source.id.sequence(), revision, actions]).map(drop)
}

fn name_is_taken(session: &Session<'_>, source: &Source) -> Result<bool> {
    let (owner, own) = (source.project_id.sequence(), source.id.sequence());
    session.connection.statement(sql::FIND_SOURCE_BY_NAME).exists(params![owner, source.name, own])
}

fn settings_text(source: &Source) -> Result<String> {
    serde_json::to_string(&source.settings).map_err(Error::unwritable)
}

fn read(row: &Row<'_>) -> Result<SourceRecord> {
    let text = |column: usize| row.get::<String>(column);
    let wrong = |column, error| Error::unreadable(column, error);
    let kind: SourceKind =
        serde_json::from_value(serde_json::Value::String(text(5)?)).map_err(|error| wrong(5, error))?;
    Ok(SourceRecord {
        source: Source {
            id: SourceId::from_parts(row.get(0)?, row.get(1)?),
            project_id: ProjectId::from_parts(row.get(2)?, row.get(3)?),
            name: text(4)?,
            kind,
            disabled: row.get(6)?,
            settings: serde_json::from_str(&text(7)?).map_err(|error| wrong(7, error))?,
            updated_at: Timestamp::from_millis(row.get(10)?),
        },
        sealed: row.get(8)?,
        revision: row.get(9)?,
        rejected: row.get::<i64>(11)?.unsigned_abs(),
        duplicates: row.get::<i64>(12)?.unsigned_abs(),
        fill: gaps::read(row, 13)?,
    })
}

pub(crate) fn find(connection: &Connection<'_>, project_id: ProjectId, id: SourceId) -> Result<Option<SourceRecord>> {
    let key = [id.sequence(), id.tail(), project_id.sequence()];
    connection.statement(sql::FIND_SOURCE).query_row(key, read).optional()
}

/// The source that a project stands for.
pub(crate) fn of_lane(connection: &Connection<'_>, project_id: ProjectId) -> Result<Option<SourceRecord>> {
    connection.statement(sql::FIND_SOURCE_OF_LANE).query_row([project_id.sequence()], read).optional()
}

pub(crate) fn find_by_token(connection: &Connection<'_>, hash: [u8; 32]) -> Result<Option<SourceRecord>> {
    connection.statement(sql::FIND_SOURCE_BY_TOKEN).query_row([hash], read).optional()
}

pub(crate) fn find_by_name(
    connection: &Connection<'_>,
    project_id: ProjectId,
    name: &str,
) -> Result<Option<SourceRecord>> {
    let place = params![project_id.sequence(), name];
    connection.statement(sql::FIND_SOURCE_NAMED).query_row(place, read).optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    project_id: ProjectId,
    page: PageRequest,
) -> Result<Page<SourceRecord>> {
    let project = project_id.sequence();
    read_page(
        connection,
        (sql::LIST_SOURCES, params![project, before(page), limit(page)]),
        (sql::COUNT_SOURCES, params![project, COUNT_MAX]),
        page,
        read,
        |record| record.source.id.sequence(),
    )
}

pub(crate) fn update(session: &mut Session<'_>, change: &SourceChange) -> Result<SourceChanged> {
    let source = &change.source;
    if name_is_taken(session, source)? {
        return Ok(SourceChanged::NameTaken);
    }
    let changed = session.connection.statement(sql::UPDATE_SOURCE).execute(params![
        source.id.sequence(),
        source.id.tail(),
        source.project_id.sequence(),
        source.name,
        source.disabled,
        settings_text(source)?,
        change.sealed,
        source.updated_at.as_millis(),
        change.expected_revision,
    ])?;
    if changed == 0 {
        return Ok(SourceChanged::Stale);
    }
    note_actions(session, source, change.expected_revision + 1)?;
    gaps::follow(session, source)?;
    session.project_changed(source.id.sequence())?;
    Ok(SourceChanged::Stored)
}

pub(crate) fn delete(session: &mut Session<'_>, project_id: ProjectId, id: SourceId, now: Timestamp) -> Result<bool> {
    let key = [id.sequence(), id.tail(), project_id.sequence(), now.as_millis()];
    let deleted = session.connection.statement(sql::DELETE_SOURCE).execute(key)?;
    if deleted == 1 {
        project::delete_row(session, id.sequence(), now)?;
    }
    Ok(deleted == 1)
}

pub(crate) fn count_turned_away(session: &Session<'_>, counts: &[TurnedAway]) -> Result<()> {
    let count = session.connection.statement(sql::COUNT_TURNED_AWAY);
    for turned_away in counts {
        count.execute(params![turned_away.source_id.sequence(), turned_away.rejected, turned_away.duplicates])?;
    }
    Ok(())
}
