//! Invites.

use tidings_domain::{
    account::{Account, Email, INVITES_MAX, Role},
    ids::{InviteId, OrganizationId},
    time::Timestamp,
};
use tidings_ports::store::{
    AcceptBy, AcceptInvite, Accepted, AccountRecord, Created, Idempotency, Invite, InviteRecord, NewInvite, Proof, Seat,
};

use super::{account, member, session};
use crate::{
    catalog::create_once,
    database::{Connection, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

/// What stands for the operator in the column `organization`.
fn owner_column(organization_id: Option<OrganizationId>) -> i64 {
    organization_id.map_or(0, OrganizationId::sequence)
}

pub(super) fn create(session: &mut Session<'_>, new: &NewInvite, idempotency: Option<&Idempotency>) -> Result<Created> {
    let invite = &new.invite;
    create_once(session, idempotency, invite.id.timestamp(), |session| {
        let owner = owner_column(invite.seat.organization_id());
        let email = invite.email.as_ref().map(Email::as_str);
        session.connection.statement(sql::FORGET_INVITES_OF).execute(params![owner, email])?;
        let counted = params![owner, invite.id.timestamp().as_millis(), INVITES_MAX];
        let open: u32 = session.connection.statement(sql::COUNT_INVITES).query_row(counted, |row| row.get(0))?;
        if open >= INVITES_MAX {
            return Ok(Created::CatalogueFull);
        }
        let role = match invite.seat {
            Seat::Operator => None,
            Seat::Member { role, .. } => Some(role.code()),
        };
        session.connection.statement(sql::CREATE_INVITE).execute(params![
            invite.id.sequence(),
            invite.id.tail(),
            new.hash,
            owner,
            role,
            email,
            invite.expires_at.as_millis(),
            invite.made_by,
        ])?;
        Ok(Created::Stored)
    })
}

fn read(row: &Row<'_>) -> Result<Invite> {
    let organization = row.get::<Option<i64>>(2)?.zip(row.get::<Option<i64>>(3)?);
    let seat = match organization {
        None => Seat::Operator,
        Some((seq, tail)) => {
            Seat::Member { organization_id: OrganizationId::from_parts(seq, tail), role: Role::from_code(row.get(4)?) }
        }
    };
    Ok(Invite {
        id: InviteId::from_parts(row.get(0)?, row.get(1)?),
        seat,
        email: row.get::<Option<String>>(5)?.map(|text| account::email(text, 5)).transpose()?,
        expires_at: Timestamp::from_millis(row.get(6)?),
        made_by: row.get(7)?,
    })
}

pub(super) fn find(connection: &Connection<'_>, hash: [u8; 32], now: Timestamp) -> Result<Option<InviteRecord>> {
    let found = connection
        .statement(sql::FIND_INVITE)
        .query_row(params![hash, now.as_millis()], |row| Ok((read(row)?, row.get(8)?)))
        .optional()?;
    let Some((invite, organization_name)) = found else { return Ok(None) };
    let account = match &invite.email {
        Some(email) => account::find(connection, email)?,
        None => None,
    };
    Ok(Some(InviteRecord { invite, organization_name, account }))
}

pub(super) fn list(
    connection: &Connection<'_>,
    organization_id: Option<OrganizationId>,
    now: Timestamp,
) -> Result<Vec<Invite>> {
    let chosen = params![owner_column(organization_id), now.as_millis(), INVITES_MAX];
    connection.statement(sql::LIST_INVITES).query_map(chosen, read)
}

pub(super) fn withdraw(session: &Session<'_>, organization_id: Option<OrganizationId>, id: InviteId) -> Result<bool> {
    let row = [id.sequence(), id.tail(), owner_column(organization_id)];
    Ok(session.connection.statement(sql::WITHDRAW_INVITE).execute(row)? == 1)
}

/// All or nothing: whoever is refused leaves the invite as it was.
pub(super) fn accept(session: &mut Session<'_>, accept: &AcceptInvite) -> Result<Accepted> {
    let Some(InviteRecord { invite, account: known, .. }) = find(session.connection, accept.hash, accept.now)? else {
        return Ok(Accepted::Gone);
    };
    let account = match &accept.by {
        AcceptBy::Existing(id, proof) => match account::find_by_id(session.connection, *id)? {
            Some(found) if invite.email.as_ref().is_none_or(|email| *email == found.account.email) => {
                if matches!(proof, Proof::Password(hash) if found.password_hash.as_ref() != Some(hash)) {
                    return Ok(Accepted::WrongPassword);
                }
                found.account
            }
            _ => return Ok(Accepted::OtherAccount),
        },
        AcceptBy::New { account, password_hash } => {
            if known.is_some() || invite.email.as_ref().is_some_and(|email| *email != account.email) {
                return Ok(Accepted::OtherAccount);
            }
            renewed_or_made(session, account, password_hash)?
        }
    };
    if !member::seat(session, invite.seat, account.id)? {
        account::forget_if_nowhere(session, account.id.sequence())?;
        return Ok(Accepted::Full);
    }
    session.connection.statement(sql::USE_INVITE).execute([invite.id.sequence()])?;
    session::start(session, &accept.session, account.id)?;
    if let AcceptBy::Existing(id, Proof::Session(former)) = &accept.by {
        session::end(session, *id, *former)?;
    }
    let account = Account { operator: account.operator || invite.seat == Seat::Operator, ..account };
    Ok(Accepted::Accepted(account))
}

/// The account with this address gets the password, or it is made. Only links of the operator name no address, and
/// whoever has one may do everything anyway.
fn renewed_or_made(session: &Session<'_>, account: &Account, password_hash: &str) -> Result<Account> {
    let Some(AccountRecord { account: known, .. }) = account::find(session.connection, &account.email)? else {
        account::create(session, account, Some(password_hash))?;
        return Ok(account.clone());
    };
    account::put_password(session, known.id, Some(password_hash))?;
    session::end_all(session, known.id.sequence(), None)?;
    Ok(known)
}
