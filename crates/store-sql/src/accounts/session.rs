//! Sessions.

use tidings_domain::{
    account::{MEMBERSHIPS_MAX, Membership, Role, SESSIONS_MAX},
    ids::{AccountId, OrganizationId, SessionId},
    time::Timestamp,
};
use tidings_ports::store::{NewSession, SessionRecord, SignedIn};

use super::account;
use crate::{
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

/// No session has this number.
const NONE: i64 = 0;

/// A password takes a while to be verified, and may be changed meanwhile.
pub(super) fn start_verified(session: &Session<'_>, new: &NewSession, verified: &str) -> Result<bool> {
    let is_still = account::has_password(session.connection, new.account_id, verified)?;
    if is_still {
        start(session, new, new.account_id)?;
    }
    Ok(is_still)
}

pub(super) fn start(session: &Session<'_>, new: &NewSession, account: AccountId) -> Result<()> {
    session.connection.statement(sql::START_SESSION).execute(params![
        new.id.sequence(),
        new.id.tail(),
        new.hash,
        account.sequence(),
        new.now.as_millis(),
        new.expires_at.as_millis(),
        new.address,
        new.user_agent,
    ])?;
    session.connection.statement(sql::TRIM_SESSIONS).execute(params![account.sequence(), SESSIONS_MAX])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: SessionId::from_parts(row.get(0)?, row.get(1)?),
        seen_at: Timestamp::from_millis(row.get(2)?),
        expires_at: Timestamp::from_millis(row.get(3)?),
        address: row.get(4)?,
        user_agent: row.get(5)?,
    })
}

pub(super) fn find(
    connection: &Connection<'_>,
    hash: [u8; 32],
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Option<SignedIn>> {
    let found = connection
        .statement(sql::FIND_SESSION)
        .query_row(params![hash, now.as_millis(), idle_since.as_millis()], |row| {
            Ok((read(row)?, account::read(row, 6)?, row.get(11)?))
        })
        .optional()?;
    let Some((session, account, has_password)) = found else { return Ok(None) };
    let memberships = memberships(connection, account.id)?;
    Ok(Some(SignedIn { session, account, has_password, memberships }))
}

fn memberships(connection: &Connection<'_>, account: AccountId) -> Result<Vec<Membership>> {
    connection.statement(sql::LIST_MEMBERSHIPS).query_map(params![account.sequence(), MEMBERSHIPS_MAX], |row| {
        Ok(Membership {
            organization_id: OrganizationId::from_parts(row.get(0)?, row.get(1)?),
            organization_name: row.get(2)?,
            role: Role::from_code(row.get(3)?),
        })
    })
}

pub(super) fn note(session: &Session<'_>, id: SessionId, now: Timestamp) -> Result<()> {
    let row = [id.sequence(), id.tail(), now.as_millis()];
    session.connection.statement(sql::NOTE_SESSION).execute(row)?;
    Ok(())
}

pub(super) fn list(
    connection: &Connection<'_>,
    account: AccountId,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<SessionRecord>> {
    let chosen = [account.sequence(), now.as_millis(), idle_since.as_millis()];
    connection.statement(sql::LIST_SESSIONS).query_map(chosen, read)
}

pub(super) fn end(session: &Session<'_>, account: AccountId, id: SessionId) -> Result<bool> {
    let row = [id.sequence(), id.tail(), account.sequence()];
    Ok(session.connection.statement(sql::END_SESSION).execute(row)? == 1)
}

pub(super) fn end_all(session: &Session<'_>, account: i64, but: Option<SessionId>) -> Result<u32> {
    let row = [account, but.map_or(NONE, SessionId::sequence)];
    let ended = session.connection.statement(sql::END_SESSIONS).execute(row)?;
    Ok(u32::try_from(ended).unwrap_or(u32::MAX))
}

pub(super) fn expire(session: &Session<'_>, now: Timestamp, idle_since: Timestamp, limit: u32) -> Result<u32> {
    let mut expired = 0;
    for (statement, at) in
        [(sql::EXPIRE_SESSIONS, now), (sql::EXPIRE_IDLE_SESSIONS, idle_since), (sql::EXPIRE_INVITES, now)]
    {
        expired += session.connection.statement(statement).execute(params![at.as_millis(), limit])?;
    }
    Ok(u32::try_from(expired).unwrap_or(u32::MAX))
}
