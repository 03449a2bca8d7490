//! Event types: an organization's own and the instance's (organization 0).

use std::collections::HashMap;

use tidings_domain::{
    event_type::{
        EVENT_TYPES_MAX, EventType, EventTypeName, SCHEMA_VERSIONS_KEPT, SchemaChange, SchemaVersion, current_version,
        schema_change,
    },
    ids::OrganizationId,
    time::Timestamp,
};
use tidings_ports::store::{Created, EventTypeChanged, Idempotency, SchemaRetired};

use super::create_once;
use crate::{
    database::{Connection, Error, Next, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

/// Versions by whose type they belong to.
type Versions = HashMap<(i64, String), Vec<SchemaVersion>>;

pub(super) fn owner_column(organization_id: Option<OrganizationId>) -> i64 {
    organization_id.map_or(0, OrganizationId::sequence)
}

pub(crate) fn create(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    event_type: &EventType,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Created> {
    let owner = owner_column(organization_id);
    create_once(session, idempotency, now, |session| {
        if count(session.connection, owner)? >= EVENT_TYPES_MAX {
            return Ok(Created::CatalogueFull);
        }
        let added = session.connection.statement(sql::CREATE_EVENT_TYPE).execute(params![
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
        for version in &event_type.versions {
            add_schema(session, owner, &event_type.name, version.version, &version.schema, version.created_at)?;
        }
        session.catalogue_changed(owner)?;
        Ok(Created::Stored)
    })
}

/// Event types of exactly this catalogue.
pub(super) fn count(connection: &Connection<'_>, owner: i64) -> Result<u32> {
    connection.statement(sql::COUNT_EVENT_TYPES).query_row([owner], |row| row.get(0))
}

/// Adds a version of a type's schema.
pub(crate) fn add_schema(
    session: &Session<'_>,
    owner: i64,
    name: &EventTypeName,
    version: u32,
    schema: &str,
    now: Timestamp,
) -> Result<()> {
    let row = params![owner, name.as_str(), version, schema, now.as_millis()];
    session.connection.statement(sql::CREATE_EVENT_TYPE_SCHEMA).execute(row)?;
    Ok(())
}

pub(crate) fn update(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    (event_type, schema): (&EventType, Option<&str>),
    expected: Option<&EventType>,
    now: Timestamp,
) -> Result<EventTypeChanged> {
    let (owner, name) = (owner_column(organization_id), &event_type.name);
    let Some(known) = find(session.connection, owner, name)? else { return Ok(EventTypeChanged::Missing) };
    if expected.is_some_and(|expected| *expected != known) {
        return Ok(EventTypeChanged::Stale);
    }
    match (schema_change(&known.versions, schema), schema) {
        (SchemaChange::TooMany, _) => return Ok(EventTypeChanged::TooManyVersions),
        (SchemaChange::Add(version), Some(schema)) => {
            add_schema(session, owner, name, version, schema, now)?;
            let forgotten = version.saturating_sub(SCHEMA_VERSIONS_KEPT);
            let row = params![owner, name.as_str(), forgotten];
            session.connection.statement(sql::FORGET_EVENT_TYPE_SCHEMAS).execute(row)?;
        }
        (SchemaChange::RetireAll, _) => retire_rows(session, owner, name, None)?,
        _ => {}
    }
    session.connection.statement(sql::UPDATE_EVENT_TYPE).execute(params![
        owner,
        name.as_str(),
        event_type.group,
        event_type.description,
        event_type.example,
        event_type.archived,
    ])?;
    session.catalogue_changed(owner)?;
    let changed = find(session.connection, owner, name)?;
    Ok(changed.map_or(EventTypeChanged::Missing, EventTypeChanged::Changed))
}

fn retire_rows(session: &Session<'_>, owner: i64, name: &EventTypeName, version: Option<u32>) -> Result<()> {
    let row = params![owner, name.as_str(), version];
    session.connection.statement(sql::RETIRE_EVENT_TYPE_SCHEMAS).execute(row)?;
    Ok(())
}

pub(crate) fn retire(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    name: &EventTypeName,
    version: u32,
) -> Result<SchemaRetired> {
    let owner = owner_column(organization_id);
    let Some(known) = find(session.connection, owner, name)? else { return Ok(SchemaRetired::Missing) };
    if !known.versions.iter().any(|known| known.version == version) {
        return Ok(SchemaRetired::Missing);
    }
    if current_version(&known.versions).is_some_and(|current| current.version == version) {
        return Ok(SchemaRetired::InForce);
    }
    retire_rows(session, owner, name, Some(version))?;
    session.catalogue_changed(owner)?;
    let changed = find(session.connection, owner, name)?;
    Ok(changed.map_or(SchemaRetired::Missing, SchemaRetired::Retired))
}

pub(crate) fn delete(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    name: &EventTypeName,
) -> Result<bool> {
    let owner = owner_column(organization_id);
    let deleted = session.connection.statement(sql::DELETE_EVENT_TYPE).execute(params![owner, name.as_str()])?;
    let all = params![owner, name.as_str(), None::<u32>];
    session.connection.statement(sql::FORGET_EVENT_TYPE_SCHEMAS).execute(all)?;
    if deleted == 1 {
        session.catalogue_changed(owner)?;
    }
    Ok(deleted == 1)
}

/// An event type of exactly this catalogue.
pub(super) fn find(connection: &Connection<'_>, owner: i64, name: &EventTypeName) -> Result<Option<EventType>> {
    let mut versions = versions(connection, owner, Some(name), true)?;
    connection
        .statement(sql::FIND_EVENT_TYPE)
        .query_row(params![owner, name.as_str()], |row| read(row, &mut versions))
        .optional()
}

pub(crate) fn list(connection: &Connection<'_>, organization_id: Option<OrganizationId>) -> Result<Vec<EventType>> {
    list_with(connection, organization_id, true)
}

/// The same with the versions that take events, and without the others.
pub(super) fn list_active(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
) -> Result<Vec<EventType>> {
    list_with(connection, organization_id, false)
}

fn list_with(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
    retired: bool,
) -> Result<Vec<EventType>> {
    let owner = owner_column(organization_id);
    let mut versions = versions(connection, owner, None, retired)?;
    let list = connection.statement(sql::LIST_EVENT_TYPES);
    list.query_map([owner], |row| read(row, &mut versions))
}

fn read(row: &Row<'_>, versions: &mut Versions) -> Result<EventType> {
    let name: String = row.get(0)?;
    Ok(EventType {
        versions: versions.remove(&(row.get(5)?, name.clone())).unwrap_or_default(),
        name: name.parse().map_err(|error| Error::unreadable(0, error))?,
        group: row.get(1)?,
        description: row.get(2)?,
        example: row.get(3)?,
        archived: row.get(4)?,
    })
}

fn versions(connection: &Connection<'_>, owner: i64, name: Option<&EventTypeName>, retired: bool) -> Result<Versions> {
    let list = connection.statement(sql::LIST_EVENT_TYPE_SCHEMAS);
    let mut versions = Versions::new();
    list.each(params![owner, name.map(EventTypeName::as_str), retired], |row| {
        versions.entry((row.get(0)?, row.get(1)?)).or_default().push(SchemaVersion {
            version: row.get(2)?,
            schema: row.get(3)?,
            created_at: Timestamp::from_millis(row.get(4)?),
            retired: row.get(5)?,
        });
        Ok(Next::More)
    })?;
    Ok(versions)
}
