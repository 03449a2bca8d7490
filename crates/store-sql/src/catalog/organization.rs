//! Organizations.

use tidings_domain::{
    ids::{OrganizationId, ProjectId},
    page::{Page, PageRequest},
    plan::PlanName,
    tenancy::{Organization, SchemaMode},
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency, NewOrganization, OrganizationChange, OrganizationRecord, Replaced};

use super::{COUNT_MAX, before, create_once, limit, project, read_page};
use crate::{
    accounts::member,
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

pub(crate) fn create(
    session: &mut Session<'_>,
    new: &NewOrganization,
    idempotency: Option<&Idempotency>,
) -> Result<Created> {
    let organization = &new.organization;
    create_once(session, idempotency, organization.id.timestamp(), |session| {
        let (id, project) = (organization.id, organization.default_project_id);
        session.connection.statement(sql::CREATE_ORGANIZATION).execute(params![
            id.sequence(),
            id.tail(),
            organization.name,
            project.sequence(),
            new.plan.as_ref().map(PlanName::as_str),
        ])?;
        session.connection.statement(sql::CREATE_PROJECT).execute(params![
            project.sequence(),
            project.tail(),
            id.sequence(),
            new.project_name,
            None::<String>,
            None::<String>,
        ])?;
        Ok(Created::Stored)
    })
}

fn read(row: &Row<'_>) -> Result<OrganizationRecord> {
    Ok(OrganizationRecord {
        organization: Organization {
            id: OrganizationId::from_parts(row.get(0)?, row.get(1)?),
            name: row.get(2)?,
            default_project_id: ProjectId::from_parts(row.get(3)?, row.get(4)?),
        },
        plan: row.get(5)?,
        schema_mode: SchemaMode::from_code(row.get(6)?),
    })
}

pub(crate) fn find(connection: &Connection<'_>, id: OrganizationId) -> Result<Option<OrganizationRecord>> {
    connection.statement(sql::FIND_ORGANIZATION).query_row([id.sequence(), id.tail()], read).optional()
}

pub(crate) fn list(connection: &Connection<'_>, page: PageRequest) -> Result<Page<OrganizationRecord>> {
    read_page(
        connection,
        (sql::LIST_ORGANIZATIONS, params![before(page), limit(page)]),
        (sql::COUNT_ORGANIZATIONS, [COUNT_MAX]),
        page,
        read,
        |record| record.organization.id.sequence(),
    )
}

pub(crate) fn update(
    session: &mut Session<'_>,
    id: OrganizationId,
    change: &OrganizationChange,
    expected: Option<&OrganizationRecord>,
) -> Result<Replaced<OrganizationRecord>> {
    let Some(known) = find(session.connection, id)? else { return Ok(Replaced::Missing) };
    if expected.is_some_and(|expected| *expected != known) {
        return Ok(Replaced::Stale);
    }
    session.connection.statement(sql::UPDATE_ORGANIZATION).execute(params![
        id.sequence(),
        id.tail(),
        change.name,
        change.schema_mode.map(SchemaMode::code),
    ])?;
    if change.schema_mode.is_some() {
        session.catalogue_changed(id.sequence())?;
    }
    Ok(find(session.connection, id)?.map_or(Replaced::Missing, Replaced::Stored))
}

pub(crate) fn delete(session: &mut Session<'_>, id: OrganizationId, now: Timestamp) -> Result<bool> {
    let (seq, at) = (id.sequence(), now.as_millis());
    let deleted = session.connection.statement(sql::DELETE_ORGANIZATION).execute(params![seq, id.tail(), at])?;
    if deleted == 0 {
        return Ok(false);
    }
    session.access_changed();
    session.connection.statement(sql::REVOKE_ORGANIZATION_KEYS).execute(params![seq, at])?;
    member::forget_organization(session, seq)?;
    let projects: Vec<i64> = session.connection.statement(sql::PROJECTS_OF).query_map([seq], |row| row.get(0))?;
    for project in projects {
        project::delete_row(session, project, now)?;
    }
    Ok(true)
}
