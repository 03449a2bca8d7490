//! Event types: an organization's own and the instance's (organization 0).

use rusqlite::{Connection, params};
use tidings_domain::{
    event_type::{EventType, EventTypeName},
    ids::OrganizationId,
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency};

use super::create_once;
use crate::{sql, writer::Session};

fn owner_column(organization_id: Option<OrganizationId>) -> i64 {
    organization_id.map_or(0, OrganizationId::sequence)
}

pub(crate) fn create(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    event_type: &EventType,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> rusqlite::Result<Created> {
    let owner = owner_column(organization_id);
    create_once(session, idempotency, now, |session| {
        let added = session.connection.prepare_cached(sql::CREATE_EVENT_TYPE)?.execute(params![
            owner,
            event_type.name.as_str(),
            event_type.group,
            event_type.description,
            event_type.example,
            event_type.archived,
        ])?;
        if added == 0 {
            return Ok(Created::AlreadyExists);
        }
        session.memory.versions.catalogue_changed(owner);
        Ok(Created::Stored)
    })
}

pub(crate) fn update(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    event_type: &EventType,
) -> rusqlite::Result<bool> {
    let owner = owner_column(organization_id);
    let changed = session.connection.prepare_cached(sql::UPDATE_EVENT_TYPE)?.execute(params![
        owner,
        event_type.name.as_str(),
        event_type.group,
        event_type.description,
        event_type.example,
        event_type.archived,
    ])?;
    session.memory.versions.catalogue_changed(owner);
    Ok(changed == 1)
}

pub(crate) fn delete(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    name: &EventTypeName,
) -> rusqlite::Result<bool> {
    let owner = owner_column(organization_id);
    let deleted = session.connection.prepare_cached(sql::DELETE_EVENT_TYPE)?.execute(params![owner, name.as_str()])?;
    session.memory.versions.catalogue_changed(owner);
    Ok(deleted == 1)
}

pub(crate) fn list(
    connection: &Connection,
    organization_id: Option<OrganizationId>,
) -> rusqlite::Result<Vec<EventType>> {
    let mut list = connection.prepare_cached(sql::LIST_EVENT_TYPES)?;
    let rows = list.query_map([owner_column(organization_id)], |row| {
        let name: String = row.get(0)?;
        Ok(EventType {
            name: name.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            })?,
            group: row.get(1)?,
            description: row.get(2)?,
            example: row.get(3)?,
            archived: row.get(4)?,
        })
    })?;
    rows.collect()
}
