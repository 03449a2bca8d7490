//! API keys: found by the hash of their text.

use tidings_domain::{
    ids::{ApiKeyId, OrganizationId, ProjectId},
    page::{Page, PageRequest},
    tenancy::{ApiKey, KeyOwner, Scopes},
    time::Timestamp,
};
use tidings_ports::store::{Created, Idempotency, KeyRecord, NewApiKey};

use super::{COUNT_MAX, before, create_once, limit, read_page};
use crate::{
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

/// What stands for the operator in the column `organization`.
fn owner_column(organization_id: Option<OrganizationId>) -> i64 {
    organization_id.map_or(0, OrganizationId::sequence)
}

pub(crate) fn create(session: &mut Session<'_>, new: &NewApiKey, idempotency: Option<&Idempotency>) -> Result<Created> {
    let key = &new.key;
    let (organization, project) = match key.owner {
        KeyOwner::Operator => (None, None),
        KeyOwner::Organization { id, project_id } => (Some(id), project_id),
    };
    create_once(session, idempotency, key.id.timestamp(), |session| {
        session.connection.statement(sql::CREATE_API_KEY).execute(params![
            key.id.sequence(),
            key.id.tail(),
            new.hash,
            owner_column(organization),
            project.map(ProjectId::sequence),
            key.name,
            key.prefix,
            key.scopes.bits(),
            key.expires_at.map(Timestamp::as_millis),
        ])?;
        Ok(Created::Stored)
    })
}

fn read(row: &Row<'_>) -> Result<ApiKey> {
    let id_parts = |at: usize| -> Result<Option<(i64, i64)>> {
        Ok(row.get::<Option<i64>>(at)?.zip(row.get::<Option<i64>>(at + 1)?))
    };
    let owner = match id_parts(2)? {
        None => KeyOwner::Operator,
        Some((seq, tail)) => KeyOwner::Organization {
            id: OrganizationId::from_parts(seq, tail),
            project_id: id_parts(4)?.map(|(seq, tail)| ProjectId::from_parts(seq, tail)),
        },
    };
    Ok(ApiKey {
        id: ApiKeyId::from_parts(row.get(0)?, row.get(1)?),
        owner,
        name: row.get(6)?,
        prefix: row.get(7)?,
        scopes: Scopes::from_bits(row.get(8)?),
        expires_at: row.get::<Option<i64>>(9)?.map(Timestamp::from_millis),
        revoked_at: row.get::<Option<i64>>(10)?.map(Timestamp::from_millis),
    })
}

pub(crate) fn find(connection: &Connection<'_>, hash: [u8; 32]) -> Result<Option<KeyRecord>> {
    connection
        .statement(sql::FIND_API_KEY)
        .query_row([hash], |row| {
            let default_project_id = row.get::<Option<i64>>(11)?.zip(row.get::<Option<i64>>(12)?);
            Ok(KeyRecord {
                key: read(row)?,
                default_project_id: default_project_id.map(|(seq, tail)| ProjectId::from_parts(seq, tail)),
            })
        })
        .optional()
}

pub(crate) fn list(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
    page: PageRequest,
) -> Result<Page<ApiKey>> {
    let organization = owner_column(organization_id);
    read_page(
        connection,
        (sql::LIST_API_KEYS, params![organization, before(page), limit(page)]),
        (sql::COUNT_API_KEYS, params![organization, COUNT_MAX]),
        page,
        read,
        |key| key.id.sequence(),
    )
}

pub(crate) fn revoke(
    session: &mut Session<'_>,
    organization_id: Option<OrganizationId>,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<Option<ApiKey>> {
    let found = session
        .connection
        .statement(sql::FIND_API_KEY_BY_ID)
        .query_row(params![id.sequence(), id.tail(), owner_column(organization_id)], read)
        .optional()?;
    if found.is_some() {
        session.access_changed();
        session.connection.statement(sql::REVOKE_API_KEY).execute([id.sequence(), now.as_millis()])?;
    }
    Ok(found)
}
