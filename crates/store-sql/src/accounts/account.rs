//! Accounts.

use tidings_domain::{
    account::{Account, Email},
    ids::AccountId,
};
use tidings_ports::store::{AccountRecord, PasswordChange};

use super::session;
use crate::{
    database::{Connection, Error, Optional as _, Result, Row, params},
    session::Session,
    sql,
};

pub(super) fn has_any(connection: &Connection<'_>) -> Result<bool> {
    connection.statement(sql::HAS_ACCOUNTS).query_row((), |row| row.get(0))
}

/// An account out of five columns from `first` on.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Account> {
    Ok(Account {
        id: AccountId::from_parts(row.get(first)?, row.get(first + 1)?),
        email: email(row.get(first + 2)?, first + 2)?,
        name: row.get(first + 3)?,
        operator: row.get(first + 4)?,
    })
}

pub(super) fn email(text: String, column: usize) -> Result<Email> {
    Email::parse(&text).map_err(|error| Error::unreadable(column, error))
}

fn record(row: &Row<'_>) -> Result<AccountRecord> {
    Ok(AccountRecord { account: read(row, 0)?, password_hash: row.get(5)? })
}

pub(super) fn find(connection: &Connection<'_>, email: &Email) -> Result<Option<AccountRecord>> {
    connection.statement(sql::FIND_ACCOUNT).query_row([email.as_str()], record).optional()
}

pub(super) fn find_by_id(connection: &Connection<'_>, id: AccountId) -> Result<Option<AccountRecord>> {
    let key = [id.sequence(), id.tail()];
    connection.statement(sql::FIND_ACCOUNT_BY_ID).query_row(key, record).optional()
}

/// Whether a hash is the one of an account's password, now.
pub(super) fn has_password(connection: &Connection<'_>, id: AccountId, hash: &str) -> Result<bool> {
    let found = find_by_id(connection, id)?;
    Ok(found.and_then(|found| found.password_hash).is_some_and(|present| present == hash))
}

pub(super) fn find_by_identity(
    connection: &Connection<'_>,
    issuer: &str,
    subject: &str,
) -> Result<Option<AccountRecord>> {
    connection.statement(sql::FIND_ACCOUNT_OF_IDENTITY).query_row([issuer, subject], record).optional()
}

pub(super) fn create(session: &Session<'_>, account: &Account, password_hash: Option<&str>) -> Result<()> {
    session.connection.statement(sql::CREATE_ACCOUNT).execute(params![
        account.id.sequence(),
        account.id.tail(),
        account.email.as_str(),
        account.name,
        password_hash,
        account.operator,
    ])?;
    Ok(())
}

pub(super) fn set_password(session: &Session<'_>, change: &PasswordChange) -> Result<bool> {
    let id = change.account_id;
    if !has_password(session.connection, id, &change.verified)? {
        return Ok(false);
    }
    put_password(session, id, Some(&change.hash))?;
    session::end_all(session, id.sequence(), change.keep)?;
    Ok(true)
}

pub(super) fn put_password(session: &Session<'_>, id: AccountId, hash: Option<&str>) -> Result<bool> {
    let row = params![id.sequence(), id.tail(), hash];
    Ok(session.connection.statement(sql::SET_PASSWORD).execute(row)? == 1)
}

pub(super) fn set_operator(session: &Session<'_>, account: i64, operator: bool) -> Result<()> {
    session.connection.statement(sql::SET_OPERATOR).execute(params![account, operator])?;
    Ok(())
}

/// Deletes an account that has no place anywhere, with everything that is its own.
pub(super) fn forget_if_nowhere(session: &Session<'_>, account: i64) -> Result<()> {
    if session.connection.statement(sql::FORGET_ACCOUNT).execute([account])? == 1 {
        session::end_all(session, account, None)?;
        session.connection.statement(sql::FORGET_IDENTITIES).execute([account])?;
    }
    Ok(())
}
