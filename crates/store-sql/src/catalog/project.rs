//! Projects.

use std::collections::BTreeSet;

use tidings_domain::{
    command::HookKeys,
    event_type::EVENT_TYPES_MAX,
    ids::{OrganizationId, ProjectId},
    page::{Page, PageRequest},
    preset::{Preset, PresetEventType},
    tenancy::Project,
    time::Timestamp,
};
use tidings_ports::store::{Created, HookKeysChange, Idempotency, NewProject, ProjectRecord, Replaced};

use super::{COUNT_MAX, before, bot, create_once, event_type, limit, read_page, source};
use crate::{
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

pub(crate) fn create(
    session: &mut Session<'_>,
    new: &NewProject,
    idempotency: Option<&Idempotency>,
) -> Result<Created> {
    let (project, preset) = (&new.project, new.preset.as_ref());
    create_once(session, idempotency, project.id.timestamp(), |session| {
        let sources = &new.sources;
        let new = preset.map(|preset| new_types(session, project, preset)).transpose()?.unwrap_or_default();
        let there = event_type::count(session.connection, project.organization_id.sequence())?;
        if !new.is_empty() && there as usize + new.len() > EVENT_TYPES_MAX as usize {
            return Ok(Created::CatalogueFull);
        }
        let made = session.connection.statement(sql::CREATE_PROJECT).execute(params![
            project.id.sequence(),
            project.id.tail(),
            project.organization_id.sequence(),
            project.name,
            preset.map(|preset| &preset.name),
            preset.map(|preset| preset.profile.as_str()),
        ])?;
        if made == 0 {
            return Ok(Created::ParentMissing);
        }
        for entry in new {
            add_type(session, project, entry)?;
        }
        for new in sources {
            source::insert(session, new)?;
        }
        Ok(Created::Stored)
    })
}

/// The preset's event types that the organization cannot use yet; what there is stays as it is.
fn new_types<'a>(session: &Session<'_>, project: &Project, preset: &'a Preset) -> Result<Vec<&'a PresetEventType>> {
    let usable = event_type::list_active(session.connection, Some(project.organization_id))?;
    let known: BTreeSet<_> = usable.into_iter().map(|known| known.name).collect();
    Ok(preset.event_types.iter().filter(|entry| !known.contains(&entry.event_type.name)).collect())
}

fn add_type(session: &mut Session<'_>, project: &Project, entry: &PresetEventType) -> Result<()> {
    let (organization, now) = (project.organization_id, project.id.timestamp());
    event_type::create(session, Some(organization), &entry.event_type, None, now)?;
    if let Some(schema) = &entry.schema {
        event_type::add_schema(session, organization.sequence(), &entry.event_type.name, 1, schema, now)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ProjectRecord> {
    Ok(ProjectRecord {
        project: Project {
            id: ProjectId::from_parts(row.get(0)?, row.get(1)?),
            organization_id: OrganizationId::from_parts(row.get(2)?, row.get(3)?),
            name: row.get(4)?,
        },
        preset: row.get(5)?,
        profile: row.get::<Option<String>>(6)?.and_then(|text| text.parse().ok()).unwrap_or_default(),
        // Former keys that cannot be read are good no more.
        hook_keys: HookKeys {
            version: row.get(7)?,
            former: serde_json::from_str(&row.get::<String>(8)?).unwrap_or_default(),
        },
    })
}

pub(crate) fn find(connection: &Connection<'_>, id: ProjectId) -> Result<Option<ProjectRecord>> {
    connection.statement(sql::FIND_PROJECT).query_row([id.sequence(), id.tail()], read).optional()
}

/// The same, and projects that stand for sources.
pub(crate) fn find_any(connection: &Connection<'_>, id: ProjectId) -> Result<Option<ProjectRecord>> {
    connection.statement(sql::FIND_ANY_PROJECT).query_row([id.sequence(), id.tail()], read).optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    organization_id: OrganizationId,
    page: PageRequest,
) -> Result<Page<ProjectRecord>> {
    let organization = organization_id.sequence();
    read_page(
        connection,
        (sql::LIST_PROJECTS, params![organization, before(page), limit(page)]),
        (sql::COUNT_PROJECTS, params![organization, COUNT_MAX]),
        page,
        read,
        |record| record.project.id.sequence(),
    )
}

pub(crate) fn rename(session: &Session<'_>, id: ProjectId, name: &str, expected: Option<&str>) -> Result<Replaced<()>> {
    let Some(known) = find(session.connection, id)? else { return Ok(Replaced::Missing) };
    if expected.is_some_and(|expected| expected != known.project.name) {
        return Ok(Replaced::Stale);
    }
    session.connection.statement(sql::RENAME_PROJECT).execute(params![id.sequence(), id.tail(), name])?;
    Ok(Replaced::Stored(()))
}

pub(crate) fn set_hook_keys(
    session: &mut Session<'_>,
    change: &HookKeysChange,
    idempotency: Option<&Idempotency>,
) -> Result<Created> {
    create_once(session, idempotency, change.now, |session| {
        let (id, keys) = (change.project_id, &change.keys);
        let former = serde_json::to_string(&keys.former).expect("numbers always become JSON");
        let row = params![id.sequence(), id.tail(), change.expected_version, keys.version, former];
        if session.connection.statement(sql::SET_HOOK_KEYS).execute(row)? == 0 {
            return Ok(Created::Stale);
        }
        session.project_changed(id.sequence())?;
        Ok(Created::Stored)
    })
}

pub(crate) fn delete(session: &mut Session<'_>, id: ProjectId, now: Timestamp) -> Result<bool> {
    if find(session.connection, id)?.is_none() {
        return Ok(false);
    }
    delete_row(session, id.sequence(), now)?;
    Ok(true)
}

/// Deletes a project together with what belongs to it.
pub(crate) fn delete_row(session: &mut Session<'_>, project: i64, now: Timestamp) -> Result<()> {
    let at = now.as_millis();
    session.connection.statement(sql::DELETE_PROJECT).execute([project, at])?;
    session.access_changed();
    session.connection.statement(sql::REVOKE_PROJECT_KEYS).execute([project, at])?;
    session.connection.statement(sql::ADD_LEFTOVER).execute([project])?;
    let webhooks: Vec<i64> =
        session.connection.statement(sql::DELETE_PROJECT_WEBHOOKS).query_map([project, at], |row| row.get(0))?;
    for webhook in webhooks {
        session.note_deleted(webhook);
    }
    session.project_changed(project)?;
    bot::delete(session, project)?;
    let sources: Vec<i64> =
        session.connection.statement(sql::DELETE_PROJECT_SOURCES).query_map([project, at], |row| row.get(0))?;
    // What a source is to the engine belongs to nobody else, and has no sources of its own.
    sources.into_iter().try_for_each(|source| delete_row(session, source, now))
}
