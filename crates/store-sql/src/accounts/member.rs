//! Members of organizations, and accounts of the operator.

use tidings_domain::{
    account::{MEMBERS_MAX, MEMBERSHIPS_MAX, Role},
    ids::{AccountId, OrganizationId},
    page::{Page, PageRequest},
    time::Timestamp,
};
use tidings_ports::store::{MemberChange, MemberChanged, MemberRecord, Seat};

use super::account;
use crate::{
    catalog::{COUNT_MAX, before, limit, read_page},
    database::{Connection, Optional as _, Result, Row, Statement, params},
    session::Session,
    sql,
};

fn read(row: &Row<'_>) -> Result<MemberRecord> {
    Ok(MemberRecord {
        account: account::read(row, 0)?,
        role: row.get::<Option<u8>>(5)?.map(Role::from_code),
        last_seen_at: row.get::<Option<i64>>(6)?.map(Timestamp::from_millis),
    })
}

pub(super) fn list(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
    page: PageRequest,
) -> Result<Page<MemberRecord>> {
    let sequence_of = |member: &MemberRecord| member.account.id.sequence();
    let (before, limit) = (before(page), limit(page));
    match organization_id.map(OrganizationId::sequence) {
        Some(organization) => read_page(
            connection,
            (sql::LIST_MEMBERS, params![organization, before, limit]),
            (sql::COUNT_MEMBERS, params![organization, COUNT_MAX]),
            page,
            read,
            sequence_of,
        ),
        None => read_page(
            connection,
            (sql::LIST_OPERATORS, params![before, limit]),
            (sql::COUNT_OPERATORS, [COUNT_MAX]),
            page,
            read,
            sequence_of,
        ),
    }
}

pub(super) fn find(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
    id: AccountId,
) -> Result<Option<MemberRecord>> {
    match organization_id {
        Some(organization) => {
            let key = [organization.sequence(), id.sequence(), id.tail()];
            connection.statement(sql::FIND_MEMBER).query_row(key, read).optional()
        }
        None => connection.statement(sql::FIND_OPERATOR).query_row([id.sequence(), id.tail()], read).optional(),
    }
}

/// Gives an account its place; false if there are too many already.
pub(super) fn seat(session: &Session<'_>, seat: Seat, account: AccountId) -> Result<bool> {
    let connection = session.connection;
    match seat {
        Seat::Operator => account::set_operator(session, account.sequence(), true)?,
        Seat::Member { organization_id, role } => {
            let count = |statement: Statement, key: i64, max: u32| -> Result<bool> {
                let counted: u32 = connection.statement(statement).query_row(params![key, max], |row| row.get(0))?;
                Ok(counted >= max)
            };
            let is_new = find(connection, Some(organization_id), account)?.is_none();
            if is_new
                && (count(sql::COUNT_MEMBERS, organization_id.sequence(), MEMBERS_MAX)?
                    || count(sql::COUNT_MEMBERSHIPS, account.sequence(), MEMBERSHIPS_MAX)?)
            {
                return Ok(false);
            }
            let row = params![organization_id.sequence(), account.sequence(), role.code()];
            connection.statement(sql::PUT_MEMBER).execute(row)?;
        }
    }
    Ok(true)
}

pub(super) fn change(session: &Session<'_>, change: &MemberChange) -> Result<MemberChanged> {
    let MemberChange { organization_id, account_id, expected, role } = *change;
    let Some(found) = find(session.connection, Some(organization_id), account_id)? else {
        return Ok(MemberChanged::Missing);
    };
    if found.role != Some(expected) {
        return Ok(MemberChanged::Stale);
    }
    if expected == Role::Owner && role != Role::Owner && is_last_owner(session, organization_id, account_id)? {
        return Ok(MemberChanged::Last);
    }
    let row = params![organization_id.sequence(), account_id.sequence(), role.code()];
    session.connection.statement(sql::SET_ROLE).execute(row)?;
    Ok(MemberChanged::Changed)
}

fn is_last_owner(session: &Session<'_>, organization: OrganizationId, account: AccountId) -> Result<bool> {
    let row = params![organization.sequence(), Role::Owner.code(), account.sequence()];
    let others: bool = session.connection.statement(sql::HAS_OTHER_MEMBER_OF_ROLE).query_row(row, |row| row.get(0))?;
    Ok(!others)
}

pub(super) fn remove(
    session: &Session<'_>,
    organization_id: Option<OrganizationId>,
    id: AccountId,
    expected: Option<Role>,
) -> Result<MemberChanged> {
    let connection = session.connection;
    let Some(found) = find(connection, organization_id, id)? else { return Ok(MemberChanged::Missing) };
    if found.role != expected {
        return Ok(MemberChanged::Stale);
    }
    match organization_id {
        Some(organization) => {
            if expected == Some(Role::Owner) && is_last_owner(session, organization, id)? {
                return Ok(MemberChanged::Last);
            }
            connection.statement(sql::REMOVE_MEMBER).execute([organization.sequence(), id.sequence()])?;
        }
        None => {
            let others: bool =
                connection.statement(sql::HAS_OTHER_OPERATOR).query_row([id.sequence()], |row| row.get(0))?;
            if !others {
                return Ok(MemberChanged::Last);
            }
            account::set_operator(session, id.sequence(), false)?;
        }
    }
    account::forget_if_nowhere(session, id.sequence())?;
    Ok(MemberChanged::Changed)
}

/// Ends the memberships of an organization, and its invites. There are [`MEMBERS_MAX`] at most.
pub(crate) fn forget_organization(session: &Session<'_>, organization: i64) -> Result<()> {
    let connection = session.connection;
    let members: Vec<i64> = connection.statement(sql::MEMBERS_OF).query_map([organization], |row| row.get(0))?;
    connection.statement(sql::FORGET_ORGANIZATION_MEMBERS).execute([organization])?;
    connection.statement(sql::FORGET_ORGANIZATION_INVITES).execute([organization])?;
    members.into_iter().try_for_each(|account| account::forget_if_nowhere(session, account))
}
